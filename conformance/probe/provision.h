#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/probe/arena.h"

namespace caisson::conformance {

/// Gives every tenant under test a credential, records and canaries of this run, and enrols them in
/// the arena. On a disposable stack these are active tenants of the plan: two of each placement
/// and one of each further tier, at most twelve (and two made for the run when that is too few),
/// with their rate limits lifted; elsewhere only tenants made for the run. Everything is in the
/// journal before it exists.
[[nodiscard]] Result<void> provision(Arena& arena);

/// Makes one more tenant on the shared instance, with its credential, records and canaries, for
/// probes that throw tenants about. `limits_json` overrides its tier's limits. The slug carries the
/// run id.
[[nodiscard]] Result<Actor> make_tenant(const Arena& arena, const std::string& suffix,
                                        const std::string& limits_json = {});

/// A snapshot of the tenant that is gone after the run. Its id is known, and noted in the journal,
/// only once it is there.
[[nodiscard]] Result<std::string> take_snapshot(const Arena& arena, const Actor& actor);

/// Gives an existing tenant a credential and records.
[[nodiscard]] Result<void> equip(const Arena& arena, Actor& actor);

/// Starts a stopped instance of a local stack again. A start puts the plan's limits back in force:
/// they are lifted again.
[[nodiscard]] Result<void> restart(const Arena& arena, const RunningInstance& instance);

/// Deletes every record of a collection with a tenant's credential within half a minute, `page`
/// records at a time, or fewer when they or the request would be too large.
[[nodiscard]] Result<void> empty_collection(const Endpoint& data, const std::string& credential,
                                            const std::string& collection, std::size_t page = 1000);

/// One sentence for each tier of the plan of which no tenant is under test, and why.
[[nodiscard]] std::vector<std::string> tiers_left_out(const Arena& arena);

/// Removes everything that stands in the journal. Returns what could not be removed.
[[nodiscard]] std::vector<std::string> clean_up(const RunningStack& stack, Journal& journal);

/// Removes what a journal left behind names, through the same calls.
[[nodiscard]] std::vector<std::string> remove_all(const RunningStack& stack,
                                                  const std::vector<Creation>& creations);

}  // namespace caisson::conformance
