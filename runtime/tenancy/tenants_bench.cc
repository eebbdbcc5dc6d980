// What a request costs between the gate and the store, on a file system in memory: the processor's
// share, without the disk's. Run by hand.

#include <atomic>
#include <semaphore>

#include <benchmark/benchmark.h>

#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

/// Durable writes with 256 in flight, spread over some tenants.
void writes(benchmark::State& state) {
  constexpr std::ptrdiff_t in_flight = 256;
  Fixture runtime;
  std::vector<TenantPtr> tenants;
  for (int i = 0; i < state.range(0); ++i) tenants.push_back(runtime.make("t" + std::to_string(i)));
  std::counting_semaphore<in_flight> room(in_flight);
  const std::string text(200, 'x');
  std::int64_t next = 0;
  for (auto _ : state) {
    room.acquire();
    const Tenant& tenant = *tenants[static_cast<std::size_t>(next++) % tenants.size()];
    runtime.tenants->submit(
        tenant, Access::write, Deadline::max(),
        [note = text + std::to_string(next)](TenantStore& store) {
          return store.prepare("INSERT INTO note(text) VALUES(?)").text(note).run();
        },
        [&room](const tl::expected<bool, Refusal>& answer) {
          if (!answer.value_or(false)) std::abort();
          room.release();
        });
  }
  for (std::ptrdiff_t i = 0; i < in_flight; ++i) room.acquire();
  state.SetItemsProcessed(state.iterations());
  const auto stats = runtime.tenants->stats();
  state.counters["jobs/commit"] =
      static_cast<double>(stats.committed_jobs) / static_cast<double>(stats.commits);
}
BENCHMARK(writes)->Arg(1)->Arg(16)->UseRealTime()->MeasureProcessCPUTime();

/// A point read of an idle tenant, on the calling thread.
void glance(benchmark::State& state) {
  Fixture runtime;
  const auto tenant = runtime.make("t");
  for (int i = 0; i < 1000; ++i) runtime.write(*tenant, std::to_string(i)).value();
  int found = 0;
  for (auto _ : state) {
    runtime.tenants->submit(
        *tenant, Access::glance, Deadline::max(),
        [](TenantStore& store) {
          auto row = store.prepare("SELECT text FROM note WHERE id=?");
          row.integer(500);
          return row.step();
        },
        [&](const tl::expected<bool, Refusal>& answer) {
          found += answer.value_or(false) ? 1 : 0;
        });
  }
  benchmark::DoNotOptimize(found);
}
BENCHMARK(glance)->MeasureProcessCPUTime();

}  // namespace
}  // namespace caisson::tenancy

BENCHMARK_MAIN();
