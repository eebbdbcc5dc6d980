#include "conformance/stack/local.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "conformance/stack/description.h"
#include "conformance/stack/interrupt.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/preflight.h"
#include "conformance/stack/secrets.h"
#include "conformance/stack/state.h"
#include "conformance/wire/http.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Process = StackDescription::Process;

void say(const std::function<void(const std::string&)>& progress, const std::string& line) {
  if (progress) progress(line);
}

Result<StackDescription> read_description(const fs::path& state) {
  const auto bytes = read_file(state / "stack.json");
  if (!bytes) return tl::unexpected(bytes.error());
  return parse_stack(*bytes);
}

/// User ids, and group ids far above them, that the stack's processes and secrets need.
std::uint32_t users_of(const StackDescription& stack) {
  auto count = static_cast<std::uint32_t>(stack.secrets.size());
  for (const auto& process : stack.processes) count = std::max(count, process.uid_offset + 1);
  return count;
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

Result<void> give(const Descriptor& file, const fs::path& shown, uid_t uid, gid_t gid,
                  unsigned mode) {
  if (geteuid() == 0 && fchown(file.get(), uid, gid) != 0) {
    return fail("cannot give " + shown.string() + " its owner: " + std::strerror(errno));
  }
  if (fchmod(file.get(), mode) != 0) {
    return fail("cannot set the mode of " + shown.string() + ": " + std::strerror(errno));
  }
  return {};
}

/// A directory of the state directory, made if it is missing. No link is followed on the way.
Result<Descriptor> folder_in(const fs::path& state, const std::string& path) {
  const Descriptor root(open(state.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return cannot("open", state, errno);
  std::vector<std::string> created;
  return open_below(root, path, state.string(), &created);
}

Result<void> give_folder(const fs::path& state, const std::string& path, uid_t uid, gid_t gid,
                         unsigned mode) {
  const auto folder = folder_in(state, path);
  if (!folder) return tl::unexpected(folder.error());
  return give(*folder, state / path, uid, gid, mode);
}

/// Of a regular file that is there; neither it nor a folder on the way is a link.
Result<void> give_file(const fs::path& state, const std::string& path, uid_t uid, gid_t gid,
                       unsigned mode) {
  const auto folder = folder_in(state, fs::path(path).parent_path());
  if (!folder) return tl::unexpected(folder.error());
  const Descriptor file(openat(folder->get(), fs::path(path).filename().c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return cannot("open", state / path, errno);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return cannot("examine", state / path, errno);
  if (!S_ISREG(info.st_mode)) return fail((state / path).string() + " is not a regular file");
  return give(file, state / path, uid, gid, mode);
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
    if (auto done = give_file(state, "secrets/" + stack.secrets[i].name, 0, group, 0440); !done)
      return done;
  }
  if (made.signing_key.empty()) return {};
  return write_file(state / "signing-key.pem", made.signing_key, 0600);
}

Result<void> write_tree(const fs::path& state, const LocalTree& tree) {
  for (const auto& [path, bytes] : tree) {
    if (!is_path_below(path)) {
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

/// The directories of a process, relative to the state directory.
std::vector<std::string> writable_by(const Process& process) {
  std::vector<std::string> folders{process.directory};
  if (!process.data.empty()) folders.push_back(process.data);
  return folders;
}

/// Configuration and data belong to their process alone.
Result<void> own_files(const fs::path& state, const Record& record, const StackDescription& stack) {
  for (const auto& folder : {"data", "work", "logs", "config"}) {
    if (auto done = make_directory(state / folder, 0711); !done) return done;
  }
  for (const Process& process : stack.processes) {
    const auto user = user_of(record, stack, process);
    const uid_t uid = user ? user->uid : geteuid();
    const gid_t gid = user ? user->gid : getegid();
    for (const std::string& folder : writable_by(process)) {
      if (auto done = give_folder(state, folder, uid, gid, 0700); !done) return done;
    }
    if (!process.config.empty()) {
      if (auto done = give_file(state, process.config, uid, gid, 0600); !done) return done;
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
  Launch what{.program = fs::absolute(*program),
              .args = process.args,
              .directory = state,
              .work = process.directory,
              .log = state / "logs" / (process.name + ".log"),
              .user = user_of(record, stack, process),
              .no_capabilities = record.hardening.no_capabilities,
              .private_mounts = record.hardening.private_mounts,
              .writable = {}};
  for (const std::string& folder : writable_by(process)) what.writable.emplace_back(folder);
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
  return what;
}

/// Why a process is not ready yet; nullopt: it is.
std::optional<std::string> unready(const Endpoint& endpoint, const std::string& path) {
  const Deadline deadline = within(std::chrono::milliseconds(1000));
  if (path.empty()) {
    const auto connection = Connection::open(endpoint, deadline);
    return connection ? std::nullopt : std::optional(connection.error().what);
  }
  const auto response = exchange(
      endpoint, {.target = path, .host = "localhost", .headers = {{"Connection", "close"}}},
      deadline);
  if (!response) return response.error().what;
  if (response->status >= 200 && response->status < 400) return std::nullopt;
  return "the answer is " + std::to_string(response->status);
}

/// Where a process is asked whether it is ready. A service hears of its port here by a variable
/// alone, so that of the spec is said too.
std::string asked_at(const StackDescription& stack, const Process& process, std::uint16_t port) {
  auto text = (process.ready_path.empty() ? "" : "http://") + stack.address + ":" +
              std::to_string(port) + process.ready_path;
  if (!process.spec_port) return text;
  text += " (port " + std::to_string(*process.spec_port) + " of the spec is " +
          std::to_string(port) + " on this target";
  const auto variable = process.env.find("PORT");
  const bool told = variable != process.env.end() && variable->second == std::to_string(port);
  return text + (told ? ": the process has to listen at what its variable PORT says)"
                      : ", but the spec sets the variable PORT, which would say so)");
}

/// `wanted` ends the waiting when it turns false. The failure says what was asked and what the
/// process itself said.
Result<void> wait_ready(const StackDescription& stack, const Process& process, ProcessId id,
                        const Launch& what, std::chrono::milliseconds limit, bool (*wanted)()) {
  const auto number =
      process.ready_port ? process.ports.find(*process.ready_port) : process.ports.end();
  if (process.ready_port && number == process.ports.end())
    return fail(process.name + " has no port " + *process.ready_port);
  const std::string asked =
      number == process.ports.end() ? std::string() : asked_at(stack, process, number->second);
  const Deadline end = within(limit);
  for (;;) {
    if (!alive(id)) {
      return fail(process.name + " ended while starting" +
                  (asked.empty() ? "" : ", before anything answered at " + asked) +
                  log_tail(what.log, what.directory / "secrets"));
    }
    if (!wanted()) return fail("interrupted");
    if (!process.ready_port) return {};
    const auto why = unready({.host = stack.address, .port = number->second}, process.ready_path);
    if (!why) return {};
    if (std::chrono::steady_clock::now() > end) {
      return fail(process.name + " is not ready within " + std::to_string(limit.count()) +
                  " ms: " + asked + ": " + *why + log_tail(what.log, what.directory / "secrets"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
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
  instance.data_directory = state / (process.data.empty() ? process.directory : process.data);
  if (!process.config.empty()) instance.config = state / process.config;
  for (const auto& secret : process.secrets)
    instance.secret_files.push_back(state / "secrets" / secret);
  for (const auto& [name, number] : process.ports) {
    const Endpoint endpoint{.host = stack.address, .port = number};
    if (name == "operator") instance.operator_api = endpoint;
    if (name == "metrics") instance.metrics = endpoint;
    if (name == process.ready_port) instance.data = endpoint;
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

/// Starts a process and waits until it is ready.
Result<ProcessId> start_one(const fs::path& state, const Record& record,
                            const StackDescription& stack, const Process& process,
                            std::chrono::milliseconds limit, bool (*wanted)(),
                            const fs::path& spec_directory = {}) {
  const auto what = launch_of(state, record, stack, process);
  if (!what) return tl::unexpected(what.error());
  const auto explained = [&](const Failure& failure) {
    std::string text = failure.text();
    if (process.role == "service") {
      for (const auto& hint : hidden_files(*what, spec_directory)) text += "\n  " + hint;
    }
    return fail(text);
  };
  auto id = launch(*what);
  if (!id) return explained(id.error());
  if (auto noted = note_started(state, process.name, *id); !noted)
    return tl::unexpected(noted.error());
  if (auto ready = wait_ready(stack, process, *id, *what, limit, wanted); !ready)
    return explained(ready.error());
  return id;
}

/// Stops everything of a state directory and removes it.
Result<void> take_down(const fs::path& state,
                       const std::function<void(const std::string&)>& progress) {
  stop_all(state, progress);
  std::error_code error;
  fs::remove_all(state, error);
  if (error) return fail("cannot remove " + state.string() + ": " + error.message());
  release_users(users_registry());
  return {};
}

/// What a failed start leaves: logs, and nothing else.
bool only_logs(const fs::path& state) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state, error)) {
    if (entry.path().filename() != "logs") return false;
  }
  return !error;
}

void keep_logs(const fs::path& state) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state, error)) {
    std::error_code ignored;
    if (entry.path().filename() != "logs") fs::remove_all(entry.path(), ignored);
  }
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

/// Waits while the services settle. One that is ready at once, for it has no port, may end the
/// moment after.
Result<void> settle(const fs::path& state,
                    const std::vector<std::pair<const Process*, ProcessId>>& started,
                    std::chrono::milliseconds limit) {
  const auto is_service = [](const auto& each) { return each.first->role == "service"; };
  if (std::ranges::none_of(started, is_service)) return {};
  const Deadline end = within(limit);
  do {
    for (const auto& [process, id] : started) {
      if (alive(id)) continue;
      return fail(process->name + " ended a moment after it had started" +
                      log_tail(state / "logs" / (process->name + ".log"), state / "secrets"),
                  "a service stays; what ends by itself is run by the command of what needs it");
    }
    if (interrupted()) return fail("interrupted");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  } while (std::chrono::steady_clock::now() < end);
  return {};
}

Result<void> start_all(const fs::path& state, const Record& record, const StackDescription& stack,
                       const LocalOptions& options) {
  const auto order = start_order(stack);
  if (!order) return tl::unexpected(order.error());
  std::vector<std::pair<const Process*, ProcessId>> started;
  for (const Process* process : *order) {
    const auto id = start_one(
        state, record, stack, *process, options.ready_within, [] { return !interrupted(); },
        options.spec_directory);
    if (!id) return tl::unexpected(id.error());
    started.emplace_back(process, *id);
    say(options.progress, process->name + " is ready (" + process->program + ", pid " +
                              std::to_string(id->pid) + ")");
  }
  if (interrupted()) return fail("interrupted");
  return settle(state, started, options.settle);
}

}  // namespace

Result<RunningStack> up_local(const LocalTree& tree, const LocalOptions& options) {
  const auto file = tree.find("stack.json");
  if (file == tree.end()) return fail("the generated tree has no local/stack.json");
  const auto stack = parse_stack(file->second);
  if (!stack) return tl::unexpected(stack.error());

  const fs::path state = fs::absolute(options.state).lexically_normal();
  if (fs::exists(state / "state.json")) {
    const auto before = read_origin(state);
    const std::string whose = before ? " (" + in_words(*before) + ")" : "";
    if (runs_in(state)) {
      return fail("a stack already runs in " + state.string() + whose,
                  "stop it with `" + options.stop_with + "`");
    }
    if (!fs::exists(state / "owner")) {
      say(options.progress, "the stack in " + state.string() + whose +
                                " does not run any more; its data, keys and logs are removed, and "
                                "it starts anew");
    }
    if (auto gone = take_down(state, options.progress); !gone) return tl::unexpected(gone.error());
  } else if (fs::exists(state) && !only_logs(state)) {
    return fail(state.string() + " is not empty and holds no stack", "name another with --state");
  }
  Record record{.hardening = options.hardening,
                .extra_env = options.extra_env,
                .processes_limit = options.processes_limit,
                .marker = stack->marker == "disposable"};
  for (const auto& [name, path] : options.programs) record.programs[name] = path.string();
  if (auto free = check_ground(*stack, record.programs, lowest_port(options.hardening)); !free)
    return tl::unexpected(free.error());
  std::error_code error;
  fs::remove_all(state / "logs", error);
  if (auto made = make_directory(state, 0711); !made) return tl::unexpected(made.error());
  if (auto fine = check_reachable(state, options.hardening); !fine)
    return tl::unexpected(fine.error());
  const auto users = claim_users(state, users_of(*stack), users_registry());
  if (!users) return tl::unexpected(users.error());
  record.uid_base = *users;
  const auto made = make_secrets(
      *stack, {.spec_directory = options.spec_directory, .token_key = options.token_key});
  if (!made) return tl::unexpected(made.error());
  for (const auto& line : made->stand_ins) say(options.progress, line);
  // First what says whose the directory is: whoever finds it half-made may remove it.
  if (options.owned) {
    if (auto owned = own_state(state); !owned) return tl::unexpected(owned.error());
  }
  Origin origin = options.origin;
  origin.digest = digest_of(tree);
  for (const auto& step : {
           write_origin(state, origin),
           write_record(state, record),
           write_tree(state, tree),
           write_secrets(state, record, *stack, *made),
           own_files(state, record, *stack),
       }) {
    if (step) continue;
    static_cast<void>(take_down(state, options.progress));
    return tl::unexpected(step.error());
  }

  const auto started = start_all(state, record, *stack, options);
  auto running =
      started ? attach_local(state) : Result<RunningStack>(tl::unexpected(started.error()));
  if (running) return running;
  // The logs of what failed stay; whoever interrupts has seen enough.
  if (interrupted()) {
    static_cast<void>(take_down(state, options.progress));
  } else {
    stop_all(state, options.progress);
    keep_logs(state);
  }
  return running;
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
      return fail(process.name + " of the stack in " + state.string() + " does not run" +
                  log_tail(state / "logs" / (process.name + ".log"), state / "secrets"));
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
  if (!fs::exists(state / "state.json") && !(fs::exists(state / "logs") && only_logs(state))) {
    return fail("no stack in " + state.string(), "start one with `caisson up`");
  }
  return take_down(state, progress);
}

Result<void> sweep_local(const fs::path& where) {
  const fs::path state = fs::absolute(where).lexically_normal();
  const auto mark = read_file(state / "owner");
  if (!mark || owner_lives(*mark)) return fail(state.string() + " has an owner");
  return take_down(state, {});
}

Result<bool> revive_local(const fs::path& where) {
  const fs::path state = fs::absolute(where).lexically_normal();
  if (!runs_in(state)) return false;
  const auto stack = read_description(state);
  if (!stack) return tl::unexpected(stack.error());
  for (const Process& process : stack->processes) {
    const auto started = started_in(state);
    const bool lives = std::ranges::any_of(started, [&](const auto& entry) {
      return entry.first == process.name && alive(entry.second);
    });
    if (lives) continue;
    if (auto id = restart_local(state, process.name); !id) return tl::unexpected(id.error());
  }
  return true;
}

void stop_local(const fs::path& where, const std::string& name, std::chrono::milliseconds grace) {
  for (const auto& [noted, id] : started_in(fs::absolute(where).lexically_normal())) {
    if (noted == name) stop(id, grace);
  }
}

Result<ProcessId> restart_local(const fs::path& where, const std::string& name) {
  const fs::path state = fs::absolute(where).lexically_normal();
  const auto record = read_record(state);
  if (!record) return tl::unexpected(record.error());
  const auto stack = read_description(state);
  if (!stack) return tl::unexpected(stack.error());
  const Process* process = stack->process(name);
  if (process == nullptr) return fail("the stack has no process " + name);
  // Also when the user interrupts: what was stopped belongs to somebody.
  return start_one(state, *record, *stack, *process, std::chrono::milliseconds(20'000),
                   [] { return true; });
}

}  // namespace caisson::conformance
