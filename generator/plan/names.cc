#include "generator/plan/names.h"

#include <cstdint>

#include "base/hex.h"

namespace caisson::plan {

namespace {

/// FNV-1a, 32 bits: enough to tell apart what was cut, and `Names` catches the rest.
std::string fingerprint(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hex_number(hash, 8);
}

}  // namespace

std::string derived_name(std::initializer_list<std::string_view> parts, std::size_t longest) {
  std::string name;
  for (const auto part : parts) {
    if (!name.empty()) name += '-';
    name += part;
  }
  if (name.size() <= longest) return name;
  const auto mark = fingerprint(name);
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
