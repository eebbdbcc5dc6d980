#pragma once

#include <span>
#include <string>

#include "api/operations.h"
#include "api/schema.h"
#include "generator/plan/plan.h"

namespace caisson::render {

// The generated files of the Python client; what they lean on is below blueprints/sdk/python.

/// A type for every schema, all of which have names and come after those they use.
[[nodiscard]] std::string python_models(std::span<const api::Schema* const> schemas);
/// A check for every schema.
[[nodiscard]] std::string python_validators(std::span<const api::Schema* const> schemas);
/// An exception for every code.
[[nodiscard]] std::string python_problems();
/// A method for every operation.
[[nodiscard]] std::string python_operations();
/// What is this deployment's own.
[[nodiscard]] std::string python_deployment(const plan::Plan& plan);

/// The package's name as it is imported.
[[nodiscard]] std::string python_package(const plan::Plan& plan);
/// A semantic version as PyPA's version specifiers have it: what follows the numbers is a local
/// version.
[[nodiscard]] std::string python_version(std::string_view version);

}  // namespace caisson::render
