#include "generator/render/unbuilt.h"

#include <algorithm>

namespace caisson::render {

namespace {

constexpr std::string_view without_postgres = "use 'database: sqlite'";
constexpr std::string_view without_redis = "use 'cache: none'";

/// Fields that only a store has which is not built: they mean nothing beside another one.
void refuse_fields(const Asked& asked, std::vector<Mistake>& mistakes) {
  for (const auto& row : loss_table()) {
    if (!is_refused(row)) continue;
    const auto instead = row.field.starts_with("cache.") ? without_redis : without_postgres;
    for (const auto& use : written(asked.document, row.field)) {
      mistakes.push_back(
          {.code = "E0309",
           .pointer = use.pointer,
           .message = std::string(row.field) + ": " + std::string(row.cells.front().reason),
           .remedy = "leave it out, or " + std::string(instead)});
    }
  }
}

}  // namespace

std::vector<Mistake> unbuilt(const Asked& asked) {
  std::vector<Mistake> mistakes;
  if (asked.plan.database.engine.value == plan::Database::Engine::postgres) {
    mistakes.push_back({.code = "E0309",
                        .pointer = "/database/engine",
                        .message = "this version has no PostgreSQL: the runtime would not start",
                        .remedy = std::string(without_postgres)});
  }
  if (asked.plan.cache.enabled) {
    mistakes.push_back({.code = "E0309",
                        .pointer = "/cache/engine",
                        .message = "this version has no Redis: the runtime would not start",
                        .remedy = std::string(without_redis)});
  }
  refuse_fields(asked, mistakes);
  return mistakes;
}

}  // namespace caisson::render
