// Any bytes: the reader ends with a document or with diagnostics that can be rendered, never with a
// crash.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "generator/spec/document.h"

namespace {

void check_spans(const caisson::spec::Node& node, std::size_t size) {
  if (node.span.begin > node.span.end || node.span.end > size + 1) std::abort();
  for (const auto& item : node.items) check_spans(item, size);
  for (const auto& field : node.fields) check_spans(field.value, size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  source::SourceSet sources;
  sources.emplace_back("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size));
  source::Diagnostics diagnostics;
  const auto document = spec::read_document(sources[0], 0, diagnostics, {.bytes = 1U << 20U});
  if (document) {
    check_spans(*document, size);
    const auto merged = spec::merge(*document, *document);
    if (merged.kind != document->kind) std::abort();
  } else if (!diagnostics.has_errors()) {
    std::abort();
  }
  for (const auto format : {source::Format::text, source::Format::json, source::Format::sarif}) {
    if (source::render(diagnostics, sources, format).empty() && diagnostics.has_errors())
      std::abort();
  }
  return 0;
}
