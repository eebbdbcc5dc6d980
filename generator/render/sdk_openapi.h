#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/operations.h"
#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// Where the tenants of a deployment answer, `{tenant}` being a tenant's slug.
[[nodiscard]] std::string tenant_url(const plan::Plan& plan);

/// The signals that may name a tenant: "subdomain", "header", "token".
[[nodiscard]] std::vector<std::string_view> tenant_signals(const plan::Plan& plan);

/// The parameters of an operation in this deployment: its own, and the tenant's header where that
/// counts.
[[nodiscard]] std::vector<api::Parameter> parameters_of(const plan::Plan& plan,
                                                        const api::Operation& operation);

/// Why any operation may be refused, in the order of the codes.
[[nodiscard]] std::vector<api::Code> problem_codes();

/// What the tenants of each tier may use, and the modules that services declare, as maps by name.
[[nodiscard]] Node tiers_of(const plan::Plan& plan);
[[nodiscard]] Node modules_of(const plan::Plan& plan);

/// The data API of this deployment as an OpenAPI 3.1 document.
[[nodiscard]] Node openapi_document(const plan::Plan& plan);

}  // namespace caisson::render
