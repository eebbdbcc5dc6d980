#include "runtime/context/strict_json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include <boost/json/value_stack.hpp>

#include "runtime/context/decimal.h"
#include "runtime/context/json_reader.h"
#include "runtime/observe/faults.h"

namespace caisson::context {
namespace {

namespace json = boost::json;
using Token = JsonReader::Token;

constexpr std::size_t longest_told_key = 64;

/// Builds the value as the reader goes, and looks at the keys of every object that ends.
class Builder {
 public:
  explicit Builder(Numbers numbers) : numbers_(numbers) { stack_.reset(); }

  /// False: `error` says why.
  bool add(const JsonReader& reader) {
    switch (reader.token()) {
      case Token::begin_object:
      case Token::begin_array:
        counts_.push_back(0);
        starts_.push_back(keys_.size());
        return true;
      case Token::key:
        keys_.emplace_back(reader.text());
        stack_.push_key(reader.text());
        return true;
      case Token::end_object:
        if (has_duplicate()) return false;
        stack_.push_object(count());
        return true;
      case Token::end_array:
        stack_.push_array(count());
        return true;
      case Token::number:
        if (!push_number(reader.text())) return false;
        break;
      case Token::string:
        stack_.push_string(reader.text());
        break;
      case Token::truth:
      case Token::falsity:
        stack_.push_bool(reader.token() == Token::truth);
        break;
      case Token::null:
        stack_.push_null();
        break;
      case Token::end:
      case Token::error:
        return true;
    }
    if (!counts_.empty()) ++counts_.back();
    return true;
  }

  [[nodiscard]] json::value release() { return stack_.release(); }
  std::string error;

 private:
  /// Of the list or object that ends, which is one more in the one around it.
  std::size_t count() {
    const std::size_t count = counts_.back();
    counts_.pop_back();
    if (!counts_.empty()) ++counts_.back();
    keys_.resize(starts_.back());
    starts_.pop_back();
    return count;
  }

  bool has_duplicate() {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(starts_.back());
    std::sort(begin, keys_.end());
    const auto twice = std::adjacent_find(begin, keys_.end());
    if (twice == keys_.end()) return false;
    error = "the key '" + observe::shortened(*twice, longest_told_key) + "' is there twice";
    return true;
  }

  bool push_number(std::string_view text) {
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    if (text.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t whole = 0;
      if (std::from_chars(begin, end, whole).ec == std::errc()) {
        stack_.push_int64(whole);
        return true;
      }
      std::uint64_t large = 0;
      if (std::from_chars(begin, end, large).ec == std::errc()) {
        stack_.push_uint64(large);
        return true;
      }
    }
    double number = 0;
    const auto read = std::from_chars(begin, end, number);
    if (read.ec == std::errc::result_out_of_range) {
      const bool large = Decimal(text).magnitude() > 0;
      if (large && numbers_ == Numbers::doubles) {
        error = "not valid JSON: a number is too large";
        return false;
      }
      // A small one is closer to zero than any other double.
      number = large ? std::numeric_limits<double>::infinity() : 0;
      if (text.starts_with('-')) number = -number;
    }
    stack_.push_double(number);
    return true;
  }

  Numbers numbers_;
  json::value_stack stack_;
  std::vector<std::size_t> counts_;  ///< of the members of all that is open, innermost last
  std::vector<std::string> keys_;    ///< of all open objects, innermost last
  std::vector<std::size_t> starts_;  ///< where the keys of each open one begin
};

JsonError error_at(std::string_view text, std::size_t offset, std::string what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none
  return {.what = std::move(what), .line = lines + 1, .column = before.size() - line_start + 1};
}

}  // namespace

tl::expected<json::value, JsonError> parse_strict(std::string_view text, std::size_t levels,
                                                  Numbers numbers) {
  JsonReader reader(text, levels);
  Builder builder(numbers);
  while (reader.next() != Token::end) {
    if (reader.token() == Token::error) {
      return tl::unexpected(
          error_at(text, reader.begin(), std::string("not valid JSON: ") + reader.error()));
    }
    if (!builder.add(reader)) {
      return tl::unexpected(error_at(text, reader.begin(), std::move(builder.error)));
    }
  }
  return builder.release();
}

}  // namespace caisson::context
