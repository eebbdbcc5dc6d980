#include "conformance/probe/targets.h"

#include <algorithm>

#include "conformance/scan/canary.h"
#include "conformance/wire/token.h"

namespace caisson::conformance {

std::string ghost_of(const std::string& id) {
  std::string ghost = id;
  const std::string random = random_hex(6);
  if (ghost.size() >= random.size())
    ghost.replace(ghost.size() - random.size(), random.size(), random);
  return ghost;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::filesystem::path store_directory(const RunningInstance& instance,
                                      const std::string& tenant_id) {
  return instance.data_directory / "tenants" / sha256_hex(tenant_id).substr(0, 2) / tenant_id;
}

const Actor* pooled_actor(const Arena& arena) {
  const auto found = std::ranges::find_if(arena.actors(), [](const Actor& actor) {
    return actor.instance != nullptr && !actor.instance->tenant;
  });
  return found == arena.actors().end() ? nullptr : &*found;
}

}  // namespace caisson::conformance
