#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace caisson::api {

struct Member;

/// The shape of a JSON value, as data: the server checks bodies with it, the OpenAPI document says
/// it and the validators of generated clients are made of it. Which fields count depends on `kind`.
struct Schema {
  enum class Kind : std::uint8_t {
    text,      ///< a string; see `pattern`, `accepts`, `words`
    integer,   ///< from `minimum` to `maximum`
    truth,     ///< the literal true
    flag,      ///< true or false
    value,     ///< a JSON object with any members, at most `deepest_value` levels deep
    list,      ///< `min_items` to `max_items` of `items`
    object,    ///< `members`; others only unless `closed`
    variants,  ///< one of `variants`; the member `tag`, when named, tells which
  };

  std::string_view name{};  ///< of a component; empty: written out where it is used
  Kind kind = Kind::text;
  std::string_view description{};
  bool nullable = false;

  std::string_view pattern{};                   ///< ECMA-262, anchored
  bool (*accepts)(std::string_view) = nullptr;  ///< what `pattern` says, for the server
  std::string_view hint{};    ///< what is wrong with a text that does not match: "must be ..."
  std::string_view format{};  ///< "uuid", "date-time"
  std::span<const std::string_view> words{};  ///< the only texts; empty: any
  std::string_view example{};

  std::int64_t minimum = 0;
  std::int64_t maximum = 9'007'199'254'740'991;  ///< 2^53-1: what every client can hold

  const Schema* items = nullptr;
  std::size_t min_items = 0;
  std::size_t max_items = 0;  ///< 0: not bounded here

  std::span<const Member> members{};
  bool closed = false;  ///< other members are refused; what the server sends may grow

  std::span<const Schema* const> variants{};
  std::string_view tag{};
};

struct Member {
  std::string_view name;
  const Schema* schema = nullptr;
  std::string_view description{};  ///< more than the schema's own
  bool required = true;
};

/// Arrays and objects inside one another, the value of a record itself being the first.
inline constexpr std::size_t deepest_value = 32;

}  // namespace caisson::api
