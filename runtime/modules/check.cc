#include "runtime/modules/check.h"

#include <algorithm>

#include <boost/json.hpp>

#include "runtime/context/strict_json.h"
#include "runtime/modules/answer.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;
using api::Schema;

/// RFC 6901
std::string segment(std::string_view name) {
  std::string out = "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

bool is_deeper(const json::value& value, std::size_t levels) {
  const auto deeper = [levels](const json::value& inner) { return is_deeper(inner, levels - 1); };
  if (const auto* list = value.if_array()) {
    return levels == 0 || std::any_of(list->begin(), list->end(), deeper);
  }
  if (const auto* object = value.if_object()) {
    return levels == 0 || std::any_of(object->begin(), object->end(),
                                      [&](const auto& member) { return deeper(member.value()); });
  }
  return false;
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += word == words.back() ? " or " : ", ";
    out += word;
  }
  return out;
}

/// Where a value lies: its pointer is written only when something is wrong there.
struct Place {
  const Place* in = nullptr;
  std::string_view name{};  ///< null: `index` counts
  std::size_t index = 0;

  [[nodiscard]] std::string pointer() const {
    if (in == nullptr) return {};
    return in->pointer() + segment(name.data() == nullptr ? std::to_string(index) : name);
  }
};

class Checker {
 public:
  void check(const Schema& schema, const json::value& value, const Place& at) {
    if (schema.nullable && value.is_null()) return;
    switch (schema.kind) {
      case Schema::Kind::text:
        return text(schema, value, at);
      case Schema::Kind::integer:
        return integer(schema, value, at);
      case Schema::Kind::truth:
        if (!value.is_bool() || !value.get_bool()) refuse(at, "must be true");
        return;
      case Schema::Kind::flag:
        if (!value.is_bool()) refuse(at, "must be true or false");
        return;
      case Schema::Kind::value:
        if (!value.is_object()) return refuse(at, "must be an object");
        if (is_deeper(value, api::deepest_value)) {
          refuse(at, "is more than " + std::to_string(api::deepest_value) + " levels deep");
        }
        return;
      case Schema::Kind::list:
        return list(schema, value, at);
      case Schema::Kind::object:
        return object(schema, value, at);
      case Schema::Kind::variants:
        return variants(schema, value, at);
    }
  }

  observe::Faults faults;

 private:
  void refuse(const Place& at, std::string_view detail) {
    faults.note(faults.full() ? std::string() : at.pointer(), detail);
  }

  void text(const Schema& schema, const json::value& value, const Place& at) {
    if (!value.is_string()) return refuse(at, "must be a string");
    const std::string_view have = value.get_string();
    if (!schema.words.empty() && std::ranges::find(schema.words, have) == schema.words.end()) {
      refuse(at, "must be " + listed(schema.words));
    }
    if (schema.accepts != nullptr && !schema.accepts(have)) refuse(at, schema.hint);
  }

  void integer(const Schema& schema, const json::value& value, const Place& at) {
    json::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (!error && number >= schema.minimum && number <= schema.maximum) return;
    refuse(at, "must be an integer from " + std::to_string(schema.minimum) + " to " +
                   std::to_string(schema.maximum));
  }

  void list(const Schema& schema, const json::value& value, const Place& at) {
    const auto* items = value.if_array();
    if (items == nullptr) return refuse(at, "must be an array");
    if (items->size() < schema.min_items ||
        (schema.max_items > 0 && items->size() > schema.max_items)) {
      return refuse(at, "must have " + std::to_string(schema.min_items) + " to " +
                            std::to_string(schema.max_items) + " items");
    }
    for (std::size_t i = 0; i < items->size(); ++i) {
      check(*schema.items, (*items)[i], {.in = &at, .index = i});
    }
  }

  void object(const Schema& schema, const json::value& value, const Place& at) {
    const auto* object = value.if_object();
    if (object == nullptr) return refuse(at, "must be an object");
    for (const auto& member : schema.members) {
      const Place inside{.in = &at, .name = member.name};
      if (const auto* inner = object->if_contains(member.name)) {
        check(*member.schema, *inner, inside);
      } else if (member.required) {
        refuse(inside, "is missing");
      }
    }
    if (!schema.closed) return;
    for (const auto& entry : *object) {
      const std::string_view key = entry.key();
      if (std::ranges::find(schema.members, key, &api::Member::name) == schema.members.end()) {
        refuse({.in = &at, .name = key}, "does not belong here");
      }
    }
  }

  /// The one whose tag it has; without tags the first that fits, or else the first.
  void variants(const Schema& schema, const json::value& value, const Place& at) {
    if (schema.tag.empty()) {
      for (const auto* variant : schema.variants) {
        if (modules::check(*variant, value).empty()) return;
      }
      return check(*schema.variants.front(), value, at);
    }
    const auto* object = value.if_object();
    if (object == nullptr) return refuse(at, "must be an object");
    const auto* tag = object->if_contains(schema.tag);
    const auto word_of = [&schema](const Schema& variant) {
      return std::ranges::find(variant.members, schema.tag, &api::Member::name)
          ->schema->words.front();
    };
    for (const auto* variant : schema.variants) {
      if (tag != nullptr && tag->is_string() && tag->get_string() == word_of(*variant)) {
        return check(*variant, value, at);
      }
    }
    std::vector<std::string_view> words;
    for (const auto* variant : schema.variants) words.push_back(word_of(*variant));
    refuse({.in = &at, .name = schema.tag}, "must be " + listed(words));
  }
};

// A batch or an import of 1,000 has a tenth of it.
constexpr std::size_t most_members = 100'000;

/// How deep the values lie that are kept as they are written; what is deeper belongs to them.
std::size_t depth_of_values(const Schema& schema) {
  switch (schema.kind) {
    case Schema::Kind::list:
      return 1 + depth_of_values(*schema.items);
    case Schema::Kind::object: {
      std::size_t deepest = 0;
      for (const auto& member : schema.members) {
        deepest = std::max(deepest, depth_of_values(*member.schema));
      }
      return 1 + deepest;
    }
    case Schema::Kind::variants: {
      std::size_t deepest = 0;
      for (const auto* variant : schema.variants) {
        deepest = std::max(deepest, depth_of_values(*variant));
      }
      return deepest;
    }
    default:
      return 0;
  }
}

}  // namespace

observe::Faults check(const api::Schema& schema, const json::value& value) {
  Checker checker;
  checker.check(schema, value, Place{});
  return std::move(checker.faults);
}

tl::expected<json::value, RecordsAnswer> read_body(const Schema& schema, std::string_view body) {
  // The schema says how deep a value may be, wherever it lies; the parser leaves room for that.
  // A value is kept as the text that it is, so its numbers may be as large as they like, and it is
  // not built: of a body of many small values that would take thirty times its size.
  auto parsed =
      context::parse_outline(body, 2 * api::deepest_value, depth_of_values(schema), most_members);
  if (!parsed) {
    return tl::unexpected(
        problem("invalid-json", "the body is not JSON: " + parsed.error().what + " at line " +
                                    std::to_string(parsed.error().line) + ", column " +
                                    std::to_string(parsed.error().column)));
  }
  auto faults = check(schema, *parsed);
  if (!faults.empty()) {
    return tl::unexpected(
        problem("invalid-record", "the body is not what this request takes", std::move(faults)));
  }
  return std::move(*parsed);
}

}  // namespace caisson::modules
