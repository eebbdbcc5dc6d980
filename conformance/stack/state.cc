#include "conformance/stack/state.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <boost/json.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::conformance {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::uint32_t first_user = 200'000;
constexpr std::uint32_t users_a_step = 64;
constexpr std::uint32_t steps = 20'000;

struct Claim {
  std::uint32_t base = 0;
  std::uint32_t count = 0;
  std::string state;
};

/// One claim a line: base, count, state directory. Those whose directory is gone are over.
Result<std::vector<Claim>> read_claims(const fs::path& registry) {
  std::vector<Claim> claims;
  const auto there = is_there(registry);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return claims;
  const auto text = read_file(registry);
  if (!text) return tl::unexpected(text.error());
  std::istringstream in(*text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    Claim claim;
    fields >> claim.base >> claim.count;
    if (!fields || fields.get() != ' ' || !std::getline(fields, claim.state)) {
      return fail(registry.string() + " is damaged",
                  "stop every stack of this machine, and remove it");
    }
    std::error_code error;
    if (fs::is_directory(claim.state, error)) claims.push_back(std::move(claim));
  }
  return claims;
}

Result<void> write_claims(const fs::path& registry, const std::vector<Claim>& claims) {
  std::string text;
  for (const auto& claim : claims) {
    text +=
        std::to_string(claim.base) + ' ' + std::to_string(claim.count) + ' ' + claim.state + '\n';
  }
  return write_file(registry, text, 0600);
}

/// The folder is what is locked: the file is replaced.
Result<Descriptor> lock_claims(const fs::path& registry) {
  std::error_code error;
  fs::create_directories(registry.parent_path(), error);
  Descriptor lock(open(registry.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock && flock(lock.get(), LOCK_EX) == 0) return lock;
  return fail("cannot lock " + registry.parent_path().string() +
                  ", where this machine notes which user ids its stacks have",
              "it must be root's, and writable");
}

bool overlap(const Claim& a, std::uint32_t base, std::uint32_t count) {
  return a.base < base + count && base < a.base + a.count;
}

}  // namespace

fs::path users_registry() {
  return geteuid() == 0 ? fs::path("/var/lib/caisson/.users") : fs::path();
}

Result<std::uint32_t> claim_users(const fs::path& state, std::uint32_t count,
                                  const fs::path& registry) {
  const auto preferred =
      static_cast<std::uint32_t>(std::hash<std::string>{}(state.string()) % steps);
  if (registry.empty()) return first_user + preferred * users_a_step;
  if (state.string().find('\n') != std::string::npos) {
    return fail("the state directory has a line break in its name", "name another with --state");
  }
  const auto lock = lock_claims(registry);
  if (!lock) return tl::unexpected(lock.error());
  auto claims = read_claims(registry);
  if (!claims) return tl::unexpected(claims.error());
  std::erase_if(*claims, [&](const Claim& claim) { return claim.state == state; });
  const std::uint32_t room = (count + users_a_step - 1) / users_a_step * users_a_step;
  for (std::uint32_t step = 0; step < steps; ++step) {
    const std::uint32_t base = first_user + (preferred + step) % steps * users_a_step;
    if (room > first_user + steps * users_a_step - base) continue;
    if (std::ranges::any_of(*claims,
                            [&](const Claim& claim) { return overlap(claim, base, room); })) {
      continue;
    }
    claims->push_back({.base = base, .count = room, .state = state.string()});
    if (auto written = write_claims(registry, *claims); !written) {
      return tl::unexpected(written.error());
    }
    return base;
  }
  return fail("no " + std::to_string(room) + " user ids in a row are free for the stack",
              "stop another stack: " + registry.string() + " says which there are");
}

void release_users(const fs::path& registry) {
  if (std::error_code error; registry.empty() || !fs::exists(registry, error)) return;
  const auto lock = lock_claims(registry);
  if (!lock) return;
  const auto claims = read_claims(registry);  // without those that are gone
  std::error_code error;
  if (claims && claims->empty()) {
    fs::remove(registry, error);
  } else if (claims) {
    static_cast<void>(write_claims(registry, *claims));
  }
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

std::vector<ProcessId> strays_in(const fs::path& state) {
  std::vector<ProcessId> strays;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) continue;
    const fs::path directory = fs::read_symlink(entry.path() / "cwd", error);
    if (error || directory.parent_path() != state / "work") continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    // Only leaders of sessions of their own: what a service started goes with it.
    if (getsid(pid) != pid || pid == getsid(0)) continue;
    if (auto id = identify(pid)) strays.push_back(*id);
  }
  return strays;
}

bool runs_in(const fs::path& state) {
  return std::ranges::any_of(started_in(state),
                             [](const auto& entry) { return alive(entry.second); });
}

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

}  // namespace caisson::conformance
