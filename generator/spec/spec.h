#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/deployment.h"
#include "generator/spec/document.h"
#include "installer/format/answers.h"

namespace caisson::spec {

struct LoadOptions {
  std::string environment;  ///< overlay to merge; empty: the base spec
  bool strict = false;      ///< warnings that name an approximation or an unpinned image are errors
  std::string today;        ///< "YYYY-MM-DD", for expiry of waivers and exclusions
  installer::Answers answers{};  ///< to what the spec asks a site for; of others the default holds
  bool spare_answers = false;    ///< an answer to what the spec does not ask for is no mistake
  /// What has neither answer nor default gets a sample: somebody only looks at the spec.
  bool sample_answers = false;
  /// Reads a file beside the spec (tenant lists, module manifests); paths are relative to the spec.
  /// Its error names the file. Without it such files are errors.
  std::function<Result<std::string>(std::string_view path)> read_file{};
};

/// A spec that is right: the typed deployment and the merged document that it was decoded from, in
/// which pointers find their places.
struct Loaded {
  Deployment deployment;
  Node document;
};

/// Text to Deployment: reads, merges the environment, decodes and checks. Everything that is wrong
/// is in `diagnostics`; empty exactly when there is an error. Appends every text it read to
/// `sources`.
[[nodiscard]] std::optional<Loaded> load(std::string name, std::string text,
                                         const LoadOptions& options, source::SourceSet& sources,
                                         source::Diagnostics& diagnostics);

/// JSON Schema 2020-12 of the language, for editors.
[[nodiscard]] std::string json_schema();

/// The field reference in Markdown (specs/reference.md).
[[nodiscard]] std::string reference();

/// Every code with its explanation in Markdown (specs/codes.md).
[[nodiscard]] std::string codes_reference();

/// What a field means, for example of `runtime.replicas`: type, default, constraint, meaning. Fails
/// with suggestions when there is no such field.
[[nodiscard]] Result<std::string> explain_field(std::string_view path);

/// Every field path of the language ("runtime.replicas", "tiers.<name>.isolation"), sorted.
[[nodiscard]] std::vector<std::string> field_paths();

/// Those that hold a value rather than other fields, as waivers and docs/support.md name them:
/// "tiers.*.limits.queue", "tenants.slug". Sorted; each once.
[[nodiscard]] std::vector<std::string> value_fields();

/// A commented starter spec for a deployment of this name.
[[nodiscard]] std::string starter(std::string_view name);

}  // namespace caisson::spec
