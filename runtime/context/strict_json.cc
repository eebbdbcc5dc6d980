#include "runtime/context/strict_json.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <functional>
#include <limits>
#include <utility>
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
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// The keys of all open objects, innermost last: where the text has a key as it is meant, the key
/// is there, and nothing is moved as more come.
class Keys {
 public:
  explicit Keys(std::string_view text) : text_(text) {}

  void push(std::string_view key) { keys_.push_back(is_in_text(key) ? key : copy(key)); }
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// Forgets all from `start` on, and gives one of them that is there twice.
  std::string_view pop(std::size_t start) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(start);
    std::sort(begin, keys_.end());
    const auto twice = std::adjacent_find(begin, keys_.end());
    const std::string_view found = twice == keys_.end() ? std::string_view() : *twice;
    has_twice = twice != keys_.end();
    keys_.erase(begin, keys_.end());
    return found;
  }
  bool has_twice = false;

 private:
  [[nodiscard]] bool is_in_text(std::string_view key) const {
    const std::less_equal<> before;  // of pointers: a total order
    return before(text_.data(), key.data()) &&
           before(key.data() + key.size(), text_.data() + text_.size());
  }
  std::string_view copy(std::string_view key) {
    constexpr std::size_t piece = 4096;
    if (copies_.empty() || copies_.back().capacity() - copies_.back().size() < key.size()) {
      copies_.emplace_back().reserve(std::max(piece, key.size()));
    }
    std::string& into = copies_.back();
    const std::size_t at = into.size();
    into += key;
    return std::string_view(into).substr(at);
  }

  std::string_view text_;
  std::deque<std::string_view> keys_;
  std::deque<std::string> copies_;
};

/// What of a text is built.
struct Outline {
  std::size_t built = everything;  ///< levels
  std::size_t most_members = everything;
};

/// Builds the value as the reader goes, and looks at the keys of every object that ends.
class Builder {
 public:
  Builder(std::string_view text, Numbers numbers, Outline outline)
      : numbers_(numbers), outline_(outline), keys_(text) {
    stack_.reset();
  }

  /// False: `error` says why.
  bool add(const JsonReader& reader) {
    switch (reader.token()) {
      case Token::begin_object:
      case Token::begin_array:
        starts_.push_back(keys_.size());
        if (is_sketched() || counts_.size() == outline_.built) {
          heights_.push_back(0);
        } else {
          counts_.push_back(0);
        }
        return true;
      case Token::key:
        keys_.push(reader.text());
        if (!is_sketched()) stack_.push_key(reader.text());
        return true;
      case Token::end_object:
      case Token::end_array:
        return end(reader.token() == Token::end_object) && (is_sketched() || count());
      case Token::end:
      case Token::error:
        return true;
      default:
        return is_sketched() || (push(reader) && count());
    }
  }

  [[nodiscard]] json::value release() { return stack_.release(); }
  std::string error;

 private:
  /// Inside of what is not built.
  [[nodiscard]] bool is_sketched() const { return !heights_.empty(); }

  /// One more in the list or object around.
  bool count() {
    if (!counts_.empty()) ++counts_.back();
    if (++members_ <= outline_.most_members) return true;
    error = "it has more than " + std::to_string(outline_.most_members) + " members and items";
    return false;
  }

  bool end(bool object) {
    const std::string_view twice = keys_.pop(starts_.back());
    starts_.pop_back();
    if (keys_.has_twice) {
      error = "the key '" + observe::shortened(twice, longest_told_key) + "' is there twice";
      return false;
    }
    if (!is_sketched()) {
      const std::size_t members = std::exchange(counts_.back(), 0);
      counts_.pop_back();
      object ? stack_.push_object(members) : stack_.push_array(members);
      return true;
    }
    const std::size_t height = heights_.back() + 1;
    heights_.pop_back();
    if (is_sketched()) {
      heights_.back() = std::max(heights_.back(), height);
    } else {
      push_sketch(object, height);
    }
    return true;
  }

  /// As many inside one another as `height` says.
  void push_sketch(bool object, std::size_t height) {
    const std::size_t members = height > 1 ? 1 : 0;
    if (object && members > 0) stack_.push_key("");
    for (std::size_t level = 1; level < height; ++level) stack_.push_array(level > 1 ? 1 : 0);
    object ? stack_.push_object(members) : stack_.push_array(members);
  }

  bool push(const JsonReader& reader) {
    switch (reader.token()) {
      case Token::number:
        return push_number(reader.text());
      case Token::string:
        stack_.push_string(reader.text());
        break;
      case Token::truth:
      case Token::falsity:
        stack_.push_bool(reader.token() == Token::truth);
        break;
      default:
        stack_.push_null();
        break;
    }
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
  Outline outline_;
  json::value_stack stack_;
  Keys keys_;
  std::vector<std::size_t> starts_;   ///< where the keys of each that is open begin
  std::vector<std::size_t> counts_;   ///< of the members of all that is open and built
  std::vector<std::size_t> heights_;  ///< of what has ended in all that is open and not built
  std::size_t members_ = 0;
};

JsonError error_at(std::string_view text, std::size_t offset, std::string what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none
  return {.what = std::move(what), .line = lines + 1, .column = before.size() - line_start + 1};
}

tl::expected<json::value, JsonError> parse(std::string_view text, std::size_t levels,
                                           Numbers numbers, Outline outline) {
  JsonReader reader(text, levels);
  Builder builder(text, numbers, outline);
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

}  // namespace

tl::expected<json::value, JsonError> parse_strict(std::string_view text, std::size_t levels,
                                                  Numbers numbers) {
  return parse(text, levels, numbers, {});
}

tl::expected<json::value, JsonError> parse_outline(std::string_view text, std::size_t levels,
                                                   std::size_t built, std::size_t most_members) {
  return parse(text, levels, Numbers::any, {.built = built, .most_members = most_members});
}

}  // namespace caisson::context
