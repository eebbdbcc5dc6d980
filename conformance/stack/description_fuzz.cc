#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/files.h"
#include "conformance/stack/description.h"

/// Any bytes are either the description of a stack that stays in its state directory, or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  const auto stack = conformance::parse_stack({reinterpret_cast<const char*>(data), size});
  if (!stack) return 0;
  const auto within = [](std::string_view folder, std::string_view path) {
    return path.starts_with(folder) && is_path_below(path);
  };
  for (const auto& process : stack->processes) {
    if (!is_file_name(process.name) || !within("work/", process.directory)) std::abort();
    if (!process.data.empty() && !within("data/", process.data)) std::abort();
    if (!process.config.empty() && !is_path_below(process.config)) std::abort();
    if (process.uid_offset >= 1U << 20U) std::abort();
  }
  if (const auto order = conformance::start_order(*stack);
      order && order->size() != stack->processes.size())
    std::abort();
  return 0;
}
