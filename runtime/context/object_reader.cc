#include "runtime/context/object_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/suggestion.h"

namespace caisson::context {
namespace {

namespace json = boost::json;

const json::object& object_or_empty(const json::value& value) {
  static const json::object empty;
  return value.is_object() ? value.get_object() : empty;
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  return std::nullopt;  // a number above 2^63 is no length, time or count
}

}  // namespace

std::string pointer_step(std::string_view key) {
  std::string step = "/";
  for (const char c : key) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

ObjectReader::ObjectReader(const json::value& value, std::string pointer, Faults& faults)
    : object_(object_or_empty(value)), pointer_(std::move(pointer)), faults_(faults) {
  if (!value.is_object()) note(pointer_, "must be an object");
}

ObjectReader::~ObjectReader() {
  for (const auto& member : object_) {
    const std::string_view key = member.key();
    if (std::ranges::find(known_, key) != known_.end()) continue;
    const auto meant = faults_.full() ? std::string_view() : closest(key, known_);
    fault(key, meant.empty() ? "unknown key"
                             : "unknown key; did you mean '" + std::string(meant) + "'?");
  }
}

std::string ObjectReader::pointer_to(std::string_view key) const {
  return pointer_ + pointer_step(key);
}

void ObjectReader::fault(std::string_view key, std::string_view detail) {
  note(faults_.full() ? std::string() : pointer_to(key), detail);
}

void ObjectReader::note(std::string_view pointer, std::string_view detail) {
  faults_.note(pointer, detail);
}

const json::value* ObjectReader::take(std::string_view key) {
  known_.push_back(key);
  return object_.if_contains(key);
}

std::string ObjectReader::text(std::string_view key, std::string_view fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return std::string(fallback);
  if (const json::string* string = value->if_string()) return {string->data(), string->size()};
  fault(key, "must be a string");
  return std::string(fallback);
}

std::string ObjectReader::required_text(std::string_view key) {
  const json::value* value = object_.if_contains(key);
  std::string found = text(key);
  if (value == nullptr) {
    fault(key, "is required");
  } else if (found.empty() && value->is_string()) {
    fault(key, "must not be empty");
  }
  return found;
}

std::int64_t ObjectReader::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                                   std::int64_t most) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  const auto number = whole_number(*value);
  if (number && *number >= least && *number <= most) return *number;
  std::string range = "of at least " + std::to_string(least);
  if (most != std::numeric_limits<std::int64_t>::max()) {
    range = "from " + std::to_string(least) + " to " + std::to_string(most);
  }
  fault(key, "must be a whole number " + range);
  return fallback;
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view key,
                                                           std::int64_t least) {
  if (!has(key)) {
    known_.push_back(key);
    return std::nullopt;
  }
  const std::size_t before = faults_.noted();
  const std::int64_t number = integer(key, 0, least);
  return faults_.noted() == before ? std::optional(number) : std::nullopt;
}

std::optional<double> ObjectReader::optional_number(std::string_view key, double above) {
  const json::value* value = take(key);
  if (value == nullptr) return std::nullopt;
  json::error_code error;
  const double number = value->is_number() ? value->to_number<double>(error) : above;
  if (std::isfinite(number) && number > above) return number;
  fault(key, "must be a number above " + std::to_string(static_cast<int>(above)));
  return std::nullopt;
}

bool ObjectReader::boolean(std::string_view key, bool fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  if (const bool* truth = value->if_bool()) return *truth;
  fault(key, "must be true or false");
  return fallback;
}

std::vector<std::string> ObjectReader::texts(std::string_view key,
                                             std::vector<std::string> fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  if (!value->is_array()) {
    fault(key, "must be a list of strings");
    return fallback;
  }
  std::vector<std::string> found;
  std::set<std::string_view> seen;
  for (const json::value& item : value->get_array()) {
    const auto at = [&] { return pointer_to(key) + "/" + std::to_string(found.size()); };
    const json::string* string = item.if_string();
    std::string text =
        string == nullptr ? std::string() : std::string(string->data(), string->size());
    if (string == nullptr) {
      note(at(), "must be a string");
    } else if (!seen.insert(*string).second) {
      note(at(), "is there twice");
    }
    found.push_back(std::move(text));
  }
  return found;
}

}  // namespace caisson::context
