#include "generator/source/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace caisson::source {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

void Diagnostics::report(Diagnostic diagnostic) { all_.push_back(std::move(diagnostic)); }

bool Diagnostics::has_errors() const { return count(Severity::error) > 0; }

std::size_t Diagnostics::count(Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(all_.begin(), all_.end(),
                    [severity](const Diagnostic& d) { return d.severity == severity; }));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  const auto key = [](const Diagnostic& d) {
    return std::tie(d.where.file, d.where.begin, d.where.end, d.code, d.message, d.remedy);
  };
  auto sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&key](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  const auto same = [&key](const Diagnostic& a, const Diagnostic& b) { return key(a) == key(b); };
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  return sorted;
}

}  // namespace caisson::source
