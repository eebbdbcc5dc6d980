#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/console.h"
#include "generator/publish/revision.h"
#include "generator/render/plan_report.h"
#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/spec.h"
#include "installer/format/answers.h"

namespace caisson::cli {

/// A spec's text, and how to get at the files it names, wherever both are.
struct SpecSource {
  std::string name;  ///< as diagnostics show it
  std::string text;
  std::function<Result<std::string>(std::string_view path)> read_file;
  installer::Answers answers{};  ///< to what it asks a site for
  bool spare_answers = false;    ///< some may be to what another version of it asks for
  bool sample_answers = false;   ///< what nobody has answered does not matter
};

/// From a file, or from standard input when `path` is "-" (files are then relative to the working
/// directory). A missing file, a directory, a pipe without end and a file beyond 64 MiB each fail
/// with their own words. `answers` is a file of them, as caisson-install takes it; "" is none.
[[nodiscard]] Result<SpecSource> read_spec(const std::string& path,
                                           const std::string& answers = {});

/// All of a file that a spec names. Of one that is not there the error says which name beside it
/// was meant.
[[nodiscard]] Result<std::string> read_beside(const std::filesystem::path& path);

/// Answers from a file; none without a name.
[[nodiscard]] Result<installer::Answers> read_answers(const std::string& path);

/// All of a regular file of at most 64 MiB. `missing_remedy` says what to do when it is not there.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            const std::string& missing_remedy);

/// From a git revision, which must outlive the source; shown as "HEAD~1:deploy/deployment.yaml".
[[nodiscard]] Result<SpecSource> read_spec(const publish::Repository& repository,
                                           const publish::Revision& revision,
                                           const std::string& revision_name);

/// What loading a spec gave: the deployment unless there are errors, and everything to say about
/// it.
struct LoadedSpec {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  std::optional<spec::Loaded> loaded;
  /// SHA-256 of the spec's text followed by every file read for it, each after a line with its
  /// name. Of a spec without files it is what `sha256sum` prints.
  std::string sha256;
};

/// Loads and checks. `environment` is empty for the base spec.
[[nodiscard]] LoadedSpec load_spec(const SpecSource& source, const std::string& environment,
                                   bool strict);

/// Finds the place of a pointer into the merged document: "deployment.yaml:14". `spec` must be
/// loaded and outlive the function.
[[nodiscard]] render::Locate locator(const LoadedSpec& spec);

/// The diagnostics that -q leaves: errors.
[[nodiscard]] source::Diagnostics heard(const source::Diagnostics& all, const Console& console);

/// Prints the diagnostics of a command whose result is something else, to standard error.
void report(const LoadedSpec& spec, Console& console);

/// "3 errors and 1 warning"; empty when there are none.
[[nodiscard]] std::string tally(const source::Diagnostics& diagnostics);

}  // namespace caisson::cli
