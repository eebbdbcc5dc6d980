#include "generator/render/fingerprint.h"

#include <cstdint>

#include "base/hex.h"

namespace caisson::render {

std::string fingerprint(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hex_number(hash, 16);
}

}  // namespace caisson::render
