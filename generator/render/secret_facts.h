#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// The environment variable through which Compose hands over a secret whose value the spec wants in
/// an environment variable of a service.
[[nodiscard]] std::string secret_variable(std::string_view secret);

/// What scripts and texts say of one secret.
[[nodiscard]] Node secret_facts(const plan::Secret& secret);

/// How a target calls an instance, for example by its unit; empty when it does not run it.
using Called = std::function<std::string(const plan::Instance&)>;

/// Adds the secrets that change when a new file does, each with the instances that then have to
/// read it anew: the list `rotations` of those that are made on the host, and `replacements` of
/// those that come from elsewhere. `variable` is the line of `.env` that has the value as well, and
/// `by-hand` says that somebody has to put the file there.
void add_rotation_facts(Node& data, const plan::Plan& plan, const Called& called);

/// Adds what scripts and texts say of the secrets in `used`, by how the host comes by them: the
/// lists `generated`, `copied`, `from-env` and `given`, each with a flag `has-...`, and only those
/// that are not empty.
void add_secret_facts(Node& data, const plan::Plan& plan, const std::set<std::string_view>& used);

}  // namespace caisson::render
