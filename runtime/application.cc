#include "runtime/application.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "runtime/admin/settle.h"
#include "runtime/observe/walls.h"

namespace caisson::runtime {
namespace {

constexpr auto maintenance_interval = std::chrono::seconds(1);
constexpr int intervals_a_sweep = 60;
constexpr std::size_t operator_connections = 1000;
constexpr std::size_t metrics_connections = 100;
constexpr auto scrape_patience = std::chrono::seconds(5);  // with a peer amid a head or an answer
constexpr std::size_t most_page = std::size_t{8} << 20;    // of an export, besides one large record
constexpr std::size_t imports_a_budget = 4;  // a body takes twice its size while it grows

http::Limits limits_of(const context::ServerLimits& limits, std::size_t connections) {
  const auto milliseconds = [](std::int64_t ms) { return std::chrono::milliseconds(ms); };
  return {.header = static_cast<std::size_t>(limits.header),
          .body = static_cast<std::size_t>(limits.body),
          .connections = connections,
          .pipeline = static_cast<std::size_t>(limits.pipeline),
          .header_timeout = milliseconds(limits.header_timeout_ms),
          .body_timeout = milliseconds(limits.body_timeout_ms),
          .idle_timeout = milliseconds(limits.idle_timeout_ms),
          .request_timeout = milliseconds(limits.request_timeout_ms)};
}

/// Bytes of an import, which is an exported page: of a runtime with the same tiers whatever it has,
/// and of another one, whose tiers may have allowed larger records, what there is memory for.
std::size_t most_import(const context::ServerLimits& limits, const host::MemoryPlan& plan) {
  return std::max(static_cast<std::size_t>(limits.body) + most_page,
                  plan.buffered / imports_a_budget);
}

/// How large a body may be is the call's; see OperatorApi.
http::Limits operator_limits(const context::ServerLimits& limits) {
  auto wider = limits_of(limits, std::min<std::size_t>(limits.connections, operator_connections));
  wider.body = std::numeric_limits<std::size_t>::max();
  wider.request_timeout =
      std::max<std::chrono::milliseconds>(wider.request_timeout, std::chrono::minutes(10));
  wider.oldest_out = true;
  return wider;
}

/// Whoever may connect can send half a head, or read nothing, as often as it likes: a scrape gets
/// in all the same.
http::Limits metrics_limits(const context::ServerLimits& limits) {
  auto narrow = limits_of(limits, metrics_connections);
  narrow.header_timeout =
      std::min<std::chrono::milliseconds>(narrow.header_timeout, scrape_patience);
  narrow.body_timeout = std::min<std::chrono::milliseconds>(narrow.body_timeout, scrape_patience);
  narrow.oldest_out = true;
  return narrow;
}

std::optional<http::TlsFiles> tls_of(const context::Listen& listen) {
  if (!listen.tls) return {};
  return http::TlsFiles{.certificate = listen.tls->certificate, .key = listen.tls->key};
}

tenancy::Named named_by(std::span<const tenancy::TenantSpec> tenants) {
  tenancy::Named named;
  for (const auto& tenant : tenants) named.emplace(tenant.slug, tenant.domains);
  return named;
}

}  // namespace

Result<std::unique_ptr<Application>> Application::start(
    context::ConfigurationPtr configuration, int log_fd,
    std::unique_ptr<observe::ProcessMeter> process) {
  std::unique_ptr<Application> application(
      new Application(std::move(configuration), log_fd, std::move(process)));
  if (auto opened = application->open(); !opened) return tl::unexpected(opened.error());
  if (auto listening = application->listen(); !listening) {
    return tl::unexpected(listening.error());
  }
  return application;
}

Application::Application(context::ConfigurationPtr configuration, int log_fd,
                         std::unique_ptr<observe::ProcessMeter> process)
    : configuration_(std::move(configuration)),
      log_(log_fd, configuration_->log_level, configuration_->instance, clock_),
      process_(std::move(process)),
      plan_(host::plan_memory(process_->read().memory_limit_bytes, configuration_->limits,
                              configuration_->listen.tls.has_value())),
      budget_(std::make_shared<observe::Budget>(plan_.buffered)),
      operator_share_(std::make_shared<observe::Share>(budget_, observe::Share::Bound::many)),
      scrape_share_(std::make_shared<observe::Share>(budget_, observe::Share::Bound::many)),
      metrics_(configuration_->instance, CAISSON_VERSION),
      feeds_(clock_, {.on_end = [this](const watch::Terms& terms, std::uint16_t code,
                                       bool ours) { note_end(terms, code, ours); }}),
      tickets_(clock_),
      // Sockets never take the connections that requests need.
      limiter_(clock_, 65'536, static_cast<std::int64_t>(plan_.connections / 2), budget_) {}

Application::~Application() { stop(false); }

Result<void> Application::open() {
  const context::Configuration& configuration = *configuration_;
  auto registry = tenancy::Registry::open(configuration.data, configuration.tiers, clock_);
  if (!registry) return tl::unexpected(registry.error());
  registry_ = std::move(*registry);
  auto audit = observe::Audit::open(registry_->data() / "audit", clock_, log_, metrics_);
  if (!audit) return tl::unexpected(audit.error());
  audit_ = std::move(*audit);
  const std::size_t open_stores =
      configuration.limits.open_tenants > 0
          ? static_cast<std::size_t>(configuration.limits.open_tenants)
          : std::min(plan_.open_stores, tenancy::open_stores_for(plan_.connections));
  log_.info("memory", {{"bytes", plan_.memory},
                       {"buffered", static_cast<std::int64_t>(plan_.buffered)},
                       {"open_tenants", static_cast<std::int64_t>(open_stores)},
                       {"connections", static_cast<std::int64_t>(plan_.connections)},
                       {"workers", static_cast<std::int64_t>(plan_.workers)}});
  auto tenants = tenancy::Tenants::open(
      {.data = registry_->data(),
       .schema = modules::Records::schema(),
       .workers = plan_.workers,
       .open_stores = open_stores,
       .on_failure =
           [this](std::string_view tenant_id, std::string_view what) {
             log_.error("a tenant's store failed", {{"tenant_id", tenant_id}, {"reason", what}});
           },
       .on_change =
           [this](std::string_view tenant_id, std::span<const storage::Change> changes) {
             feeds_.publish(tenant_id, changes);
           },
       .before_purge = [this](const tenancy::Tenant& tenant) { return begin_purge(tenant); },
       .after_purge = [this](std::uint64_t begun, const tenancy::Tenant& tenant,
                             bool done) { end_purge(begun, tenant, done); }},
      *registry_);
  if (!tenants) return tl::unexpected(tenants.error());
  tenants_ = std::move(*tenants);
  if (const auto settled = admin::settle(*audit_, *registry_, *tenants_); settled > 0) {
    log_.warn("acts that the last process had begun now have their outcome in the audit log",
              {{"acts", static_cast<std::int64_t>(settled)}});
  }
  settled_ = true;
  tenants_->sweep();
  if (auto applied =
          apply(configuration.tenants, configuration.tiers, named_by(configuration.tenants));
      !applied) {
    return applied;
  }
  for (const auto& tenant : configuration.tenants) applied_.emplace(tenant.slug, tenant);
  if (configuration.tokens) {
    auto tokens = ingress::TokenVerifier::open(*configuration.tokens, clock_, log_);
    if (!tokens) return tl::unexpected(tokens.error());
    tokens_ = std::move(*tokens);
  }
  directory_.emplace(*registry_);
  resolver_.emplace(configuration, *directory_, tokens_.get(), clock_, &tickets_);
  gate_.emplace(*resolver_, limiter_, *audit_, metrics_);
  records_.emplace(tenants_->cursor_key());
  operator_api_.emplace(admin::OperatorApi::Services{
      .configuration = configuration,
      .clock = clock_,
      .log = log_,
      .metrics = metrics_,
      .audit = *audit_,
      .registry = *registry_,
      .tenants = *tenants_,
      .connections = [this] { return data_server_->readings(); },
      .tenants_current = [this] { return tenants_current_.load(); },
      .most = {.body_bytes = configuration.limits.body,
               .sockets = static_cast<std::int64_t>(limiter_.socket_limit())},
      .most_body = static_cast<std::size_t>(configuration.limits.body) + most_page,
      .most_import = most_import(configuration.limits, plan_)});
  metrics_api_.emplace(
      admin::MetricsApi::Services{.configuration = configuration,
                                  .clock = clock_,
                                  .metrics = metrics_,
                                  .audit = *audit_,
                                  .registry = *registry_,
                                  .tenants = *tenants_,
                                  .connections = [this] { return data_server_->readings(); },
                                  .process = *process_,
                                  .sockets =
                                      [this] {
                                        auto readings = feeds_.readings();
                                        readings.limit = limiter_.socket_limit();
                                        return readings;
                                      },
                                  .budget = budget_,
                                  .tenants_current = [this] { return tenants_current_.load(); }});
  operator_calls_ = http::everybody([this](http::Request&& request, http::Reply&& reply) {
    operator_api_->handle(std::move(request), std::move(reply));
  });
  watch_api_.emplace(watch::WatchApi::Services{.configuration = configuration,
                                               .directory = *directory_,
                                               .gate = *gate_,
                                               .limiter = limiter_,
                                               .tickets = tickets_,
                                               .tokens = tokens_.get(),
                                               .feeds = feeds_});
  registry_->listen({.tenant =
                         [this](const tenancy::Tenant& tenant) {
                           limiter_.changed(tenant);
                           watch_api_->changed(tenant);
                         },
                     .revoked = [this](const tenancy::ApiKey& key) { watch_api_->revoked(key); }});
  data_api_.emplace(data::DataApi::Services{.configuration = configuration,
                                            .clock = clock_,
                                            .log = log_,
                                            .metrics = metrics_,
                                            .directory = *directory_,
                                            .gate = *gate_,
                                            .tenants = *tenants_,
                                            .records = *records_,
                                            .watch = *watch_api_,
                                            .operator_api = operator_calls_});
  return {};
}

Result<void> Application::apply(const std::vector<tenancy::TenantSpec>& tenants,
                                const tenancy::Tiers& tiers, tenancy::Named named) {
  const std::string announced = std::to_string(tenants.size()) + " tenants";
  observe::AuditEvent event{.actor = {.kind = observe::Actor::Kind::configuration},
                            .action = admin::apply_action,
                            .reason = announced};
  const std::uint64_t begun = audit_->begin(event);
  if (begun == 0) {
    return fail("cannot write the audit log in " + (registry_->data() / "audit").string(),
                "nothing is changed without it: see to its disk");
  }
  const auto reconciled = tenants_->reconcile(tenants, tiers, std::move(named));
  std::string what;
  if (reconciled) {
    admin::record_applied(*audit_, "tenant.create", reconciled->created);
    admin::record_applied(*audit_, "tenant.update", reconciled->updated);
    what = std::to_string(reconciled->created.size()) + " created, " +
           std::to_string(reconciled->updated.size()) + " updated";
    if (!reconciled->taken.empty()) {
      what += ", " + std::to_string(reconciled->taken.size()) + " domains of others taken";
      admin::record_taken(*audit_, reconciled->taken);
      for (const auto& [domain, from, to] : reconciled->taken) {
        log_.warn("the configuration gives a domain to another tenant than had it",
                  {{"domain", domain}, {"from", from->slug}, {"to", to->slug}});
      }
    }
    if (!reconciled->strays.empty()) {
      log_.warn(
          "the tier of these tenants is gone; until they get another one each limit is the "
          "least that any tier has",
          {{"tenants", static_cast<std::int64_t>(reconciled->strays.size())},
           {"first", reconciled->strays.front()->slug},
           {"tier", reconciled->strays.front()->tier}});
    }
    if (reconciled->tiers) {
      what += ", tiers changed for " + std::to_string(reconciled->touched.size()) + " more";
    }
  } else {
    what = reconciled.error().detail;
  }
  event.outcome = reconciled ? "ok" : "failed";
  event.reason = what;
  const bool recorded = audit_->end(begun, event);
  if (!reconciled) return fail("cannot apply the configured tenants: " + what);
  if (!recorded) return fail("cannot write the audit log", "see to the disk of the data directory");
  return {};
}

Result<void> Application::apply_changes() {
  auto read = context::load_tenants(*configuration_);
  if (!read) {
    const auto& first = read.error().front();
    return fail(first.pointer + ": " + first.detail);
  }
  // What the operator API changed since stays, unless the configuration changes for that tenant.
  std::vector<tenancy::TenantSpec> changed;
  for (const auto& tenant : read->tenants) {
    const auto known = applied_.find(tenant.slug);
    if (known == applied_.end() || known->second != tenant) changed.push_back(tenant);
  }
  auto named = named_by(read->tenants);
  const bool fewer = std::ranges::any_of(
      applied_, [&](const auto& before) { return !named.contains(before.first); });
  if (!changed.empty() || fewer || read->tiers != registry_->tiers()) {
    if (auto applied = apply(changed, read->tiers, std::move(named)); !applied) return applied;
    log_.info("changed tiers and tenants of the configuration are applied",
              {{"tenants", static_cast<std::int64_t>(changed.size())}});
  }
  applied_.clear();
  for (auto& tenant : read->tenants) {
    auto slug = tenant.slug;
    applied_.emplace(std::move(slug), std::move(tenant));
  }
  return {};
}

void Application::follow_tenants(bool again) {
  if (configuration_->tenants_file.empty()) return;
  const std::scoped_lock lock(following_);
  const auto now = context::FileState::of(configuration_->tenants_file);
  if (now == tenants_file_ && !again) return;
  const auto applied = apply_changes();
  if (!applied) {
    log_.error("the tenants file cannot be applied; all tenants stay as they are",
               {{"reason", applied.error().text()}});
  } else if (!tenants_current_) {
    log_.info("the tenants are as the tenants file says again");
  }
  tenants_current_ = applied.has_value();
  tenants_file_ = now;
}

std::uint64_t Application::begin_purge(const tenancy::Tenant& tenant) {
  if (!settled_) return 0;
  const std::string reason = admin::domains_given_up(tenant);
  return audit_->begin({.actor = {.kind = observe::Actor::Kind::runtime},
                        .action = "tenant.purge",
                        .tenant = tenant.slug,
                        .tenant_id = tenant.id,
                        .reason = reason});
}

void Application::end_purge(std::uint64_t begun, const tenancy::Tenant& tenant, bool done) {
  const std::string reason = admin::domains_given_up(tenant);
  static_cast<void>(audit_->end(begun, {.actor = {.kind = observe::Actor::Kind::runtime},
                                        .action = "tenant.purge",
                                        .tenant = tenant.slug,
                                        .tenant_id = tenant.id,
                                        .outcome = done ? "ok" : "failed",
                                        .reason = reason}));
}

http::Admission Application::admit_operator(const http::Request& head) {
  http::Admission admission = operator_api_->admit(head);
  admission.share = operator_share_;
  admission.expected = most_page;
  return admission;
}

/// The loop of this listener has nothing else to do, so it may wait for the disk.
http::Admission Application::admit_scrape(const http::Request& head) {
  if (is_down(Wall::operator_everywhere) && head.path.starts_with("/v1/tenants"))
    return operator_calls_(head);
  return {.answer = metrics_api_->answer(head), .share = scrape_share_};
}

Result<void> Application::listen() {
  const context::Configuration& configuration = *configuration_;
  const auto refuse = [this](const http::Refusal& refusal) { return data_api_->refuse(refusal); };
  const auto trusted = [this](std::string_view peer) {
    return std::ranges::any_of(
        configuration_->trusted_proxies,
        [peer](const context::Network& network) { return network.contains(peer); });
  };
  auto data =
      http::Server::start({.listen = configuration.listen.data,
                           .tls = tls_of(configuration.listen),
                           .threads = configuration.threads,
                           .limits = limits_of(configuration.limits, plan_.connections),
                           .budget = budget_,
                           .trusted = trusted,
                           .refuse = refuse},
                          [this](const http::Request& head) { return data_api_->admit(head); });
  if (!data) return tl::unexpected(data.error());
  data_server_ = std::move(*data);
  auto operators =
      http::Server::start({.listen = configuration.listen.operator_,
                           .limits = operator_limits(configuration.limits),
                           .budget = budget_,
                           .refuse = refuse},
                          [this](const http::Request& head) { return admit_operator(head); });
  if (!operators) return tl::unexpected(operators.error());
  operator_server_ = std::move(*operators);
  if (!configuration.listen.metrics.empty()) {
    auto scrapes =
        http::Server::start({.listen = configuration.listen.metrics,
                             .limits = metrics_limits(configuration.limits),
                             .budget = budget_,
                             .refuse = refuse},
                            [this](const http::Request& head) { return admit_scrape(head); });
    if (!scrapes) return tl::unexpected(scrapes.error());
    metrics_server_ = std::move(*scrapes);
  }
  data_api_->begin_work();
  maintenance_ = std::jthread([this](const std::stop_token& stopping) { maintain(stopping); });
  log_.info("listening", {{"data", configuration.listen.data},
                          {"operator", configuration.listen.operator_},
                          {"metrics", configuration.listen.metrics},
                          {"deployment", configuration.deployment},
                          {"version", CAISSON_VERSION}});
  return {};
}

void Application::maintain(const std::stop_token& stopping) {
  std::mutex mutex;
  std::condition_variable_any wake;
  // What fails for want of memory is done at the next interval.
  const auto attempt = [this](auto&& task) {
    try {
      task();
      return true;
    } catch (const std::exception& error) {
      log_.warn("maintenance failed and will be tried again", {{"reason", error.what()}});
      return false;
    }
  };
  const auto find_snapshots = [&] { return attempt([this] { tenants_->find_snapshots(); }); };
  bool found = find_snapshots();
  bool swept = true;
  std::unique_lock lock(mutex);
  for (int interval = 1; !wake.wait_for(lock, stopping, maintenance_interval,
                                        [&stopping] { return stopping.stop_requested(); });
       ++interval) {
    found = found || find_snapshots();
    attempt([this] { watch_api_->sweep(); });
    attempt([this] { audit_->tick(); });
    attempt([this] { follow_tenants(false); });
    if (interval % intervals_a_sweep == 0 || !swept) {
      swept = attempt([this] { tenants_->sweep(); });
    }
  }
}

/// A watch that lost its ground is as good as a refused request.
void Application::note_end(const watch::Terms& terms, std::uint16_t code, bool ours) {
  log_.debug("watch ended", {{"request_id", terms.request_id},
                             {"tenant", terms.tenant->slug},
                             {"actor", text(context::actor_of(*terms.caller))},
                             {"code", std::int64_t{code}}});
  if (!ours || code < watch::close_code::credential) return;
  const std::string reason = "close code " + std::to_string(code);
  audit_->refuse({.actor = context::actor_of(*terms.caller),
                  .action = "watch.end",
                  .tenant = terms.tenant->slug,
                  .tenant_id = terms.tenant->id,
                  .request_id = terms.request_id,
                  .outcome = "refused",
                  .reason = reason});
}

void Application::reload() {
  if (const auto reloaded = data_server_->reload_tls(); !reloaded) {
    log_.error("the old certificate stays", {{"reason", reloaded.error().what}});
  } else {
    log_.info("reloaded");
  }
  follow_tenants(true);
}

void Application::begin_to_leave() {
  log_.info("leaving", {{"lame_duck_ms", configuration_->lame_duck_ms}});
  data_api_->begin_drain();
  data_server_->begin_to_leave();
}

void Application::stop(bool drain) {
  if (!data_server_) return;
  if (drain) {
    log_.info("draining");
    data_api_->begin_drain();
  }
  const auto cut =
      data_server_->drain(std::chrono::milliseconds(drain ? configuration_->drain_ms : 0));
  metrics_server_.reset();
  operator_server_.reset();
  operator_api_.reset();
  data_server_.reset();
  maintenance_ = {};
  tenants_.reset();  // answers what waits, through the data API: before that goes
  log_.info("stopped", {{"cut_connections", static_cast<std::int64_t>(cut)}});
}

}  // namespace caisson::runtime
