#pragma once

#include <cstdint>

#include "generator/plan/plan.h"
#include "generator/render/node.h"
#include "generator/render/site.h"
#include "generator/render/text.h"

namespace caisson::render {

/// `runtime.json` of one runtime instance (docs/runtime.md): what it listens on, whom it believes
/// and the tenants it serves.
[[nodiscard]] Node runtime_config(const plan::Plan& plan, const Index& index,
                                  const plan::Instance& instance, const Site& site);

/// The tiers of a runtime, and then its tenants, one JSON object a line.
[[nodiscard]] Text tenants_file(const plan::Plan& plan, const Index& index,
                                const plan::Instance& instance);

/// Bytes of the largest body that the instance takes: no tenant's own limit is above it.
[[nodiscard]] std::int64_t largest_body(const plan::Plan& plan, const Index& index,
                                        const plan::Instance& instance);

/// `dashboard.json` (docs/dashboard.md).
[[nodiscard]] Node dashboard_config(const plan::Plan& plan, const plan::Instance& instance,
                                    const Site& site);

}  // namespace caisson::render
