#include "conformance/stack/site.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <arpa/inet.h>
#include <boost/json.hpp>

#include "base/files.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view format = "caisson-site/1";
constexpr std::size_t largest_site = std::size_t{1} << 20U;
constexpr std::size_t largest_token = 4'096;
constexpr std::size_t longest_socket = 107;  // unix(7): 108 with the NUL
constexpr std::size_t most_runtimes = 10'000;

/// What a listener is written as.
constexpr std::string_view address_form =
    "'http://ADDRESS:PORT' or 'unix:/PATH', with a numeric address or localhost";

bool is_address(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  return host == "localhost" || inet_pton(AF_INET, host.c_str(), &v4) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &v6) == 1;
}

bool is_loopback(const Endpoint& endpoint) {
  return endpoint.host == "localhost" || endpoint.host == "::1" ||
         endpoint.host.starts_with("127.");
}

/// `scheme://host:port` without anything behind; nothing when it is none.
std::optional<Endpoint> parse_address(std::string_view text) {
  if (text.starts_with("unix:/")) {
    const std::string path(text.substr(text.find('/')));
    if (path.size() > longest_socket || path.find('\0') != std::string::npos) return std::nullopt;
    return Endpoint{.host = "localhost", .socket = path};
  }
  Endpoint endpoint{.tls = text.starts_with("https://")};
  if (!endpoint.tls && !text.starts_with("http://")) return std::nullopt;
  text.remove_prefix(text.find("//") + 2);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0 ||
      !is_address(endpoint.host)) {
    return std::nullopt;
  }
  return endpoint;
}

/// Takes the members out of an object one by one. What is absent or wrong is noted with its
/// pointer, and so is every member that nobody asked for.
class Members {
 public:
  Members(const json::value& value, std::string pointer, std::vector<std::string>& defects)
      : pointer_(std::move(pointer)), defects_(defects) {
    if (value.is_object()) {
      object_ = &value.get_object();
    } else {
      note("", "must be an object");
    }
  }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() {
    if (object_ == nullptr) return;
    for (const auto& member : *object_) {
      if (!known_.contains(std::string_view(member.key())))
        note(member.key(), "is no member of " + (pointer_.empty() ? "a site" : pointer_));
    }
  }

  const json::value* take(std::string_view key) {
    known_.emplace(key);
    return object_ == nullptr ? nullptr : object_->if_contains(key);
  }
  std::string text(std::string_view key, bool required) {
    const json::value* value = take(key);
    if (value == nullptr && !required) return {};
    if (value == nullptr || !value->is_string() || value->get_string().empty()) {
      if (object_ != nullptr)
        note(key, value == nullptr ? "is missing" : "must be a text that is not empty");
      return {};
    }
    return std::string(value->get_string());
  }
  std::optional<Endpoint> address(std::string_view key, bool required) {
    const std::string written = text(key, required);
    if (written.empty()) return std::nullopt;
    auto endpoint = parse_address(written);
    if (!endpoint || endpoint->tls) {
      note(key, "must be " + std::string(address_form));
      return std::nullopt;
    }
    return endpoint;
  }
  void note(std::string_view key, const std::string& what) {
    defects_.push_back((pointer_.empty() && key.empty() ? "/" : pointer_) +
                       (key.empty() ? "" : "/" + std::string(key)) + " " + what);
  }

 private:
  const json::object* object_ = nullptr;
  std::string pointer_;
  std::vector<std::string>& defects_;
  std::set<std::string, std::less<>> known_;
};

/// A file that is there. What it is called is not repeated: it may be a token in the wrong place.
fs::path file_of(Members& members, std::string_view key, const fs::path& directory,
                 const std::string& what) {
  const std::string written = members.text(key, true);
  if (written.empty()) return {};
  const fs::path path = (directory / written).lexically_normal();
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    members.note(key, "must be the path of a file that this user can reach: " + what);
  }
  return path;
}

SiteDescription::Runtime runtime_of(const json::value& value, const std::string& pointer,
                                    const fs::path& directory, std::vector<std::string>& defects) {
  Members members(value, pointer, defects);
  return {.name = members.text("name", true),
          .data = members.address("data", true).value_or(Endpoint{}),
          .operator_api = members.address("operator", true).value_or(Endpoint{}),
          .operator_token_file =
              file_of(members, "operator-token-file", directory, "it holds the operator's token"),
          .metrics = members.address("metrics", false)};
}

std::optional<Endpoint> edge_of(const json::value& value, const fs::path& directory,
                                std::vector<std::string>& defects) {
  Members members(value, "/edge", defects);
  const std::string url = members.text("url", true);
  auto endpoint = parse_address(url);
  if (!endpoint) {
    if (!url.empty())
      members.note("url", "must be 'https://ADDRESS:PORT', or " + std::string(address_form));
    endpoint = Endpoint{.tls = true};
  }
  endpoint->server_name = members.text("server-name", false);
  if (members.take("ca-file") != nullptr) {
    endpoint->ca_file =
        file_of(members, "ca-file", directory, "the certificates that sign the edge's").string();
    if (!endpoint->tls) members.note("ca-file", "belongs to an edge at https://");
  } else if (endpoint->tls && !is_loopback(*endpoint)) {
    members.note("ca-file", "is missing: what is not on this machine has to show who it is");
  }
  return endpoint;
}

std::string listed(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

RunningInstance instance_of(std::string name, std::string role, std::optional<Endpoint> data) {
  return {.name = std::move(name), .role = std::move(role), .data = std::move(data)};
}

}  // namespace

Result<SiteDescription> parse_site(std::string_view text, const fs::path& directory) {
  static constexpr auto remedy = "docs/conformance.md says what a site.json holds";
  if (text.size() > largest_site)
    return fail("is larger than " + std::to_string(largest_site) + " bytes", remedy);
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return fail("is no JSON: " + error.message(), remedy);

  SiteDescription site;
  std::vector<std::string> defects;
  {
    Members members(value, "", defects);
    const std::string version = members.text("format", true);
    if (!version.empty() && version != format)
      members.note("format", "must be '" + std::string(format) + "'");
    site.deployment = members.text("deployment", true);
    if (!site.deployment.empty() && !is_file_name(site.deployment))
      members.note("deployment", "must be the name of the deployment, as the spec has it");
    site.target = members.text("target", true);
    static constexpr std::array<std::string_view, 4> targets{"local", "compose", "systemd", "helm"};
    if (!site.target.empty() && std::ranges::find(targets, site.target) == targets.end())
      members.note("target", "must be local, compose, systemd or helm");
    const json::value* runtimes = members.take("runtimes");
    if (runtimes == nullptr || !runtimes->is_array() || runtimes->get_array().empty() ||
        runtimes->get_array().size() > most_runtimes) {
      members.note("runtimes", "must be a list of one to " + std::to_string(most_runtimes));
    } else {
      std::set<std::string> names;
      for (const json::value& entry : runtimes->get_array()) {
        const std::string pointer = "/runtimes/" + std::to_string(site.runtimes.size());
        site.runtimes.push_back(runtime_of(entry, pointer, directory, defects));
        const std::string& name = site.runtimes.back().name;
        if (!name.empty() && !names.insert(name).second)
          defects.push_back(pointer + "/name is that of another runtime");
      }
    }
    if (const json::value* edge = members.take("edge"))
      site.edge = edge_of(*edge, directory, defects);
    site.dashboard = members.address("dashboard", false);
  }
  if (!defects.empty())
    return fail("has " + std::to_string(defects.size()) +
                    (defects.size() == 1 ? " defect:" : " defects:") + listed(defects) + "\n",
                remedy);
  return site;
}

Result<RunningStack> read_site(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  const auto text = read_file(path, largest_site, Links::follow);
  if (!text) return tl::unexpected(text.error());
  const auto site = parse_site(*text, path.parent_path());
  if (!site) return fail(path.string() + " " + site.error().what, site.error().remedy);

  RunningStack stack{.target = site->target, .name = site->deployment, .attached = path.string()};
  for (const SiteDescription::Runtime& runtime : site->runtimes) {
    RunningInstance instance = instance_of(runtime.name, "runtime", runtime.data);
    instance.operator_api = runtime.operator_api;
    instance.metrics = runtime.metrics;
    auto token = read_file(runtime.operator_token_file, largest_token, Links::follow);
    if (!token) return tl::unexpected(token.error());
    while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
    if (token->empty() || token->find_first_of("\r\n") != std::string::npos) {
      return fail(runtime.operator_token_file.string() + " does not hold a token",
                  "give the file that `operator.token-file` of " + runtime.name + " names");
    }
    stack.secrets.emplace_back("operator token of " + runtime.name, *token);
    instance.operator_token = *std::move(token);
    stack.instances.push_back(std::move(instance));
  }
  if (site->edge) stack.instances.push_back(instance_of("edge", "edge", site->edge));
  if (site->dashboard)
    stack.instances.push_back(instance_of("dashboard", "dashboard", site->dashboard));
  return stack;
}

Result<void> fit_to_plan(RunningStack& stack, const plan::Plan& plan) {
  if (stack.name != plan.name.value) {
    return fail(stack.attached + " is of the deployment '" + stack.name + "', the spec is of '" +
                    plan.name.value + "'",
                "give the spec that this deployment was generated from");
  }
  if (!plan.auth.api_keys) {
    return fail("the deployment takes no API keys, and the harness cannot sign its tokens",
                "allow them with `auth.api-keys`, or attack a stack of `caisson up`");
  }
  stack.domain = plan.domain.value;
  bool shared = false;
  for (RunningInstance& instance : stack.instances) {
    if (instance.role == "edge" && instance.data->tls && instance.data->server_name.empty())
      instance.data->server_name = plan.domain.value;
    if (instance.role != "runtime") continue;
    const plan::Instance* planned = plan.instance(instance.name);
    if (planned == nullptr || planned->role != plan::Role::runtime) {
      return fail(
          stack.attached + " names a runtime '" + instance.name + "', which the plan has not",
          "`caisson plan` lists the instances");
    }
    instance.tenant = planned->tenant;
    shared = shared || !planned->tenant;
  }
  if (shared) return {};
  return fail("no shared runtime is in " + stack.attached + ", so that no tenants can be made",
              "name the runtime that tenants share; a deployment without one can only be attacked "
              "as a stack of `caisson up`");
}

}  // namespace caisson::conformance
