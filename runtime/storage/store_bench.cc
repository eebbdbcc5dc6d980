// How fast one tenant's store is: commits by group size, point reads, opening, memory. Run by hand.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>

#include "base/time.h"
#include "base/uuid.h"
#include "runtime/storage/store.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

constexpr Migration table =
    "CREATE TABLE record(collection TEXT, id BLOB, version INTEGER, updated INTEGER, value TEXT,"
    "PRIMARY KEY(collection, id)) WITHOUT ROWID;"
    "CREATE INDEX record_updated ON record(collection, updated, id)";
const std::string value = R"({"name":")" + std::string(180, 'x') + R"("})";
constexpr auto never = std::chrono::steady_clock::time_point::max();

/// Directories of stores, gone afterwards.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / Uuid::make(unix_ms_now()).text()) {
    fs::create_directory(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  [[nodiscard]] Store open(const std::string& id) const {
    fs::create_directory(path_ / id);
    return Store::open(path_ / id, id, {&table, 1}, true, {}).value();
  }

 private:
  fs::path path_;
};

Uuid write(Store& store) {
  const Uuid id = Uuid::make(unix_ms_now());
  const auto outcome = store.run(
      [&](TenantStore& view) {
        view.prepare("INSERT INTO record VALUES(?,?,1,?,?)")
            .text("orders")
            .blob(id.view())
            .integer(id.unix_ms())
            .text(value)
            .run();
      },
      never);
  if (outcome.fault != Fault::none) std::abort();
  return id;
}

void group_commit(benchmark::State& state) {
  const Folder folder;
  Store store = folder.open("tenant");
  for (auto _ : state) {
    store.begin();
    for (std::int64_t i = 0; i < state.range(0); ++i) write(store);
    if (!store.commit()) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(group_commit)->Arg(1)->Arg(16)->Arg(64)->Arg(256)->UseRealTime();

void point_read(benchmark::State& state) {
  const Folder folder;
  Store store = folder.open("tenant");
  std::vector<Uuid> ids;
  store.begin();
  for (int i = 0; i < 10000; ++i) ids.push_back(write(store));
  store.commit();
  std::size_t next = 0;
  for (auto _ : state) {
    const Uuid& id = ids[next = (next + 7919) % ids.size()];
    std::string found;
    const Fault fault = store.read(
        [&](TenantStore& view) {
          auto row =
              view.prepare("SELECT version,updated,value FROM record WHERE collection=? AND id=?");
          row.text("orders").blob(id.view());
          if (row.step()) found = row.text_at(2);
        },
        never);
    if (fault != Fault::none || found.size() != value.size()) std::abort();
  }
}
BENCHMARK(point_read);

void open_existing(benchmark::State& state) {
  const Folder folder;
  {
    Store store = folder.open("tenant");
    store.begin();
    write(store);
    store.commit();
  }
  for (auto _ : state) benchmark::DoNotOptimize(folder.open("tenant"));
}
BENCHMARK(open_existing);

std::int64_t resident_kib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

/// Memory of stores that have each served a few writes and reads.
void memory_per_store(benchmark::State& state) {
  for (auto _ : state) {
    const Folder folder;
    std::vector<Store> stores;
    stores.push_back(folder.open("warm"));
    write(stores.back());
    malloc_trim(0);
    const std::int64_t before = resident_kib();
    for (int i = 0; i < 200; ++i) {
      stores.push_back(folder.open(std::to_string(i)));
      stores.back().begin();
      for (int n = 0; n < 10; ++n) write(stores.back());
      stores.back().commit();
    }
    state.counters["KiB"] = static_cast<double>(resident_kib() - before) / 200;
  }
}
BENCHMARK(memory_per_store)->Iterations(1);

}  // namespace
}  // namespace caisson::storage

BENCHMARK_MAIN();
