#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "editor/document_reader.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"
#include "generator/spec/field.h"

namespace caisson::editor {

/// Reads a file beside the spec; the path is relative to the spec's folder.
using ReadFile = std::function<Result<std::string>(std::string_view path)>;

/// A file of a deployment, and what it says.
struct Part {
  enum class Kind : std::uint8_t { spec, tenants, manifest };
  Kind kind = Kind::spec;
  spec::Node tree;
  bool exact = true;  ///< false: the file cannot be read as it should; the tree is what can be told
};

/// A spec and the files beside it that it names, as they are now: by whatever is open in the
/// editor, else by the disk. `sources[0]` is the spec; `parts` are in the order of `sources`.
struct Project {
  source::SourceSet sources;
  std::vector<Part> parts;

  /// The language of a part: of a spec, of a list of tenants, of a manifest.
  [[nodiscard]] static const spec::Shape& shape_of(Part::Kind kind);
};

/// Files that cannot be read are left out; the diagnostics of `spec::load` say why.
[[nodiscard]] Project read_project(const std::string& name, std::string_view text,
                                   DocumentReader& reader, const ReadFile& read_file);

/// The tree of a file beside the spec.
[[nodiscard]] Part read_part(Part::Kind kind, const source::SourceFile& source, std::uint32_t file);

}  // namespace caisson::editor
