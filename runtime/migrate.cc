#include "runtime/migrate.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/time.h"
#include "runtime/modules/records.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::runtime {
namespace {

constexpr std::size_t tenants_a_page = 1000;
// A store that makes room for the next is closed, and with that whole in one file.
constexpr std::size_t open_stores = 4;

}  // namespace

Result<Migrated> migrate_data(const context::Configuration& configuration) {
  const auto data = storage::find_data_directory(configuration.data);
  if (!data) return tl::unexpected(data.error());
  const auto there = is_there(*data / "registry.db");
  if (!there) return tl::unexpected(there.error());
  if (!*there) return Migrated{};  // nobody has served here yet

  const SystemClock clock;
  auto registry = tenancy::Registry::open(configuration.data, configuration.tiers, clock);
  if (!registry) return tl::unexpected(registry.error());
  std::string last_failure;
  auto tenants = tenancy::Tenants::open(
      {.data = (*registry)->data(),
       .schema = modules::Records::schema(),
       .workers = 1,
       .open_stores = open_stores,
       .on_failure = [&](std::string_view, std::string_view what) { last_failure = what; },
       .before_purge = [](const tenancy::Tenant&) -> std::uint64_t { return 0; }},
      **registry);
  if (!tenants) return tl::unexpected(tenants.error());

  Migrated done;
  std::optional<std::string> after = "";
  while (after) {
    tenancy::TenantPage page = (*registry)->list({}, tenants_a_page, *after);
    for (const tenancy::TenantPtr& tenant : page.tenants) {
      if (tenant->status == tenancy::Status::deleted || !tenant->has_store) continue;
      last_failure.clear();
      if (const auto migrated = (*tenants)->migrate(tenant->slug); migrated) {
        ++done.stores;
      } else {
        const auto& why = last_failure.empty() ? migrated.error().detail : last_failure;
        done.problems.push_back(tenant->slug + ": " + why);
      }
    }
    after = std::move(page.next);
  }
  return done;
}

}  // namespace caisson::runtime
