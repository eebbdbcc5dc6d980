#pragma once

#include <cstdint>
#include <string>

namespace caisson::plan {

/// Where a value of the plan came from.
struct Origin {
  enum class Kind : std::uint8_t {
    spec,       ///< written in the spec or an overlay, at `pointer`
    defaulted,  ///< the language's default of the field at `pointer`
    derived,    ///< computed by Caisson from the field at `pointer` (names, networks, ports)
  };
  Kind kind = Kind::derived;
  std::string pointer;  ///< RFC 6901 pointer into the merged spec, for example "/runtime/replicas"

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// A value that remembers its origin. Reads like the value itself.
template <class T>
struct Traced {
  T value{};
  Origin origin{};

  // NOLINTNEXTLINE(google-explicit-constructor): reading a Traced as its value is the point.
  operator const T&() const { return value; }
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

}  // namespace caisson::plan
