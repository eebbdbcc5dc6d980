#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conformance/verdict/result.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {

/// Canonical JSON: sorted members, no blanks, integers only. Equal reports give equal bytes.
[[nodiscard]] std::string to_canonical_json(const RunReport& report);
/// One probe in the same form, for evidence that is written while the run goes on.
[[nodiscard]] std::string to_canonical_json(const ProbeResult& probe);

/// `{"report":<canonical>,"signature":{"algorithm":"Ed25519","public-key":...,"value":...}}`; the
/// signature is over the canonical bytes. Every other format derives from the same report.
[[nodiscard]] Result<std::string> to_signed_json(const RunReport& report, const SigningKey& key);

/// Checks a signed report against the key inside it and, when given, against the raw public key
/// that the reader trusts. Fails with what is wrong.
[[nodiscard]] Result<void> verify_signed_json(std::string_view text, std::string_view trusted = {});

/// JUnit XML: one suite a family, one case a probe. A leak is a failure, INVALID and INCONCLUSIVE
/// are errors, what does not apply is skipped.
[[nodiscard]] std::string to_junit(const RunReport& report);

/// SARIF 2.1.0 with failures only: leaks are errors, INVALID and INCONCLUSIVE warnings. `spec` is
/// the file that they are pinned to.
[[nodiscard]] std::string to_sarif(const RunReport& report, std::string_view spec);

/// One self-contained page: the truth table, and every probe with its evidence.
[[nodiscard]] std::string to_html(const RunReport& report);

/// The truth table and the verdicts for a terminal.
[[nodiscard]] std::string to_text(const RunReport& report, bool colour);

/// Writes report.json (first, it is the canonical one), junit.xml, report.sarif and index.html.
[[nodiscard]] Result<void> write_reports(const std::filesystem::path& directory,
                                         const RunReport& report, const SigningKey& key,
                                         std::string_view spec);

}  // namespace caisson::conformance
