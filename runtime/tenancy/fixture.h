#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "runtime/storage/folder_fixture.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {

/// A data directory of its own with a registry and tenants, as the runtime has them; gone
/// afterwards.
class Fixture {
 public:
  static constexpr storage::Migration table =
      "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)";

  /// `clock` outlives it; without one, time passes.
  explicit Fixture(Tenants::Options options = {}, Tiers tiers = {{"free", {}}},
                   const Clock* clock = nullptr)
      : data(storage::test_place()),
        clock_(clock == nullptr ? &system_clock_ : clock),
        tiers_(std::move(tiers)),
        options_(std::move(options)) {
    start();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    stop();
    std::filesystem::remove_all(data);
  }

  void start() {
    registry = Registry::open(data, tiers_, *clock_).value();
    options_.data = data;
    options_.schema = {&table, 1};
    tenants = Tenants::open(options_, *registry).value();
  }
  void stop() {
    tenants.reset();
    registry.reset();
  }
  void restart() {
    stop();
    start();
  }

  TenantPtr make(std::string slug) {
    return tenants->create({.slug = std::move(slug), .tier = "free"}).value();
  }

  /// Runs `job` and waits for its answer.
  template <class Job>
  auto call(const Tenant& tenant, storage::Access access, Job job,
            Deadline deadline = Deadline::max()) {
    using Answer = tl::expected<std::invoke_result_t<Job&, storage::TenantStore&>, Refusal>;
    std::promise<Answer> promise;
    std::future<Answer> future = promise.get_future();
    tenants->submit(tenant, access, deadline, std::move(job),
                    [&promise](Answer answer) { promise.set_value(std::move(answer)); });
    return future.get();
  }

  /// Adds a note; false when the store has it already.
  tl::expected<bool, Refusal> write(const Tenant& tenant, const std::string& text) {
    return call(tenant, storage::Access::write, [text](storage::TenantStore& store) {
      return store.prepare("INSERT OR IGNORE INTO note(text) VALUES(?)").text(text).run() &&
             store.changes() == 1;
    });
  }
  tl::expected<bool, Refusal> has(const Tenant& tenant, const std::string& text,
                                  storage::Access access = storage::Access::glance) {
    return call(tenant, access, [text](storage::TenantStore& store) {
      auto row = store.prepare("SELECT 1 FROM note WHERE text=?");
      return row.text(text).step();
    });
  }
  tl::expected<std::int64_t, Refusal> count(const Tenant& tenant) {
    return call(tenant, storage::Access::read, [](storage::TenantStore& store) {
      auto row = store.prepare("SELECT count(*) FROM note");
      return row.step() ? row.integer_at(0) : -1;
    });
  }

  const std::filesystem::path data;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Tenants> tenants;

 private:
  SystemClock system_clock_;
  const Clock* clock_;
  Tiers tiers_;
  Tenants::Options options_;
};

}  // namespace caisson::tenancy
