#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::context {

/// Reads a JSON text (RFC 8259) token by token, and knows of each token what it says and where it
/// stands: whoever looks for a key compares what the key says, not how it is escaped, and what is
/// cut out of a text are its own bytes. This is the only reader of JSON that comes from outside and
/// of values that are stored, so that no two parts of the program read a text differently.
///
/// Strict: valid UTF-8, no lone surrogates, nothing behind the value. Keys that an object has twice
/// are the caller's to find (`parse_strict` does).
class JsonReader {
 public:
  enum class Token : std::uint8_t {
    begin_object,
    key,
    end_object,
    begin_array,
    end_array,
    string,
    number,
    truth,    ///< true
    falsity,  ///< false
    null,
    end,    ///< of the text
    error,  ///< and nothing else from then on
  };
  /// Arrays and objects inside one another that a reader can follow.
  static constexpr std::size_t most_levels = 64;

  /// `text` outlives the reader; more than `levels` (at most `most_levels`) are an error.
  explicit JsonReader(std::string_view text, std::size_t levels = most_levels)
      : text_(text), levels_(levels) {}
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  Token next();

  /// The token that `next` gave last.
  [[nodiscard]] Token token() const { return token_; }
  /// Of a key or a string what it says, in UTF-8; of a number its characters. Until `next`.
  [[nodiscard]] std::string_view text() const { return said_; }
  /// Where the token begins and ends in the text, in bytes; of an error where it is.
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return at_; }
  /// What is wrong.
  [[nodiscard]] const char* error() const { return error_; }

  /// From the first token of a value: reads the rest of it. Its bytes, as they stand in the text;
  /// empty after an error.
  std::string_view whole_value();

  /// Before the first token: goes to the value at `path`, the keys of objects inside one another,
  /// and reads its first token. False when there is no such value.
  [[nodiscard]] bool find(std::span<const std::string> path);

 private:
  enum class Expected : std::uint8_t { value, item_or_end, key_or_end, key, colon, more_or_end };

  Token give(Token token) { return token_ = token; }
  Token fail(const char* why);
  Token open(Token token, bool object);
  Token close();
  Token read_key();
  Token read_value();
  Token read_word(std::string_view word, Token token);
  Token read_string(Token token);
  Token read_number();
  bool read_escape();
  bool read_hex(unsigned& code);
  void skip_blanks();
  [[nodiscard]] bool in_object() const { return (objects_ & 1U) != 0; }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  std::string_view text_;
  std::size_t levels_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
  std::uint64_t objects_ =
      0;  ///< one bit a level, the innermost last: an object rather than a list
  Expected expected_ = Expected::value;
  Token token_ = Token::end;
  std::string_view said_;
  std::string decoded_;  ///< what a key or string with escapes says
  const char* error_ = "";
};

/// Of a JSON object, the values that the objects in its list `list` have under the key `member`, as
/// they stand in the text; empty for an object without it.
[[nodiscard]] std::vector<std::string_view> cut_members(std::string_view text,
                                                        const std::string& list,
                                                        const std::string& member);

}  // namespace caisson::context
