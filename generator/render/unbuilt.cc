#include "generator/render/unbuilt.h"

namespace caisson::render {

std::vector<Mistake> unbuilt(const plan::Plan& plan) {
  std::vector<Mistake> mistakes;
  if (plan.database.engine.value == plan::Database::Engine::postgres) {
    mistakes.push_back({.code = "E0309",
                        .pointer = "/database/engine",
                        .message = "this version has no PostgreSQL: the runtime would not start",
                        .remedy = "use 'database: sqlite'"});
  }
  if (plan.cache.enabled) {
    mistakes.push_back({.code = "E0309",
                        .pointer = "/cache/engine",
                        .message = "this version has no Redis: the runtime would not start",
                        .remedy = "use 'cache: none'"});
  }
  return mistakes;
}

}  // namespace caisson::render
