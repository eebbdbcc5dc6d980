#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace caisson {

// At the border to libraries in C.

/// Gives back with a function of the library what it handed out.
template <auto Function>
struct ReleaseWith {
  template <class T>
  void operator()(T* pointer) const noexcept {
    Function(pointer);
  }
};

/// What such a library handed out: `Owned<EVP_PKEY, EVP_PKEY_free>`.
template <class T, auto Function>
using Owned = std::unique_ptr<T, ReleaseWith<Function>>;

/// A text as the bytes that such a library reads.
[[nodiscard]] inline const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// And as those that it writes.
[[nodiscard]] inline unsigned char* octets(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace caisson
