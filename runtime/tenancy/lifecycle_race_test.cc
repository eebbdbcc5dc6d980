// Every pair of calls on one tenant at the same time. What was acknowledged must come out as if one
// had come after the other; whatever the order, nothing of a deleted tenant is left on the disk.
//
// A run is short. CAISSON_CHURN=N makes it N times as long.

#include <algorithm>
#include <cstdlib>
#include <latch>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;
using storage::Access;
using storage::TenantStore;

const std::string slug = "a";

/// The tenant of this slug, as its client and its operator know it.
struct Model {
  bool living = true;
  Status status = Status::active;
  std::string name;
  std::set<std::string> notes;
  std::set<std::string> keys;  // that are not revoked, by name
  friend bool operator==(const Model&, const Model&) = default;
};

struct Scene {
  Fixture& runtime;
  std::string tier;
  TenantPtr tenant;
  std::string own_snapshot;     // of {"kept"}
  std::string others_snapshot;  // of {"foreign"}
  std::string key;              // id of "first"
};

/// One call: what it asks for, true when that was acknowledged, and what is so then.
struct Call {
  const char* name;
  std::function<bool(Scene&)> call;
  std::function<void(Model&)> effect;
};

const std::vector<Call>& calls() {
  static const auto nothing = [](Model&) {};
  static const std::vector<Call> all = {
      {"create",
       [](Scene& s) {
         return s.runtime.tenants->create({.slug = slug, .tier = s.tier}).has_value();
       },
       [](Model& m) { m = {}; }},
      {"update",
       [](Scene& s) { return s.runtime.tenants->update(slug, {.name = "new"}).has_value(); },
       [](Model& m) { m.name = "new"; }},
      {"suspend", [](Scene& s) { return s.runtime.tenants->suspend(slug).has_value(); },
       [](Model& m) { m.status = Status::suspended; }},
      {"resume", [](Scene& s) { return s.runtime.tenants->resume(slug).has_value(); },
       [](Model& m) { m.status = Status::active; }},
      {"remove", [](Scene& s) { return s.runtime.tenants->remove(slug).has_value(); },
       [](Model& m) { m = {.living = false}; }},
      {"snapshot", [](Scene& s) { return s.runtime.tenants->snapshot(slug).has_value(); }, nothing},
      {"restore",
       [](Scene& s) {
         return s.runtime.tenants->restore(slug, s.own_snapshot, std::nullopt).has_value();
       },
       [](Model& m) { m.notes = {"kept"}; }},
      {"restore from another",
       [](Scene& s) {
         return s.runtime.tenants->restore(slug, s.others_snapshot, "other").has_value();
       },
       [](Model& m) { m.notes = {"foreign"}; }},
      {"read a snapshot",
       [](Scene& s) {
         return s.runtime.tenants
             ->read_snapshot(slug, s.own_snapshot, true,
                             [](TenantStore& store) {
                               auto row = store.prepare("SELECT text FROM note");
                               EXPECT_TRUE(row.step());
                               EXPECT_EQ(row.text_at(0), "kept");
                             })
             .has_value();
       },
       nothing},
      // A job that puts many rows at once and notes whose request that was.
      {"import",
       [](Scene& s) {
         return s.runtime
             .call(*s.tenant, Access::write,
                   [](TenantStore& store) {
                     storage::note_request(store, "r-1");
                     bool fine = true;
                     for (const char* text : {"imported 1", "imported 2", "imported 3"}) {
                       auto row = store.prepare("INSERT OR REPLACE INTO note(text) VALUES(?)");
                       fine = row.text(text).run() && fine;
                     }
                     return fine;
                   })
             .value_or(false);
       },
       [](Model& m) { m.notes.insert({"imported 1", "imported 2", "imported 3"}); }},
      {"create a key",
       [](Scene& s) {
         return s.runtime.registry->create_key(slug, "second", {"read"}, 0).has_value();
       },
       [](Model& m) { m.keys.insert("second"); }},
      {"revoke a key",
       [](Scene& s) { return s.runtime.registry->revoke_key(slug, s.key).has_value(); },
       [](Model& m) { m.keys.erase("first"); }},
      {"migrate", [](Scene& s) { return s.runtime.tenants->migrate(slug).has_value(); }, nothing},
      {"sweep",
       [](Scene& s) {
         s.runtime.tenants->sweep();
         return true;
       },
       nothing},
      {"write", [](Scene& s) { return s.runtime.write(*s.tenant, "written").value_or(false); },
       [](Model& m) { m.notes.insert("written"); }},
      {"read",
       [](Scene& s) { return s.runtime.has(*s.tenant, "kept", Access::read).value_or(false); },
       nothing},
  };
  return all;
}

Model observe(Fixture& runtime) {
  const TenantPtr tenant = runtime.registry->by_slug(slug);
  Model model{.living = tenant->status != Status::deleted};
  if (!model.living) return model;
  model.status = tenant->status;
  model.name = tenant->name;
  const auto keys = runtime.registry->keys(slug).value();
  for (const ApiKeyPtr& key : keys) {
    if (!key->revoked) model.keys.insert(key->name);
  }
  model.notes = runtime
                    .call(*tenant, Access::read,
                          [](TenantStore& store) {
                            std::set<std::string> notes;
                            auto row = store.prepare("SELECT text FROM note");
                            while (row.step()) notes.emplace(row.text_at(0));
                            return notes;
                          })
                    .value();
  return model;
}

/// Directories under `data` that are named after a tenant that is not living.
std::vector<std::string> remains(const Fixture& runtime) {
  std::vector<std::string> found;
  for (const char* place : {"tenants", "snapshots"}) {
    for (const auto& entry : fs::recursive_directory_iterator(runtime.data / place)) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_directory() || name.size() != 36) continue;
      const TenantPtr tenant = runtime.registry->by_id(name);
      if (tenant == nullptr || tenant->status == Status::deleted) found.push_back(entry.path());
    }
  }
  return found;
}

void set_scene(Scene& scene) {
  Fixture& runtime = scene.runtime;
  scene.tenant = runtime.tenants->create({.slug = slug, .tier = scene.tier}).value();
  scene.key = runtime.registry->create_key(slug, "first", {"read"}, 0).value().key->id;
  EXPECT_TRUE(runtime.write(*scene.tenant, "kept").value());
  scene.own_snapshot = runtime.tenants->snapshot(slug).value().id;
  EXPECT_TRUE(runtime.write(*scene.tenant, "later").value());
}

void clear_scene(Fixture& runtime) {
  if (runtime.registry->by_slug(slug)->status != Status::deleted) {
    EXPECT_TRUE(runtime.tenants->remove(slug));
  }
}

/// Both at once, and then every order in which they may have been.
void race(Scene& scene, const Call& first, const Call& second) {
  set_scene(scene);
  std::latch start(2);
  bool first_done = false;
  bool second_done = false;
  {
    std::jthread thread([&] {
      start.arrive_and_wait();
      first_done = first.call(scene);
    });
    start.arrive_and_wait();
    second_done = second.call(scene);
  }
  const Model before{.notes = {"kept", "later"}, .keys = {"first"}};
  const auto applied = [&](const std::vector<std::pair<const Call*, bool>>& order) {
    Model model = before;
    for (const auto& [call, done] : order) {
      if (done) call->effect(model);
    }
    return model;
  };
  const Model one = applied({{&first, first_done}, {&second, second_done}});
  const Model two = applied({{&second, second_done}, {&first, first_done}});
  const Model seen = observe(scene.runtime);
  EXPECT_TRUE(seen == one || seen == two)
      << first.name << (first_done ? "" : " (refused)") << " and " << second.name
      << (second_done ? "" : " (refused)") << ": living " << seen.living << ", notes "
      << testing::PrintToString(seen.notes) << ", keys " << testing::PrintToString(seen.keys);
  clear_scene(scene.runtime);
}

class LifecycleRace : public testing::TestWithParam<std::int64_t> {};

TEST_P(LifecycleRace, EveryPairOfCallsIsAsIfOneCameAfterTheOther) {
  const char* factor = std::getenv("CAISSON_CHURN");
  const int rounds = 6 * (factor == nullptr ? 1 : std::max(std::atoi(factor), 1));
  Fixture runtime({}, {{"free", {.retention_ms = GetParam()}}});
  const TenantPtr other = runtime.make("other");
  EXPECT_TRUE(runtime.write(*other, "foreign").value());
  Scene scene{.runtime = runtime, .tier = "free"};
  scene.others_snapshot = runtime.tenants->snapshot("other").value().id;
  for (std::size_t i = 0; i < calls().size(); ++i) {
    for (std::size_t j = i; j < calls().size(); ++j) {
      for (int round = 0; round < rounds; ++round) race(scene, calls()[i], calls()[j]);
    }
    // A hidden tenant goes once its retention has passed; the last may have to be waited for.
    for (int sweeps = 0; !remains(runtime).empty() && sweeps < 10'000; ++sweeps) {
      runtime.tenants->sweep();
    }
    EXPECT_EQ(remains(runtime), std::vector<std::string>()) << calls()[i].name;
    runtime.restart();
    EXPECT_EQ(remains(runtime), std::vector<std::string>()) << calls()[i].name;
    EXPECT_TRUE(runtime.has(*other, "foreign").value());
  }
  EXPECT_LE(runtime.tenants->usage().size(), 2U) << "no actor outlives its tenant";
}

INSTANTIATE_TEST_SUITE_P(Retention, LifecycleRace, testing::Values(0, 1));

}  // namespace
}  // namespace caisson::tenancy
