#include "conformance/stack/local.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <dirent.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/stack/description.h"
#include "conformance/stack/files.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/secrets.h"
#include "conformance/wire/http.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Process = StackDescription::Process;

/// What `up` decided and `down`, `attach` and `restart` must know: `state.json`.
struct Record {
  std::uint32_t uid_base = 0;
  Hardening hardening{};
  std::map<std::string, std::string> programs{};
  std::map<std::string, std::string> extra_env{};
  std::uint64_t processes_limit = 0;
  bool marker = false;
};

void say(const std::function<void(const std::string&)>& progress, const std::string& line) {
  if (progress) progress(line);
}

/// Users of different state directories stay apart, too.
std::uint32_t uid_base_of(const fs::path& state) {
  return 200'000 +
         static_cast<std::uint32_t>(std::hash<std::string>{}(state.string()) % 20'000) * 64;
}

Result<void> write_record(const fs::path& state, const Record& record) {
  json::object object{
      {"uid-base", record.uid_base},
      {"users", static_cast<int>(record.hardening.users)},
      {"no-capabilities", record.hardening.no_capabilities},
      {"private-mounts", record.hardening.private_mounts},
      {"private-secrets", record.hardening.private_secrets},
      {"programs", json::value_from(record.programs)},
      {"extra-env", json::value_from(record.extra_env)},
      {"processes-limit", record.processes_limit},
      {"marker", record.marker},
  };
  return write_file(state / "state.json", json::serialize(object), 0600);
}

Result<Record> read_record(const fs::path& state) {
  const auto bytes = read_file(state / "state.json");
  if (!bytes) return fail("no stack in " + state.string(), "start one with `caisson up`");
  try {
    const json::object object = json::parse(*bytes).as_object();
    return Record{
        .uid_base = json::value_to<std::uint32_t>(object.at("uid-base")),
        .hardening = {.users = static_cast<Hardening::Users>(object.at("users").to_number<int>()),
                      .no_capabilities = object.at("no-capabilities").as_bool(),
                      .private_mounts = object.at("private-mounts").as_bool(),
                      .private_secrets = object.at("private-secrets").as_bool()},
        .programs = json::value_to<std::map<std::string, std::string>>(object.at("programs")),
        .extra_env = json::value_to<std::map<std::string, std::string>>(object.at("extra-env")),
        .processes_limit = object.at("processes-limit").to_number<std::uint64_t>(),
        .marker = object.at("marker").as_bool(),
    };
  } catch (const std::exception& problem) {
    return fail(state.string() + "/state.json is damaged: " + problem.what());
  }
}

Result<StackDescription> read_description(const fs::path& state) {
  const auto bytes = read_file(state / "stack.json");
  if (!bytes) return tl::unexpected(bytes.error());
  return parse_stack(*bytes);
}

std::optional<User> user_of(const Record& record, const StackDescription& stack,
                            const Process& process) {
  if (record.hardening.users == Hardening::Users::starter) return std::nullopt;
  const bool own = record.hardening.users == Hardening::Users::own;
  const std::uint32_t id = record.uid_base + (own ? process.uid_offset : 0);
  User user{.uid = id, .gid = id};
  // One group a secret, above the users': whoever is given a secret is in its group.
  for (std::size_t i = 0; i < stack.secrets.size(); ++i) {
    const auto& name = stack.secrets[i].name;
    const bool given = std::ranges::find(process.secrets, name) != process.secrets.end();
    if (!given && record.hardening.private_secrets) continue;
    user.groups.push_back(record.uid_base + 1'000'000'000 + static_cast<gid_t>(i));
  }
  return user;
}

Result<void> give(const fs::path& path, uid_t uid, gid_t gid, unsigned mode) {
  if (geteuid() == 0 && chown(path.c_str(), uid, gid) != 0) {
    return fail("cannot give " + path.string() + " its owner: " + std::strerror(errno));
  }
  if (chmod(path.c_str(), mode) != 0) {
    return fail("cannot set the mode of " + path.string() + ": " + std::strerror(errno));
  }
  return {};
}

Result<void> write_secrets(const fs::path& state, const Record& record,
                           const StackDescription& stack, const SecretValues& made) {
  if (auto done = make_directory(state / "secrets",
                                 record.hardening.users == Hardening::Users::starter ? 0700 : 0711);
      !done) {
    return done;
  }
  for (std::size_t i = 0; i < stack.secrets.size(); ++i) {
    const fs::path path = state / "secrets" / stack.secrets[i].name;
    if (auto done = write_file(path, made.values.at(stack.secrets[i].name), 0600); !done)
      return done;
    if (record.hardening.users == Hardening::Users::starter) continue;
    const gid_t group = record.uid_base + 1'000'000'000 + static_cast<gid_t>(i);
    if (auto done = give(path, 0, group, 0440); !done) return done;
  }
  if (made.signing_key.empty()) return {};
  return write_file(state / "signing-key.pem", made.signing_key, 0600);
}

Result<void> write_tree(const fs::path& state, const LocalTree& tree) {
  for (const auto& [path, bytes] : tree) {
    if (path.find("..") != std::string::npos || path.starts_with('/')) {
      return fail("a generated file would leave the state directory: " + path);
    }
    const fs::path parent = (state / path).parent_path();
    if (parent != state) {
      if (auto done = make_directory(parent, 0711); !done) return done;
    }
    if (auto done = write_file(state / path, bytes, 0600); !done) return done;
  }
  return {};
}

/// Configuration and data belong to their process alone.
Result<void> own_files(const fs::path& state, const Record& record, const StackDescription& stack) {
  for (const auto& folder : {"data", "logs", "config"}) {
    if (auto done = make_directory(state / folder, 0711); !done) return done;
  }
  for (const Process& process : stack.processes) {
    const auto user = user_of(record, stack, process);
    const uid_t uid = user ? user->uid : geteuid();
    const gid_t gid = user ? user->gid : getegid();
    const fs::path data = state / (process.data.empty() ? "data/" + process.name : process.data);
    if (auto done = make_directory(data, 0700); !done) return done;
    if (auto done = give(data, uid, gid, 0700); !done) return done;
    if (!process.config.empty()) {
      if (auto done = give(state / process.config, uid, gid, 0600); !done) return done;
    }
    if (process.role == "edge" && fs::exists(state / "Caddyfile")) {
      if (auto done = give(state / "Caddyfile", uid, gid, 0600); !done) return done;
    }
  }
  return {};
}

Result<Launch> launch_of(const fs::path& state, const Record& record, const StackDescription& stack,
                         const Process& process) {
  const auto replaced = record.programs.find(process.program);
  const auto program =
      find_program(replaced == record.programs.end() ? process.program : replaced->second);
  if (!program) return tl::unexpected(program.error());
  const std::string data = process.data.empty() ? "data/" + process.name : process.data;
  Launch what{.program = fs::absolute(*program),
              .args = process.args,
              .directory = state,
              .log = state / "logs" / (process.name + ".log"),
              .user = user_of(record, stack, process),
              .no_capabilities = record.hardening.no_capabilities,
              .private_mounts = record.hardening.private_mounts,
              .writable = {data}};
  if (record.hardening.users == Hardening::Users::own) what.processes = record.processes_limit;
  what.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  for (const auto& [name, value] : process.env) what.env.emplace_back(name, value);
  for (const auto& [name, secret] : process.secret_env) {
    auto value = read_file(state / "secrets" / secret);
    if (!value) return tl::unexpected(value.error());
    what.env.emplace_back(name, std::move(*value));
  }
  if (process.program == "caisson-runtime") {
    for (const auto& [name, value] : record.extra_env) what.env.emplace_back(name, value);
  }
  if (process.role == "edge") {
    // Caddy keeps certificates and its own state under these.
    what.env.emplace_back("HOME", (state / data).string());
    what.env.emplace_back("XDG_DATA_HOME", (state / data).string());
    what.env.emplace_back("XDG_CONFIG_HOME", (state / data).string());
  }
  return what;
}

bool answers(const Endpoint& endpoint, const std::string& path) {
  const Deadline deadline = within(std::chrono::milliseconds(1000));
  if (path.empty()) return Connection::open(endpoint, deadline).has_value();
  const auto response = exchange(
      endpoint, {.target = path, .host = "localhost", .headers = {{"Connection", "close"}}},
      deadline);
  return response && response->status >= 200 && response->status < 400;
}

std::string tail_of(const fs::path& log) {
  auto bytes = read_file(log);
  if (!bytes || bytes->empty()) return "its log is empty";
  while (!bytes->empty() && bytes->back() == '\n') bytes->pop_back();
  const auto line = bytes->rfind('\n');
  return "the last line of " + log.string() + ": " +
         (line == std::string::npos ? *bytes : bytes->substr(line + 1)).substr(0, 400);
}

Result<void> wait_ready(const StackDescription& stack, const Process& process, ProcessId id,
                        const Launch& what, std::chrono::milliseconds limit) {
  const Deadline end = within(limit);
  for (;;) {
    if (!alive(id)) return fail(process.name + " ended while starting", tail_of(what.log));
    if (interrupted()) return fail("interrupted");
    if (!process.ready_port) return {};
    const auto port = process.ports.find(*process.ready_port);
    if (port == process.ports.end())
      return fail(process.name + " has no port " + *process.ready_port);
    if (answers({.host = stack.address, .port = port->second}, process.ready_path)) return {};
    if (std::chrono::steady_clock::now() > end) {
      return fail(process.name + " is not ready within " + std::to_string(limit.count()) + " ms",
                  tail_of(what.log));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// One line a started process: name, pid, start time.
Result<void> note_started(const fs::path& state, const std::string& name, ProcessId id) {
  std::ofstream out(state / "processes", std::ios::app);
  out << name << ' ' << id.pid << ' ' << id.start_ticks << '\n' << std::flush;
  if (!out) return fail("cannot write " + (state / "processes").string());
  return {};
}

std::vector<std::pair<std::string, ProcessId>> started_in(const fs::path& state) {
  std::vector<std::pair<std::string, ProcessId>> started;
  std::ifstream in(state / "processes");
  std::string name;
  ProcessId id;
  while (in >> name >> id.pid >> id.start_ticks) started.emplace_back(name, id);
  return started;
}

/// Processes that work in the state directory though nobody noted them (an `up` killed at the wrong
/// moment).
std::vector<ProcessId> strays_in(const fs::path& state) {
  std::vector<ProcessId> strays;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    const fs::path directory = fs::read_symlink(entry.path() / "cwd", error);
    if (error || directory != state) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    // Only leaders of sessions of their own: a shell that merely stands in the directory is none of
    // ours.
    if (getsid(pid) != pid || pid == getsid(0)) continue;
    if (auto id = identify(pid)) strays.push_back(*id);
  }
  return strays;
}

void stop_all(const fs::path& state, const std::function<void(const std::string&)>& progress) {
  auto started = started_in(state);
  std::ranges::reverse(started);
  for (const auto& [name, id] : started) {
    if (!alive(id)) continue;
    const bool gently = stop(id, std::chrono::milliseconds(12'000));
    say(progress, name + (gently ? " stopped" : " killed, it did not stop by itself"));
  }
  for (const ProcessId id : strays_in(state)) stop(id, std::chrono::milliseconds(2'000));
  std::error_code error;
  fs::remove(state / "processes", error);
}

RunningInstance instance_of(const fs::path& state, const Record& record,
                            const StackDescription& stack, const Process& process, ProcessId id) {
  RunningInstance instance{.name = process.name,
                           .role = process.role,
                           .tenant = process.tenant,
                           .process = id,
                           .user = user_of(record, stack, process),
                           .log = state / "logs" / (process.name + ".log")};
  instance.data_directory = state / (process.data.empty() ? "data/" + process.name : process.data);
  if (!process.config.empty()) instance.config = state / process.config;
  for (const auto& secret : process.secrets)
    instance.secret_files.push_back(state / "secrets" / secret);
  for (const auto& [name, number] : process.ports) {
    const Endpoint endpoint{.host = stack.address, .port = number};
    (name == "operator" ? instance.operator_api : instance.data) = endpoint;
  }
  return instance;
}

/// The bearer token of an instance's operator API: the secret its own configuration names.
std::string operator_token(const fs::path& config) {
  const auto bytes = read_file(config);
  if (!bytes) return {};
  boost::system::error_code error;
  const json::value value = json::parse(*bytes, error);
  if (error) return {};
  const json::value* file = value.find_pointer("/operator/token-file", error);
  if (file == nullptr || !file->is_string()) return {};
  auto token = read_file(config.parent_path() / std::string(file->get_string()));
  if (!token) return {};
  while (!token->empty() && token->back() == '\n') token->pop_back();
  return *token;
}

/// Processes with users of their own must be able to walk to the state directory.
Result<void> check_reachable(const fs::path& state, const Hardening& hardening) {
  if (hardening.users == Hardening::Users::starter) return {};
  for (fs::path at = state; at != at.root_path(); at = at.parent_path()) {
    struct stat info{};
    if (stat(at.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) != 0) continue;
    return fail("other users cannot enter " + at.string() + ", where the stack's state would be",
                "name another directory with --state, or allow it with chmod o+x");
  }
  return {};
}

Result<void> start_all(const fs::path& state, const Record& record, const StackDescription& stack,
                       const LocalOptions& options) {
  const auto order = start_order(stack);
  if (!order) return tl::unexpected(order.error());
  for (const Process* process : *order) {
    const auto what = launch_of(state, record, stack, *process);
    if (!what) return tl::unexpected(what.error());
    const auto id = launch(*what);
    if (!id) return tl::unexpected(id.error());
    if (auto noted = note_started(state, process->name, *id); !noted) return noted;
    if (auto ready = wait_ready(stack, *process, *id, *what, options.ready_within); !ready)
      return ready;
    say(options.progress, process->name + " is ready (" + process->program + ", pid " +
                              std::to_string(id->pid) + ")");
  }
  return {};
}

}  // namespace

Result<void> own_state(const fs::path& state) {
  const auto self = identify(getpid());
  if (!self) return tl::unexpected(self.error());
  return write_file(state / "owner",
                    std::to_string(self->pid) + " " + std::to_string(self->start_ticks), 0600);
}

bool owner_lives(const std::string& mark) {
  std::istringstream in(mark);
  ProcessId owner;
  return (in >> owner.pid >> owner.start_ticks) && alive(owner);
}

std::filesystem::path default_state(const std::string& name) {
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return fs::path(xdg) / "caisson" / name;
  }
  if (geteuid() == 0) return fs::path("/var/lib/caisson") / name;
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr ? home : "/tmp") / ".local/state/caisson" / name;
}

Result<RunningStack> up_local(const LocalTree& tree, const LocalOptions& options) {
  const auto file = tree.find("stack.json");
  if (file == tree.end()) return fail("the generated tree has no local/stack.json");
  const auto stack = parse_stack(file->second);
  if (!stack) return tl::unexpected(stack.error());

  const fs::path state = fs::absolute(options.state).lexically_normal();
  if (fs::exists(state / "state.json")) {
    const auto running = started_in(state);
    if (std::ranges::any_of(running, [](const auto& entry) { return alive(entry.second); })) {
      return fail("a stack already runs in " + state.string(), "stop it with `caisson down`");
    }
    std::error_code error;
    fs::remove_all(state, error);
  } else if (fs::exists(state) && !fs::is_empty(state)) {
    return fail(state.string() + " is not empty and holds no stack", "name another with --state");
  }
  if (auto made = make_directory(state, 0711); !made) return tl::unexpected(made.error());
  if (auto fine = check_reachable(state, options.hardening); !fine)
    return tl::unexpected(fine.error());

  Record record{.uid_base = uid_base_of(state),
                .hardening = options.hardening,
                .extra_env = options.extra_env,
                .processes_limit = options.processes_limit,
                .marker = stack->marker == "disposable"};
  for (const auto& [name, path] : options.programs) record.programs[name] = path.string();
  const auto made = make_secrets(*stack, {.spec_directory = options.spec_directory,
                                          .token_key_secret = options.token_key_secret,
                                          .token_algorithm = options.token_algorithm});
  if (!made) return tl::unexpected(made.error());
  for (const auto& step : {
           write_tree(state, tree),
           write_record(state, record),
           write_secrets(state, record, *stack, *made),
           own_files(state, record, *stack),
       }) {
    if (!step) return tl::unexpected(step.error());
  }

  if (auto started = start_all(state, record, *stack, options); !started) {
    stop_all(state, options.progress);
    return tl::unexpected(started.error());
  }
  return attach_local(state);
}

Result<RunningStack> attach_local(const fs::path& where) {
  const fs::path state = fs::absolute(where).lexically_normal();
  const auto record = read_record(state);
  if (!record) return tl::unexpected(record.error());
  const auto stack = read_description(state);
  if (!stack) return tl::unexpected(stack.error());
  RunningStack running{.target = "local",
                       .name = stack->name,
                       .domain = stack->domain,
                       .url = stack->url,
                       .state = state,
                       .disposable = record->marker,
                       .hardening = record->hardening};
  std::map<std::string, ProcessId> latest;
  for (const auto& [name, id] : started_in(state)) latest[name] = id;
  for (const Process& process : stack->processes) {
    const auto id = latest.find(process.name);
    if (id == latest.end() || !alive(id->second)) {
      return fail(process.name + " of the stack in " + state.string() + " does not run",
                  tail_of(state / "logs" / (process.name + ".log")));
    }
    running.instances.push_back(instance_of(state, *record, *stack, process, id->second));
    RunningInstance& instance = running.instances.back();
    if (process.role == "runtime") instance.operator_token = operator_token(instance.config);
  }
  for (const auto& secret : stack->secrets) {
    auto value = read_file(state / "secrets" / secret.name);
    if (value) running.secrets.emplace_back(secret.name, std::move(*value));
  }
  if (auto key = read_file(state / "signing-key.pem")) running.signing_key = std::move(*key);
  return running;
}

Result<void> down_local(const fs::path& where,
                        const std::function<void(const std::string&)>& progress) {
  const fs::path state = fs::absolute(where).lexically_normal();
  if (!fs::exists(state / "state.json")) {
    return fail("no stack in " + state.string(), "start one with `caisson up`");
  }
  stop_all(state, progress);
  std::error_code error;
  fs::remove_all(state, error);
  if (error) return fail("cannot remove " + state.string() + ": " + error.message());
  return {};
}

Result<ProcessId> restart_local(const fs::path& where, const std::string& name) {
  const fs::path state = fs::absolute(where).lexically_normal();
  const auto record = read_record(state);
  if (!record) return tl::unexpected(record.error());
  const auto stack = read_description(state);
  if (!stack) return tl::unexpected(stack.error());
  const Process* process = stack->process(name);
  if (process == nullptr) return fail("the stack has no process " + name);
  const auto what = launch_of(state, *record, *stack, *process);
  if (!what) return tl::unexpected(what.error());
  const auto id = launch(*what);
  if (!id) return tl::unexpected(id.error());
  if (auto noted = note_started(state, name, *id); !noted) return tl::unexpected(noted.error());
  if (auto ready = wait_ready(*stack, *process, *id, *what, std::chrono::milliseconds(20'000));
      !ready) {
    return tl::unexpected(ready.error());
  }
  return *id;
}

}  // namespace caisson::conformance
