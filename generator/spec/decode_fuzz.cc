// Any bytes as a spec, with any bytes beside it: loading ends with a deployment or with an error
// that can be rendered and points into a text, never with a crash. A first line
// `# options: --env NAME --strict` chooses the environment; what follows a line `#beside` is the
// text of every file beside the spec.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generator/spec/spec.h"

namespace {

std::string word_after(std::string_view line, std::string_view option) {
  const auto at = line.find(option);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + option.size());
  return std::string(line.substr(0, line.find(' ')));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view first_line = input.substr(0, input.find('\n'));
  constexpr std::string_view divider = "\n#beside\n";
  const auto at = input.find(divider);
  const std::string beside(at == std::string_view::npos ? "" : input.substr(at + divider.size()));

  spec::LoadOptions options;
  options.environment = word_after(first_line, "--env ");
  options.strict = first_line.find("--strict") != std::string_view::npos;
  options.today = "2026-06-01";
  options.read_file = [&](std::string_view) -> Result<std::string> { return beside; };

  source::SourceSet sources;
  source::Diagnostics diagnostics;
  const auto loaded =
      spec::load("fuzz.yaml", std::string(input.substr(0, at)), options, sources, diagnostics);
  if (loaded.has_value() == diagnostics.has_errors()) std::abort();
  for (const auto& diagnostic : diagnostics.sorted()) {
    if (diagnostic.where.file >= sources.size() || diagnostic.message.empty()) std::abort();
    if (diagnostic.where.begin > diagnostic.where.end) std::abort();
    if (diagnostic.where.begin > sources[diagnostic.where.file].text().size()) std::abort();
  }
  for (const auto format : {source::Format::text, source::Format::json, source::Format::sarif}) {
    if (source::render(diagnostics, sources, format).empty() && diagnostics.has_errors())
      std::abort();
  }
  return 0;
}
