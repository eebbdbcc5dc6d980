// SU: what runs is what was planned.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <unistd.h>

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/targets.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

/// TCP listeners of a process: "address:port" in the kernel's hex.
std::vector<std::string> listeners_of(pid_t pid) {
  std::set<std::string> inodes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  std::vector<std::string> out;
  for (const char* table : {"tcp", "tcp6"}) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/net/" + table);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      // 0A is LISTEN.
      if (state == "0A" && inodes.contains(inode) && std::ranges::find(out, local) == out.end())
        out.push_back(local);
    }
  }
  return out;
}

std::uint16_t port_of(const std::string& listener) {
  return static_cast<std::uint16_t>(
      std::stoul(listener.substr(listener.find(':') + 1), nullptr, 16));
}

/// TCP ports that a process or one of its session listens on: a command of the spec may be a shell
/// that starts what listens.
std::set<std::uint16_t> ports_of(const ProcessId& leader) {
  std::set<std::uint16_t> ports;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (pid != leader.pid && getsid(pid) != leader.pid) continue;
    for (const std::string& local : listeners_of(pid)) ports.insert(port_of(local));
  }
  return ports;
}

/// Where an instance is reached that has such a port.
const std::optional<Endpoint>& endpoint_for(const RunningInstance& instance,
                                            plan::Port::Purpose purpose) {
  if (purpose == plan::Port::Purpose::operator_api) return instance.operator_api;
  return purpose == plan::Port::Purpose::metrics ? instance.metrics : instance.data;
}

/// What target `local` starts of a plan.
bool is_process(const plan::Instance& instance) {
  return instance.role == plan::Role::runtime || instance.role == plan::Role::dashboard ||
         instance.role == plan::Role::edge ||
         (instance.role == plan::Role::service && !instance.local_command.empty());
}

/// Every instance of the plan runs, and listens where it is planned to.
void expect_all_planned(Examination& e) {
  const Arena& arena = e.arena();
  for (const plan::Instance& planned : arena.plan().instances) {
    if (!is_process(planned)) continue;
    const RunningInstance* running = arena.stack().instance(planned.name);
    const bool lives = running != nullptr && alive(running->process);
    e.expect(planned.name + " of the plan", lives, "runs",
             running == nullptr ? "was not started"
             : lives            ? "runs"
                                : "does not run");
    if (!lives) continue;
    const auto listening = ports_of(running->process);
    std::set<plan::Port::Purpose> looked;
    for (const plan::Port& port : planned.ports) {
      // Plain HTTP on this target; of a service's ports the first is what is asked.
      if (port.purpose == plan::Port::Purpose::https || !looked.insert(port.purpose).second)
        continue;
      const auto& endpoint = endpoint_for(*running, port.purpose);
      const bool listens = endpoint && listening.contains(endpoint->port);
      e.expect("port '" + port.name + "' of " + planned.name, listens, "listens",
               listens ? "listens" : "does not listen");
    }
  }
}

void listeners(const Arena& arena, std::vector<Cell>& cells) {
  for (const auto& [attacker, victim] : arena.pairs()) {
    Examination e(arena, *attacker, *victim);
    e.begin();
    // Once is enough: it is the same for whoever attacks.
    if (cells.empty()) expect_all_planned(e);
    const RunningInstance& instance = *attacker->instance;
    std::set<std::uint16_t> planned;
    for (const auto& endpoint : {instance.data, instance.operator_api, instance.metrics}) {
      if (endpoint) planned.insert(endpoint->port);
    }
    const auto found = listeners_of(instance.process.pid);
    if (found.empty()) e.inconclusive("no listener of " + instance.name + " can be seen");
    for (const std::string& local : found) {
      const auto port = port_of(local);
      const bool loopback =
          local.starts_with("0100007F:") || local.starts_with("00000000000000000000000001000000:");
      e.expect(instance.name + " listens on port " + std::to_string(port),
               planned.contains(port) && loopback, "planned, on the loopback interface",
               std::string(planned.contains(port) ? "planned" : "not planned") +
                   (loopback ? ", loopback" : ", not loopback"));
    }
    const plan::Instance* expected = arena.plan().instance(instance.name);
    e.expect(instance.name + " in the plan",
             expected != nullptr && expected->tenant == instance.tenant, "the same tenant",
             expected == nullptr ? "absent" : "present");
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

void default_credentials(Examination& e) {
  const Arena& arena = e.arena();
  RunningInstance listener = *e.victim().instance;
  listener.data = listener.operator_api;
  for (const char* guess : {"admin", "operator", "changeme", "password", "secret", "token",
                            "caisson", "null", "undefined"}) {
    e.attack({.step = std::string("operator API with '") + guess + "'",
              .request = {.target = nobodys_tenants(arena),
                          .host = listener.data->authority(),
                          .headers = {{"Authorization", std::string("Bearer ") + guess}}},
              .at = &listener,
              .refusals = {"401 invalid-credential", "401 unauthenticated"}});
  }
  e.attack({.step = "operator API without a credential",
            .request = {.target = nobodys_tenants(arena), .host = listener.data->authority()},
            .at = &listener,
            .refusals = {"401 unauthenticated"}});
  std::set<std::string> tokens;
  std::size_t runtimes = 0;
  for (const RunningInstance& instance : arena.stack().instances) {
    if (instance.role != "runtime") continue;
    ++runtimes;
    tokens.insert(instance.operator_token);
    e.expect("operator token of " + instance.name, instance.operator_token.size() >= 32,
             "at least 32 characters", std::to_string(instance.operator_token.size()));
  }
  e.expect("operator tokens of the instances", tokens.size() == runtimes, "all different",
           std::to_string(tokens.size()) + " of " + std::to_string(runtimes));
}

std::optional<LeftOut> needs_listed_processes(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  if (arena.stack().target != "local")
    return not_tested("listeners of target " + arena.stack().target +
                      " are in networks of their own");
  return needs_private_mounts(arena);  // root alone sees what others have open
}

const std::vector<Probe> probes{
    {"SU1", "live listeners and instances differ from the plan", Resource::supply, 1, false,
     needs_listed_processes, nullptr, listeners},
    {"SU7", "default credentials", Resource::supply, 1, false, nullptr, default_credentials},
};

}  // namespace

const std::vector<Probe>& supply_probes() { return probes; }

}  // namespace caisson::conformance
