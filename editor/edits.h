#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "editor/format.h"
#include "generator/spec/document.h"

namespace caisson::editor {

/// The parts of a document as it is written, and edits of them that keep the rest as it is. Works
/// on text that does not parse.
class Writing {
 public:
  /// `file` is the number of the text among the sources; edits carry it.
  Writing(std::string_view text, std::uint32_t file);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] const spec::Node& tree() const { return tree_; }

  /// A way from the document to a value: keys and items, with what they stand in.
  struct Step {
    const spec::Node* around = nullptr;
    std::size_t index = 0;  ///< among the fields or items of `around`
    [[nodiscard]] const spec::Node& value() const;
    [[nodiscard]] const spec::Entry* entry() const;
  };
  /// The way to the innermost value or key that holds the offset.
  [[nodiscard]] std::vector<Step> way_to(std::uint32_t offset) const;

  /// Takes an entry or an item away, with the line or the comma that goes with it.
  [[nodiscard]] Edit remove(const Step& step) const;
  /// Adds `key: value` to a map, or to a key that has no value yet.
  [[nodiscard]] Edit add(const std::vector<Step>& way, std::string_view key,
                         std::string_view value) const;
  /// Adds an item to the list `key` of the map at the end of the way, or makes that list.
  [[nodiscard]] Edit add_item(const std::vector<Step>& way, std::string_view key,
                              std::string_view item) const;
  /// Adds `key: value` at the top level, or `inner: value` to the map `key` that is there.
  [[nodiscard]] Edit add_to_section(std::string_view key, std::string_view inner,
                                    std::string_view value) const;
  [[nodiscard]] Edit replace(source::Span place, std::string text) const;

 private:
  [[nodiscard]] std::size_t line_begin(std::size_t at) const;
  [[nodiscard]] std::size_t line_behind(std::size_t at) const;
  [[nodiscard]] std::size_t column(std::size_t at) const { return at - line_begin(at); }
  [[nodiscard]] bool in_brackets(const spec::Node& node) const;
  [[nodiscard]] Edit insert(std::size_t at, std::string text) const;
  [[nodiscard]] Edit add_to(const spec::Node& map, const spec::Entry* entry, std::string_view key,
                            std::string_view value) const;

  std::string_view text_;
  std::uint32_t file_;
  spec::Node tree_;
};

}  // namespace caisson::editor
