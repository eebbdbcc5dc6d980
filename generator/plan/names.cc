#include "generator/plan/names.h"

#include <cstdint>

namespace caisson::plan {

namespace {

/// FNV-1a, 32 bits: enough to tell apart what was cut, and `Names` catches the rest.
std::string digest(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[(hash >> static_cast<unsigned>(shift)) & 0xfU];
  }
  return out;
}

}  // namespace

std::string derived_name(std::initializer_list<std::string_view> parts, std::size_t longest) {
  std::string name;
  for (const auto part : parts) {
    if (!name.empty()) name += '-';
    name += part;
  }
  if (name.size() <= longest) return name;
  const auto mark = digest(name);
  name.resize(longest - mark.size() - 1);
  while (name.ends_with('-')) name.pop_back();
  return name + '-' + mark;
}

std::string Names::take(const std::string& wanted) {
  auto name = wanted;
  for (int number = 2; !taken_.insert(name).second; ++number) {
    name = derived_name({wanted, std::to_string(number)});
  }
  return name;
}

}  // namespace caisson::plan
