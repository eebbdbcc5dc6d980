#include "runtime/observe/trace_context.h"

#include <algorithm>

#include "base/hex.h"

namespace caisson::observe {
namespace {

constexpr std::size_t version_0_size = 55;
constexpr std::size_t longest_state = 512;
constexpr std::size_t most_members = 32;

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = at == std::string_view::npos ? "x" : key.substr(at + 1);
  const auto fits = [](std::string_view part, std::size_t most) {
    return !part.empty() && part.size() <= most &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-*/") ==
               std::string_view::npos;
  };
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (at == std::string_view::npos) return fits(key, 256) && letter(key.front());
  return fits(tenant, 241) && fits(system, 14) && letter(system.front());
}

bool is_member(std::string_view member) {
  const std::size_t equals = member.find('=');
  if (equals == std::string_view::npos || !is_key(member.substr(0, equals))) return false;
  const std::string_view value = member.substr(equals + 1);
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

bool is_state(std::string_view state) {
  if (state.size() > longest_state) return false;
  std::size_t members = 0;
  while (!state.empty()) {
    const std::size_t comma = std::min(state.find(','), state.size());
    std::string_view member = state.substr(0, comma);
    state.remove_prefix(std::min(comma + 1, state.size()));
    constexpr std::string_view blank = " \t";
    const std::size_t first = member.find_first_not_of(blank);
    if (first == std::string_view::npos) continue;  // empty members are allowed
    member = member.substr(first, member.find_last_not_of(blank) - first + 1);
    if (++members > most_members || !is_member(member)) return false;
  }
  return members > 0;
}

}  // namespace

std::optional<TraceContext> read_trace(std::string_view traceparent, std::string_view tracestate) {
  if (traceparent.size() < version_0_size) return {};
  const std::string_view version = traceparent.substr(0, 2);
  if (!is_hex(version) || version == "ff") return {};
  if (traceparent.size() > version_0_size &&
      (version == "00" || traceparent[version_0_size] != '-')) {
    return {};
  }
  const TraceContext context{
      .trace_id = traceparent.substr(3, 32),
      .parent_id = traceparent.substr(36, 16),
      .sampled =
          ((traceparent[54] <= '9' ? traceparent[54] - '0' : traceparent[54] - 'a' + 10) & 1) != 0,
      .state = is_state(tracestate) ? tracestate : std::string_view()};
  const bool separated = traceparent[2] == '-' && traceparent[35] == '-' && traceparent[52] == '-';
  if (!separated || !is_id(context.trace_id) || !is_id(context.parent_id) ||
      !is_hex(traceparent.substr(53, 2))) {
    return {};
  }
  return context;
}

}  // namespace caisson::observe
