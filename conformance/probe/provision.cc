#include "conformance/probe/provision.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <thread>

#include <boost/json.hpp>

#include "base/files.h"
#include "base/time.h"
#include "conformance/stack/local.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;

constexpr int records_each = 3;

/// After which a tenant made for the run goes by itself, if nobody removed it; longer than a run.
constexpr std::int64_t tenant_life_ms = std::int64_t{30} * 60 * 1000;

/// Of the plan; tiers beyond are named in the report.
constexpr std::size_t most_actors = 12;

OperatorApi api_of(const RunningStack& stack, const std::string& instance) {
  const RunningInstance* found = stack.instance(instance);
  if (found == nullptr || !found->operator_api) return {Endpoint{}, ""};
  return {*found->operator_api, found->operator_token};
}

std::shared_ptr<Pace> pace_of(const plan::Limits& limits) {
  const double rate = limits.requests_per_second ? limits.requests_per_second->value : 0;
  const auto burst = limits.burst ? static_cast<double>(limits.burst->value) : rate;
  return std::make_shared<Pace>(rate, burst);
}

/// More than any probe sends: only those that ask about limits set others.
constexpr double no_rate = 100'000;

/// Lifts the rate limit of one of the plan's tenants for the time of the run, and remembers what it
/// was: at 20 requests a second a run would take minutes. Everything else of its limits stays.
Result<void> lift_rate(const Arena& arena, Actor& actor) {
  boost::system::error_code error;
  const json::value limits = json::parse(actor.limits_json, error);
  if (error || !limits.is_object() || !limits.get_object().contains("requests-per-second"))
    return {};
  if (auto noted = arena.journal().will_create({.kind = "limits",
                                                .instance = actor.instance->name,
                                                .tenant = actor.slug,
                                                .name = actor.rate_json});
      !noted) {
    return noted;
  }
  actor.lifted_limits = json::serialize(json::object{
      {"requests-per-second", no_rate}, {"burst", static_cast<std::int64_t>(no_rate)}});
  actor.pace = nullptr;
  return arena.operator_of(*actor.instance).set_limits(actor.slug, actor.lifted_limits);
}

std::string_view isolation_name(plan::Isolation isolation) {
  switch (isolation) {
    case plan::Isolation::row:
      return "row";
    case plan::Isolation::schema:
      return "schema";
    case plan::Isolation::database:
      return "database";
    case plan::Isolation::deployment:
      return "deployment";
  }
  return "row";
}

/// The tier that tenants made for the run get: the first that is pooled.
std::string pooled_tier(const plan::Plan& plan) {
  for (const plan::Tier& tier : plan.tiers) {
    if (tier.isolation != plan::Isolation::deployment) return tier.name;
  }
  return {};
}

Result<void> give_credential(const Arena& arena, Actor& actor) {
  if (!arena.plan().auth.api_keys) {
    actor.credential = arena.token({.tenant = actor.slug, .expires_in = 3600});
    actor.by_token = true;
    if (actor.credential.empty()) {
      return fail("the harness has no credential for " + actor.slug +
                  ": API keys are off and it cannot sign tokens");
    }
    return {};
  }
  const std::string name = "caisson-" + arena.run();
  if (auto noted = arena.journal().will_create(
          {.kind = "key", .instance = actor.instance->name, .tenant = actor.slug, .name = name});
      !noted) {
    return noted;
  }
  auto key = arena.operator_of(*actor.instance).make_key(actor.slug, name);
  if (!key) return tl::unexpected(key.error());
  actor.key_id = key->id;
  actor.credential = key->text;
  // The id of a key is no secret (it is in the audit log); its second half is.
  const std::string secret = key->text.substr(std::min(key->text.size(), key->text.rfind('_') + 1));
  arena.remember_secret(key->text);
  arena.remember_secret(secret);
  if (secret.size() >= 16) actor.canaries.push_back(secret_canary(actor.slug, "api key", secret));
  return {};
}

/// One canary a sink: in its rows, and in the header and the query of a request, where logs would
/// find them.
Result<void> plant(const Arena& arena, Actor& actor) {
  actor.collection = "caisson-" + arena.run();
  actor.canaries.push_back(make_canary(arena.run(), actor.slug, "row"));
  actor.canaries.push_back(make_canary(arena.run(), actor.slug, "header"));
  actor.canaries.push_back(make_canary(arena.run(), actor.slug, "log"));
  if (auto noted = arena.journal().will_create({.kind = "collection",
                                                .instance = actor.instance->name,
                                                .tenant = actor.slug,
                                                .name = actor.collection});
      !noted) {
    return noted;
  }
  for (int number = 0; number < records_each; ++number) {
    const json::object value{
        {"canary", actor.canary("row").text}, {"owner", actor.slug}, {"number", number}};
    HttpRequest request =
        arena.request_of(actor, "POST", "/v1/records/" + actor.collection, json::serialize(value));
    request.headers.emplace_back("User-Agent", actor.canary("header").text);
    const auto response = arena.send(&actor, request, Way::direct);
    if (!response) return tl::unexpected(response.error());
    if (response->status != 201) {
      return fail("cannot plant a record of " + actor.slug + ": " + response->summary());
    }
    actor.records.push_back(json_string(response->body, "id"));
  }
  const auto logged =
      arena.send(&actor,
                 arena.request_of(actor, "GET",
                                  "/v1/records/" + actor.collection +
                                      "?filter=canary:eq:" + actor.canary("log").text),
                 Way::direct);
  if (!logged) return tl::unexpected(logged.error());
  return {};
}

/// A file beside the tenant's data and the operator's metadata of the tenant, where only its
/// instance may look.
Result<void> plant_on_the_host(const Arena& arena, Actor& actor) {
  Canary label = make_canary(arena.run(), actor.slug, "label");
  const json::object metadata{{"metadata", {{"caisson-run", label.text}}}};
  const auto patched = arena.operator_of(*actor.instance)
                           .call("PATCH", "/v1/tenants/" + actor.slug, json::serialize(metadata));
  if (patched && patched->status == 200) actor.canaries.push_back(std::move(label));

  const auto& directory = actor.instance->data_directory;
  if (directory.empty() || access(directory.c_str(), W_OK) != 0) return {};
  Canary canary = make_canary(arena.run(), actor.slug, "file");
  const auto path = directory / ("caisson-" + arena.run() + "-" + actor.slug);
  if (auto noted = arena.journal().will_create({.kind = "file",
                                                .instance = actor.instance->name,
                                                .tenant = actor.slug,
                                                .name = path.string()});
      !noted) {
    return noted;
  }
  if (auto written = write_file(path, canary.text, 0600); !written) return written;
  if (actor.instance->user &&
      chown(path.c_str(), actor.instance->user->uid, actor.instance->user->gid) != 0) {
    return fail("cannot give " + path.string() + " to its instance");
  }
  actor.canaries.push_back(std::move(canary));
  return {};
}

/// Everything that a tenant with a credential needs besides.
Result<void> furnish(const Arena& arena, Actor& actor) {
  if (auto done = plant(arena, actor); !done) return done;
  return arena.stack().disposable ? plant_on_the_host(arena, actor) : Result<void>{};
}

Result<std::vector<Actor>> planned_actors(const Arena& arena) {
  std::vector<Actor> actors;
  std::set<std::string> tiers;
  std::array<std::size_t, 2> placed{};  // on the shared instance, and alone
  for (const auto& tenant : arena.plan().tenants) {
    const RunningInstance* instance = arena.stack().instance(tenant.instance);
    if (tenant.suspended || instance == nullptr) continue;
    // Two of each placement attack each other, and one of each further tier is driven to its
    // limits; a plan may have ten thousand tenants.
    std::size_t& so_far = placed.at(instance->tenant.has_value() ? 1 : 0);
    const bool another_tier = !tiers.contains(tenant.tier) && actors.size() < most_actors;
    if (so_far >= 2 && !another_tier) continue;
    ++so_far;
    tiers.insert(tenant.tier);
    Actor actor{.slug = tenant.slug,
                .tier = tenant.tier,
                .isolation = std::string(isolation_name(tenant.isolation)),
                .host = tenant.host,
                .instance = instance,
                .pace = pace_of(tenant.limits)};
    auto found = arena.operator_of(*instance).find(tenant.slug);
    if (!found) return tl::unexpected(found.error());
    actor.id = std::move(found->id);
    actor.limits_json = std::move(found->limits_json);
    actor.rate_json = std::move(found->rate_json);
    for (auto* step : {&give_credential, &lift_rate, &furnish}) {
      if (auto done = step(arena, actor); !done) return tl::unexpected(done.error());
    }
    actors.push_back(std::move(actor));
  }
  return actors;
}

/// The ids of a page of records. They are read from the text's own members: a value of a record may
/// be something that a JSON library cannot write again, for example a number of 400 digits.
std::vector<std::string> ids_in(const std::string& page) {
  boost::system::error_code error;
  const json::value value = json::parse(page, error);
  const json::value* records = error ? nullptr : value.find_pointer("/records", error);
  std::vector<std::string> ids;
  if (records == nullptr || !records->is_array()) return ids;
  for (const json::value& record : records->get_array()) {
    const json::value* id = record.is_object() ? record.get_object().if_contains("id") : nullptr;
    if (id != nullptr && id->is_string()) ids.emplace_back(id->get_string());
  }
  return ids;
}

Result<void> remove_one(const RunningStack& stack, const Creation& creation,
                        const std::vector<Creation>& all) {
  const OperatorApi api = api_of(stack, creation.instance);
  const bool tenant_goes = std::ranges::any_of(all, [&](const Creation& other) {
    return other.kind == "tenant" && other.tenant == creation.tenant;
  });
  if (creation.kind == "tenant") return api.remove(creation.name);
  if (creation.kind == "file") {
    std::error_code error;
    std::filesystem::remove_all(creation.name, error);
    if (error) return fail("cannot remove " + creation.name + ": " + error.message());
    return {};
  }
  if (tenant_goes) return {};  // its keys and records go with it
  if (creation.kind == "limits") return api.set_limits(creation.tenant, creation.name);
  if (creation.kind == "snapshot") return api.delete_snapshot(creation.tenant, creation.name);
  if (creation.kind == "key") {
    const auto keys = api.keys_named(creation.tenant, creation.name);
    if (!keys) return tl::unexpected(keys.error());
    for (const std::string& id : *keys) {
      if (auto gone = api.delete_key(creation.tenant, id); !gone) return gone;
    }
    return {};
  }
  // A collection: through the data API with a key made for this alone.
  const RunningInstance* instance = stack.instance(creation.instance);
  if (instance == nullptr || !instance->data) return fail("no instance " + creation.instance);
  const auto key = api.make_key(creation.tenant, creation.name + "-sweep");
  if (!key) return tl::unexpected(key.error());
  auto outcome = empty_collection(*instance->data, key->text, creation.name);
  if (auto gone = api.delete_key(creation.tenant, key->id); !gone) return gone;
  return outcome;
}

}  // namespace

Result<void> empty_collection(const Endpoint& data, const std::string& credential,
                              const std::string& collection, std::size_t page) {
  const Headers headers{{"Authorization", "Bearer " + credential},
                        {"Content-Type", "application/json"},
                        {"Connection", "close"}};
  const Deadline deadline = within(std::chrono::seconds(30));
  while (std::chrono::steady_clock::now() < deadline) {
    auto answer =
        exchange(data,
                 {.target = "/v1/records/" + collection + "?limit=" + std::to_string(page),
                  .host = "localhost",
                  .headers = headers},
                 deadline);
    // A page of large records may be more than the harness reads.
    if (!answer && page > 1) {
      page = std::max<std::size_t>(1, page / 10);
      continue;
    }
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status == 200) {
      const auto ids = ids_in(answer->body);
      if (ids.empty()) return {};
      json::array operations;
      for (const auto& id : ids) {
        operations.push_back(
            json::object{{"op", "delete"}, {"collection", collection}, {"id", id}});
      }
      answer = exchange(data,
                        {.method = "POST",
                         .target = "/v1/batch",
                         .host = "localhost",
                         .headers = headers,
                         .body = json::serialize(json::object{{"operations", operations}})},
                        deadline);
      if (!answer) return tl::unexpected(answer.error());
    }
    if (answer->status == 413 && page > 1) {
      page = std::max<std::size_t>(1, page / 10);
    } else if (answer->status == 429) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    } else if (answer->status != 200) {
      return fail("cannot empty " + collection + ": " + answer->summary());
    }
  }
  return fail("cannot empty " + collection + " within half a minute");
}

Result<std::string> take_snapshot(const Arena& arena, const Actor& actor) {
  auto id = arena.operator_of(*actor.instance).snapshot(actor.slug);
  if (!id) return id;
  if (auto noted = arena.journal().will_create({.kind = "snapshot",
                                                .instance = actor.instance->name,
                                                .tenant = actor.slug,
                                                .name = *id});
      !noted) {
    return tl::unexpected(noted.error());
  }
  return id;
}

Result<void> equip(const Arena& arena, Actor& actor) {
  if (auto done = give_credential(arena, actor); !done) return done;
  return furnish(arena, actor);
}

Result<void> restart(const Arena& arena, const RunningInstance& instance) {
  if (auto again = restart_local(arena.stack().state, instance.name); !again)
    return tl::unexpected(again.error());
  for (const Actor& actor : arena.actors()) {
    if (actor.instance != &instance || actor.lifted_limits.empty()) continue;
    if (auto lifted = arena.operator_of(instance).set_limits(actor.slug, actor.lifted_limits);
        !lifted) {
      return lifted;
    }
  }
  return {};
}

Result<Actor> make_tenant(const Arena& arena, const std::string& suffix,
                          const std::string& limits_json) {
  const RunningInstance* shared = arena.shared_instance();
  if (shared == nullptr) return fail("the stack has no shared instance for tenants of the run");
  Actor actor{.slug = arena.new_slug(suffix),
              .tier = pooled_tier(arena.plan()),
              .isolation = "pooled",
              .instance = shared,
              .synthetic = true};
  actor.host = actor.slug + "." + arena.plan().domain.value;
  if (auto noted = arena.journal().will_create(
          {.kind = "tenant", .instance = shared->name, .tenant = actor.slug, .name = actor.slug});
      !noted) {
    return tl::unexpected(noted.error());
  }
  const std::string limits =
      limits_json.empty() ? R"({"requests-per-second":100000,"burst":100000,"concurrent":10000})"
                          : limits_json;
  auto id = arena.operator_of(*shared).create(
      {.slug = actor.slug,
       .tier = actor.tier,
       .limits_json = limits,
       .metadata_json = R"({"caisson-run":")" + arena.run() + "\"}",
       .synthetic_until =
           arena.stack().disposable ? std::string() : rfc3339(unix_ms_now() + tenant_life_ms)});
  if (!id)
    return fail("no tenant could be made for the run: " + id.error().what, id.error().remedy);
  actor.id = std::move(*id);
  if (auto equipped = equip(arena, actor); !equipped) return tl::unexpected(equipped.error());
  return actor;
}

Result<void> provision(Arena& arena) {
  if (!arena.stack().attached.empty()) {
    for (const RunningInstance& instance : arena.stack().instances) {
      if (instance.role != "runtime") continue;
      auto right = arena.operator_of(instance).must_be(arena.plan().name.value, instance.name);
      if (!right) return right;
    }
  }
  if (auto skipped = arena.skip_refusals(); !skipped) return skipped;
  std::vector<Actor> actors;
  if (arena.stack().disposable) {
    auto planned = planned_actors(arena);
    if (!planned) return tl::unexpected(planned.error());
    actors = std::move(*planned);
  }
  const bool lonely =
      actors.size() < 2 ||
      std::ranges::none_of(
          actors, [](const Actor& actor) { return !actor.instance->tenant.has_value(); });
  if (lonely && arena.shared_instance() != nullptr) {
    for (const char* suffix : {"a", "b"}) {
      auto actor = make_tenant(arena, suffix);
      if (!actor) return tl::unexpected(actor.error());
      actors.push_back(std::move(*actor));
    }
  }
  if (actors.size() < 2) return fail("the deployment has fewer than two tenants to keep apart");
  arena.enrol(std::move(actors));
  return {};
}

std::vector<std::string> remove_all(const RunningStack& stack,
                                    const std::vector<Creation>& creations) {
  std::vector<std::string> left;
  for (const Creation& creation : creations) {
    if (auto gone = remove_one(stack, creation, creations); !gone) {
      left.push_back(creation.kind + " " + creation.name + ": " + gone.error().text());
    }
  }
  return left;
}

std::vector<std::string> tiers_left_out(const Arena& arena) {
  std::vector<std::string> out;
  for (const plan::Tier& tier : arena.plan().tiers) {
    const auto of_tier = [&](const auto& tenant) { return tenant.tier == tier.name; };
    const auto under_test = [&](const Actor& actor) { return of_tier(actor) && !actor.synthetic; };
    if (std::ranges::any_of(arena.actors(), under_test)) continue;
    const bool some = std::ranges::any_of(arena.plan().tenants, of_tier);
    out.push_back("tier " + tier.name + " NOT TESTED: " +
                  (!some ? "the spec has no tenant of it"
                   : !arena.stack().disposable
                       ? "its tenants are left alone on a stack without the disposable marker"
                       : "its tenants are suspended, or enough others were attacked"));
  }
  return out;
}

std::vector<std::string> clean_up(const RunningStack& stack, Journal& journal) {
  std::vector<std::string> left;
  const auto standing = journal.standing();
  for (const Creation& creation : standing) {
    auto gone = remove_one(stack, creation, standing);
    if (gone) gone = journal.removed(creation);
    if (!gone) left.push_back(creation.kind + " " + creation.name + ": " + gone.error().text());
  }
  if (auto closed = journal.close(); !closed && left.empty()) left.push_back(closed.error().text());
  return left;
}

}  // namespace caisson::conformance
