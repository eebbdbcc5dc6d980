#include "conformance/probe/applies.h"

#include <algorithm>

#include <unistd.h>

namespace caisson::conformance {
namespace {

template <class Predicate>
bool every_runtime(const Arena& arena, Predicate predicate) {
  return std::ranges::all_of(arena.stack().instances, [&](const RunningInstance& instance) {
    return instance.role != "runtime" || predicate(instance);
  });
}

}  // namespace

std::optional<LeftOut> needs_taken_tokens(const Arena& arena) {
  if (arena.plan().auth.tokens) return std::nullopt;
  return "the plan accepts API keys only, no tokens";
}

std::optional<LeftOut> needs_tokens(const Arena& arena) {
  if (arena.has_tokens()) return std::nullopt;
  if (auto reason = needs_taken_tokens(arena)) return reason;
  return not_tested("the harness does not own the key that signs this stack's tokens");
}

std::optional<LeftOut> needs_public_key(const Arena& arena) {
  if (auto reason = needs_tokens(arena)) return reason;
  if (arena.token_header().find("HS256") != std::string::npos)
    return "tokens are signed with a shared secret, there is no public key";
  return std::nullopt;
}

std::optional<LeftOut> needs_api_keys(const Arena& arena) {
  if (arena.plan().auth.api_keys) return std::nullopt;
  return "the plan accepts tokens only, no API keys";
}

std::optional<LeftOut> needs_edge(const Arena& arena) {
  if (arena.stack().edge() != nullptr) return std::nullopt;
  if (!arena.stack().edge_left_out.empty())
    return not_tested("nothing goes through the edge: " + arena.stack().edge_left_out);
  if (!arena.stack().attached.empty() && !arena.plan().edge.instance.empty())
    return not_tested("site.json names no edge, so that nothing went through it");
  return "the plan has no edge";
}

std::optional<LeftOut> needs_own_stack(const Arena& arena) {
  if (arena.stack().attached.empty()) return std::nullopt;
  return not_tested("of an attached deployment only the listeners are looked at");
}

std::optional<LeftOut> needs_shared_instance(const Arena& arena) {
  if (arena.shared_instance() != nullptr) return std::nullopt;
  return not_tested("every tenant has an instance of its own, there is none to make tenants on");
}

std::optional<LeftOut> needs_processes(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  if (every_runtime(arena, [](const RunningInstance& i) { return i.process.pid > 0; }))
    return std::nullopt;
  return not_tested("the processes of target " + arena.stack().target +
                    " cannot be seen from here");
}

std::optional<LeftOut> needs_own_users(const Arena& arena) {
  if (auto reason = needs_processes(arena)) return reason;
  if (arena.stack().hardening.users == Hardening::Users::starter || geteuid() != 0) {
    return not_tested(
        "without root all processes share one user; run as root to have them kept apart");
  }
  return std::nullopt;
}

std::optional<LeftOut> needs_private_mounts(const Arena& arena) {
  if (auto reason = needs_processes(arena)) return reason;
  if (geteuid() != 0)
    return not_tested("without root processes have no mounts of their own; run as root");
  return std::nullopt;
}

std::optional<LeftOut> needs_data_directories(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  const auto readable = [](const RunningInstance& instance) {
    return !instance.data_directory.empty() &&
           access(instance.data_directory.c_str(), R_OK | X_OK) == 0;
  };
  if (every_runtime(arena, readable)) return std::nullopt;
  return not_tested("the data directories of target " + arena.stack().target +
                    " cannot be read from here");
}

std::optional<LeftOut> needs_logs(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  const auto readable = [](const RunningInstance& instance) {
    return !instance.log.empty() && access(instance.log.c_str(), R_OK) == 0;
  };
  if (every_runtime(arena, readable)) return std::nullopt;
  return not_tested("the logs of target " + arena.stack().target +
                    " are no files that can be read from here");
}

std::optional<LeftOut> needs_local(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  if (arena.stack().target != "local")
    return not_tested("only processes of target local are stopped and started again");
  if (auto reason = needs_data_directories(arena)) return reason;
  return needs_shared_instance(arena);
}

std::optional<LeftOut> needs_postgres(const Arena& arena) {
  if (arena.plan().database.engine.value == plan::Database::Engine::sqlite) {
    return "no PostgreSQL in this plan: every tenant has a SQLite file of its own";
  }
  return not_tested("PostgreSQL is not looked into by this version");
}

std::optional<LeftOut> needs_immediate_deletion(const Arena& arena) {
  if (auto reason = needs_shared_instance(arena)) return reason;
  for (const plan::Tier& tier : arena.plan().tiers) {
    if (tier.isolation == plan::Isolation::deployment) continue;
    // The first pooled tier is the one that tenants made for the run get.
    if (tier.retention_ms > 0)
      return not_tested("tier " + tier.name + " keeps deleted tenants for a while");
    break;
  }
  return std::nullopt;
}

}  // namespace caisson::conformance
