#include "installer/host/system_host.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <new>
#include <optional>
#include <thread>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/files.h"
#include "base/random.h"
#include "installer/format/lines.h"
#include "installer/host/process.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

constexpr auto kSystemctl = "/usr/bin/systemctl";
constexpr auto kSetpriv = "/usr/bin/setpriv";
constexpr auto kTimeout = "/usr/bin/timeout";

/// How long systemd itself waits for a unit is said in the unit.
constexpr auto kUnits = 600s;

constexpr std::size_t kMostOfTable = std::size_t{16} << 20;

constexpr std::size_t kMostOfShown = std::size_t{64} << 10;

// Of a report that a program leaves.
constexpr std::size_t kMostReported = 16;
constexpr std::size_t kMostOfReport = std::size_t{4} << 20;

/// A directory of nobody else's, in memory where root makes it, that goes with everything in it.
class Shelf {
 public:
  Shelf() : path_(geteuid() == 0 ? "/run/caisson-install.XXXXXX" : "/tmp/caisson-install.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;
  ~Shelf() {
    if (!path_.empty()) (void)caisson::remove_tree(path_);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] Checked<std::map<std::string, std::string>> files() const {
    std::map<std::string, std::string> files;
    auto names = list_directory(path_);
    if (!names) return refuse(Code::host_read, names.error().what);
    std::ranges::sort(*names);
    for (const auto& name : *names) {
      if (files.size() == kMostReported) break;
      // What is no regular file, or too long, is none of the report's.
      if (auto text = caisson::read_file(path_ + "/" + name, kMostOfReport)) {
        files[name] = *std::move(text);
      }
    }
    return files;
  }

 private:
  std::string path_;
};

/// A path of /proc/self/mountinfo, where blanks and some others are written in octal digits.
std::string unescaped(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      path += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                (text[i + 3] - '0'));
      i += 3;
    } else {
      path += text[i];
    }
  }
  return path;
}

/// The fields of a line.
std::vector<std::string_view> fields_of(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const auto length = std::min(line.find(separator), line.size());
    if (length > 0 || separator != ' ') fields.push_back(line.substr(0, length));
    line.remove_prefix(std::min(length + 1, line.size()));
  }
  return fields;
}

/// Calls `each` with every line of a text.
template <class Each>
void for_lines(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size());
    each(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

class SystemHost final : public Host {
 public:
  bool is_root() const override { return geteuid() == 0; }

  Checked<std::uint64_t> systemd_version() override {
    // sd_booted(3) looks for the same directory.
    struct stat status{};
    if (lstat("/run/systemd/system", &status) != 0 || !S_ISDIR(status.st_mode)) return 0;
    const auto ended = run_process({kSystemctl, "--version"}, 30s);
    if (!ended) return tl::unexpected(ended.error());
    // "systemd 252 (252.30-1~deb12u2)"
    const auto words =
        fields_of(std::string_view(ended->output).substr(0, ended->output.find('\n')), ' ');
    const auto version =
        words.size() > 1 ? number_of(words[1].substr(0, words[1].find_first_not_of("0123456789")))
                         : std::nullopt;
    if (ended->status != 0 || !version) {
      return refuse(Code::host_command, "systemctl --version says: " + ended->output);
    }
    return *version;
  }

  Checked<Space> space(std::string_view path) override {
    std::filesystem::path place(path);
    struct stat status{};
    while (stat(place.c_str(), &status) != 0) {
      if (errno != ENOENT || place == place.root_path()) {
        return refuse(Code::host_read,
                      "cannot examine " + place.string() + ": " + system_words(errno));
      }
      place = place.parent_path();
    }
    struct statvfs left{};
    if (statvfs(place.c_str(), &left) != 0) {
      return refuse(Code::host_read,
                    "cannot examine " + place.string() + ": " + system_words(errno));
    }
    // Some file systems make inodes as they need them, and say that they have none.
    const bool counts = left.f_files > 0;
    return Space{.device = status.st_dev,
                 .bytes = left.f_bavail * left.f_frsize,
                 .inodes = counts ? left.f_favail : kLargestNumber};
  }

  Checked<std::vector<std::string>> mounts_below(std::string_view path) override {
    const auto text = table("/proc/self/mountinfo");
    if (!text) return tl::unexpected(text.error());
    std::vector<std::string> found;
    // "36 35 98:0 /mnt1 /mnt2 rw,noatime ...": the fifth is where it is mounted (proc(5)).
    for_lines(*text, [&](std::string_view line) {
      const auto fields = fields_of(line, ' ');
      if (fields.size() < 5) return;
      auto point = unescaped(fields[4]);
      if (point.starts_with(std::string(path) + "/")) found.push_back(std::move(point));
    });
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  Checked<bool> is_taken(std::uint16_t port) override {
    for (const auto* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
      const auto text = table(path);
      if (!text) return tl::unexpected(text.error());
      bool taken = false;
      // "  0: 0100007F:1F90 00000000:0000 0A ...": 0A is LISTEN.
      for_lines(*text, [&](std::string_view line) {
        const auto fields = fields_of(line, ' ');
        if (fields.size() < 4 || fields[3] != "0A") return;
        const auto colon = fields[1].rfind(':');
        const auto digits = std::string(fields[1].substr(colon + 1));
        taken = taken || std::strtoul(digits.c_str(), nullptr, 16) == port;
      });
      if (taken) return true;
    }
    return false;
  }

  Checked<void> make_accounts(std::string_view file) override {
    return done({"/usr/bin/systemd-sysusers", std::string(file)}, 60s);
  }

  Checked<void> make_directories(std::string_view file) override {
    return done({"/usr/bin/systemd-tmpfiles", "--create", std::string(file)}, 60s);
  }

  Checked<std::uint32_t> user(std::string_view name) override {
    return number_in("/etc/passwd", "account", name);
  }

  Checked<std::uint32_t> group(std::string_view name) override {
    return number_in("/etc/group", "group", name);
  }

  Checked<void> reload_units() override { return done({kSystemctl, "daemon-reload"}, 120s); }

  Checked<void> set_enabled(std::string_view unit, bool enabled) override {
    return done({kSystemctl, "--quiet", enabled ? "enable" : "disable", "--", std::string(unit)},
                120s);
  }

  Checked<UnitState> unit(std::string_view unit) override {
    const auto ended = run_process(
        {kSystemctl, "show",
         "--property=LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,NRestarts", "--",
         std::string(unit)},
        60s, kMostOfShown);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status != 0) {
      return refuse(Code::host_command, "systemctl show says: " + ended->output);
    }
    UnitState state;
    for_lines(ended->output, [&](std::string_view line) {
      const auto equals = std::min(line.find('='), line.size());
      const auto name = line.substr(0, equals);
      const auto value = std::string(line.substr(std::min(equals + 1, line.size())));
      if (name == "LoadState") state.load = value;
      if (name == "ActiveState") state.active = value;
      if (name == "UnitFileState") state.enabled = value;
      if (name == "FragmentPath") state.file = value;
      if (name == "DropInPaths") state.drop_ins = value;
      if (name == "NRestarts") state.restarts = number_of(value).value_or(0);
    });
    return state;
  }

  Checked<void> start(const std::vector<std::string>& units) override {
    if (units.empty()) return {};
    // A unit that failed too often before is not started without this.
    std::vector<std::string> words{kSystemctl, "reset-failed", "--"};
    words.insert(words.end(), units.begin(), units.end());
    if (const auto ended = run_process(words, 60s); !ended) return tl::unexpected(ended.error());
    words = {kSystemctl, "start", "--"};
    words.insert(words.end(), units.begin(), units.end());
    if (auto started = done(words, kUnits); !started) return started;
    for (const auto& unit : units) {
      const auto active = is_active(unit);
      if (!active) return tl::unexpected(active.error());
      if (!*active) return refuse(Code::host_command, unit + " does not run after it was started");
    }
    return {};
  }

  Checked<void> stop(const std::vector<std::string>& units) override {
    if (units.empty()) return {};
    std::vector<std::string> words{kSystemctl, "stop", "--"};
    words.insert(words.end(), units.begin(), units.end());
    // Its status tells of units that it does not know as well; whether they run is asked for.
    const auto stopped = run_process(words, kUnits);
    if (!stopped) return tl::unexpected(stopped.error());
    // One that has failed is stopped, too, and systemd forgets it.
    words[1] = "reset-failed";
    if (const auto ended = run_process(words, 60s); !ended) return tl::unexpected(ended.error());
    for (const auto& unit : units) {
      const auto active = is_active(unit);
      if (!active) return tl::unexpected(active.error());
      if (*active) {
        return refuse(Code::host_command, unit + " runs after it was stopped: " + stopped->output);
      }
    }
    return {};
  }

  Checked<void> start_later(std::string_view unit) override {
    return done({kSystemctl, "start", "--no-block", "--", std::string(unit)}, 60s);
  }

  Checked<Ended> run(const Command& command) override {
    std::vector<std::string> words;
    if (!command.account.empty()) {
      words = {kSetpriv,
               "--reuid=" + command.account,
               "--regid=" + command.account,
               "--clear-groups",
               "--no-new-privs",
               "--"};
    }
    words.push_back(command.program);
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    if (!command.reports) return run_patiently(command, words);
    const Shelf shelf;
    if (shelf.path().empty()) {
      return refuse(Code::host_write,
                    "cannot make a directory for the report: " + system_words(errno));
    }
    words.push_back(shelf.path());
    auto ended = run_patiently(command, words);
    if (!ended) return ended;
    auto files = shelf.files();
    if (!files) return tl::unexpected(files.error());
    ended->report = *std::move(files);
    return ended;
  }

  Checked<std::unique_ptr<Companion>> start_beside(const Command& command,
                                                   std::size_t lines) override {
    // When this program is killed, it does not run for ever.
    std::vector<std::string> words{kTimeout, "--kill-after=5", "1h", command.program};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    return start_companion(words, {.deadline = command.deadline, .as_called = command.as_called},
                           lines);
  }

  std::string find_program(std::string_view name) override {
    const char* const path = std::getenv("PATH");
    for (const auto directory : fields_of(path == nullptr ? "" : path, ':')) {
      auto place = std::string(directory) + "/" + std::string(name);
      if (directory.starts_with('/') && access(place.c_str(), X_OK) == 0) return place;
    }
    return {};
  }

  std::string random(std::size_t bytes) override { return random_bytes(bytes); }

  std::uint64_t now() override { return static_cast<std::uint64_t>(std::time(nullptr)); }

 private:
  static Checked<Ended> run_patiently(const Command& command,
                                      const std::vector<std::string>& words) {
    const auto until = std::chrono::steady_clock::now() + command.patience;
    while (true) {
      auto ended = run_process(words, {.deadline = command.deadline,
                                       .most = command.most_output,
                                       .as_called = command.as_called,
                                       .answers = command.answers});
      if (!ended || ended->status == 0 || std::chrono::steady_clock::now() >= until) return ended;
      std::this_thread::sleep_for(500ms);
    }
  }

  /// The number of a name in a table of accounts or groups.
  static Checked<std::uint32_t> number_in(const char* path, std::string_view what,
                                          std::string_view name) {
    const auto text = table(path);
    if (!text) return tl::unexpected(text.error());
    std::optional<std::uint64_t> number;
    for_lines(*text, [&](std::string_view line) {
      const auto fields = fields_of(line, ':');
      if (fields.size() >= 3 && fields[0] == name && !number) number = number_of(fields[2]);
    });
    if (!number || *number >= 0xffff'ffffU) {
      return refuse(Code::host_command,
                    "there is no " + std::string(what) + " " + std::string(name));
    }
    return static_cast<std::uint32_t>(*number);
  }

  static Checked<std::string> table(const char* path) {
    // They have no size, so that they are read to their end.
    auto text = caisson::read_file(path, kMostOfTable, Links::follow);
    if (!text) return refuse(Code::host_read, text.error().what);
    return *std::move(text);
  }

  static Checked<void> done(const std::vector<std::string>& words, std::chrono::seconds deadline) {
    const auto ended = run_process(words, deadline);
    if (!ended) return tl::unexpected(ended.error());
    if (ended->status == 0) return {};
    std::string shown;
    for (const auto& word : words) shown += (shown.empty() ? "" : " ") + word;
    return refuse(Code::host_command, shown + " ended with " + std::to_string(ended->status) +
                                          (ended->output.empty() ? "" : ": " + ended->output));
  }

  static Checked<bool> is_active(const std::string& unit) {
    const auto ended = run_process({kSystemctl, "is-active", "--", unit}, 60s);
    if (!ended) return tl::unexpected(ended.error());
    // "activating" and "deactivating" are neither: both keep what they had open.
    const std::string_view state = ended->output;
    return state != "inactive" && state != "failed" && state != "unknown";
  }
};

}  // namespace

Checked<std::unique_ptr<Companion>> Host::start_beside(const Command& command,
                                                       std::size_t /*lines*/) {
  return refuse(Code::host_command, command.program + " cannot run beside others here");
}

std::string Host::find_program(std::string_view /*name*/) { return {}; }

std::unique_ptr<Host> system_host() { return std::make_unique<SystemHost>(); }

}  // namespace caisson::installer
