#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caisson::spec {

/// Writes JSON piece by piece, indented by two blanks. The caller keeps keys and values in order.
class JsonText {
 public:
  void open(char bracket);  ///< '{' or '['
  void close(char bracket);
  void key(std::string_view name);
  void string(std::string_view text);
  void raw(std::string_view json);  ///< a number, true, false or null

  /// The text with a line break at its end.
  [[nodiscard]] std::string finish() { return std::move(text_) + '\n'; }

 private:
  void next_value();

  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;       ///< nothing stands in the open bracket yet
  bool after_key_ = false;  ///< the value goes on the line of its key
};

}  // namespace caisson::spec
