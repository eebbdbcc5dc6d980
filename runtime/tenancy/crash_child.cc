// What the crash test kills: tenants that write, and come and go, as fast as they can. Every
// acknowledged step is one line on standard output:
//
//     write <slug> <note>      create <slug> <id>      remove <slug> <id>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "base/time.h"
#include "base/uuid.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

constexpr storage::Migration table = "CREATE TABLE note(text TEXT PRIMARY KEY) WITHOUT ROWID";
constexpr std::array<const char*, 4> residents = {"r0", "r1", "r2", "r3"};
constexpr int in_flight = 32;
constexpr std::size_t store_bytes = std::size_t{4} << 20U;

/// One line in one write, so that lines of several threads never mix.
void acknowledge(const std::string& what, const std::string& slug, const std::string& detail) {
  const std::string line = what + " " + slug + " " + detail + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(4);
}

std::string unique_text() { return Uuid::make(unix_ms_now()).text(); }

void write_for_ever(Tenants& tenants, const Registry& registry) {
  std::atomic<int> pending = 0;
  for (std::size_t i = 0;; ++i) {
    while (pending >= in_flight) std::this_thread::yield();
    const TenantPtr tenant = registry.by_slug(residents[i % residents.size()]);
    const std::string note = unique_text();
    ++pending;
    tenants.submit(
        *tenant, storage::Access::write, Deadline::max(),
        [note](storage::TenantStore& store) {
          return store.prepare("INSERT INTO note VALUES(?)").text(note).run();
        },
        [&pending, note, slug = tenant->slug](const tl::expected<bool, Refusal>& answer) {
          if (answer.value_or(false)) acknowledge("write", slug, note);
          --pending;
        });
  }
}

/// The first write of a tenant makes its store; true when it is durable.
bool write_first(Tenants& tenants, const Tenant& tenant, const std::string& note) {
  std::promise<bool> durable;
  tenants.submit(
      tenant, storage::Access::write, Deadline::max(),
      [note](storage::TenantStore& store) {
        return store.prepare("INSERT INTO note VALUES(?)").text(note).run();
      },
      [&durable](const tl::expected<bool, Refusal>& answer) {
        durable.set_value(answer.value_or(false));
      });
  return durable.get_future().get();
}

void come_and_go(Tenants& tenants) {
  for (int i = 0;; ++i) {
    const std::string slug = "g" + unique_text();
    const auto made = tenants.create({.slug = slug});
    if (!made) _exit(3);
    acknowledge("create", slug, (*made)->id);
    if (i % 4 == 0) {  // one in four stays
      const std::string note = unique_text();
      if (!write_first(tenants, **made, note)) _exit(3);
      acknowledge("write", slug, note);
      continue;
    }
    if (!tenants.snapshot(slug)) _exit(3);
    if (!tenants.remove(slug)) _exit(3);
    acknowledge("remove", slug, (*made)->id);
  }
}

/// Gives one tenant another's store for ever, which is large: most of the time it is half made.
void restore_for_ever(Tenants& tenants, const Registry& registry) {
  const auto taken = tenants.snapshots("source");
  if (!taken) _exit(3);
  if (taken->empty() && (!write_first(tenants, *registry.by_slug("source"),
                                      std::string(store_bytes, 'x') + unique_text()) ||
                         !tenants.snapshot("source"))) {
    _exit(3);
  }
  const auto snapshots = tenants.snapshots("source");
  while (true) {
    if (!tenants.restore("target", snapshots->back().id, "source")) _exit(3);
  }
}

int run(const char* data) {
  const SystemClock clock;
  auto registry = Registry::open(data, {}, clock);
  if (!registry) return 2;
  auto tenants = Tenants::open({.data = data, .schema = {&table, 1}, .open_stores = 8}, **registry);
  if (!tenants) return 2;
  std::vector<TenantSpec> specs;
  specs.reserve(std::size(residents) + 2);
  for (const char* slug : residents) specs.push_back({.slug = slug});
  for (const char* slug : {"source", "target"}) specs.push_back({.slug = slug});
  if (!(*registry)->reconcile(specs)) return 2;
  std::thread restorer([&] { restore_for_ever(**tenants, **registry); });
  std::thread visitors([&] { come_and_go(**tenants); });
  write_for_ever(**tenants, **registry);
  return 0;
}

}  // namespace
}  // namespace caisson::tenancy

int main(int argc, char** argv) { return argc == 2 ? caisson::tenancy::run(argv[1]) : 2; }
