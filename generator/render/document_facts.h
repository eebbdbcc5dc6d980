#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// Where a target's clients knock.
struct FrontDoor {
  bool secure = true;
  std::int64_t port = 443;
  Origin origin;  ///< of the port

  /// "https://acme.example:8443"; the port only where it is not the scheme's own.
  [[nodiscard]] std::string url(std::string_view host) const;
};

/// The published port of the plan's own edge.
[[nodiscard]] FrontDoor edge_door(const plan::Plan& plan);

/// Adds what README and RUNBOOK say on every target: names, addresses, the first page of tenants,
/// the `first` of them that is active, a `newcomer` that could be made on a shared runtime,
/// backups. Values only; sentences live in the blueprints.
void add_document_facts(Node& data, const plan::Plan& plan, const FrontDoor& door);

}  // namespace caisson::render
