#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::editor {

/// Reads the same document again and again while somebody types in it: `spec::read_document`, but
/// of a long list of tenants only what has changed is parsed. What it answers and reports is the
/// same to the byte.
class DocumentReader {
 public:
  [[nodiscard]] std::optional<spec::Node> read(const source::SourceFile& source, std::uint32_t file,
                                               source::Diagnostics& diagnostics);

  /// Bytes that the last `read` had to parse.
  [[nodiscard]] std::size_t parsed() const { return parsed_; }

 private:
  /// Items by their text; places count from the beginning of the text.
  using Pieces = std::unordered_map<std::string, spec::Node>;

  [[nodiscard]] std::optional<spec::Node> assemble(const source::SourceFile& source,
                                                   std::uint32_t file);
  [[nodiscard]] const spec::Node* piece(std::string_view text, Pieces& used);

  Pieces pieces_;  ///< of the text that was read last
  std::size_t parsed_ = 0;
};

}  // namespace caisson::editor
