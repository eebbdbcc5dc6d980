#include "conformance/sabotage.h"

#include <algorithm>
#include <functional>
#include <initializer_list>

#include <boost/json.hpp>

#include "conformance/stack/description.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;

constexpr std::string_view proving_service = "prove-files";

void one_user(LocalOptions& options) { options.hardening.users = Hardening::Users::shared; }
void open_secrets(LocalOptions& options) { options.hardening.private_secrets = false; }
void shared_mounts(LocalOptions& options) { options.hardening.private_mounts = false; }
void root_with_capabilities(LocalOptions& options) {
  options.hardening.users = Hardening::Users::starter;
  options.hardening.no_capabilities = false;
}

/// As without root: whoever can open a path can read it.
void one_user_for_all(LocalOptions& options) {
  options.hardening.users = Hardening::Users::starter;
  options.hardening.private_mounts = false;
}

/// The service of `add_service` serves another directory instead of what is its own.
bool service_serves(LocalTree& tree, std::string_view directory) {
  std::string& text = tree["stack.json"];
  const std::string own = R"("file-server","--browse")";
  const auto at = text.find(own);
  if (at == std::string::npos) return false;
  text.insert(at + own.size(), R"(,"--root",")" + std::string(directory) + '"');
  return true;
}

bool service_in_the_state(LocalTree& tree) { return service_serves(tree, "../.."); }
bool service_in_the_secrets(LocalTree& tree) { return service_serves(tree, "../../secrets"); }
bool service_in_the_data(LocalTree& tree) { return service_serves(tree, "../../data"); }
bool service_at_the_root(LocalTree& tree) { return service_serves(tree, "/"); }

/// An instance of the plan is not started: the last that no other needs, but for the runtimes.
bool leave_one_out(LocalTree& tree) {
  std::string& text = tree["stack.json"];
  const auto described = parse_stack(text);
  if (!described) return false;
  const auto& all = described->processes;
  const auto can_go = [&](const StackDescription::Process& process) {
    return process.role != "runtime" && process.name != proving_service &&
           std::ranges::none_of(all, [&](const StackDescription::Process& other) {
             return std::ranges::find(other.needs, process.name) != other.needs.end();
           });
  };
  const auto last = std::find_if(all.rbegin(), all.rend(), can_go);
  if (last == all.rend()) return false;
  json::value stack = json::parse(text);
  json::array& list = stack.at("processes").as_array();
  list.erase(list.begin() + (all.rend() - last - 1));
  text = json::serialize(stack);
  return true;
}

/// A route of the edge to the operator listener of the shared runtime, before all others.
bool operator_through_edge(LocalTree& tree) {
  const auto stack = tree.find("stack.json");
  const auto caddyfile = tree.find("Caddyfile");
  if (stack == tree.end() || caddyfile == tree.end()) return false;
  boost::system::error_code error;
  const json::value value = json::parse(stack->second, error);
  const json::value* port =
      error ? nullptr : value.find_pointer("/processes/0/ports/operator", error);
  if (port == nullptr || !port->is_number()) return false;
  std::string& text = caddyfile->second;
  const std::string route =
      "\thandle /v1/tenants* {\n\t\treverse_proxy 127.0.0.1:" + json::serialize(*port) + "\n\t}\n";
  bool changed = false;
  // Every site block: a line at the left margin that ends with an opening brace, but for the global
  // options.
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = text.find('\n', line);
    if (end == std::string::npos) break;
    const bool opens = text[line] != '\t' && text[line] != ' ' && text[line] != '{' &&
                       text[line] != '#' && text[line] != '(' && text[line] != '}' &&
                       text[end - 1] == '{';
    if (opens) {
      text.insert(end + 1, route);
      changed = true;
    }
    line = text.find('\n', line) + 1;
  }
  return changed;
}

/// Changes the `limits` of every tier and tenant in the runtimes' configuration.
bool change_limits(LocalTree& tree, const std::function<bool(json::object&)>& change) {
  bool changed = false;
  for (auto& [path, text] : tree) {
    if (!path.starts_with("config/")) continue;
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) continue;
    const auto look = [&](json::value& entry) {
      json::value* limits = entry.is_object() ? entry.get_object().if_contains("limits") : nullptr;
      if (limits != nullptr && limits->is_object())
        changed = change(limits->get_object()) || changed;
    };
    if (json::value* tiers = value.get_object().if_contains("tiers"); tiers && tiers->is_object()) {
      for (auto& tier : tiers->get_object()) look(tier.value());
    }
    if (json::value* tenants = value.get_object().if_contains("tenants");
        tenants && tenants->is_array()) {
      for (json::value& tenant : tenants->get_array()) look(tenant);
    }
    text = json::serialize(value);
  }
  return changed;
}

bool drop_limit(LocalTree& tree, std::initializer_list<std::string_view> names) {
  return change_limits(tree, [&](json::object& limits) {
    bool changed = false;
    for (const auto name : names) changed = limits.erase(name) > 0 || changed;
    return changed;
  });
}

/// A runtime that enforces limits, but not the plan's.
bool twice_the_limits(LocalTree& tree) {
  return change_limits(tree, [](json::object& limits) {
    for (auto& limit : limits) {
      if (limit.value().is_int64()) {
        limit.value() = limit.value().get_int64() * 2;
      } else if (limit.value().is_double()) {
        limit.value() = limit.value().get_double() * 2;
      }
    }
    return !limits.empty();
  });
}

bool no_rate(LocalTree& tree) { return drop_limit(tree, {"requests-per-second", "burst"}); }
bool no_concurrent(LocalTree& tree) { return drop_limit(tree, {"concurrent"}); }
bool no_body(LocalTree& tree) { return drop_limit(tree, {"body"}); }
bool no_storage(LocalTree& tree) { return drop_limit(tree, {"storage"}); }

const std::vector<Sabotage> table{
    // Walls of the runtime, in the separately built program.
    {"trust-tenant-header", "ID1", "accepted as"},
    {"last-header-wins", "ID2", "accepted as"},
    {"unknown-is-default", "ID6", "accepted"},
    {"accept-alg-none", "ID8", "accepted as"},
    {"hmac-with-public-key", "ID9", "accepted as"},
    {"skip-tenant-claim", "ID13", "accepted as"},
    {"cache-by-raw-key", "ID15", "canary"},
    {"drop-scope", "DB1,DB2", "canary"},
    {"no-path-check", "DB16", "canary"},
    {"operator-everywhere", "NW8", "observed 200"},
    {"stack-traces", "OB4", "nothing of the inside"},
    {"public-tenant-labels", "OB1", "accepted"},
    {"one-limiter", "NN1", "429 of the quiet tenant"},
    {"suspend-at-login", "LC1", "403 tenant-suspended"},
    {"keep-volume", "LC2,LC3", "canar"},
    {"foreign-restore", "LC6", "foreign-snapshot"},
    {"id-oracle", "SC1", "the answers differ"},
    {"one-feed", "WF1", "a change of"},
    {"sockets-outlive", "WF2", "still open"},
    {"any-origin", "WF3", "accepted"},
    {"endless-sockets", "WF4,NN12", "accepted"},
    // Walls of the local stack.
    {"one-user", "FS6", "different", one_user, nullptr, true, true},
    {"open-secrets", "SE1", "EACCES", open_secrets, nullptr, true, true},
    {"shared-tmp", "FS7", "not visible", shared_mounts, nullptr, true, true},
    {"root-with-capabilities", "PR4", "not root", root_with_capabilities, nullptr, true},
    {"service-in-the-state", "SE7", "operator-token", one_user_for_all, service_in_the_state},
    {"service-in-the-secrets", "SE7", "of the stack, of prove-files", one_user_for_all,
     service_in_the_secrets},
    {"service-in-the-data", "SE7", "registry.db", one_user_for_all, service_in_the_data},
    {"service-at-the-root", "SE7", "of the stack, of prove-files", one_user_for_all,
     service_at_the_root},
    {"operator-through-edge", "NW8", "observed 200", nullptr, operator_through_edge},
    {"instance-left-out", "SU1", "was not started", nullptr, leave_one_out, true},
    {"no-rate", "NN8", "accepted, none refused", nullptr, no_rate},
    {"no-concurrent", "NN9", "accepted, none refused", nullptr, no_concurrent},
    {"no-body", "NN10", "expected 413 body-too-large, observed 4", nullptr, no_body},
    {"no-storage", "NN11", "accepted, none refused", nullptr, no_storage},
    {"twice-the-limits", "NN8,NN9,NN11", "accepted", nullptr, twice_the_limits},
};

}  // namespace

const std::vector<Sabotage>& sabotages() { return table; }

void add_service(LocalTree& tree, std::uint16_t port) {
  if (!tree.contains("Caddyfile")) return;  // its program serves files, too
  boost::system::error_code error;
  json::value stack = json::parse(tree["stack.json"], error);
  json::value* processes = error ? nullptr : stack.find_pointer("/processes", error);
  if (processes == nullptr || !processes->is_array()) return;
  const std::string name(proving_service);
  processes->get_array().push_back(json::object{
      {"name", name},
      {"role", "service"},
      {"tenant", nullptr},
      {"program", "caddy"},
      {"args", {"file-server", "--browse", "--listen", "127.0.0.1:" + std::to_string(port)}},
      {"directory", "work/" + name},
      {"config", ""},
      {"data", ""},
      {"ports", {{"http", port}}},
      {"ready", {{"port", "http"}, {"path", "/"}}},
      {"needs", json::array{}},
      {"env", {{"HOME", "/nonexistent"}}},
      {"secret-env", json::object{}},
      {"secrets", json::array{}},
      {"uid-offset", processes->get_array().size()}});
  tree["stack.json"] = json::serialize(stack);
}

}  // namespace caisson::conformance
