#include "runtime/context/strict_json.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace caisson::context {
namespace {

namespace json = boost::json;

/// Builds the value as the parser goes, and looks at the keys of every object that ends.
class Builder {
 public:
  using error_code = json::error_code;
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);

  bool on_document_begin(error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    starts_.push_back(keys_.size());
    return true;
  }
  bool on_object_end(std::size_t members, error_code& error) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(starts_.back());
    std::sort(begin, keys_.end());
    if (const auto twice = std::adjacent_find(begin, keys_.end()); twice != keys_.end()) {
      duplicate_ = *twice;
      error = json::error::syntax;
      return false;
    }
    keys_.erase(begin, keys_.end());
    starts_.pop_back();
    stack_.push_object(members);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t elements, error_code&) {
    stack_.push_array(elements);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    key_ += std::string_view(part);
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    key_ += std::string_view(part);
    keys_.push_back(std::move(key_));
    key_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view, error_code& error) {
    if (!std::isfinite(number)) error = json::error::exponent_overflow;
    if (error) return false;
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

  [[nodiscard]] json::value release() { return stack_.release(); }
  [[nodiscard]] const std::string& duplicate() const { return duplicate_; }

 private:
  json::value_stack stack_;
  std::string key_;                  ///< the part of a key that has arrived
  std::vector<std::string> keys_;    ///< of all open objects, innermost last
  std::vector<std::size_t> starts_;  ///< where the keys of each open object begin
  std::string duplicate_;
};

JsonError error_at(std::string_view text, std::size_t offset, std::string what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 when there is none
  return {.what = std::move(what), .line = lines + 1, .column = before.size() - line_start + 1};
}

}  // namespace

tl::expected<json::value, JsonError> parse_strict(std::string_view text, std::size_t levels) {
  json::parse_options options;
  options.max_depth = levels;
  json::basic_parser<Builder> parser{options};
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  Builder& builder = parser.handler();
  if (!builder.duplicate().empty()) {
    return tl::unexpected(
        error_at(text, used, "the key '" + builder.duplicate() + "' is there twice"));
  }
  if (error) return tl::unexpected(error_at(text, used, "not valid JSON: " + error.message()));
  if (used != text.size())
    return tl::unexpected(error_at(text, used, "not valid JSON: more than one value"));
  return builder.release();
}

}  // namespace caisson::context
