#include "runtime/tenancy/terms.h"

#include <algorithm>

namespace caisson::tenancy {

Terms settle(const Terms& held, const Terms& last, const Terms& now) {
  Terms settled = held;
  settled.status = now.status != last.status ? now.status : std::max(held.status, now.status);
  each_limit([&](std::string_view, auto limit) {
    if (now.limits.*limit != last.limits.*limit) settled.limits.*limit = now.limits.*limit;
  });
  return settled;
}

void change_limits(Limits& own, const LimitsChange& change, const Limits& configured) {
  each_limit([&](std::string_view name, auto limit) {
    if (change.withdrawn.contains(name)) own.*limit = configured.*limit;
    if (change.set.*limit) own.*limit = change.set.*limit;
  });
}

Limits within(const Limits& limits, const Limits& most) {
  Limits held;
  each_limit([&](std::string_view name, auto limit) {
    if (!(limits.*limit) || !is_enforced(name)) return;
    held.*limit = most.*limit ? std::min(*(limits.*limit), *(most.*limit)) : *(limits.*limit);
  });
  return held;
}

Limits overlay(const Limits& own, const Limits& tier) {
  Limits limits = own;
  each_limit([&](std::string_view, auto limit) {
    if (!(limits.*limit)) limits.*limit = tier.*limit;
  });
  return limits;
}

}  // namespace caisson::tenancy
