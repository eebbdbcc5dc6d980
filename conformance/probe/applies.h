#pragma once

#include <optional>
#include <string>

#include "conformance/probe/arena.h"

namespace caisson::conformance {

/// Reasons why a probe has nothing to look at; shared by the families.
[[nodiscard]] std::optional<std::string> needs_tokens(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_public_key(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_api_keys(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_edge(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_shared_instance(const Arena& arena);
/// The stack's processes must be visible from the harness.
[[nodiscard]] std::optional<std::string> needs_processes(const Arena& arena);
/// And each must have a user of its own, and the harness be root to look at them as one another.
[[nodiscard]] std::optional<std::string> needs_own_users(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_private_mounts(const Arena& arena);
/// The data directories must be readable from the harness.
[[nodiscard]] std::optional<std::string> needs_data_directories(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_logs(const Arena& arena);
/// The stack must be one that the harness may stop and start.
[[nodiscard]] std::optional<std::string> needs_local(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_postgres(const Arena& arena);
[[nodiscard]] std::optional<std::string> needs_immediate_deletion(const Arena& arena);

}  // namespace caisson::conformance
