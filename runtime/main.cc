#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <unistd.h>

#include "runtime/application.h"
#include "runtime/client/backup.h"
#include "runtime/client/health.h"
#include "runtime/client/operator_command.h"
#include "runtime/context/configuration.h"
#include "runtime/context/secret_file.h"
#include "runtime/dashboard/dashboard.h"
#include "runtime/host/confine.h"
#include "runtime/host/ownership.h"
#include "runtime/host/process.h"
#include "runtime/http/server.h"
#include "runtime/migrate.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/process_meter.h"

namespace caisson::runtime {
namespace {

constexpr int fine = 0;
constexpr int unhealthy = 1;
constexpr int bad_usage = 2;
constexpr int bad_environment = 3;

constexpr std::string_view usage =
    "usage: caisson-runtime serve     --config runtime.json     serve until SIGTERM (drain) or "
    "SIGINT\n"
    "       caisson-runtime check     --config runtime.json...  validate configurations\n"
    "       caisson-runtime migrate   --config runtime.json     bring registry and stores to this "
    "version's\n"
    "                                                           schema, while nobody serves them\n"
    "       caisson-runtime health    --config runtime.json     exit 0 when the data listener is "
    "ready\n"
    "       caisson-runtime health    --url URL                 exit 0 when http://... answers 2xx "
    "or\n"
    "                                                           tcp://host:port accepts\n"
    "       caisson-runtime wait      --url URL                 the same, once it does: within "
    "half a "
    "minute\n"
    "       caisson-runtime operator  --config runtime.json COMMAND   call the operator API; "
    "without\n"
    "                                                           COMMAND it lists them\n"
    "       caisson-runtime dashboard --config dashboard.json   serve the tenant dashboard\n"
    "       caisson-runtime audit verify PATH                   verify both audit logs of a "
    "directory,\n"
    "                                                           or the hash chain of one\n"
    "       caisson-runtime backup    --config backup.json      copy every tenant's data away\n"
    "       caisson-runtime restore   --config backup.json [--by-slug] SLUG[/COPY]...\n"
    "                                                           give tenants back what the newest "
    "or "
    "the\n"
    "                                                           named copy has; --by-slug: also "
    "one "
    "that an\n"
    "                                                           earlier tenant of the slug left\n"
    "       caisson-runtime own UID PATH                        give a volume to a user, if it is "
    "not its\n"
    "       caisson-runtime version\n"
    "\n"
    "SIGHUP makes `serve` load its certificate and its tenants again. Exit status: 0 fine, 1 "
    "unhealthy or "
    "verification failed,\n"
    "2 bad usage or configuration, 3 environment (port taken, disk).\n";

using Arguments = std::span<char*>;

int complain(std::string_view what, int status) {
  std::fprintf(stderr, "caisson-runtime: %.*s\n", static_cast<int>(what.size()), what.data());
  return status;
}

int misuse(const std::string& what) {
  return complain(what + "; see caisson-runtime --help", bad_usage);
}

/// The value of the one option `name`, as `--name VALUE` or `--name=VALUE`; empty when the
/// arguments are others.
std::string only_option(Arguments arguments, std::string_view name) {
  if (arguments.size() == 2 && arguments[0] == name) return arguments[1];
  const std::string_view only = arguments.size() == 1 ? arguments[0] : "";
  const bool given = only.starts_with(name) && only.substr(name.size()).starts_with('=');
  return std::string(given ? only.substr(name.size() + 1) : "");
}

/// Prints every fault of the configuration; null when there is one.
context::ConfigurationPtr load(const std::string& file,
                               context::Beside beside = context::Beside::all) {
  auto configuration = context::load_configuration(file, beside);
  if (configuration) return *configuration;
  for (const auto& fault : configuration.error()) {
    const std::string place = fault.pointer.empty() ? file : file + ": " + fault.pointer;
    std::fprintf(stderr, "%s: %s\n", place.c_str(), fault.detail.c_str());
  }
  return nullptr;
}

/// Waits for the end of the service; `reload` answers SIGHUP. True when it should drain first.
bool wait_for_end(const host::Signals& signals, const std::function<void()>& reload) {
  while (true) {
    const int signal = signals.wait();
    if (signal == SIGHUP) {
      reload();
    } else {
      return signal == SIGTERM;
    }
  }
}

/// Serves on for those who have not heard yet that this process is leaving; another SIGTERM ends
/// that early. False when SIGINT does: then there is no drain either.
bool serve_as_lame_duck(const host::Signals& signals, std::chrono::milliseconds period) {
  const auto until = std::chrono::steady_clock::now() + period;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    const int signal = signals.wait_for(left);
    if (signal == SIGTERM || signal == SIGINT) return signal == SIGTERM;
  }
}

/// What a server touches after its configuration is read: its data, and the keys, certificates and
/// tenants that it loads again when they change. Their directories, since a new file takes the old
/// one's place by rename; and where a link in them leads.
host::Reach reach_of(const context::Configuration& configuration) {
  std::error_code ignored;  // a directory that cannot be made is reported by whoever needs it
  std::filesystem::create_directories(configuration.data, ignored);
  host::Reach reach{.writable = {configuration.data}, .readable = {"/dev/urandom"}};
  const auto directory_of = [&](const std::filesystem::path& file) {
    if (file.empty()) return;
    reach.readable.push_back(file.parent_path());
    const auto led = std::filesystem::canonical(file, ignored);
    if (!led.empty()) reach.readable.push_back(led.parent_path());
  };
  if (configuration.tokens) {
    directory_of(configuration.tokens->key_file);
    directory_of(configuration.tokens->jwks_file);
  }
  directory_of(configuration.tenants_file);
  if (configuration.listen.tls) {
    directory_of(configuration.listen.tls->certificate);
    directory_of(configuration.listen.tls->key);
  }
  return reach;
}

/// Refuses all but the first of several replicas: each would keep tenants in files of its own, and
/// what one acknowledges the others would not know.
Result<void> check_replica() {
  const char* name = std::getenv("CAISSON_REPLICA");
  if (name == nullptr) return {};
  const std::string_view text = name;
  const auto ordinal = text.substr(text.rfind('-') + 1);
  if (ordinal == "0") return {};
  return fail(
      "this is replica '" + std::string(text) + "', and only the one with the number 0 may serve",
      "tenants are kept in files, and each replica would have its own: scale back to one");
}

int serve(const std::string& file) {
  const host::Signals signals;
  if (const auto alone = check_replica(); !alone) {
    return complain(alone.error().text(), bad_usage);
  }
  if (const auto hardened = host::harden_process(); !hardened) {
    return complain(hardened.error().text(), bad_environment);
  }
  const auto configuration = load(file);
  if (!configuration) return bad_usage;
  host::bound_allocator();
  auto process = std::make_unique<observe::ProcessMeter>();
  if (const auto confined = host::confine(reach_of(*configuration)); !confined) {
    return complain(confined.error().text(), bad_environment);
  }
  auto application = Application::start(configuration, STDERR_FILENO, std::move(process));
  if (!application) return complain(application.error().text(), bad_environment);
  host::notify_manager("READY=1");
  bool drain = wait_for_end(signals, [&] { (*application)->reload(); });
  host::notify_manager("STOPPING=1");
  if (drain && configuration->lame_duck_ms > 0) {
    (*application)->begin_to_leave();
    drain = serve_as_lame_duck(signals, std::chrono::milliseconds(configuration->lame_duck_ms));
  }
  (*application)->stop(drain);
  return fine;
}

/// For whoever replaces the program: after the backup, before this version serves.
int migrate(const std::string& file) {
  if (const auto hardened = host::harden_process(); !hardened) {
    return complain(hardened.error().text(), bad_environment);
  }
  const auto configuration = load(file, context::Beside::none);
  if (!configuration) return bad_usage;
  if (const auto confined =
          host::confine({.writable = {configuration->data}, .readable = {"/dev/urandom"}});
      !confined) {
    return complain(confined.error().text(), bad_environment);
  }
  const auto done = migrate_data(*configuration);
  if (!done) return complain(done.error().text(), bad_environment);
  for (const auto& problem : done->problems) complain(problem, bad_environment);
  std::printf("%zu stores are of this version's schema, %zu failed\n", done->stores,
              done->problems.size());
  return done->problems.empty() ? fine : bad_environment;
}

int check(const std::string& file) {
  if (!load(file)) return bad_usage;
  std::printf("%s: fine\n", file.c_str());
  return fine;
}

/// Looks at every file, whatever is found in one.
int check_each(Arguments files) {
  int status = fine;
  for (const char* file : files) status = std::max(status, check(file));
  return status;
}

int health(const std::string& file) {
  const auto configuration = load(file, context::Beside::none);
  if (!configuration) return bad_usage;
  return client::is_ready(configuration->listen.data, configuration->listen.tls.has_value())
             ? fine
             : unhealthy;
}

int health_of(const std::string& url) {
  const auto healthy = client::is_healthy(url);
  if (!healthy)
    return misuse("`" + url + "` is neither http://host[:port][/path] nor tcp://host:port");
  return *healthy ? fine : unhealthy;
}

/// A new container may be up before the network knows what it may reach.
int wait_for(const std::string& url) {
  constexpr std::chrono::seconds patience{30};
  const auto until = std::chrono::steady_clock::now() + patience;
  int status = health_of(url);
  while (status == unhealthy && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    status = health_of(url);
  }
  return status == unhealthy ? complain(url + " was not healthy within 30 s", unhealthy) : status;
}

int serve_dashboard(const std::string& file) {
  const host::Signals signals;
  if (const auto hardened = host::harden_process(); !hardened) {
    return complain(hardened.error().text(), bad_environment);
  }
  const auto text = context::read_small_file(file);
  if (!text) return complain(text.error().text(), bad_usage);
  const auto configuration = dashboard::parse_configuration(*text);
  if (!configuration) return complain(file + ": " + configuration.error().text(), bad_usage);
  auto server =
      http::Server::start({.listen = configuration->listen}, dashboard::handler(*configuration));
  if (!server) return complain(server.error().text(), bad_environment);
  host::notify_manager("READY=1");
  if (wait_for_end(signals, [] {})) server->drain(std::chrono::seconds(10));
  return fine;
}

/// Takes `--config FILE` or `--config=FILE` off the beginning; empty when it is not there.
std::string take_config(Arguments& arguments) {
  const bool split = !arguments.empty() && arguments[0] == std::string_view("--config");
  const std::size_t taken = split ? 2 : 1;
  if (arguments.size() < taken) return {};
  std::string file = only_option(arguments.first(taken), "--config");
  arguments = arguments.subspan(taken);
  return file;
}

int operate(Arguments arguments) {
  const std::string file = take_config(arguments);
  if (file.empty()) return misuse("`operator` takes `--config FILE` first");
  const auto configuration = load(file, context::Beside::secrets);
  if (!configuration) return bad_usage;
  return client::run_operator_command(*configuration, arguments);
}

int run_backup(const std::string& file) {
  if (const auto hardened = host::harden_process(); !hardened) {
    return complain(hardened.error().text(), bad_environment);
  }
  const auto settings = client::load_backup_settings(file);
  if (!settings) return complain(settings.error().text(), bad_usage);
  const auto report = client::back_up(*settings);
  if (!report) return complain(report.error().text(), bad_environment);
  for (const auto& problem : report->problems) complain(problem, fine);
  std::printf("%zu tenants backed up, %zu failed\n", report->saved, report->problems.size());
  return report->problems.empty() ? fine : unhealthy;
}

int run_restore(Arguments arguments) {
  const std::string file = take_config(arguments);
  if (file.empty()) return misuse("`restore` takes `--config FILE` first");
  const bool by_slug = !arguments.empty() && arguments[0] == std::string_view("--by-slug");
  if (by_slug) arguments = arguments.subspan(1);
  if (arguments.empty()) return misuse("`restore` takes the slugs of tenants");
  if (const auto hardened = host::harden_process(); !hardened) {
    return complain(hardened.error().text(), bad_environment);
  }
  const auto settings = client::load_backup_settings(file);
  if (!settings) return complain(settings.error().text(), bad_usage);
  int status = fine;
  for (const std::string_view word : arguments) {
    const auto slash = std::min(word.find('/'), word.size());
    const client::CopyToRestore copy{
        .slug = std::string(word.substr(0, slash)),
        .id = std::string(word.substr(std::min(slash + 1, word.size()))),
        .by_slug = by_slug};
    const auto restored = client::restore_copy(*settings, copy);
    if (restored) {
      std::printf("%s has what the copy %s has\n", copy.slug.c_str(), restored->c_str());
    } else {
      status = complain("tenant " + copy.slug + ": " + restored.error().text(), unhealthy);
    }
  }
  return status;
}

/// One line on a log: whether its chain is whole, and what it covers.
void print_verification(const char* name, const observe::AuditVerification& found) {
  using Number = unsigned long long;
  if (!found.valid) {
    std::printf("%sbroken at record %llu: %s\n", name, Number{found.broken_at},
                found.reason.c_str());
  } else {
    std::printf("%s%llu records, the chain is whole", name, Number{found.records});
    if (found.records > 0)
      std::printf("; complete from %s to %s", found.from.c_str(), found.to.c_str());
    if (found.retired > 0)
      std::printf("; records 1 to %llu were retired before", Number{found.retired});
    std::printf("\n");
  }
}

int verify_audit(const std::string& path) {
  const auto report = observe::verify_audit(path);
  if (!report) return complain(report.error().text(), bad_environment);
  print_verification(report->refusals ? "operations: " : "", report->operations);
  if (report->refusals) print_verification("refusals: ", *report->refusals);
  return report->valid() ? fine : unhealthy;
}

int take_ownership(Arguments arguments) {
  std::uint32_t user = 0;
  const std::string_view text = arguments.size() == 2 ? arguments[0] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), user);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return misuse("`own` takes `UID PATH`");
  }
  if (const auto done = host::own(arguments[1], user); !done) {
    return complain(done.error().text(), bad_environment);
  }
  return fine;
}

int run(Arguments arguments) {
  static const std::map<std::string_view, int (*)(const std::string&)> with_config{
      {"serve", serve},   {"check", check},       {"migrate", migrate},
      {"health", health}, {"backup", run_backup}, {"dashboard", serve_dashboard}};
  if (arguments.empty()) {
    std::fwrite(usage.data(), 1, usage.size(), stderr);
    return bad_usage;
  }
  const std::string command = arguments[0];
  const Arguments rest = arguments.subspan(1);
  if (command == "--help" || command == "-h" || command == "help") {
    std::fwrite(usage.data(), 1, usage.size(), stdout);
    return fine;
  }
  if ((command == "version" || command == "--version") && rest.empty()) {
    std::puts("caisson-runtime " CAISSON_VERSION);
    return fine;
  }
  if (command == "audit") {
    if (rest.size() != 2 || rest[0] != std::string_view("verify")) {
      return misuse("`audit` takes `verify PATH`");
    }
    return verify_audit(rest[1]);
  }
  if (command == "check" && rest.size() > 2 && rest[0] == std::string_view("--config")) {
    return check_each(rest.subspan(1));
  }
  if (command == "operator") return operate(rest);
  if (command == "restore") return run_restore(rest);
  if (command == "own") return take_ownership(rest);
  if (command == "wait") {
    const std::string url = only_option(rest, "--url");
    return url.empty() ? misuse("`wait` takes exactly `--url URL`") : wait_for(url);
  }
  const auto found = with_config.find(command);
  if (found == with_config.end()) return misuse("there is no command `" + command + "`");
  if (const std::string url = only_option(rest, "--url"); command == "health" && !url.empty()) {
    return health_of(url);
  }
  const std::string file = only_option(rest, "--config");
  if (file.empty()) return misuse("`" + command + "` takes exactly `--config FILE`");
  return found->second(file);
}

int run_or_complain(Arguments arguments) {
  try {
    return run(arguments);
  } catch (const std::bad_alloc&) {
    return complain(
        "there is not enough memory, or too many files are open\n  remedy: allow the process more "
        "memory (limits.memory) or open files (LimitNOFILE, ulimit -n)",
        bad_environment);
  } catch (const std::exception& error) {  // of threads and sockets, before anything is served
    return complain(error.what(), bad_environment);
  }
}

}  // namespace
}  // namespace caisson::runtime

#ifdef __SANITIZE_ADDRESS__
// The leak checker traces the process and reads /proc, which a confined process keeps to itself.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the sanitizer's own name for it
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
  return caisson::runtime::run_or_complain(
      {argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0)});
}
