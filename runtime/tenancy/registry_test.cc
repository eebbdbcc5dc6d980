#include "runtime/tenancy/registry.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/digest.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

LifecycleErrorKind kind_of(const auto& outcome) {
  return outcome ? LifecycleErrorKind::storage : outcome.error().kind;
}

Tiers two_tiers() {
  return {{"free", {.limits = {.requests_per_second = 5.0, .storage_bytes = 1 << 20}}},
          {"pro", {.isolation = Isolation::deployment, .retention_ms = 1000}}};
}

TEST(Registry, FindsATenantByAllItsNames) {
  Fixture runtime;
  const auto made = runtime.tenants->create(
      {.slug = "acme", .name = "Acme", .tier = "free", .domains = {"acme.example"}});
  ASSERT_TRUE(made);
  EXPECT_EQ(runtime.registry->by_slug("acme"), *made);
  EXPECT_EQ(runtime.registry->by_id((*made)->id), *made);
  EXPECT_EQ(runtime.registry->by_domain("acme.example"), *made);
  EXPECT_EQ(runtime.registry->by_slug("ACME"), nullptr);
  EXPECT_EQ(runtime.registry->by_domain("example"), nullptr);
}

TEST(Registry, IsTheSameAfterARestart) {
  Fixture runtime({}, two_tiers());
  const auto made = runtime.tenants->create({.slug = "acme",
                                             .name = "Acme \"Ltd\"",
                                             .owner = "ann@acme.example",
                                             .tier = "pro",
                                             .status = Status::suspended,
                                             .deployment_url = "https://acme.example",
                                             .domains = {"b.example", "a.example"},
                                             .limits = {.requests_per_second = 1.5, .sockets = 3},
                                             .metadata = {{"plan", "yearly"}, {"ü", "\""}}});
  ASSERT_TRUE(made) << made.error().detail;
  const auto key = runtime.registry->create_key("acme", "ci", {"read", "write"}, 17);
  ASSERT_TRUE(key);
  runtime.restart();
  ASSERT_NE(runtime.registry->by_slug("acme"), nullptr);
  EXPECT_EQ(*runtime.registry->by_slug("acme"), **made);
  const auto again = runtime.registry->key(key->key->id);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->hash, sha256(key->secret));
  EXPECT_EQ(again->scopes, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(again->expires_ms, 17);
  EXPECT_EQ(again->tenant_id, (*made)->id);
}

TEST(Registry, OwnLimitsOverrideTheTiersKeyByKey) {
  Fixture runtime({}, two_tiers());
  const auto made = runtime.tenants->create(
      {.slug = "a", .tier = "free", .limits = {.requests_per_second = 9.0}});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->limits.requests_per_second, 9.0);
  EXPECT_EQ((*made)->limits.storage_bytes, 1 << 20);
  const auto moved = runtime.tenants->update("a", {.tier = "pro"});
  ASSERT_TRUE(moved);
  EXPECT_EQ((*moved)->limits.requests_per_second, 9.0) << "its own limit moves with it";
  EXPECT_EQ((*moved)->limits.storage_bytes, std::nullopt) << "the old tier's does not";
  EXPECT_EQ((*moved)->isolation, Isolation::deployment);
}

TEST(Registry, RefusesWhatCannotBe) {
  Fixture runtime;
  const auto refusal = [&](const TenantSpec& spec) -> std::string {
    const auto made = runtime.tenants->create(spec);
    return made ? "none" : made.error().pointer;
  };
  EXPECT_EQ(refusal({.slug = "", .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = "..", .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = "a/b", .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = "-a", .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = "A", .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = std::string(64, 'a'), .tier = "free"}), "/slug");
  EXPECT_EQ(refusal({.slug = "a", .tier = "gold"}), "/tier");
  EXPECT_EQ(refusal({.slug = "a", .name = "a\nb", .tier = "free"}), "/name");
  EXPECT_EQ(refusal({.slug = "a", .tier = "free", .domains = {"a.example", "UP.example"}}),
            "/domains");
  EXPECT_EQ(refusal({.slug = "a", .tier = "free", .limits = {.burst = -1}}), "/limits/burst");
  EXPECT_EQ(runtime.registry->count(), 0U);
  EXPECT_TRUE(runtime.tenants->create({.slug = "a", .tier = "free"}));
}

TEST(Registry, ASyntheticTenantLeavesNothing) {
  ManualClock clock;
  Fixture runtime({}, {{"free", {.retention_ms = 3'600'000}}}, &clock);
  const std::int64_t until = clock.unix_ms() + 60'000;
  const auto make = [&] {
    const auto made =
        runtime.tenants->create({.slug = "probe", .tier = "free", .synthetic_until_ms = until});
    return made ? (*made)->id : std::string();
  };
  runtime.make("a");
  const std::string first = make();
  ASSERT_FALSE(first.empty());
  ASSERT_TRUE(runtime.registry->create_key("probe", "k", {"read"}, 0));
  EXPECT_EQ(runtime.registry->count(), 1U) << "it is not counted";
  ASSERT_TRUE(runtime.tenants->remove("probe"));
  EXPECT_EQ(runtime.registry->by_id(first), nullptr) << "whatever its tier keeps";
  EXPECT_EQ(runtime.registry->by_slug("probe"), nullptr);
  EXPECT_EQ(runtime.registry->list({}, 10).tenants.size(), 1U);

  // Nobody removes the second: it goes when its time is over, also from a registry that was read
  // again.
  const std::string second = make();
  runtime.restart();
  ASSERT_NE(runtime.registry->by_id(second), nullptr);
  EXPECT_TRUE(runtime.registry->by_id(second)->synthetic());
  runtime.tenants->sweep();
  ASSERT_NE(runtime.registry->by_id(second), nullptr);
  clock.advance_ms(60'001);
  runtime.tenants->sweep();
  EXPECT_EQ(runtime.registry->by_id(second), nullptr);
  runtime.restart();
  EXPECT_EQ(runtime.registry->list({}, 10).tenants.size(), 1U);
}

TEST(Registry, ASyntheticTenantGivesItsSlugBackToTheOneDeletedBefore) {
  ManualClock clock;
  Fixture runtime({}, {{"free", {}}}, &clock);
  runtime.make("a");
  const std::string deleted = runtime.registry->by_slug("a")->id;
  ASSERT_TRUE(runtime.tenants->remove("a"));
  ASSERT_TRUE(runtime.tenants->create(
      {.slug = "a", .tier = "free", .synthetic_until_ms = clock.unix_ms() + 1000}));
  ASSERT_TRUE(runtime.tenants->remove("a"));
  ASSERT_NE(runtime.registry->by_slug("a"), nullptr);
  EXPECT_EQ(runtime.registry->by_slug("a")->id, deleted);
}

TEST(Registry, TheConfigurationKeepsASyntheticTenantThatItNames) {
  ManualClock clock;
  Fixture runtime({}, two_tiers(), &clock);
  ASSERT_TRUE(runtime.tenants->create(
      {.slug = "a", .tier = "free", .synthetic_until_ms = clock.unix_ms() + 1000}));
  const std::vector<TenantSpec> named = {{.slug = "a", .tier = "free"}};
  ASSERT_TRUE(runtime.registry->reconcile(named));
  EXPECT_FALSE(runtime.registry->by_slug("a")->synthetic());
  EXPECT_EQ(runtime.registry->count(), 1U);
}

TEST(Registry, SlugsAndDomainsAreUnique) {
  Fixture runtime;
  runtime.make("a");
  EXPECT_EQ(kind_of(runtime.tenants->create({.slug = "a", .tier = "free"})),
            LifecycleErrorKind::slug_taken);
  ASSERT_TRUE(runtime.tenants->update("a", {.domains = {{"x.example"}}}));
  EXPECT_EQ(
      kind_of(runtime.tenants->create({.slug = "b", .tier = "free", .domains = {"x.example"}})),
      LifecycleErrorKind::domain_taken);
  EXPECT_TRUE(runtime.tenants->create({.slug = "b", .tier = "free"})) << "nothing was left behind";
}

TEST(Registry, ReconcileAppliesTheConfigurationAndDeletesNothing) {
  Fixture runtime({}, two_tiers());
  const std::vector<TenantSpec> first = {{.slug = "a", .tier = "free", .domains = {"a.example"}},
                                         {.slug = "b", .tier = "free", .domains = {"b.example"}}};
  const auto created = runtime.registry->reconcile(first);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->created.size(), 2U);
  EXPECT_TRUE(runtime.registry->reconcile(first)->updated.empty()) << "nothing to change";

  const std::vector<TenantSpec> second = {
      {.slug = "b", .tier = "pro", .domains = {"a.example"}, .limits = {.burst = 2}},
      {.slug = "a", .tier = "free", .status = Status::suspended, .domains = {"b.example"}},
      {.slug = "c", .tier = "free"}};
  const auto changed = runtime.registry->reconcile(second);
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->created.size(), 1U);
  EXPECT_EQ(changed->updated.size(), 2U);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(runtime.registry->by_slug("a")->status, Status::suspended);
    EXPECT_EQ(runtime.registry->by_domain("a.example"), runtime.registry->by_slug("b"));
    EXPECT_EQ(runtime.registry->by_domain("b.example"), runtime.registry->by_slug("a"));
    EXPECT_EQ(runtime.registry->by_slug("b")->limits.burst, 2);
    EXPECT_EQ(runtime.registry->by_slug("b")->retention_ms, 1000);
    runtime.restart();
  }
  ASSERT_TRUE(runtime.registry->reconcile({}));
  EXPECT_EQ(runtime.registry->count(), 3U);
}

TEST(Registry, ReconcileIsAllOrNothing) {
  Fixture runtime;
  const std::vector<TenantSpec> clash = {{.slug = "a", .tier = "free", .domains = {"x.example"}},
                                         {.slug = "b", .tier = "free", .domains = {"x.example"}}};
  EXPECT_EQ(kind_of(runtime.registry->reconcile(clash)), LifecycleErrorKind::domain_taken);
  EXPECT_EQ(runtime.registry->by_slug("a"), nullptr);
  runtime.restart();
  EXPECT_EQ(runtime.registry->count(), 0U);
}

TEST(Registry, TheConfigurationTakesADomainFromATenantThatItDoesNotNameSo) {
  Fixture runtime;
  const auto named = [&](const std::vector<TenantSpec>& specs) {
    Named all;
    for (const auto& spec : specs) all.emplace(spec.slug, spec.domains);
    auto done = runtime.tenants->reconcile(specs, {}, all);
    EXPECT_TRUE(done) << done.error().detail;
    return done ? *done : Reconciled{};
  };
  // Of a tenant whose slug was changed, and of one that the operator made.
  named({{.slug = "old", .tier = "free", .domains = {"shop.example", "stays.example"}},
         {.slug = "other", .tier = "free"}});
  ASSERT_TRUE(
      runtime.tenants->create({.slug = "made", .tier = "free", .domains = {"made.example"}}));
  const std::vector<TenantSpec> next = {
      {.slug = "new", .tier = "free", .domains = {"shop.example"}},
      {.slug = "other", .tier = "free", .domains = {"made.example"}}};
  const auto done = named(next);
  ASSERT_EQ(done.taken.size(), 2U);
  std::set<std::string> told;
  for (const auto& [domain, from, to] : done.taken) {
    told.insert(domain + ": " + from->slug + " to " + to->slug);
  }
  EXPECT_EQ(told,
            (std::set<std::string>{"made.example: made to other", "shop.example: old to new"}));
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(runtime.registry->by_domain("shop.example")->slug, "new");
    EXPECT_EQ(runtime.registry->by_domain("made.example")->slug, "other");
    EXPECT_EQ(runtime.registry->by_domain("stays.example")->slug, "old");
    EXPECT_EQ(runtime.registry->by_slug("old")->domains, std::vector<std::string>{"stays.example"});
    EXPECT_TRUE(runtime.registry->by_slug("made")->domains.empty());
    runtime.restart();
    EXPECT_TRUE(named(next).taken.empty()) << "it is done once";
  }
  // What the operator gave to a tenant that the configuration names, and says nothing new of.
  ASSERT_TRUE(runtime.tenants->update("other", {.domains = {{"made.example", "b.example"}}}));
  const std::vector<TenantSpec> changed = {
      {.slug = "new", .tier = "free", .domains = {"b.example", "shop.example"}}};
  const auto again = runtime.tenants->reconcile(
      changed, {}, Named{{"new", {"b.example", "shop.example"}}, {"other", {"made.example"}}});
  ASSERT_TRUE(again);
  ASSERT_EQ(again->taken.size(), 1U);
  EXPECT_EQ(again->taken[0].from, runtime.registry->by_slug("other"));
  EXPECT_EQ(runtime.registry->by_slug("other")->domains, std::vector<std::string>{"made.example"});
}

TEST(Registry, NobodyElseGetsADomainThatTheConfigurationGivesATenant) {
  Fixture runtime;
  const std::vector<TenantSpec> specs = {{.slug = "a", .tier = "free", .domains = {"a.example"}},
                                         {.slug = "b", .tier = "free"}};
  ASSERT_TRUE(runtime.tenants->reconcile(specs));
  const auto refused = [&](const auto& outcome) {
    return !outcome && outcome.error().kind == LifecycleErrorKind::domain_taken &&
           outcome.error().detail == "the configuration gives a.example to tenant a";
  };
  const TenantSpec third{.slug = "c", .tier = "free", .domains = {"a.example"}};
  const auto nobody_gets_it = [&] {
    EXPECT_TRUE(refused(runtime.tenants->update("b", {.domains = {{"a.example"}}})));
    EXPECT_TRUE(refused(runtime.tenants->create(third)));
  };
  nobody_gets_it();
  // Also while that tenant does not have it, or is not there.
  ASSERT_TRUE(runtime.tenants->update("a", {.domains = std::vector<std::string>()}));
  EXPECT_EQ(runtime.registry->by_domain("a.example"), nullptr);
  nobody_gets_it();
  ASSERT_TRUE(runtime.tenants->remove("a"));
  nobody_gets_it();
  ASSERT_TRUE(runtime.tenants->create(specs[0])) << "its own";
  ASSERT_TRUE(runtime.tenants->remove("a"));
  const std::vector<TenantSpec> without = {specs[1]};
  ASSERT_TRUE(runtime.tenants->reconcile(without, {}, Named{{"b", {}}}));
  EXPECT_TRUE(runtime.tenants->create(third)) << "the configuration gives it nobody any more";
}

TEST(Registry, ADeletedTenantGivesItsDomainsUp) {
  ManualClock clock;
  Fixture runtime({}, {{"free", {.retention_ms = 1000}}}, &clock);
  ASSERT_TRUE(runtime.tenants->create({.slug = "a", .tier = "free", .domains = {"a.example"}}));
  const std::string id = runtime.registry->by_slug("a")->id;
  ASSERT_TRUE(runtime.tenants->remove("a"));
  EXPECT_EQ(runtime.registry->by_domain("a.example"), nullptr);
  EXPECT_TRUE(runtime.registry->by_id(id)->domains.empty());
  ASSERT_TRUE(runtime.tenants->create({.slug = "b", .tier = "free", .domains = {"a.example"}}));
  clock.advance_ms(2000);
  runtime.tenants->sweep();
  EXPECT_EQ(runtime.registry->by_domain("a.example")->slug, "b");
  runtime.restart();
  EXPECT_EQ(runtime.registry->by_domain("a.example")->slug, "b");
}

TEST(Registry, WhatAnEarlierVersionLeftADeletedTenantIsFreeAfterAStart) {
  Fixture runtime({}, {{"free", {.retention_ms = 3'600'000}}});
  runtime.make("a");
  const std::string id = runtime.registry->by_slug("a")->id;
  ASSERT_TRUE(runtime.tenants->remove("a"));
  runtime.stop();
  {
    auto database = storage::Database::open(runtime.data / "registry.db", {}).value();
    ASSERT_TRUE(database.prepare("INSERT INTO domain VALUES('a.example',?)").text(id).run());
  }
  runtime.start();
  EXPECT_EQ(runtime.registry->by_domain("a.example"), nullptr);
  EXPECT_TRUE(runtime.tenants->create({.slug = "b", .tier = "free", .domains = {"a.example"}}));
}

TEST(Registry, DomainsEndUpAsTheConfigurationSaysWhateverWasBefore) {
  rc::check([] {
    const std::vector<std::string> slugs = {"a", "b", "c", "d"};
    const std::vector<std::string> domains = {"v.example", "w.example", "x.example", "y.example"};
    Fixture runtime({}, {{"free", {.retention_ms = 1000}}});
    for (int round = 0; round < 2; ++round) {
      // Some tenants are the configuration's, each domain of some is one of theirs or nobody's.
      std::vector<TenantSpec> specs;
      Named named;
      for (const auto& slug : slugs) {
        if (*rc::gen::arbitrary<bool>()) specs.push_back({.slug = slug, .tier = "free"});
      }
      for (const auto& domain : domains) {
        const auto owner = *rc::gen::inRange<std::size_t>(0, slugs.size() + 1);
        if (owner < specs.size()) specs[owner].domains.push_back(domain);
      }
      for (const auto& spec : specs) named.emplace(spec.slug, spec.domains);
      RC_ASSERT(runtime.tenants->reconcile(specs, {}, named));
      const auto holds = [&] {
        std::map<std::string, std::string> held;
        for (const auto& tenant : runtime.registry->list({}, 100).tenants) {
          if (tenant->status == Status::deleted) RC_ASSERT(tenant->domains.empty());
          for (const auto& domain : tenant->domains) {
            RC_ASSERT(held.emplace(domain, tenant->slug).second);
            RC_ASSERT(runtime.registry->by_domain(domain) == tenant);
          }
        }
        for (const auto& domain : domains) {
          RC_ASSERT(held.contains(domain) == (runtime.registry->by_domain(domain) != nullptr));
        }
        return held;
      };
      const auto held = holds();
      for (const auto& spec : specs) {
        RC_ASSERT(runtime.registry->by_slug(spec.slug)->domains == spec.domains);
      }
      runtime.restart();
      RC_ASSERT(holds() == held);
      RC_ASSERT(runtime.tenants->reconcile({}, {}, named));
      // The operator does what it likes meanwhile.
      const auto slug = slugs[*rc::gen::inRange<std::size_t>(0, slugs.size())];
      const auto domain = domains[*rc::gen::inRange<std::size_t>(0, domains.size())];
      static_cast<void>(
          runtime.tenants->create({.slug = slug, .tier = "free", .domains = {domain}}));
      static_cast<void>(runtime.tenants->update(
          slugs[*rc::gen::inRange<std::size_t>(0, slugs.size())], {.domains = {{domain}}}));
      if (*rc::gen::arbitrary<bool>()) static_cast<void>(runtime.tenants->remove(slug));
      holds();
    }
  });
}

TEST(Registry, PagesCoverEveryTenantOnce) {
  Fixture runtime;
  std::vector<TenantSpec> specs;
  for (int i = 0; i < 250; ++i) {
    specs.push_back({.slug = "t" + std::to_string(i),
                     .owner = i % 2 == 0 ? "even" : "odd",
                     .tier = "free",
                     .status = i % 5 == 0 ? Status::suspended : Status::active});
  }
  ASSERT_TRUE(runtime.registry->reconcile(specs));
  const auto walk = [&](const TenantFilter& filter, std::size_t limit) {
    std::vector<std::string> slugs;
    std::optional<std::string> after = "";
    while (after) {
      const TenantPage page = runtime.registry->list(filter, limit, *after);
      EXPECT_LE(page.tenants.size(), limit);
      for (const auto& tenant : page.tenants) slugs.push_back(tenant->slug);
      after = page.next;
    }
    EXPECT_TRUE(std::is_sorted(slugs.begin(), slugs.end()));
    return std::set<std::string>(slugs.begin(), slugs.end()).size();
  };
  EXPECT_EQ(walk({}, 7), 250U);
  EXPECT_EQ(walk({}, 250), 250U);
  EXPECT_EQ(walk({.owner = "odd"}, 10), 125U);
  EXPECT_EQ(walk({.status = Status::suspended, .owner = "even"}, 10), 25U);
}

TEST(Registry, ARevokedKeyIsRevokedAtOnceAndForGood) {
  Fixture runtime;
  runtime.make("a");
  runtime.make("b");
  const auto key = runtime.registry->create_key("a", "ci", {"read"}, 0);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->secret.size(), 4U + 22 + 1 + 43);
  EXPECT_EQ(key->secret.substr(0, 27), "csk_" + key->key->id + "_");
  EXPECT_EQ(kind_of(runtime.registry->revoke_key("b", key->key->id)),
            LifecycleErrorKind::unknown_key);
  EXPECT_FALSE(runtime.registry->key(key->key->id)->revoked);
  EXPECT_TRUE(runtime.registry->revoke_key("a", key->key->id));
  EXPECT_TRUE(runtime.registry->key(key->key->id)->revoked);
  runtime.restart();
  EXPECT_TRUE(runtime.registry->key(key->key->id)->revoked);
  EXPECT_EQ(runtime.registry->keys("a")->size(), 1U);
  EXPECT_TRUE(runtime.registry->keys("b")->empty());
}

TEST(Registry, KeepsNoSecret) {
  Fixture runtime;
  runtime.make("a");
  const auto key = runtime.registry->create_key("a", "ci", {"read"}, 0);
  runtime.stop();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runtime.data)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path(), 1 << 24).value();
    EXPECT_EQ(bytes.find(key->secret.substr(27)), std::string::npos) << entry.path();
  }
}

/// Random life cycles against a map of what should be there.
RC_GTEST_PROP(RegistryModel, FollowsTheModel, (const std::vector<std::pair<int, int>>& steps)) {
  static Fixture runtime;
  static std::map<std::string, TenantPtr> model;
  for (const auto& [what, which] : steps) {
    const std::string slug = "t" + std::to_string(std::abs(which % 4));
    const bool known = model.contains(slug);
    switch (std::abs(what % 4)) {
      case 0: {
        const auto made = runtime.tenants->create({.slug = slug, .tier = "free"});
        RC_ASSERT(made.has_value() == !known);
        if (made) model[slug] = *made;
        break;
      }
      case 1:
        RC_ASSERT(runtime.tenants->remove(slug).has_value() == known);
        model.erase(slug);
        break;
      case 2: {
        const auto changed = runtime.tenants->suspend(slug);
        RC_ASSERT(changed.has_value() == known);
        if (changed) model[slug] = *changed;
        break;
      }
      default: {
        const auto changed = runtime.tenants->update(slug, {.name = std::to_string(what)});
        RC_ASSERT(changed.has_value() == known);
        if (changed) model[slug] = *changed;
        break;
      }
    }
  }
  RC_ASSERT(runtime.registry->count() == model.size());
  for (const auto& [slug, tenant] : model) {
    RC_ASSERT(runtime.registry->by_slug(slug) == tenant);
    RC_ASSERT(runtime.registry->by_id(tenant->id) == tenant);
  }
}

}  // namespace
}  // namespace caisson::tenancy
