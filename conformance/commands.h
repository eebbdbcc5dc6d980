#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "generator/render/blueprints.h"
#include "generator/spec/spec.h"
#include "installer/format/answers.h"

namespace caisson::conformance {

/// A right spec, and how it was read; prove changes it and loads it again.
struct Subject {
  std::string path{};  ///< as the user wrote it; secrets from files are relative to its directory
  std::string text{};
  std::string environment{};      ///< of --env
  std::string answers_file{};     ///< of --answers
  std::string blueprints_from{};  ///< of --blueprints
  installer::Answers answers{};
  spec::Loaded loaded{};
  render::Blueprints blueprints{};
};

/// Where a command writes. `progress` may be silenced by the caller with a stream that drops
/// everything.
struct Output {
  std::ostream& out;
  std::ostream& progress;
  std::ostream& error;
  bool colour = false;
  bool quiet = false;  ///< `up` and `down` say nothing when all went well
};

/// Exit status of every command here.
enum class Status : int {
  passed = 0,
  leak = 1,
  inconclusive = 2,
  harness = 3,  ///< something was in the way, or the harness itself is at fault
};

struct StackOptions {
  std::string target = "local";     ///< "local" or "compose"
  std::filesystem::path state{};    ///< empty: `state_of`
  std::filesystem::path runtime{};  ///< program instead of the caisson-runtime beside this one
};

/// Generates and starts the stack. Everything started is stopped again when a part does not become
/// healthy or the user interrupts. For docs/conformance.md: prints the URL and where logs and
/// secrets are.
[[nodiscard]] Status up(const Subject& subject, const StackOptions& options, const Output& output);

/// Stops the stack and removes what `up` made. That of another file is left alone as long as its
/// own can stop it.
[[nodiscard]] Status down(const Subject& subject, const StackOptions& options,
                          const Output& output);

/// The same for a spec that cannot be read any more: the stack that was started from the file with
/// the environment is looked for by what it notes of itself.
[[nodiscard]] Status down_unread(const std::string& path, const std::string& environment,
                                 const StackOptions& options, const Output& output);

struct ConformOptions {
  StackOptions stack{};
  std::filesystem::path attach{};  ///< site.json of a deployment that runs; empty: a stack of `up`
  int level = -1;                  ///< 0-3; -1: the spec's, or 1 of a deployment that runs
  std::string filter{};            ///< ids, families, globs, comma-separated
  bool list = false;               ///< print the catalogue with what applies, and run nothing
  bool require_all = false;        ///< what could not be looked at fails the run
  std::filesystem::path
      report{};  ///< directory; empty: `conformance-report` in the working directory
  std::filesystem::path
      key{};  ///< Ed25519 private key in PEM that signs the report; empty: one for this run
};

/// Attacks the stack of `up`, or one that it starts for the time of the run, or what `attach` leads
/// to. Prints the truth table. A stack that does not run, or was started from another spec, is in
/// the way.
[[nodiscard]] Status conform(const Subject& subject, const ConformOptions& options,
                             const Output& output);

struct ProveOptions {
  std::filesystem::path report{};  ///< the matrix is stored here; empty: `conformance-report`
  std::filesystem::path
      sabotaged_runtime{};  ///< empty: caisson-runtime-sabotaged beside this program
  std::string filter{};     ///< sabotages by name or glob
  bool list = false;
};

/// Takes one wall down at a time and shows that the named probe reports it; then changes what must
/// not matter.
[[nodiscard]] Status prove(const Subject& subject, const ProveOptions& options,
                           const Output& output);

struct SweepOptions {
  std::filesystem::path attach{};  ///< site.json: what runs against it have left, and nothing else
  std::filesystem::path root{};    ///< directory of state directories; empty: the default one
};

/// Removes what runs that were killed have left: things in their journals, and stacks of `prove`.
[[nodiscard]] Status sweep(const SweepOptions& options, const Output& output);

}  // namespace caisson::conformance
