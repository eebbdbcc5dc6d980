#include "generator/render/helm_release.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "generator/render/json.h"

namespace caisson::render::helm {

namespace {

/// What a Secret holds.
constexpr std::int64_t most = 1'048'576;

/// Of 16 bytes one more, for what the estimate misses and for values given to the installation. The
/// rest is measured of charts of 300 to 10,000 tenants.
constexpr std::int64_t slack = 16;
/// Templates, schema and rules, and the objects that every chart has.
constexpr std::int64_t fixed = 60'000;
/// The rule of a host, apart from its name.
constexpr std::int64_t bytes_of_host = 11;
/// The manifest and the hooks of a tenant with a deployment of its own, as a multiple of its
/// values.
constexpr std::int64_t manifest_of_values = 6;
/// The tenants that the check before an upgrade reads at most (checks.yaml).
constexpr std::int64_t checked_bytes = 131'072;
/// Of fewer bytes of values no release is too large.
constexpr std::size_t small = 131'072;

/// Bytes of `text` as Helm keeps it: compressed as well as gzip can, and in base64.
std::int64_t kept(std::string_view text) {
  auto size = compressBound(text.size());
  std::vector<Bytef> out(size);
  // It fails without memory or room alone; the size is the bound then.
  compress2(out.data(), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(),
            Z_BEST_COMPRESSION);
  return static_cast<std::int64_t>(size / 3 * 4);
}

/// What values say that the manifest says again.
struct Repeated {
  std::string tenants;
  std::string hosts;
  std::int64_t host_count = 0;

  void add_workloads(const Node& workloads) {
    for (const auto& [name, workload] : *workloads.map()) {
      const auto* there = workload.at("/config/tenants");
      if (there == nullptr) continue;
      for (const auto& [slug, tenant] : *there->map()) {
        tenants.append(slug).append(to_json_line(tenant));
      }
    }
  }

  void add_hosts(const Node& there) {
    for (const auto& [host, paths] : *there.map()) {
      hosts.append(host).append(" ").append(host).append("-tls ").append(host).append("\n");
      ++host_count;
    }
  }
};

}  // namespace

Result<void> check_release(const plan::Plan& plan, const Node& values,
                           std::vector<Mistake>& mistakes) {
  const auto text = to_json_line(values);
  if (text.size() < small) return {};
  Repeated repeated;
  repeated.add_workloads(*values.find("workloads"));
  repeated.add_hosts(*values.find("hosts"));
  const auto& places = *values.find("tenants");
  for (const auto& [slug, place] : *places.map()) {
    repeated.add_workloads(*place.find("workloads"));
    repeated.add_hosts(*place.find("hosts"));
  }
  const auto tenants = kept(repeated.tenants);
  const auto raw = std::max<std::int64_t>(static_cast<std::int64_t>(repeated.tenants.size()), 1);
  auto bytes = fixed + kept(text) + tenants + (tenants * std::min(checked_bytes, raw) / raw) +
               kept(repeated.hosts) + (repeated.host_count * bytes_of_host) +
               (manifest_of_values * kept(to_json_line(places)));
  bytes += bytes / slack;
  if (bytes <= most) return {};
  const auto count = static_cast<std::int64_t>(plan.tenants.size());
  const auto fit = count * (most - fixed) / (bytes - fixed);
  return refuse(
      mistakes, {plan::Origin{plan::Origin::Kind::derived, "/tenants"}},
      {.what = "helm: a release of the chart has about " + std::to_string(bytes) +
               " bytes, and the Secret that Helm keeps it in holds " + std::to_string(most),
       .remedy = "of its " + std::to_string(count) + " tenants about " + std::to_string(fit) +
                 " fit: create the others with the operator API, or set targets.helm: "
                 "false"});
}

}  // namespace caisson::render::helm
