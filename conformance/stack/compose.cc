#include "conformance/stack/compose.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <boost/json.hpp>
#include <unistd.h>

#include "base/digest.h"
#include "base/files.h"
#include "conformance/stack/description.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/preflight.h"
#include "conformance/stack/secrets.h"
#include "conformance/stack/state.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::minutes;
using std::chrono::seconds;

/// The user that every generated image runs as; file secrets are bind-mounted with their owner on
/// the host.
constexpr uid_t image_user = 10001;

/// `docker compose ...` in the project's directory.
Result<Finished> compose(const fs::path& state, std::vector<std::string> words,
                         std::chrono::milliseconds limit, bool (*wanted)() = nullptr) {
  words.insert(words.begin(), {"docker", "compose", "--ansi", "never"});
  return run(words, limit, state / "compose", wanted);
}

std::string end_of(const std::string& text) {
  const auto at = text.size() > 600 ? text.find('\n', text.size() - 600) : 0;
  return text.substr(at == std::string::npos ? 0 : at);
}

Result<void> require(const Result<Finished>& done, const std::string& what) {
  if (!done) return tl::unexpected(done.error());
  if (done->status == 0) return {};
  return fail(what + " failed (exit " + std::to_string(done->status) +
              "): " + end_of(done->errors + done->output));
}

/// What `make_secrets` needs to know of the plan's secrets that containers mount.
StackDescription secrets_of(const plan::Plan& plan) {
  static constexpr std::array<std::string_view, 8> sources{
      "generate", "file", "env", "kubernetes", "external", "sealed", "vault", "aws"};
  StackDescription stack{.name = plan.name.value};
  for (const plan::Secret& secret : plan.secrets) {
    stack.secrets.push_back(
        {.name = secret.name,
         .source = std::string(sources.at(static_cast<std::size_t>(secret.source))),
         .bytes = static_cast<std::size_t>(secret.bytes),
         .reference = secret.reference});
  }
  return stack;
}

Result<void> write_project(const plan::Plan& plan, const std::map<std::string, std::string>& files,
                           const ComposeOptions& options) {
  const fs::path& state = options.state;
  for (const auto& [path, bytes] : files) {
    if (!is_path_below(path))
      return fail("a generated file would leave the state directory: " + path);
    if (auto made = make_directory((state / path).parent_path(), 0755); !made) return made;
    if (auto done = write_file(state / path, bytes, 0644); !done) return done;
  }
  std::error_code error;
  fs::copy_file(options.runtime, state / "docker/caisson-runtime",
                fs::copy_options::overwrite_existing, error);
  if (error) return fail("cannot copy " + options.runtime.string() + ": " + error.message());

  const auto made = make_secrets(secrets_of(plan), {.spec_directory = options.spec_directory,
                                                    .token_key = token_key_of(plan)});
  if (!made) return tl::unexpected(made.error());
  if (auto done = make_directory(state / "compose/secrets", 0700); !done) return done;
  for (const auto& [name, value] : made->values) {
    const fs::path path = state / "compose/secrets" / name;
    // For the group: what Caisson did not make runs as users of its own and is in it.
    if (auto done = write_file(path, value, 0440); !done) return done;
    if (chown(path.c_str(), image_user, image_user) != 0 && geteuid() == 0)
      return fail("cannot give " + path.string() + " to the images' user");
  }
  if (!made->signing_key.empty()) {
    if (auto done = write_file(state / "signing-key.pem", made->signing_key, 0600); !done)
      return done;
  }
  // Compose would know its containers and volumes by the deployment's name alone.
  const std::string environment =
      "COMPOSE_PROJECT_NAME=" + plan.name.value + "-" + sha256_hex(state.string()).substr(0, 8) +
      "\nEDGE_ADDRESS=127.0.0.1\nSOURCE_DIR=" +
      fs::absolute("." / options.spec_directory).lexically_normal().string() + "\n";
  if (auto done = write_file(state / "compose/.env", environment, 0600); !done) return done;
  if (auto done =
          write_file(state / "disposable", "this project may be attacked and thrown away\n", 0644);
      !done) {
    return done;
  }
  Origin origin = options.origin;
  origin.digest = digest_of(files);
  return write_origin(state, origin);
}

/// The address of a container in a network of the project ("" as name: in any).
std::string address_in(const json::value& container, const std::string& network) {
  boost::system::error_code error;
  const json::value* networks = container.find_pointer("/NetworkSettings/Networks", error);
  if (networks == nullptr || !networks->is_object()) return {};
  for (const auto& entry : networks->get_object()) {
    if (!network.empty() && !std::string_view(entry.key()).ends_with("_" + network)) continue;
    const json::value* address = entry.value().find_pointer("/IPAddress", error);
    if (address != nullptr && address->is_string() && !address->get_string().empty())
      return std::string(address->get_string());
  }
  return {};
}

std::string role_name(plan::Role role) {
  switch (role) {
    case plan::Role::runtime:
      return "runtime";
    case plan::Role::dashboard:
      return "dashboard";
    case plan::Role::edge:
      return "edge";
    default:
      return "service";
  }
}

/// Where the container's data lie on this host; empty when the engine's host is another one.
fs::path data_of(const json::value& details) {
  boost::system::error_code error;
  const json::value* mounts = details.find_pointer("/Mounts", error);
  if (mounts == nullptr || !mounts->is_array()) return {};
  for (const json::value& mount : mounts->get_array()) {
    const json::value* type = mount.find_pointer("/Type", error);
    const json::value* source = mount.find_pointer("/Source", error);
    if (type == nullptr || *type != "volume" || source == nullptr || !source->is_string()) continue;
    fs::path directory = std::string(source->get_string());
    if (fs::is_directory(directory, error)) return directory;
  }
  return {};
}

Result<RunningInstance> inspect(const plan::Plan& plan, const fs::path& state,
                                const plan::Instance& planned) {
  const auto id = compose(state, {"ps", "--quiet", planned.name}, seconds(30));
  if (auto fine = require(id, "docker compose ps"); !fine) return tl::unexpected(fine.error());
  const std::string container = id->output.substr(0, id->output.find('\n'));
  if (container.empty()) return fail("service " + planned.name + " does not run");
  const auto shown = run({"docker", "inspect", container}, seconds(30));
  if (auto fine = require(shown, "docker inspect"); !fine) return tl::unexpected(fine.error());
  boost::system::error_code error;
  const json::value list = json::parse(shown->output, error);
  if (error || !list.is_array() || list.get_array().empty())
    return fail("docker inspect says nothing of " + planned.name);
  const json::value& details = list.get_array().front();

  RunningInstance instance{
      .name = planned.name, .role = role_name(planned.role), .tenant = planned.tenant};
  const json::value* pid = details.find_pointer("/State/Pid", error);
  if (pid != nullptr && pid->is_number()) {
    if (auto process = identify(pid->to_number<pid_t>(error))) instance.process = *process;
  }
  instance.user =
      User{.uid = static_cast<uid_t>(planned.uid), .gid = static_cast<gid_t>(planned.uid)};
  for (const plan::Port& port : planned.ports) {
    const std::string address = address_in(details, port.network);
    if (address.empty()) continue;
    const Endpoint endpoint{.host = address,
                            .port = port.number.value,
                            .tls = port.purpose == plan::Port::Purpose::https};
    if (port.purpose == plan::Port::Purpose::operator_api) {
      instance.operator_api = endpoint;
    } else if (port.purpose == plan::Port::Purpose::metrics) {
      instance.metrics = endpoint;
    } else if (!instance.data || port.purpose == plan::Port::Purpose::https) {
      instance.data = endpoint;
    }
  }
  if (instance.role == "edge" && instance.data && instance.data->tls)
    instance.data->server_name = plan.domain.value;
  if (instance.role == "runtime") {
    instance.data_directory = data_of(details);
    auto token = read_file(state / "compose/secrets" / planned.operator_token);
    if (!token) return tl::unexpected(token.error());
    instance.operator_token = std::move(*token);
  }
  return instance;
}

/// What is in the way of `docker compose up`, told before anything of it begins.
Result<void> check_engine(const plan::Plan& plan) {
  if (!find_program("docker")) {
    return fail(
        "nothing was started: target compose needs the program 'docker', which is neither beside "
        "this program nor on the PATH",
        "install Docker Engine with its compose plugin, or use --target local");
  }
  const auto asked = [](const std::vector<std::string>& words) -> std::optional<std::string> {
    const auto done = run(words, seconds(30));
    if (!done) return done.error().text();
    return done->status == 0 ? std::nullopt : std::optional(end_of(done->errors + done->output));
  };
  if (const auto why = asked({"docker", "compose", "version"}))
    return fail("nothing was started: `docker compose` does not work: " + *why,
                "install Docker's compose plugin, or use --target local");
  if (const auto why = asked({"docker", "version"}))
    return fail("nothing was started: no Docker engine answers: " + *why,
                "start it, for example with `systemctl start docker`, or use --target local");
  const char* host = std::getenv("DOCKER_HOST");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (host != nullptr && !std::string_view(host).starts_with("unix:")) return {};  // other ports
  std::vector<std::pair<std::string, std::uint16_t>> needed;
  for (const plan::Instance& instance : plan.instances) {
    for (const plan::Port& port : instance.ports) {
      if (!port.published) continue;
      const bool secure = port.purpose == plan::Port::Purpose::https;
      needed.emplace_back(instance.name, (secure ? plan.edge.https : plan.edge.http).value);
    }
  }
  const std::string held = held_ports(needed);
  if (held.empty()) return {};
  return fail("nothing was started:" + held,
              "stop what listens there, or give this stack other ports with edge.http and "
              "edge.https");
}

std::string text_at(const json::value& container, std::string_view pointer) {
  boost::system::error_code error;
  const json::value* found = container.find_pointer(pointer, error);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

/// How a container is that did not come up, in words; empty when it did.
std::string state_in_words(const json::value& container) {
  boost::system::error_code error;
  const auto status = text_at(container, "/State/Status");
  const auto health = text_at(container, "/State/Health/Status");
  const json::value* exit = container.find_pointer("/State/ExitCode", error);
  if (status == "running") return health.empty() || health == "healthy" ? "" : "is " + health;
  if (status == "created") return "waits for another";
  if (exit == nullptr) return "is " + status;
  if (status == "exited" && *exit == 0) return {};
  return "is " + status + ", exit status " + json::serialize(*exit);
}

/// The services that did not come up: how each is, where it would answer, what it said last.
std::string not_up(const plan::Plan& plan, const fs::path& state) {
  const auto ids = compose(state, {"ps", "--all", "--quiet"}, seconds(30));
  if (!ids || ids->status != 0 || ids->output.empty()) return {};
  std::vector<std::string> words{"docker", "inspect"};
  std::istringstream in(ids->output);
  for (std::string id; std::getline(in, id);) words.push_back(id);
  const auto shown = run(words, seconds(30));
  boost::system::error_code error;
  const json::value list = shown ? json::parse(shown->output, error) : json::value();
  if (error || !list.is_array()) return {};
  std::string out;
  for (const json::value& container : list.get_array()) {
    const std::string how = state_in_words(container);
    if (how.empty()) continue;
    const auto name = text_at(container, "/Config/Labels/com.docker.compose.service");
    out += "\n  " + name + " " + how;
    const auto planned = std::ranges::find(plan.instances, name, &plan::Instance::name);
    if (planned != plan.instances.end() && !planned->ports.empty())
      out += "; it would answer at port " + std::to_string(planned->ports.front().number.value);
    const auto said = compose(
        state, {"logs", "--no-color", "--no-log-prefix", "--tail", "200", name}, seconds(30));
    const auto lines =
        said ? last_lines(said->output + said->errors, state / "compose/secrets") : std::string();
    out += lines.empty() ? "\n  its log is empty" : "\n  the end of its log:" + lines;
  }
  return out;
}

}  // namespace

Result<RunningStack> up_compose(const plan::Plan& plan,
                                const std::map<std::string, std::string>& files,
                                const ComposeOptions& options) {
  if (auto ground = check_engine(plan); !ground) return tl::unexpected(ground.error());
  const fs::path state = fs::absolute(options.state).lexically_normal();
  std::error_code error;
  if (fs::exists(state / "compose"))
    return fail("a project already stands in " + state.string(),
                "stop it with `" + options.stop_with + "`");
  if (fs::exists(state) && !fs::is_empty(state, error))
    return fail(state.string() + " is not empty and holds no project", "name another with --state");
  if (auto made = make_directory(state, 0700); !made) return tl::unexpected(made.error());
  if (options.owned) {
    if (auto owned = own_state(state); !owned) return tl::unexpected(owned.error());
  }
  ComposeOptions here = options;
  here.state = state;
  auto started = write_project(plan, files, here);
  if (started) {
    if (options.progress) options.progress("docker compose up --build --remove-orphans --wait");
    started = require(compose(state, {"up", "--detach", "--build", "--remove-orphans", "--wait"},
                              minutes(10), [] { return !interrupted(); }),
                      "docker compose up");
    if (!started && !interrupted()) started.error().what += not_up(plan, state);
  }
  if (started && interrupted()) started = fail("interrupted");
  if (!started) {
    static_cast<void>(down_compose(state, options.progress));
    return tl::unexpected(started.error());
  }
  auto running = attach_compose(plan, state);
  if (!running) {
    running.error().what += not_up(plan, state);
    static_cast<void>(down_compose(state, options.progress));
  }
  return running;
}

Result<RunningStack> attach_compose(const plan::Plan& plan, const fs::path& where) {
  const fs::path state = fs::absolute(where).lexically_normal();
  if (!fs::exists(state / "compose/compose.yaml"))
    return fail("no compose project in " + state.string(),
                "start one with `caisson up --target compose`");
  const bool secure = plan.edge.tls.value != plan::Edge::Tls::off;
  RunningStack stack{.target = "compose",
                     .name = plan.name.value,
                     .domain = plan.domain.value,
                     .url = (secure ? "https://" : "http://") + plan.domain.value + ":" +
                            std::to_string(secure ? plan.edge.https.value : plan.edge.http.value),
                     .state = state,
                     .disposable = fs::exists(state / "disposable")};
  for (const plan::Instance& planned : plan.instances) {
    if (planned.role != plan::Role::runtime && planned.role != plan::Role::edge &&
        planned.role != plan::Role::dashboard && planned.role != plan::Role::service)
      continue;
    auto instance = inspect(plan, state, planned);
    if (!instance) return tl::unexpected(instance.error());
    stack.instances.push_back(std::move(*instance));
  }
  for (const plan::Secret& secret : plan.secrets) {
    if (auto value = read_file(state / "compose/secrets" / secret.name))
      stack.secrets.emplace_back(secret.name, std::move(*value));
  }
  if (auto key = read_file(state / "signing-key.pem")) stack.signing_key = std::move(*key);
  return stack;
}

Result<void> down_compose(const fs::path& where,
                          const std::function<void(const std::string&)>& progress) {
  const fs::path state = fs::absolute(where).lexically_normal();
  if (!fs::exists(state / "compose")) return fail("no compose project in " + state.string());
  if (progress) progress("docker compose down --volumes");
  auto gone = require(
      compose(state, {"down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "15"},
              minutes(3)),
      "docker compose down");
  if (!gone) return gone;
  std::error_code error;
  fs::remove_all(state, error);
  if (error) return fail("cannot remove " + state.string() + ": " + error.message());
  return {};
}

}  // namespace caisson::conformance
