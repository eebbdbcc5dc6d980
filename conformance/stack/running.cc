#include "conformance/stack/running.h"

#include <algorithm>

namespace caisson::conformance {

const RunningInstance* RunningStack::instance(std::string_view wanted) const {
  const auto found = std::ranges::find(instances, wanted, &RunningInstance::name);
  return found == instances.end() ? nullptr : &*found;
}

const RunningInstance* RunningStack::edge() const {
  const auto found = std::ranges::find(instances, "edge", &RunningInstance::role);
  return found == instances.end() ? nullptr : &*found;
}

}  // namespace caisson::conformance
