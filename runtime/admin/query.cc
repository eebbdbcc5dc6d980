#include "runtime/admin/query.h"

#include <algorithm>
#include <charconv>

namespace caisson::admin {
namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace

tl::expected<Query, std::string> Query::parse(std::string_view text,
                                              std::initializer_list<std::string_view> known) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return tl::unexpected(std::string("a percent-encoding is broken"));
    if (std::ranges::find(known, *name) == known.end()) {
      return tl::unexpected("unknown parameter '" + *name + "'");
    }
    if (!query.parameters_.emplace(*name, *value).second) {
      return tl::unexpected("the parameter '" + *name + "' is there twice");
    }
  }
  return query;
}

std::string Query::text(std::string_view name) const {
  const auto found = parameters_.find(name);
  return found == parameters_.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> Query::number(std::string_view name, std::uint64_t fallback,
                                           std::uint64_t least, std::uint64_t most) const {
  const auto found = parameters_.find(name);
  if (found == parameters_.end()) return fallback;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    return std::nullopt;
  }
  return value;
}

}  // namespace caisson::admin
