#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/format/chart.h"
#include "installer/format/journal.h"
#include "installer/format/manifest.h"
#include "installer/format/root.h"
#include "installer/format/site.h"
#include "installer/format/sums.h"
#include "installer/format/waiver.h"

/// What a reader takes, its writer writes again: a text has one form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = read_manifest(text); manifest && write_manifest(*manifest) != text)
    abort();
  if (const auto root = read_root("root", text); root && write_root(*root) != text) abort();
  if (const auto sums = read_sums("SHA256SUMS", text, kManifest);
      sums && write_sums(*sums, kManifest) != text) {
    abort();
  }
  if (const auto journal = read_journal(text); journal && write_journal(*journal) != text) abort();
  if (const auto needs = read_site_needs(text); needs && write_site_needs(*needs) != text) abort();
  if (const auto needs = read_chart_needs(text); needs && write_chart_needs(*needs) != text)
    abort();
  if (const auto waiver = read_waiver(text); waiver && write_waiver(*waiver) != text) abort();
  (void)read_envelope(text);
  return 0;
}
