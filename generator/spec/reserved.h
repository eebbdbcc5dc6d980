#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace caisson::spec {

/// Names that Caisson gives to what it puts into a stack itself, beside those that follow from a
/// tenant's slug ("runtime-<slug>"). No service and no secret of a spec may have them; tests hold
/// the lists against what is planned and what is written for every target.
inline constexpr std::array<std::string_view, 10> own_instances{
    "runtime", "dashboard",  "edge",     "certificates", "database",
    "cache",   "prometheus", "blackbox", "alertmanager", "grafana"};

inline constexpr std::array<std::string_view, 6> own_secrets{
    "operator-token", "auth-jwks",    "edge-certificate",
    "edge-key",       "edge-ca-root", "grafana-admin-password"};

/// What is named after an instance, with this behind it and a '-' between.
struct OwnSuffix {
  std::string_view suffix;
  std::string_view what;    ///< "the listener for data"
  bool of_own = false;      ///< after every instance of Caisson's
  bool of_volumes = false;  ///< after every service that keeps data
};
inline constexpr OwnSuffix pods_suffix{"pods", "the chart's name for the pods", true, true};
inline constexpr OwnSuffix volume_suffix{"volume", "what gives the volume to its user", false,
                                         true};
inline constexpr std::array<OwnSuffix, 6> own_suffixes{
    {pods_suffix,
     volume_suffix,
     {"data", "the listener for data", true},
     {"operator", "the listener of the operator API", true},
     {"metrics", "the listener for metrics", true},
     {"http", "the listener", true}}};

/// Names that mean something else on a target, whoever runs there.
struct TakenName {
  std::string_view name;
  std::string_view what;
};
inline constexpr std::string_view closed_service = "closed";
inline constexpr std::array<TakenName, 4> taken_names{
    {{closed_service, "the chart's Service behind hidden paths"},
     {"default", "an account that every namespace of Kubernetes has"},
     {"kubernetes", "the API server of a cluster"},
     {"localhost", "every container and machine itself"}}};

/// The variable that tells a service its own port on target local.
inline constexpr std::string_view port_variable = "PORT";

/// How the variables begin that tell a service on target local where another is:
/// "WORD_INDEX" of "word-index", for WORD_INDEX_HOST and WORD_INDEX_PORT.
[[nodiscard]] inline std::string address_variable(std::string_view service) {
  std::string name(service);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

/// Secrets that a tenant with a deployment of its own adds: "operator-token-<slug>".
inline constexpr std::string_view tenant_secret = "operator-token-";

template <class Names>
[[nodiscard]] constexpr bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace caisson::spec
