#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/source_file.h"

namespace caisson::source {

enum class Severity : std::uint8_t { error, warning, note };

/// "error", "warning" or "note": the words of the text and JSON forms, and SARIF's levels (2.1.0,
/// 3.27.10).
[[nodiscard]] std::string_view name_of(Severity severity);

/// One thing that is wrong, in the words of the person who has to mend it.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string_view code;  ///< stable, for example "E0204"; from the table in codes.h
  Span where;
  std::string message;        ///< one line, lower case: what is wrong and where
  std::string remedy;         ///< one line beside the caret: what to do; "did you mean 'x'?"
  std::vector<Span> related;  ///< other places that matter (first declaration, anchor)
};

/// Collects every diagnostic of a run; stages report here and go on. Nothing throws.
class Diagnostics {
 public:
  void report(Diagnostic diagnostic);
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] std::size_t count(Severity severity) const;
  /// Sorted by file, position, then code; exact duplicates removed.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> all_;
};

enum class Format : std::uint8_t { text, json, sarif };

/// Renders diagnostics for people (excerpt, caret, remedy) or for machines (JSON, SARIF 2.1.0).
/// `colour` applies to text only.
[[nodiscard]] std::string render(const Diagnostics& diagnostics, const SourceSet& sources,
                                 Format format, bool colour = false);

}  // namespace caisson::source
