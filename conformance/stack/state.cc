#include "conformance/stack/state.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <boost/json.hpp>
#include <unistd.h>

#include "conformance/stack/files.h"

namespace caisson::conformance {

namespace fs = std::filesystem;
namespace json = boost::json;

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
