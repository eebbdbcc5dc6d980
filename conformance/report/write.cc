#include <fstream>

#include "conformance/report/report.h"

namespace caisson::conformance {
namespace {

Result<void> write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes << std::flush;
  if (!out) return fail("cannot write " + path.string(), "name another directory with --report");
  return {};
}

}  // namespace

Result<void> write_reports(const std::filesystem::path& directory, const RunReport& report,
                           const SigningKey& key, std::string_view spec) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail("cannot make " + directory.string() + ": " + error.message());
  const auto sealed = to_signed_json(report, key);
  if (!sealed) return tl::unexpected(sealed.error());
  for (const auto& step :
       {write(directory / "report.json", *sealed), write(directory / "junit.xml", to_junit(report)),
        write(directory / "report.sarif", to_sarif(report, spec)),
        write(directory / "index.html", to_html(report))}) {
    if (!step) return step;
  }
  return {};
}

}  // namespace caisson::conformance
