// SE: secrets of one tenant, or of the stack, where others could see them.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include "base/files.h"
#include "base/percent.h"
#include "conformance/probe/applies.h"
#include "conformance/probe/disguise.h"
#include "conformance/probe/probe.h"
#include "conformance/probe/provision.h"
#include "conformance/report/figures.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

/// Canaries whose sink is a secret, in any bytes; row, header and log canaries may stand in an
/// operator's files.
std::string secrets_in(const Arena& arena, std::string_view bytes) {
  std::string out;
  for (const Sighting& seen : arena.scanner().scan(bytes)) {
    const Canary& canary = arena.scanner().canaries()[seen.canary];
    if (canary.text.starts_with("CAISSON-") && canary.sink != "row") continue;
    const std::string text = canary.sink + " of " + canary.tenant;
    if (out.find(text) == std::string::npos) out += (out.empty() ? "" : ", ") + text;
  }
  return out;
}

void secret_files(Examination& e) {
  if (e.same_instance()) return e.skip("one process serves both: it has the secrets of neither");
  for (const fs::path& path : e.victim().instance->secret_files) {
    const auto& mine = e.attacker().instance->secret_files;
    if (std::ranges::find(mine, path) != mine.end()) continue;  // planned for both
    const auto own = opened_by(*e.victim().instance, path);
    if (!own || *own != "allowed") {
      e.inconclusive(e.victim().instance->name + " itself cannot open " + path.filename().string() +
                     ": " + (own ? *own : own.error().text()));
      continue;
    }
    const auto seen = opened_by(*e.attacker().instance, path);
    e.expect("open " + path.filename().string() + " as " + e.attacker().instance->name,
             seen && *seen == "EACCES", "EACCES", seen ? *seen : seen.error().text());
  }
  if (e.cell().verdict == Verdict::pass && e.cell().observations == 0)
    e.skip(e.arena().stack().target == "local"
               ? e.victim().instance->name + " is given no secret that " +
                     e.attacker().instance->name + " lacks"
               : "where a container has its secrets is not known here");
}

void environment(Examination& e) {
  const pid_t pid = e.attacker().instance->process.pid;
  for (const char* name : {"environ", "cmdline"}) {
    std::string text;
    const int file =
        open(("/proc/" + std::to_string(pid) + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return e.inconclusive(std::string("cannot read ") + name + " of " +
                            e.attacker().instance->name);
    std::array<char, 4096> block{};
    for (ssize_t got = 0; (got = read(file, block.data(), block.size())) > 0;)
      text.append(block.data(), static_cast<std::size_t>(got));
    close(file);
    const std::string found = secrets_in(e.arena(), text);
    e.expect(std::string(name) + " of " + e.attacker().instance->name, found.empty(), "no secret",
             found.empty() ? "none in " + people_bytes(text.size()) : found);
  }
}

void references(const Arena& arena, std::vector<Cell>& cells) {
  for (const auto& [attacker, victim] : arena.pairs()) {
    Examination e(arena, *attacker, *victim);
    e.begin();
    const plan::Instance* instance = arena.plan().instance(attacker->instance->name);
    std::size_t looked = 0;
    if (instance != nullptr) {
      for (const auto& mount : instance->secrets) {
        for (const plan::Secret& secret : arena.plan().secrets) {
          if (secret.name != mount.secret) continue;
          ++looked;
          const bool foreign = secret.tenant && *secret.tenant != attacker->slug;
          e.expect(instance->name + " is given " + secret.name, !foreign, "a secret of nobody else",
                   secret.tenant ? "a secret of " + *secret.tenant : "a secret of the deployment");
        }
      }
    }
    if (looked == 0)
      e.inconclusive("the plan gives " + attacker->instance->name + " no secret to look at");
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

void generated_files(const Arena& arena, std::vector<Cell>& cells) {
  const auto [attacker, victim] = arena.pairs().front();
  Examination e(arena, *attacker, *victim);
  e.begin();
  std::error_code error;
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(arena.stack().state, error)) {
    const std::string relative = entry.path().lexically_relative(arena.stack().state).string();
    const bool generated = !relative.starts_with("secrets") && !relative.starts_with("data") &&
                           !relative.starts_with("logs") && relative != "signing-key.pem" &&
                           !relative.starts_with("journal");
    if (!generated || !entry.is_regular_file(error)) continue;
    const auto bytes = read_file(entry.path());
    if (!bytes) continue;
    ++files;
    const std::string found = secrets_in(arena, *bytes);
    e.expect(relative, found.empty(), "no secret", found.empty() ? "none" : found);
  }
  if (files == 0) e.inconclusive("no generated file could be read");
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

void rotation(const Arena& arena, std::vector<Cell>& cells) {
  const auto thrown = make_tenant(arena, "rotate");
  if (!thrown) throw std::runtime_error(thrown.error().text());
  const Actor* other = arena.pairs().front().second;
  Examination e(arena, *thrown, *other);
  e.begin();
  const OperatorApi api = arena.operator_of(*thrown->instance);
  const auto fresh = api.make_key(thrown->slug, "caisson-" + arena.run());
  if (!fresh) throw std::runtime_error(fresh.error().text());
  arena.remember_secret(fresh->text);
  e.own("the old key before the rotation", arena.request_of(*thrown, "GET", "/v1/whoami"));
  if (auto gone = api.delete_key(thrown->slug, thrown->key_id); !gone)
    throw std::runtime_error(gone.error().text());
  e.attack({.step = "the old key after the rotation",
            .request = arena.request_of(*thrown, "GET", "/v1/whoami"),
            .refusals = {"401 invalid-credential"}});
  HttpRequest with_new = arena.request_of(*thrown, "GET", "/v1/whoami");
  with_new.headers.front().second = "Bearer " + fresh->text;
  e.own("the new key", with_new);
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

void logs_and_arguments(const Arena& arena, std::vector<Cell>& cells) {
  const auto [attacker, victim] = arena.pairs().front();
  Examination e(arena, *attacker, *victim);
  e.begin();
  for (const RunningInstance& instance : arena.stack().instances) {
    if (const auto arguments =
            read_file("/proc/" + std::to_string(instance.process.pid) + "/cmdline");
        arguments) {
      const std::string found = secrets_in(arena, *arguments);
      e.expect("arguments of " + instance.name, found.empty(), "no secret",
               found.empty() ? "none" : found);
    }
    if (instance.log.empty()) continue;
    const auto log = read_file(instance.log);
    if (!log) {
      e.inconclusive("the log of " + instance.name + " cannot be read");
      continue;
    }
    arena.count_scanned(log->size());
    const std::string found = secrets_in(arena, *log);
    e.expect("log of " + instance.name, found.empty(), "no secret and no record",
             found.empty() ? "none in " + people_bytes(log->size()) : found);
  }
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

/// What answers with files or with what a service says.
bool publishes(const RunningInstance& instance) {
  return (instance.role == "service" || instance.role == "dashboard") && instance.data;
}

/// What a file of the stack begins with.
struct Kept {
  fs::path path;
  std::string head;
};

/// What lies around a service on this machine and is nobody's to read: secrets, configuration,
/// stores, logs.
std::vector<Kept> kept_around(const Arena& arena) {
  constexpr std::size_t head_size = 48;
  if (arena.stack().state.empty()) return {};  // it is not started by the harness
  std::vector<fs::path> paths;
  std::error_code error;
  for (const char* folder : {"", "secrets", "config", "logs"}) {
    for (const auto& entry : fs::directory_iterator(arena.stack().state / folder, error))
      if (entry.is_regular_file(error)) paths.push_back(entry.path());
  }
  for (const RunningInstance& instance : arena.stack().instances) {
    if (instance.role != "runtime" || instance.data_directory.empty()) continue;
    for (const char* file : {"registry.db", "audit/audit.ndjson"})
      paths.push_back(instance.data_directory / file);
  }
  std::vector<Kept> kept;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::string head(head_size, '\0');
    in.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(in.gcount()));
    if (head.starts_with("SQLite format 3")) head.resize(16);  // what follows changes
    if (head.size() >= 16) kept.push_back({path, std::move(head)});
  }
  return kept;
}

/// A service that serves a directory, whichever: each file is asked for under every name that it
/// has from there, up to its whole path, until `end`.
void served_by(Examination& e, const RunningInstance& service, const std::vector<Kept>& kept,
               std::chrono::steady_clock::time_point end) {
  for (const auto& [path, head] : kept) {
    std::string name;
    std::string given;
    std::size_t answers = 0;
    for (fs::path above = path; above.has_relative_path(); above = above.parent_path()) {
      if (std::chrono::steady_clock::now() > end)
        return e.inconclusive(service.name + " answers too slowly to be asked for every file");
      name.insert(0, "/" + percent_encoded(above.filename().string()));
      const auto answer = exchange(
          *service.data,
          {.target = name, .host = service.data->authority(), .headers = {{"Connection", "close"}}},
          within(std::chrono::seconds(10)));
      if (!answer || answer->status == 400) continue;
      ++answers;
      e.arena().count_scanned(answer->raw.size());
      if (answer->body.find(head) != std::string::npos) given = name;
    }
    if (answers == 0) continue;  // it speaks something else
    e.expect(path.filename().string() + " of the stack, of " + service.name, given.empty(),
             "not served", given.empty() ? "not served" : "served as " + given);
  }
}

/// What a service answers to whoever can reach it, where it might give away what lies around it.
void published_by(Examination& e, const RunningInstance& service) {
  const Arena& arena = e.arena();
  std::vector<std::string> files;
  for (const auto& [name, value] : arena.stack().secrets) files.push_back("secrets/" + name);
  for (const RunningInstance& other : arena.stack().instances) {
    if (other.role == "runtime") files.push_back("config/" + other.name + ".json");
  }
  for (const char* file : {"signing-key.pem", "state.json", "stack.json", ""})
    files.emplace_back(file);
  for (const char* up : {"/", "/../../", "/%2e%2e/%2e%2e/", "/..%2f..%2f"}) {
    for (const std::string& file : files) {
      const auto answer = exchange(*service.data,
                                   {.target = up + file,
                                    .host = service.data->authority(),
                                    .headers = {{"Connection", "close"}}},
                                   within(std::chrono::seconds(10)));
      const std::string step = "GET " + std::string(up) + file + " of " + service.name;
      // It may speak something else, or nothing to such a path: that shows nothing.
      if (!answer) continue;
      arena.count_scanned(answer->raw.size());
      std::string found = secrets_in(arena, answer->raw);
      const auto& key = arena.stack().signing_key;
      if (!key.empty() && answer->raw.find(key.substr(0, 64)) != std::string::npos)
        found += (found.empty() ? "" : ", ") + std::string("the key that signs tokens");
      if (answer->raw.find("state.json") != std::string::npos && file.empty())
        found += (found.empty() ? "" : ", ") + std::string("the stack's state directory");
      e.expect(step, found.empty(), "no secret",
               found.empty() ? "none in " + people_bytes(answer->raw.size()) : found);
    }
  }
}

void published(const Arena& arena, std::vector<Cell>& cells) {
  const auto [attacker, victim] = arena.pairs().front();
  Examination e(arena, *attacker, *victim);
  e.begin();
  const auto kept = kept_around(arena);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (const RunningInstance& instance : arena.stack().instances) {
    if (!publishes(instance)) continue;
    published_by(e, instance);
    served_by(e, instance, kept, end);
  }
  if (e.cell().verdict == Verdict::pass && e.cell().observations == 0)
    e.skip("no service here answers HTTP");
  e.finish();
  cells.push_back(e.control_cell());
  cells.push_back(e.cell());
}

std::optional<LeftOut> needs_services(const Arena& arena) {
  if (std::ranges::any_of(arena.stack().instances, publishes)) return std::nullopt;
  const bool planned = std::ranges::any_of(arena.plan().instances, [](const plan::Instance& i) {
    return i.role == plan::Role::service || i.role == plan::Role::dashboard;
  });
  if (planned && !arena.stack().attached.empty())
    return not_tested("site.json says of no service or dashboard where it listens");
  return "no service of the deployment runs here and listens";
}

std::optional<LeftOut> needs_generated_files(const Arena& arena) {
  if (auto reason = needs_own_stack(arena)) return reason;
  if (arena.stack().target == "local") return std::nullopt;
  return not_tested("the generated files of target " + arena.stack().target +
                    " are not kept beside the stack");
}

std::optional<LeftOut> needs_keys_and_shared(const Arena& arena) {
  if (auto reason = needs_api_keys(arena)) return reason;
  return needs_shared_instance(arena);
}

const std::vector<Probe> probes{
    {"SE1", "B's secret files, as A's process", Resource::secrets, 2, false, needs_own_users,
     secret_files},
    {"SE2", "a reference that names B's secret", Resource::secrets, 1, false, nullptr, nullptr,
     references},
    {"SE3", "secrets in A's environment and arguments", Resource::secrets, 1, false,
     needs_private_mounts, environment},
    {"SE4", "secret values in generated files", Resource::secrets, 1, false, needs_generated_files,
     nullptr, generated_files},
    {"SE5", "rotation kills the old credential", Resource::secrets, 2, true, needs_keys_and_shared,
     nullptr, rotation},
    {"SE6", "arguments and logs are clean", Resource::secrets, 1, true, needs_logs, nullptr,
     logs_and_arguments},
    {"SE7", "secrets and files of the stack in what services answer", Resource::secrets, 1, false,
     needs_services, nullptr, published},
};

}  // namespace

const std::vector<Probe>& secret_probes() { return probes; }

}  // namespace caisson::conformance
