#include "runtime/context/json_reader.h"

#include "base/hex.h"
#include "base/utf8.h"

namespace caisson::context {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A character that stands for itself in a string, and is one byte long.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

}  // namespace

JsonReader::Token JsonReader::next() {
  if (token_ == Token::error) return token_;
  skip_blanks();
  begin_ = at_;
  if (expected_ == Expected::more_or_end) {
    if (depth_ == 0) return at_end() ? give(Token::end) : fail("more than one value");
    if (at_end()) return fail("the text ends early");
    if (text_[at_] == (in_object() ? '}' : ']')) return close();
    if (text_[at_] != ',')
      return fail(in_object() ? "',' or '}' must follow" : "',' or ']' must follow");
    ++at_;
    expected_ = in_object() ? Expected::key : Expected::value;
    skip_blanks();
    begin_ = at_;
  }
  if (expected_ == Expected::colon) {
    if (at_end() || text_[at_] != ':') return fail("':' must follow");
    ++at_;
    skip_blanks();
    begin_ = at_;
  }
  if (at_end()) return fail("the text ends early");
  if (expected_ == Expected::key || expected_ == Expected::key_or_end) return read_key();
  if (expected_ == Expected::item_or_end && text_[at_] == ']') return close();
  return read_value();
}

std::string_view JsonReader::whole_value() {
  const std::size_t begin = begin_;
  std::size_t open = 0;
  while (true) {
    if (token_ == Token::error) return {};
    if (token_ == Token::begin_object || token_ == Token::begin_array) ++open;
    if (token_ == Token::end_object || token_ == Token::end_array) --open;
    if (open == 0) return text_.substr(begin, at_ - begin);
    next();
  }
}

bool JsonReader::find(std::span<const std::string> path) {
  next();
  for (const std::string& key : path) {
    if (token_ != Token::begin_object) return false;
    while (next() == Token::key && text() != key) {
      next();
      whole_value();
    }
    if (token_ != Token::key) return false;
    next();
  }
  return token_ != Token::error;
}

JsonReader::Token JsonReader::fail(const char* why) {
  error_ = why;
  begin_ = at_;
  return give(Token::error);
}

void JsonReader::skip_blanks() {
  while (!at_end() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

JsonReader::Token JsonReader::open(Token token, bool object) {
  if (depth_ == levels_ || depth_ == most_levels) return fail("too many levels");
  ++at_;
  ++depth_;
  objects_ = (objects_ << 1U) | (object ? 1U : 0U);
  expected_ = object ? Expected::key_or_end : Expected::item_or_end;
  return give(token);
}

JsonReader::Token JsonReader::close() {
  const bool object = in_object();
  ++at_;
  --depth_;
  objects_ >>= 1U;
  expected_ = Expected::more_or_end;
  return give(object ? Token::end_object : Token::end_array);
}

JsonReader::Token JsonReader::read_key() {
  if (expected_ == Expected::key_or_end && text_[at_] == '}') return close();
  if (text_[at_] != '"') return fail("a key must follow");
  expected_ = Expected::colon;
  return read_string(Token::key);
}

JsonReader::Token JsonReader::read_value() {
  expected_ = Expected::more_or_end;
  switch (text_[at_]) {
    case '{':
      return open(Token::begin_object, true);
    case '[':
      return open(Token::begin_array, false);
    case '"':
      return read_string(Token::string);
    case 't':
      return read_word("true", Token::truth);
    case 'f':
      return read_word("false", Token::falsity);
    case 'n':
      return read_word("null", Token::null);
    default:
      return read_number();
  }
}

JsonReader::Token JsonReader::read_word(std::string_view word, Token token) {
  if (!text_.substr(at_).starts_with(word)) return fail("a value must follow");
  at_ += word.size();
  return give(token);
}

JsonReader::Token JsonReader::read_string(Token token) {
  ++at_;
  std::size_t run = at_;  // characters that stand for themselves, since the last escape
  bool escaped = false;
  while (true) {
    while (!at_end() && is_plain(text_[at_])) ++at_;
    if (at_end()) return fail("a string does not end");
    const char c = text_[at_];
    if (c == '"') break;
    if (c == '\\') {
      if (!escaped) decoded_.clear();
      escaped = true;
      decoded_ += text_.substr(run, at_ - run);
      if (!read_escape()) return fail("an escape is broken");
      run = at_;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return fail("a control character must be escaped");
    } else {
      const Scalar scalar = decode_utf8(text_.substr(at_));
      if (!scalar.valid) return fail("the text is not valid UTF-8");
      at_ += scalar.length;
    }
  }
  said_ = text_.substr(run, at_ - run);
  if (escaped) said_ = decoded_ += said_;
  ++at_;
  return give(token);
}

bool JsonReader::read_hex(unsigned& code) {
  code = 0;
  if (text_.size() - at_ < 4) return false;
  for (const char c : text_.substr(at_, 4)) {
    const int value = hex_value(c);
    if (value < 0) return false;
    code = code << 4U | static_cast<unsigned>(value);
  }
  at_ += 4;
  return true;
}

bool JsonReader::read_escape() {
  constexpr std::string_view names = "\"\\/bfnrt";
  constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
  if (text_.size() - at_ < 2) return false;
  const char name = text_[at_ + 1];
  at_ += 2;
  if (name != 'u') {
    const std::size_t which = names.find(name);
    if (which == std::string_view::npos) return false;
    decoded_ += meant[which];
    return true;
  }
  unsigned code = 0;
  if (!read_hex(code) || (code >= 0xDC00 && code <= 0xDFFF)) return false;
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (!text_.substr(at_).starts_with("\\u")) return false;
    at_ += 2;
    unsigned low = 0;
    if (!read_hex(low) || low < 0xDC00 || low > 0xDFFF) return false;
    code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
  }
  append_utf8(decoded_, code);
  return true;
}

JsonReader::Token JsonReader::read_number() {
  const std::size_t begin = at_;
  const auto have = [this] { return !at_end() && is_digit(text_[at_]); };
  const auto digits = [&] {
    while (have()) ++at_;
  };
  if (text_[at_] == '-') ++at_;
  if (!have()) return fail("a value must follow");
  if (text_[at_] == '0') {
    ++at_;
  } else {
    digits();
  }
  if (!at_end() && text_[at_] == '.') {
    ++at_;
    if (!have()) return fail("a digit must follow");
    digits();
  }
  if (!at_end() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (!at_end() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!have()) return fail("a digit must follow");
    digits();
  }
  said_ = text_.substr(begin, at_ - begin);
  return give(Token::number);
}

std::vector<std::string_view> cut_members(std::string_view text, const std::string& list,
                                          const std::string& member) {
  std::vector<std::string_view> cut;
  JsonReader reader(text);
  if (!reader.find({&list, 1})) return cut;
  while (reader.next() == JsonReader::Token::begin_object) {
    JsonReader item(reader.whole_value());
    cut.push_back(item.find({&member, 1}) ? item.whole_value() : std::string_view());
  }
  return cut;
}

}  // namespace caisson::context
