#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "installer/trust/signature.h"

/// Whatever it is, it is refused or one signature of bounded numbers. A signature never fits by
/// accident, so its key is taken from it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto signature = read_signature("fuzz", bytes);
  if (signature && (signature->value.size() != 64 || signature->left.size() != 2 ||
                    size > kMostOfSignature || bytes.find(signature->hashed) > 3)) {
    std::abort();
  }
  const std::vector<Key> keys{{.point = std::vector<unsigned char>(32, 1)}};
  if (check_signature("fuzz", bytes, "document", keys)) std::abort();
  (void)read_signature_body("fuzz", bytes, Signed::user_id);
  return 0;
}
