#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "editor/pieces.h"
#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::editor {

/// Reads the same document again and again while somebody types in it: `spec::read_document`, but
/// of long lists only what has changed is parsed, whether the text can be read or not. What it
/// answers and reports is the same to the byte.
class DocumentReader {
 public:
  [[nodiscard]] std::optional<spec::Node> read(const source::SourceFile& source, std::uint32_t file,
                                               source::Diagnostics& diagnostics);

  /// Bytes that the last `read` had to parse, without the empty lines in the place of others.
  [[nodiscard]] std::size_t parsed() const { return parsed_; }

 private:
  /// What a piece says by itself; its places count from its beginning.
  struct Known {
    std::optional<spec::Node> list;  ///< empty: it depends on what is around it
    std::size_t lines = 0;
    std::uint64_t used = 0;  ///< by which `read` last
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Excerpt;
  struct Reading;

  [[nodiscard]] std::optional<Reading> read_excerpt(const source::SourceFile& source,
                                                    std::uint32_t file);
  [[nodiscard]] bool scans_over_gaps(const Reading& reading);
  [[nodiscard]] std::optional<Reading> read_in_quotes(const source::SourceFile& source,
                                                      std::uint32_t file, const Reading& failed,
                                                      std::size_t wrong);
  [[nodiscard]] Reading parse(const source::SourceFile& source, std::uint32_t file,
                              const std::vector<bool>& left_out);
  [[nodiscard]] Excerpt excerpt(std::string_view text, const std::vector<bool>& left_out) const;
  void complete(spec::Node& document, const Reading& reading, std::uint32_t file) const;
  [[nodiscard]] const Known& learn(const Piece& piece, std::string_view whole);
  void forget(std::size_t bytes);

  std::unordered_map<std::string, Known, Hash, std::equal_to<>> known_;  ///< by their texts
  std::vector<Piece> pieces_;                                            ///< of this text
  std::vector<const Known*> contents_;                                   ///< of the pieces
  Known rest_;  ///< of those that are no part of a list
  std::uint64_t reads_ = 0;
  std::size_t parsed_ = 0;
};

}  // namespace caisson::editor
