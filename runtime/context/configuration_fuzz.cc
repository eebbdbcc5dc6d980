#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/context/configuration.h"

namespace {

/// Puts an operator token where `"token-file":"200"` finds it, so that inputs can be whole and
/// valid.
bool plant_token() {
  const int fd = memfd_create("token", MFD_CLOEXEC);
  constexpr std::string_view token = "0123456789abcdef0123456789abcdef";
  return fd >= 0 && write(fd, token.data(), token.size()) == 32 && fchmod(fd, 0600) == 0 &&
         dup2(fd, 200) == 200;
}

}  // namespace

/// Any bytes are either a configuration that holds what was checked, or faults.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::context;
  static const bool planted = plant_token();
  if (!planted) std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto result = parse_configuration(text, "/proc/self/fd");
  if (!result && result.error().empty()) std::abort();
  if (result) {
    for (const auto& tenant : (*result)->tenants) {
      if (!is_slug(tenant.slug) || !(*result)->tiers.contains(tenant.tier)) std::abort();
    }
  }
  return 0;
}
