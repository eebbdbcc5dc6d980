#include "installer/cluster/gate.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/base64url.h"
#include "base/json_text.h"
#include "installer/format/lines.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

/// How long a workload has to become ready.
constexpr auto kReady = "--timeout=90s";

/// The ports of this host that lead to a runtime.
struct Forwarded {
  std::unique_ptr<Companion> program;
  std::uint64_t data = 0;
  std::uint64_t operator_api = 0;
};

/// The local port of a line as "Forwarding from 127.0.0.1:40123 -> 8080"; 0 where it is for another
/// port.
std::uint64_t forwarded_port(std::string_view said, std::uint16_t remote) {
  const auto behind = " -> " + std::to_string(remote);
  while (!said.empty()) {
    auto line = said.substr(0, said.find('\n'));
    said.remove_prefix(std::min(line.size() + 1, said.size()));
    if (!line.ends_with(behind)) continue;
    line.remove_suffix(behind.size());
    if (const auto colon = line.rfind(':'); colon != std::string_view::npos) {
      return number_of(line.substr(colon + 1)).value_or(0);
    }
  }
  return 0;
}

Checked<Forwarded> forward(const Kube& kube, const ChartRuntime& runtime) {
  auto program =
      kube.beside(runtime.workload.place,
                  {"port-forward", "--address", "127.0.0.1", runtime.workload.resource,
                   ":" + std::to_string(runtime.data), ":" + std::to_string(runtime.operator_api)},
                  2);
  if (!program) return tl::unexpected(program.error());
  Forwarded forwarded{.program = *std::move(program)};
  forwarded.data = forwarded_port(forwarded.program->said(), runtime.data);
  forwarded.operator_api = forwarded_port(forwarded.program->said(), runtime.operator_api);
  if (forwarded.data == 0 || forwarded.operator_api == 0) {
    return refuse(Code::no_cluster, "kubectl port-forward says: " + forwarded.program->said());
  }
  return forwarded;
}

Checked<std::string> token_of(const Kube& kube, const ChartRuntime& runtime) {
  const auto text = kube.ask(runtime.workload.place,
                             {"get", "secret", runtime.token, "--output",
                              "go-template={{index .data \"" + runtime.token_key + "\"}}"});
  if (!text) return tl::unexpected(text.error());
  auto token = decode_base64(*text);
  if (!token || token->empty()) {
    return refuse(Code::not_well, "the secret " + runtime.token + " holds no token");
  }
  return *std::move(token);
}

/// What the probes are told, below `gate`, while this is there: it holds the operator's tokens.
class Told {
 public:
  explicit Told(Disk& site) : site_(site) {}
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() {
    for (const auto& name : names_) (void)site_.remove(below(kGate, name));
  }

  [[nodiscard]] Checked<void> put(const std::string& name, std::string_view text) {
    names_.push_back(name);
    return replace_file(site_, below(kGate, name), text, 0600);
  }

 private:
  Disk& site_;
  std::vector<std::string> names_;
};

std::string json_of(const std::string& deployment, const std::vector<ChartRuntime>& runtimes,
                    const std::vector<Forwarded>& ports) {
  std::string json = R"({"format":"caisson-site/1","deployment":)" + json_string(deployment) +
                     R"(,"target":"helm","runtimes":[)";
  const auto url = [](std::uint64_t port) {
    return json_string("http://127.0.0.1:" + std::to_string(port));
  };
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    json += (i == 0 ? "" : ",") + std::string(R"({"name":)") + json_string(runtimes[i].name) +
            R"(,"data":)" + url(ports[i].data) + R"(,"operator":)" + url(ports[i].operator_api) +
            R"(,"operator-token-file":)" + json_string("token-" + runtimes[i].name) + "}";
  }
  return json + "]}\n";
}

}  // namespace

Checked<void> check_workloads(const ClusterPremises& premises, const ChartRelease& release) {
  for (const auto& workload : release.needs.workloads) {
    const auto ready =
        premises.kube.ask(workload.place, {"rollout", "status", workload.resource, kReady});
    if (!ready) return refuse(Code::not_well, workload.resource + ": " + ready.error().what);
  }
  return {};
}

Checked<Isolation> probe_cluster(const ClusterPremises& premises, const ChartRelease& release) {
  auto& site = premises.site.disks.site;
  const auto tree = release_path(release.name) + "/tree/";
  for (const auto* file : {"bin/caisson", "spec/deployment.yaml"}) {
    const auto there = site.status(tree + file);
    if (!there) return tl::unexpected(there.error());
    if (!*there) {
      return Isolation{.probed = false, .remark = "the release has no " + std::string(file)};
    }
  }
  if (auto made = ensure_directory(site, kGate, 0700); !made) return tl::unexpected(made.error());
  const auto& runtimes = release.needs.runtimes;
  Told told(site);
  std::vector<Forwarded> ports;
  for (const auto& runtime : runtimes) {
    auto forwarded = forward(premises.kube, runtime);
    if (!forwarded) return tl::unexpected(forwarded.error());
    ports.push_back(*std::move(forwarded));
    const auto token = token_of(premises.kube, runtime);
    if (!token) return tl::unexpected(token.error());
    if (auto kept = told.put("token-" + runtime.name, *token); !kept) {
      return tl::unexpected(kept.error());
    }
  }
  // What a killed run has left is found again by this path, which is the same for every release.
  const auto json = json_of(release.needs.product, runtimes, ports);
  if (auto kept = told.put("site.json", json); !kept) return tl::unexpected(kept.error());
  Command command{
      .program = premises.place + "/" + tree + "bin/caisson",
      .arguments = {"conform", premises.place + "/" + tree + "spec/deployment.yaml", "--attach",
                    premises.place + "/gate/site.json", "--level", "1", "--quiet"},
      .account = {},
      .deadline = 15min,
      .as_called = true};
  if (!release.needs.environment.empty()) {
    command.arguments.insert(command.arguments.end(), {"--env", release.needs.environment});
  }
  return run_probes(premises.site, std::move(command));
}

}  // namespace caisson::installer
