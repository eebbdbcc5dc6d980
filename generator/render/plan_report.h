#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// The place of a pointer into the merged spec, for example "deployment.yaml:14"; empty when there
/// is none.
using Locate = std::function<std::string(std::string_view pointer)>;

/// The plan for people: what runs, for whom, on which networks, and where each value came from.
[[nodiscard]] std::string plan_text(const plan::Plan& plan, const Locate& locate);

/// The plan for programs (docs/plan.md): plain values under "plan", and under "origins" where each
/// came from, by pointer into "plan".
[[nodiscard]] std::string plan_json(const plan::Plan& plan, const Locate& locate);

/// The plan as a Graphviz graph: instances in their networks, and who talks to whom.
[[nodiscard]] std::string plan_dot(const plan::Plan& plan);

/// The plan as a tree; every node has its origin.
[[nodiscard]] Node plan_tree(const plan::Plan& plan);

/// How an origin is said to people: "deployment.yaml:14", "default of runtime.replicas",
/// "derived from deployment.yaml:9".
[[nodiscard]] std::string origin_text(const Origin& origin, const Locate& locate);

/// Names as the spec and the plan's JSON write them.
[[nodiscard]] std::string_view name_of(plan::Role role);
[[nodiscard]] std::string_view name_of(plan::Isolation isolation);
[[nodiscard]] std::string_view name_of(plan::Secret::Source source);
[[nodiscard]] std::string_view name_of(plan::Edge::Proxy proxy);
[[nodiscard]] std::string_view name_of(plan::Edge::Tls mode);
[[nodiscard]] std::string_view name_of(plan::Port::Purpose purpose);

}  // namespace caisson::render
