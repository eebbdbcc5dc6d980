#include "generator/render/json_schema.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <string_view>
#include <vector>

#include "base/suggestion.h"
#include "generator/render/value_format.h"

namespace caisson::render {
namespace {

using Fault = std::optional<SchemaFault>;

/// No key or word of any format is longer; the engine of regular expressions recurses.
constexpr std::size_t longest_matched = 1024;
/// Of several keys so many are named.
constexpr std::size_t most_named = 12;

bool is_whole(const Node& value) {
  if (std::holds_alternative<std::int64_t>(value.value())) return true;
  const auto* real = std::get_if<double>(&value.value());
  return real != nullptr && std::trunc(*real) == *real;
}

bool is_number(const Node& value) {
  return std::holds_alternative<std::int64_t>(value.value()) ||
         std::holds_alternative<double>(value.value());
}

double number(const Node& value) {
  const auto* whole = std::get_if<std::int64_t>(&value.value());
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value.value());
}

bool is_of(std::string_view type, const Node& value) {
  if (type == "object") return value.map() != nullptr;
  if (type == "array") return value.list() != nullptr;
  if (type == "string") return value.text() != nullptr;
  if (type == "integer") return is_whole(value);
  if (type == "number") return is_number(value);
  if (type == "boolean") return std::holds_alternative<bool>(value.value());
  return value.is_null();
}

std::string_view word_for(std::string_view type) {
  if (type == "object") return "a map";
  if (type == "array") return "a list";
  if (type == "string") return "text";
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  return type == "boolean" ? "true or false" : "null";
}

std::string_view kind_of(const Node& value) {
  for (const auto* type : {"object", "array", "string", "boolean", "integer", "number"}) {
    if (is_of(type, value)) return word_for(type);
  }
  return "null";
}

std::string either(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

class Checker {
 public:
  explicit Checker(const Node& root) : root_(root) {}

  [[nodiscard]] Fault check(const Node& unresolved, const Node& value,
                            const std::string& at) const {
    const auto& schema = resolved(unresolved);
    if (schema.map() == nullptr) return {};  // `true`: anything
    if (!types_fit(schema, value)) {
      return SchemaFault{
          at,
          "is " + std::string(kind_of(value)) + " where " + either(expected(schema)) + " belongs",
          "write " + either(expected(schema))};
    }
    for (const auto step :
         {&Checker::forms, &Checker::words, &Checker::bounds, &Checker::items, &Checker::entries}) {
      if (auto fault = (this->*step)(schema, value, at)) return fault;
    }
    return {};
  }

 private:
  [[nodiscard]] bool matches(const std::string& text, const std::string& pattern) const {
    if (text.size() > longest_matched) return false;
    auto found = patterns_.find(pattern);
    if (found == patterns_.end()) found = patterns_.emplace(pattern, std::regex(pattern)).first;
    return std::regex_search(text, found->second);
  }

  [[nodiscard]] const Node& resolved(const Node& schema) const {
    const auto* node = &schema;
    while (const auto* ref = node->find("$ref")) {
      const auto* there = root_.at(ref->text()->substr(1));
      if (there == nullptr) break;
      node = there;
    }
    return *node;
  }

  static std::vector<std::string> types(const Node& schema) {
    std::vector<std::string> names;
    const auto* type = schema.find("type");
    if (type == nullptr) return names;
    if (type->text() != nullptr) names.push_back(*type->text());
    for (const auto& name : type->list() == nullptr ? Node::List{} : *type->list())
      names.push_back(*name.text());
    return names;
  }

  static bool types_fit(const Node& schema, const Node& value) {
    const auto names = types(schema);
    return names.empty() ||
           std::ranges::any_of(names, [&](const std::string& name) { return is_of(name, value); });
  }

  [[nodiscard]] const Node::List* choices(const Node& schema) const {
    for (const auto* key : {"oneOf", "anyOf"})
      if (const auto* list = schema.find(key)) return list->list();
    return nullptr;
  }

  /// The kinds that the schema or its forms have, in words.
  [[nodiscard]] std::vector<std::string> expected(const Node& schema) const {
    auto names = types(schema);
    if (const auto* forms = names.empty() ? choices(schema) : nullptr) {
      for (const auto& form : *forms)
        for (auto& name : types(resolved(form))) names.push_back(std::move(name));
    }
    std::vector<std::string> words;
    for (const auto& name : names) {
      std::string word(word_for(name));
      if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
    }
    return words;
  }

  [[nodiscard]] Fault forms(const Node& schema, const Node& value, const std::string& at) const {
    const auto* choices_there = choices(schema);
    if (choices_there == nullptr) return {};
    Fault nearest;
    for (const auto& form : *choices_there) {
      auto fault = check(form, value, at);
      if (!fault) return {};
      if (types_fit(resolved(form), value) && !nearest) nearest = std::move(fault);
    }
    if (nearest) return nearest;
    const auto words = either(expected(schema));
    return SchemaFault{at, "is " + std::string(kind_of(value)) + " where " + words + " belongs",
                       "write " + words};
  }

  [[nodiscard]] Fault words(const Node& schema, const Node& value, const std::string& at) const {
    if (const auto* known = schema.find("enum")) {
      const auto& list = *known->list();
      if (std::ranges::find(list, value) == list.end()) {
        std::vector<std::string> names;
        for (const auto& word : list)
          if (word.text() != nullptr) names.push_back("'" + *word.text() + "'");
        return SchemaFault{at, "is none of the words that it may be", "write " + either(names)};
      }
    }
    const auto* format = schema.find("format");
    const auto* form = format == nullptr ? nullptr : value_format(*format->text());
    if (form != nullptr && value.text() != nullptr && !form->fits(*value.text()))
      return SchemaFault{at, std::string(form->fault), std::string(form->remedy)};
    const auto* pattern = schema.find("pattern");
    if (pattern == nullptr || value.text() == nullptr || matches(*value.text(), *pattern->text()))
      return {};
    const auto* meant = schema.find("description");
    return SchemaFault{
        at, "is not " + (meant == nullptr ? "of the form " + *pattern->text() : *meant->text()),
        meant == nullptr ? std::string{} : "write " + *meant->text()};
  }

  [[nodiscard]] Fault bounds(const Node& schema, const Node& value, const std::string& at) const {
    if (!is_number(value)) return {};
    const auto* least = schema.find("minimum");
    const auto* most = schema.find("maximum");
    const auto* above = schema.find("exclusiveMinimum");
    const auto text = [](double bound) { return std::to_string(static_cast<std::int64_t>(bound)); };
    if (least != nullptr && number(value) < number(*least))
      return SchemaFault{at, "is too small", "write at least " + text(number(*least))};
    if (above != nullptr && number(value) <= number(*above))
      return SchemaFault{at, "is too small", "write more than " + text(number(*above))};
    if (most != nullptr && number(value) > number(*most))
      return SchemaFault{at, "is too large", "write at most " + text(number(*most))};
    return {};
  }

  [[nodiscard]] Fault items(const Node& schema, const Node& value, const std::string& at) const {
    const auto* list = value.list();
    if (list == nullptr) return {};
    const auto* least = schema.find("minItems");
    if (least != nullptr && static_cast<double>(list->size()) < number(*least))
      return SchemaFault{at, "is empty", "name at least one"};
    const auto* each = schema.find("items");
    const auto* unique = schema.find("uniqueItems");
    const bool once = unique != nullptr && *unique == Node(true);
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto place = at + "/" + std::to_string(i);
      const auto end = list->begin() + static_cast<std::ptrdiff_t>(i);
      if (once && std::find(list->begin(), end, *end) != end)
        return SchemaFault{place, "is in its list twice", "leave one of them out"};
      if (each == nullptr) continue;
      if (auto fault = check(*each, *end, place)) return fault;
    }
    return {};
  }

  [[nodiscard]] Fault entries(const Node& schema, const Node& value, const std::string& at) const {
    if (value.map() == nullptr) return {};
    if (const auto* names = schema.find("required")) {
      for (const auto& name : *names->list()) {
        if (value.find(*name.text()) == nullptr)
          return SchemaFault{at, "has no '" + *name.text() + "', which is needed",
                             "leave it there"};
      }
    }
    for (const auto& [key, child] : *value.map()) {
      const auto place = at + "/" + pointer_segment(key);
      const auto* known = schema_of(schema, key);
      if (known == nullptr) return unknown(schema, key, place);
      if (auto fault = check(*known, child, place)) return fault;
    }
    return {};
  }

  /// What holds for the entry `key`; null when there may be none of that name.
  [[nodiscard]] const Node* schema_of(const Node& schema, const std::string& key) const {
    static const Node anything{true};
    const auto* properties = schema.find("properties");
    if (const auto* known = properties == nullptr ? nullptr : properties->find(key)) return known;
    if (const auto* patterns = schema.find("patternProperties")) {
      for (const auto& [pattern, known] : *patterns->map())
        if (matches(key, pattern)) return &known;
    }
    const auto* others = schema.find("additionalProperties");
    if (others == nullptr) return &anything;
    return *others == Node(false) ? nullptr : others;
  }

  static Fault unknown(const Node& schema, const std::string& key, const std::string& place) {
    std::vector<std::string_view> known;
    if (const auto* properties = schema.find("properties"))
      for (const auto& entry : *properties->map()) known.push_back(entry.first);
    const auto meant = closest(key, known);
    if (!meant.empty())
      return SchemaFault{place, "is no key there", "did you mean '" + std::string(meant) + "'?"};
    if (known.empty() || known.size() > most_named)
      return SchemaFault{place, "is no key there", "leave it out: nothing reads it"};
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const auto name : known) names.push_back("'" + std::string(name) + "'");
    return SchemaFault{place, "is no key there", "the keys are " + either(names)};
  }

  const Node& root_;
  mutable std::map<std::string, std::regex, std::less<>> patterns_;
};

}  // namespace

std::optional<SchemaFault> fault_of(const Node& schema, const Node& value) {
  return Checker(schema).check(schema, value, "");
}

}  // namespace caisson::render
