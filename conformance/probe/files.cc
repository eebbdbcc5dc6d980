// FS: one tenant's files in another's hands.

#include "base/files.h"

#include <filesystem>
#include <fstream>

#include <boost/json.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/probe/applies.h"
#include "conformance/probe/disguise.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/targets.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

void traversal(Examination& e) {
  const Arena& arena = e.arena();
  const std::string inside = "tenants/" + e.victim().id + "/store.db";
  const std::vector<std::string> ups{
      "..%2f..%2f..%2f", "%2e%2e/%2e%2e/%2e%2e/", "..%5c..%5c",
      "%252e%252e%252f", "..%c0%af..%c0%af",      "....//....//",
      "..;/..;/",        "%2e%2e%2f%00",          "..%ef%bc%8f..%ef%bc%8f"};
  for (const std::string& up : ups) {
    for (const std::string& prefix :
         {std::string("/v1/records/"), "/v1/records/" + e.attacker().collection + "/",
          std::string("/")}) {
      e.attack({.step = "GET " + prefix + up + "...",
                .request = arena.request_of(e.attacker(), "GET", prefix + up + inside),
                .refusals = {"404 not-found", std::string(no_route), "400 invalid-parameter",
                             "400 malformed-request"}});
    }
  }
  // A snapshot's name is a path on the server's disk, too: the operator restores for the attacker.
  if (!e.same_instance() || e.arena().level() < 2) return;
  const OperatorApi api = arena.operator_of(*e.victim().instance);
  const auto snapshot = take_snapshot(arena, e.victim());
  if (!snapshot) return e.inconclusive("no snapshot could be made: " + snapshot.error().text());
  for (const std::string& name :
       {"../" + e.victim().id + "/" + *snapshot, "..%2f" + e.victim().id + "%2f" + *snapshot,
        "../../snapshots/" + e.victim().id + "/" + *snapshot + ".db"}) {
    const json::object body{{"snapshot", name}};
    const auto answer =
        api.call("POST", "/v1/tenants/" + e.attacker().slug + "/restore", json::serialize(body));
    const bool refused = answer && answer->status >= 400 && answer->status < 500;
    e.expect("restore of snapshot " + name.substr(0, 12) + "...", refused, "refused",
             answer ? answer->summary() : answer.error().text(),
             answer && answer->status < 300 ? Verdict::leak : Verdict::inconclusive);
  }
  const auto listed = arena.send(
      &e.attacker(),
      arena.request_of(e.attacker(), "GET", "/v1/records/" + e.attacker().collection), Way::direct);
  if (listed) e.received("what the attacker has afterwards", listed->raw);
}

/// Whether `mode` gives anybody but the owner anything.
bool open_to_others(unsigned mode) { return (mode & 0077U) != 0; }

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

void owned_as_planned(const Arena& arena, std::vector<Cell>& cells) {
  for (const auto& [attacker, victim] : arena.pairs()) {
    Examination e(arena, *attacker, *victim);
    e.begin();
    const RunningInstance& theirs = *victim->instance;
    const uid_t expected = theirs.user ? theirs.user->uid : geteuid();
    if (!e.same_instance() && theirs.user) {
      e.expect("users of " + attacker->instance->name + " and " + theirs.name,
               attacker->instance->user && attacker->instance->user->uid != theirs.user->uid,
               "different",
               attacker->instance->user ? std::to_string(attacker->instance->user->uid) + " and " +
                                              std::to_string(theirs.user->uid)
                                        : "unknown");
    }
    std::size_t entries = 0;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(theirs.data_directory, error)) {
      struct stat info{};
      if (lstat(entry.path().c_str(), &info) != 0 || S_ISLNK(info.st_mode)) continue;
      ++entries;
      if (info.st_uid == expected && !open_to_others(info.st_mode)) continue;
      e.expect(entry.path().lexically_relative(theirs.data_directory).string(), false,
               "owner " + std::to_string(expected) + " alone",
               "owner " + std::to_string(info.st_uid) + ", mode " + octal(info.st_mode));
    }
    e.expect("files of " + theirs.name, entries > 3,
             "owned by " + std::to_string(expected) + " alone",
             std::to_string(entries) + " files and directories looked at", Verdict::inconclusive);
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

void other_instance_files(Examination& e) {
  if (e.same_instance())
    return e.skip(
        "one process serves both: files are kept apart by the database layer (DB16, FS1)");
  const fs::path directory = e.victim().instance->data_directory;
  const fs::path store = store_directory(*e.victim().instance, e.victim().id) / "store.db";
  // A container has its own files elsewhere: there these are the host's, which nobody may see.
  const bool same_paths = e.arena().stack().target == "local";
  for (const fs::path& path :
       {directory, store, directory / "registry.db", directory / "audit/audit.ndjson",
        directory / "cursor.key", e.victim().instance->config, e.victim().instance->log}) {
    // Where the owner finds nothing, nobody else's failure shows a wall.
    const auto own = opened_by(*e.victim().instance, path);
    const auto outcome = opened_by(*e.attacker().instance, path);
    if (!own || !outcome) return e.inconclusive((own ? outcome : own).error().text());
    if (same_paths && *own != "allowed" && *outcome != "allowed") continue;
    e.expect("open " + path.lexically_relative(e.arena().stack().state).string() + " as " +
                 e.attacker().instance->name,
             *outcome == "EACCES" || *outcome == "EPERM" || *outcome == "ENOENT", "EACCES",
             *outcome);
  }
  if (e.cell().observations == 0)
    e.inconclusive(e.victim().instance->name + " itself opens none of its files");
  const auto written = as_instance(*e.attacker().instance, [&] {
    const int file = open((directory / "planted").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return outcome_of(file >= 0);
  });
  if (!written) return e.inconclusive(written.error().text());
  e.expect(
      "write into the data directory of " + e.victim().instance->name,
      *written == "EACCES" || *written == "EROFS" || *written == "EPERM" || *written == "ENOENT",
      "EACCES, EROFS or invisible", *written);
}

void shared_places(Examination& e) {
  if (e.same_instance()) return e.skip("one process serves both: it has one /tmp");
  const Canary canary = make_canary(e.arena().run(), e.victim().slug, "tmp");
  for (const char* place : {"/tmp", "/dev/shm"}) {
    const std::string name = std::string(place) + "/" + canary.text;
    const auto planted = as_instance(*e.victim().instance, [&] {
      const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      return outcome_of(file >= 0);
    });
    if (!planted || *planted != "allowed") {
      e.inconclusive(std::string("nothing could be put into ") + place +
                     " of the victim: " + (planted ? *planted : planted.error().text()));
      continue;
    }
    const auto seen = as_instance(*e.attacker().instance,
                                  [&] { return outcome_of(access(name.c_str(), F_OK) == 0); });
    e.expect(std::string("a file of ") + e.victim().instance->name + " in " + place,
             seen && *seen == "ENOENT", "not visible (ENOENT)", seen ? *seen : seen.error().text());
    static_cast<void>(
        as_instance(*e.victim().instance, [&] { return outcome_of(unlink(name.c_str()) == 0); }));
  }
  std::ifstream limits("/proc/" + std::to_string(e.victim().instance->process.pid) + "/limits");
  std::string core;
  for (std::string line; std::getline(limits, line);) {
    if (line.starts_with("Max core file size")) core = line;
  }
  e.expect("core files of " + e.victim().instance->name, core.find(" 0 ") != std::string::npos,
           "limit 0", core, Verdict::leak);
}

std::optional<LeftOut> no_uploads(const Arena& /*arena*/) {
  return "tenants give no archives and own no directories in this plan";
}

std::optional<LeftOut> needs_users_and_files(const Arena& arena) {
  if (auto reason = needs_own_users(arena)) return reason;
  return needs_data_directories(arena);
}

/// Containers of one image share a user: what keeps their files apart is that they do not see them
/// (FS4).
std::optional<LeftOut> needs_files_of_own_users(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  if (arena.stack().target != "local") {
    return "instances of target " + arena.stack().target +
           " share a user and see no files of others";
  }
  return needs_data_directories(arena);
}

const std::vector<Probe> probes{
    {"FS1", "encoded ../ in paths, collections and snapshot names", Resource::files, 1, false,
     nullptr, traversal},
    {"FS2", "symlink race", Resource::files, 2, false, no_uploads},
    {"FS3", "archive traversal", Resource::files, 2, false, no_uploads},
    {"FS4", "the files of B's instance, as A's process", Resource::files, 2, false,
     needs_users_and_files, other_instance_files},
    {"FS6", "owner and mode of every file exactly as planned", Resource::files, 1, false,
     needs_files_of_own_users, nullptr, owned_as_planned},
    {"FS7", "/tmp, /dev/shm and core files", Resource::files, 2, false, needs_private_mounts,
     shared_places},
};

}  // namespace

const std::vector<Probe>& file_probes() { return probes; }

}  // namespace caisson::conformance
