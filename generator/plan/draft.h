#pragma once

#include <string>
#include <utility>

#include "generator/plan/names.h"
#include "generator/plan/plan.h"
#include "generator/spec/spec.h"

namespace caisson::plan {

/// A plan in the making: what the steps of planning share. Each step adds to `plan` what it is
/// named after; `plan()` in planner.cc calls them in order.
struct Draft {
  const spec::Loaded& loaded;
  Plan plan{};
  Names instance_names{};
  Names network_names{};
  Names volume_names{};
  Names secret_names{};

  [[nodiscard]] const spec::Deployment& spec() const { return loaded.deployment; }

  /// Written in the spec when the document has something at `pointer`, else the language's default.
  [[nodiscard]] Origin origin(std::string pointer) const {
    const bool written = spec::find(loaded.document, pointer) != nullptr;
    return {written ? Origin::Kind::spec : Origin::Kind::defaulted, std::move(pointer)};
  }

  /// A value of the spec with its origin.
  template <class T>
  [[nodiscard]] Traced<T> trace(T value, std::string pointer) const {
    return {std::move(value), origin(std::move(pointer))};
  }

  /// The same for a field whose default follows the field at `source`.
  template <class T>
  [[nodiscard]] Traced<T> trace(T value, std::string pointer, std::string source) const {
    auto at = origin(std::move(pointer));
    if (at.kind == Origin::Kind::defaulted) at = {Origin::Kind::derived, std::move(source)};
    return {std::move(value), std::move(at)};
  }
};

/// Computed by Caisson because of the field at `pointer`.
[[nodiscard]] inline Origin derived(std::string pointer) {
  return {Origin::Kind::derived, std::move(pointer)};
}

/// `pointer` with one more segment, escaped (RFC 6901).
[[nodiscard]] std::string below(std::string pointer, std::string_view segment);

/// What a tenant of that tier gets: never weaker than asked.
[[nodiscard]] Isolation provided(Isolation asked, Database::Engine engine);

/// Parts that every kind of instance has.
[[nodiscard]] Resources resources(const Draft& draft, const spec::Resources& from,
                                  const std::string& pointer);
[[nodiscard]] std::vector<EnvVar> environment(const Draft& draft,
                                              const spec::Map<spec::EnvValue>& from,
                                              const std::string& pointer);

/// The steps, in order. Later ones read what earlier ones planned.
void plan_settings(Draft& draft);
void plan_secrets(Draft& draft);
void plan_tenants(Draft& draft);
void plan_stores(Draft& draft);    ///< database and cache
void plan_runtimes(Draft& draft);  ///< the shared runtime and those of tenants with their own
void plan_services(Draft& draft);
void plan_front(Draft& draft);  ///< dashboard, edge and routes
void plan_observers(Draft& draft);

}  // namespace caisson::plan
