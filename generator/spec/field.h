#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "generator/spec/deployment.h"
#include "generator/spec/document.h"
#include "generator/spec/reader.h"

namespace caisson::spec {

/// The language, declared once. A `Type<T>` says what a value may look like (its Shape) and how it
/// becomes a T; a `Field` is a key of a map, with its type, default and meaning; a table of fields
/// is a Type again. Decoding, defaults, suggestions, the JSON Schema, the reference and `explain`
/// all walk these tables.

struct Field;

/// What a value may look like.
struct Shape {
  enum class Kind : std::uint8_t {
    scalar,   ///< text of a certain form: `pattern`
    word,     ///< one of `words`
    integer,  ///< within `min` and `max`
    number,   ///< within `min` and `max`
    boolean,
    list,    ///< of `element`
    map,     ///< from keys of the form `key` to `element`
    object,  ///< with `fields`
    choice,  ///< one of `choices`
    plain,   ///< any single value, kept as written
    any,
    overlay,  ///< a partial spec
  };
  Kind kind = Kind::any;
  std::string_view name;     ///< "Bytes", as the reference calls it
  std::string_view note;     ///< how it is written
  std::string_view pattern;  ///< ECMA 262 regular expression
  bool numeric = false;      ///< a YAML number may be such a value too
  std::span<const std::string_view> words;
  double min = 0;
  double max = 0;
  const Shape* key = nullptr;
  const Shape* element = nullptr;
  std::span<const Field> fields;
  std::span<const std::string_view> one_of;  ///< keys of which there is exactly one
  std::span<const Shape* const> choices;
};

/// A type of the language whose values become a T. `read` reports what is wrong and answers whether
/// the value is of use.
template <class T>
struct Type {
  using Value = T;
  Shape shape;
  bool (*read)(Reader& reader, const Node& node, T& value) = nullptr;
};

/// What it means when a key is absent.
struct Absent {
  enum class Kind : std::uint8_t {
    error,     ///< the key is required
    nothing,   ///< there is no such thing then
    literal,   ///< as if `text` had been written
    computed,  ///< the default follows from other fields, as `text` says
  };
  Kind kind = Kind::nothing;
  std::string_view text;
};

inline constexpr Absent required{.kind = Absent::Kind::error};
inline constexpr Absent optional{.kind = Absent::Kind::nothing};
constexpr Absent literal(std::string_view text) { return {Absent::Kind::literal, text}; }
constexpr Absent computed(std::string_view text) { return {Absent::Kind::computed, text}; }

template <class T>
inline constexpr char owner_of = 0;

struct Field {
  std::string_view key;
  const Shape* shape = nullptr;
  Absent absent;
  std::string_view doc;  ///< one line
  bool (*read)(Reader& reader, const Node& node, void* object) = nullptr;
  const void* owner = nullptr;  ///< &owner_of<T> of the T that `read` expects
};

namespace detail {

template <class C, class M>
C class_of(M C::*);

template <class T, const auto& type>
bool read_into(Reader& reader, const Node& node, T& target) {
  using Value = typename std::remove_cvref_t<decltype(type)>::Value;
  if constexpr (std::is_same_v<T, Value>) {
    return type.read(reader, node, target);
  } else {
    static_assert(std::is_same_v<T, std::optional<Value>>, "the member has another type");
    // Not emplace(): clang holds a nested aggregate for not default constructible (CWG 1397).
    if (!type.read(reader, node, target.emplace(Value{}))) {
      target.reset();
      return false;
    }
    return true;
  }
}

}  // namespace detail

/// A key whose value goes into a member (or an optional member) of the object.
template <auto member, const auto& type>
constexpr Field field(std::string_view key, Absent absent, std::string_view doc) {
  using Object = decltype(detail::class_of(member));
  return {.key = key,
          .shape = &type.shape,
          .absent = absent,
          .doc = doc,
          .read =
              [](Reader& reader, const Node& node, void* object) {
                auto& target = static_cast<Object*>(object)->*member;
                return detail::read_into<std::remove_reference_t<decltype(target)>, type>(
                    reader, node, target);
              },
          .owner = &owner_of<Object>};
}

/// A key whose value is spread over several members of the object itself.
template <const auto& type>
constexpr Field spread(std::string_view key, Absent absent, std::string_view doc) {
  using Object = typename std::remove_cvref_t<decltype(type)>::Value;
  return {
      .key = key,
      .shape = &type.shape,
      .absent = absent,
      .doc = doc,
      .read = [](Reader& reader, const Node& node,
                 void* object) { return type.read(reader, node, *static_cast<Object*>(object)); },
      .owner = &owner_of<Object>};
}

/// A key that says nothing about the object: the language version, the environments.
template <class Object, const auto& type>
constexpr Field aside(std::string_view key, Absent absent, std::string_view doc) {
  using Value = typename std::remove_cvref_t<decltype(type)>::Value;
  return {.key = key,
          .shape = &type.shape,
          .absent = absent,
          .doc = doc,
          .read =
              [](Reader& reader, const Node& node, void*) {
                Value ignored{};
                return type.read(reader, node, ignored);
              },
          .owner = &owner_of<Object>};
}

/// A value of the field, as it may be written; "..." stands for what only people know.
[[nodiscard]] std::string example_of(const Field& field);

/// "write { key: value }": the map of this shape that a single value stands for, when it can stand
/// for one alone. The fields try it on `probe`, an object that is not needed any more.
[[nodiscard]] std::string as_map(const Reader& reader, const Node& node, const Shape& shape,
                                 void* probe);

/// What to write instead of a word for all or for nothing where a list of such items is expected;
/// `fits`: it could be one of them. Empty for any other.
[[nodiscard]] std::string remedy_of_word(const Reader& reader, const Node& node, const Shape& item,
                                         bool fits);

/// What to write instead of a single value where names with such elements are expected; empty for
/// the usual words. `is_name`: it could be one of the names.
[[nodiscard]] std::string remedy_as_name(const Reader& reader, const Node& node, bool is_name,
                                         const Shape& element);

/// What to write in a list instead of a value of which `told` says why it is none of its items.
[[nodiscard]] std::string remedy_in_list(const source::Diagnostics& told);

/// The same for a single value and a type of items; empty when it could be one.
template <const auto& element>
std::string remedy_as_item(const Reader& reader, const Node& node) {
  source::Diagnostics told;
  Reader probe(told, reader.partial());
  typename std::remove_cvref_t<decltype(element)>::Value item{};
  const bool fits = node.kind != Node::Kind::scalar || element.read(probe, node, item);
  auto remedy = remedy_of_word(reader, node, element.shape, fits);
  return !remedy.empty() || fits ? remedy : remedy_in_list(told);
}

/// A default as the tables write it: a scalar, `[a, b]` or `{ a: 1, b: 2 }`.
[[nodiscard]] Node literal_node(std::string_view text);

/// Refuses what is no map of this shape, and says which one it stands for, else what one has.
bool refuse_as_map(Reader& reader, const Node& node, const Shape& shape, void* probe);

/// Reads a map, or nothing, by its table: every key, every default, every unknown key.
bool read_fields(Reader& reader, const Node& node, std::span<const Field> fields, void* object);

inline constexpr std::array<std::string_view, 0> independent{};

/// Does nothing after a table has been read.
template <class T>
constexpr bool accept(Reader&, const Node&, T&) {
  return true;
}

/// The type of a map with a table. Of the keys `one_of` there is exactly one; `finish` sees to what
/// else follows from the keys together.
template <class T, const auto& fields, const auto& one_of = independent,
          bool (*finish)(Reader& reader, const Node& node, T& value) = accept<T>>
constexpr Type<T> object(std::string_view name) {
  static_assert(std::ranges::all_of(fields, [](const Field& f) { return f.owner == &owner_of<T>; }),
                "a field of another type");
  return {.shape = {.kind = Shape::Kind::object, .name = name, .fields = fields, .one_of = one_of},
          .read = [](Reader& reader, const Node& node, T& value) {
            if (node.kind != Node::Kind::map && node.kind != Node::Kind::null) {
              T probe{};
              return refuse_as_map(
                  reader, node, {.kind = Shape::Kind::object, .fields = fields, .one_of = one_of},
                  &probe);
            }
            return read_fields(reader, node, fields, &value) && reader.exactly_one(node, one_of) &&
                   finish(reader, node, value);
          }};
}

/// A list. Items that are of no use keep their place, so that indices stay those of the document.
template <const auto& element>
inline constexpr auto list_of = [] {
  using T = typename std::remove_cvref_t<decltype(element)>::Value;
  return Type<std::vector<T>>{
      .shape = {.kind = Shape::Kind::list, .name = "list", .element = &element.shape},
      .read = [](Reader& reader, const Node& node, std::vector<T>& values) {
        if (node.kind != Node::Kind::sequence)
          return reader.wrong_kind(node, "a list", remedy_as_item<element>(reader, node));
        values.clear();
        values.reserve(node.items.size());
        bool good = true;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
          const auto scope = reader.enter(i);
          good &= element.read(reader, node.items[i], values.emplace_back());
        }
        return good;
      }};
}();

/// A map from free names to values.
template <const auto& key, const auto& element>
inline constexpr auto map_of = [] {
  using T = typename std::remove_cvref_t<decltype(element)>::Value;
  return Type<Map<T>>{.shape = {.kind = Shape::Kind::map,
                                .name = "map",
                                .key = &key.shape,
                                .element = &element.shape},
                      .read = [](Reader& reader, const Node& node, Map<T>& values) {
                        if (node.kind != Node::Kind::map) {
                          source::Diagnostics unheard;
                          Reader probe(unheard, reader.partial());
                          std::string name;
                          const bool is_name =
                              node.kind == Node::Kind::scalar && key.read(probe, node, name);
                          return reader.wrong_kind(
                              node, "a map", remedy_as_name(reader, node, is_name, element.shape));
                        }
                        values.clear();
                        values.reserve(node.fields.size());
                        bool good = true;
                        for (const Entry& entry : node.fields) {
                          if (reader.partial() && entry.value.kind == Node::Kind::null) continue;
                          const auto scope = reader.enter(entry);
                          auto& [name, value] = values.emplace_back();
                          good &= key.read(reader, key_node(entry), name);
                          name = entry.key;
                          good &= element.read(reader, entry.value, value);
                        }
                        return good;
                      }};
}();

/// A word of an enumeration.
template <class E>
struct Word {
  std::string_view word;
  E value;
};

template <const auto& table>
inline constexpr auto words_of = [] {
  std::array<std::string_view, std::size(table)> words;
  std::ranges::transform(table, words.begin(), [](const auto& entry) { return entry.word; });
  return words;
}();

template <const auto& table>
constexpr auto word(std::string_view name) {
  using E = std::remove_cvref_t<decltype(table[0].value)>;
  return Type<E>{.shape = {.kind = Shape::Kind::word, .name = name, .words = words_of<table>},
                 .read = [](Reader& reader, const Node& node, E& value) {
                   const std::optional<std::size_t> index = reader.word(node, words_of<table>);
                   if (index) value = table[*index].value;
                   return index.has_value();
                 }};
}

/// A whole number between two bounds.
template <class T, std::int64_t low, std::int64_t high>
inline constexpr Type<T> integer{
    .shape = {.kind = Shape::Kind::integer, .name = "integer", .min = low, .max = high},
    .read = [](Reader& reader, const Node& node, T& value) {
      const std::optional<std::int64_t> number = reader.integer(node, low, high);
      if (number) value = static_cast<T>(*number);
      return number.has_value();
    }};

inline constexpr Shape switch_shape{.kind = Shape::Kind::boolean, .name = "bool"};

template <const auto& type>
inline constexpr std::array<const Shape*, 2> switch_choices{&switch_shape, &type.shape};

/// `false` switches a thing off, `true` or a map on. T has a member `enabled`.
template <const auto& type>
inline constexpr auto switchable = [] {
  using T = typename std::remove_cvref_t<decltype(type)>::Value;
  return Type<T>{.shape = {.kind = Shape::Kind::choice,
                           .name = "bool or map",
                           .choices = switch_choices<type>},
                 .read = [](Reader& reader, const Node& node, T& value) {
                   value.enabled = true;
                   if (node.kind != Node::Kind::scalar) return type.read(reader, node, value);
                   T probe{};
                   if (auto remedy = as_map(reader, node, type.shape, &probe); !remedy.empty())
                     return reader.wrong_kind(node, "a map, true or false", std::move(remedy));
                   const std::optional<bool> enabled = reader.boolean(node, "a map, true or false");
                   if (enabled) value.enabled = *enabled;
                   return enabled.has_value();
                 }};
}();

}  // namespace caisson::spec
