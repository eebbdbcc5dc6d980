#include "runtime/http/message.h"

#include "runtime/http/text.h"

namespace caisson::http {

std::string_view Request::field(std::string_view name) const {
  std::string_view found;
  for (const auto& field : fields) {
    if (!same_name(field.name, name)) continue;
    if (found.data() != nullptr) return {};
    found = field.value;
  }
  return found;
}

std::size_t Request::count(std::string_view name) const {
  std::size_t times = 0;
  for (const auto& field : fields) times += same_name(field.name, name) ? 1 : 0;
  return times;
}

}  // namespace caisson::http
