#pragma once

#include <span>
#include <string>

#include "api/operations.h"
#include "api/schema.h"
#include "generator/plan/plan.h"

namespace caisson::render {

// The generated files of the TypeScript client; what they lean on is below
// blueprints/sdk/typescript.

/// A type for every schema, all of which have names.
[[nodiscard]] std::string typescript_types(std::span<const api::Schema* const> schemas);
/// A check for every schema.
[[nodiscard]] std::string typescript_validators(std::span<const api::Schema* const> schemas);
/// An error class for every code.
[[nodiscard]] std::string typescript_problems();
/// A method for every operation.
[[nodiscard]] std::string typescript_operations();
/// What is this deployment's own.
[[nodiscard]] std::string typescript_deployment(const plan::Plan& plan);

}  // namespace caisson::render
