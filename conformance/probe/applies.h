#pragma once

#include <optional>

#include "conformance/probe/probe.h"

namespace caisson::conformance {

/// Reasons why a probe does not run; shared by the families.
/// Tokens are taken, whoever signs them.
[[nodiscard]] std::optional<LeftOut> needs_taken_tokens(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_tokens(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_public_key(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_api_keys(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_edge(const Arena& arena);
/// The stack must be one that `up` started: its files and processes are known.
[[nodiscard]] std::optional<LeftOut> needs_own_stack(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_shared_instance(const Arena& arena);
/// The stack's processes must be visible from the harness.
[[nodiscard]] std::optional<LeftOut> needs_processes(const Arena& arena);
/// And each must have a user of its own, and the harness be root to look at them as one another.
[[nodiscard]] std::optional<LeftOut> needs_own_users(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_private_mounts(const Arena& arena);
/// The data directories must be readable from the harness.
[[nodiscard]] std::optional<LeftOut> needs_data_directories(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_logs(const Arena& arena);
/// The stack must be one that the harness may stop and start.
[[nodiscard]] std::optional<LeftOut> needs_local(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_postgres(const Arena& arena);
[[nodiscard]] std::optional<LeftOut> needs_immediate_deletion(const Arena& arena);

}  // namespace caisson::conformance
