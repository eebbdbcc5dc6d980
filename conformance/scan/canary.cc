#include "conformance/scan/canary.h"

#include "base/random.h"

namespace caisson::conformance {

Canary make_canary(std::string_view run, std::string_view tenant, std::string_view sink) {
  std::string nonce = random_hex(16);
  std::string text = "CAISSON-";
  text.append(run).append("-").append(tenant).append("-").append(sink).append("-").append(nonce);
  return {.tenant = std::string(tenant),
          .sink = std::string(sink),
          .text = std::move(text),
          .needle = std::move(nonce)};
}

Canary secret_canary(std::string_view tenant, std::string_view sink, std::string_view secret) {
  return {.tenant = std::string(tenant),
          .sink = std::string(sink),
          .text = std::string(secret),
          .needle = std::string(secret)};
}

}  // namespace caisson::conformance
