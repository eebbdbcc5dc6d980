// NW: listeners that nobody but the operator may reach.

#include "conformance/probe/applies.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/targets.h"

namespace caisson::conformance {
namespace {

/// Whoever may read metrics has the listener for them, and nothing of the operator API there.
void metrics_listener(Examination& e, const HttpRequest& request) {
  RunningInstance listener = *e.victim().instance;
  if (!listener.metrics) return;
  listener.data = listener.metrics;
  e.attack({.step = "GET " + request.target + " at the metrics listener with the operator's token",
            .request = request,
            .at = &listener,
            .refusals = {"404 not-found"}});
}

/// Even the operator's own token opens nothing here: what counts is that the listener cannot be
/// reached at all.
void operator_listener(Examination& e) {
  const Arena& arena = e.arena();
  const std::string token = e.victim().instance->operator_token;
  for (const std::string& target : {nobodys_tenants(arena), "/v1/tenants/" + e.victim().slug,
                                    "/v1/audit?tenant=" + e.victim().slug,
                                    std::string("/v1/status"), std::string("/metrics")}) {
    const HttpRequest request{.target = target,
                              .host = e.victim().host,
                              .headers = {{"Authorization", "Bearer " + token}}};
    e.attack({.step = "GET " + target + " at the data listener with the operator's token",
              .request = request,
              .at = e.victim().instance,
              .refusals = {"401 invalid-credential", std::string(no_route)}});
    if (target != "/metrics") metrics_listener(e, request);
    if (arena.stack().edge() == nullptr) continue;
    for (const std::string& host : {e.victim().host, e.attacker().host, arena.plan().domain.value,
                                    std::string("localhost")}) {
      HttpRequest through = request;
      through.host = host;
      e.attack({.step = "GET " + target + " through the edge at " + host,
                .request = through,
                .way = Way::edge,
                .refusals = {"401 invalid-credential", std::string(no_route), "404", "421", "403",
                             "308"}});
    }
  }
}

void hidden_paths(Examination& e) {
  const Arena& arena = e.arena();
  for (const std::string& path : arena.plan().edge.hidden) {
    for (const std::string& target : {path, path + "?domain=" + e.victim().host}) {
      const HttpRequest request{.target = target, .host = e.victim().host};
      const auto answer = arena.send(nullptr, request, Way::edge);
      // With a credential missing the runtime itself would say 401; both mean that the path says
      // nothing.
      const bool hidden =
          answer && (answer->status == 404 || answer->status == 401 || answer->status == 403);
      e.expect_of("GET " + target + " through the edge", answer, hidden, "404");
    }
  }
}

const std::vector<Probe> probes{
    {"NW8", "operator API unreachable from tenants, from what reads metrics and through the edge",
     Resource::network, 1, false, nullptr, operator_listener},
    {"NW9", "paths that the edge hides", Resource::network, 1, false, needs_edge, hidden_paths},
};

}  // namespace

const std::vector<Probe>& network_probes() { return probes; }

}  // namespace caisson::conformance
