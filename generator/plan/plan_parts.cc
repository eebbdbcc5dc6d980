#include "generator/plan/draft.h"

namespace caisson::plan {

std::vector<EnvVar> environment(const Draft& draft, const spec::Map<spec::EnvValue>& from,
                                const std::string& pointer) {
  std::vector<EnvVar> to;
  for (const auto& [name, value] : from) {
    to.push_back(
        {.name = name,
         .value = draft.trace(value.secret ? std::string{} : value.text, below(pointer, name)),
         .secret = value.secret ? value.secret->name : std::string{}});
  }
  return to;
}

Resources resources(const Draft& draft, const spec::Resources& from, const std::string& pointer) {
  return {.cpu_request_millis = draft.trace(from.cpu.min.millis, pointer + "/cpu"),
          .cpu_limit_millis = draft.trace(from.cpu.max.millis, pointer + "/cpu"),
          .memory_request_bytes = draft.trace(from.memory.min.count, pointer + "/memory"),
          .memory_limit_bytes = draft.trace(from.memory.max.count, pointer + "/memory")};
}

}  // namespace caisson::plan
