#include "installer/site/machine_host_testing.h"

#include <algorithm>
#include <utility>

#include "installer/site/change.h"
#include "installer/site/store.h"
#include "installer/site/tree.h"

namespace caisson::installer::testing {
namespace {

constexpr std::string_view kUnits = "systemd/system";
constexpr std::string_view kWants = "systemd/system/multi-user.target.wants";
constexpr std::string_view kEdge = "shop-edge.service";
constexpr std::string_view kClosed = "edge_door/closed";
constexpr std::string_view kRuntime = "shop-runtime.service";
constexpr std::string_view kTarget = "shop.target";
constexpr std::string_view kVersion = "runtime/version";
constexpr std::string_view kRecords = "runtime/records";
constexpr std::string_view kAcknowledged = "acknowledged ";
constexpr std::size_t kMost = 10'000;

std::string unit_path(std::string_view unit) {
  return std::string(kUnits) + "/" + std::string(unit);
}

bool is_there(const Disk& disk, std::string_view path) {
  const auto status = disk.status(path);
  return status && *status;
}

/// Replaces a file as programs do that leave the rest to the next sync.
Checked<void> replace_hastily(Disk& disk, const std::string& path, std::string_view text) {
  if (auto done = disk.remove(path + ".tmp"); !done) return done;
  const auto file = disk.create(path + ".tmp", 0644);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->append(text); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  return disk.rename(path + ".tmp", path);
}

/// A path as systemd's tools are told it, below a disk; "" where it is none of it.
std::string below(std::string_view path, std::string_view top) {
  return path.starts_with(top) ? std::string(path.substr(top.size())) : "";
}

/// The release in a path below its directory.
std::string release_in(std::string_view path) {
  const auto from = path.find(kReleases) + kReleases.size() + 1;
  return std::string(path.substr(from, path.find('/', from) - from));
}

}  // namespace

MachineHost::MachineHost(Machine& machine, std::map<std::string, std::uint64_t> data, Form form)
    : machine_(machine),
      data_of_(std::move(data)),
      site_(machine.open("/opt/shop")),
      data_(machine.open("/var/lib/shop")),
      etc_(machine.open("/etc")),
      system_(machine.open("/")),
      premises_{.product = "shop", .disks = {*site_, *data_, *etc_, *system_}, .host = *this} {
  premises_.form = form;
  premises_.image_port = 0;
}

Checked<Space> MachineHost::space(std::string_view) {
  return Space{.device = 1, .bytes = std::uint64_t{1} << 40, .inodes = 1'000'000};
}

Checked<std::string> MachineHost::current() const {
  const auto target = site_->target(kCurrent);
  if (!target) return tl::unexpected(target.error());
  return target->substr(kReleases.size() + 1);
}

Checked<std::vector<std::string>> MachineHost::unit_files() const {
  std::vector<std::string> units;
  const auto names = etc_->list(kUnits);
  if (!names) return refuse(Code::host_command, names.error().what);
  for (const auto& name : *names) {
    const bool is_unit = name.ends_with(".service") || name.ends_with(".socket") ||
                         name.ends_with(".target") || name.ends_with(".slice");
    if (name.starts_with("shop") && is_unit) units.push_back(name);
  }
  return units;
}

bool MachineHost::runs(std::string_view unit) const {
  return machine_.memory.contains("runs " + std::string(unit));
}

// systemd-sysusers syncs the file that it renames into place, and not the directory.
Checked<void> MachineHost::make_accounts(std::string_view file) {
  const auto site = below(file, "/opt/shop/");
  const auto text =
      site.empty() ? read_file(*etc_, below(file, "/etc/"), kMost) : read_file(*site_, site, kMost);
  if (!text) return refuse(Code::host_command, text.error().what);
  if (is_there(*etc_, "passwd")) return {};
  if (auto done =
          replace_hastily(*etc_, "passwd", "shop-runtime:900\nshop-edge:901\nshop-app:902\n");
      !done) {
    return refuse(Code::host_command, done.error().what);
  }
  return {};
}

Checked<std::uint32_t> MachineHost::group(std::string_view name) {
  if (name == "root") return std::uint32_t{0};
  const auto text = read_file(*etc_, "passwd", kMost);
  if (!text) return refuse(Code::host_command, text.error().what);
  const auto at = text->find(std::string(name) + ":");
  if (at == std::string::npos) return refuse(Code::host_command, "no group " + std::string(name));
  return static_cast<std::uint32_t>(std::stoul(text->substr(at + name.size() + 1)));
}

Checked<void> MachineHost::make_directories(std::string_view file) {
  // The path of a unit file goes through the link.
  if (file.starts_with("/opt/shop/") && !current()) {
    return refuse(Code::host_command, "there is no " + std::string(file));
  }
  for (const auto* store : {"edge", "runtime"}) {
    if (is_there(*data_, store)) continue;
    if (auto made = data_->make_directory(store, 0700); !made) {
      return refuse(Code::host_command, made.error().what);
    }
    if (auto done = data_->set_owner(store, 900, 900); !done) {
      return refuse(Code::host_command, done.error().what);
    }
  }
  return {};
}

Checked<void> MachineHost::reload_units() {
  write_as_client();
  std::erase_if(machine_.memory, [](const auto& each) { return each.first.starts_with("unit "); });
  const auto units = unit_files();
  if (!units) return tl::unexpected(units.error());
  for (const auto& unit : *units) {
    const auto text = read_file(*etc_, unit_path(unit), kMost);
    if (!text) return refuse(Code::host_command, text.error().what);
    machine_.memory["unit " + unit] = *text;
  }
  return {};
}

// systemctl makes a link and syncs nothing.
Checked<void> MachineHost::set_enabled(std::string_view unit, bool enabled) {
  const auto link = std::string(kWants) + "/" + std::string(unit);
  Checked<void> done;
  if (!enabled) {
    if (is_there(*etc_, kWants)) done = etc_->remove(link);
  } else if (!is_there(*etc_, unit_path(unit))) {
    return refuse(Code::host_command, "there is no unit " + std::string(unit));
  } else {
    if (!is_there(*etc_, kWants)) done = etc_->make_directory(kWants, 0755);
    if (done && !is_there(*etc_, link)) done = etc_->symlink("../" + std::string(unit), link);
  }
  if (!done) return refuse(Code::host_command, done.error().what);
  return {};
}

Checked<void> MachineHost::start(const std::vector<std::string>& units) {
  write_as_client();
  for (const auto& unit : units) {
    if (unit == kTarget) {
      // It wants all of them, and the edge comes last.
      std::vector<std::string> wanted;
      for (const auto& [name, text] : machine_.memory) {
        if (name.starts_with("unit ") && name.ends_with(".service") &&
            !name.ends_with("-recover.service") && !name.ends_with(kEdge)) {
          wanted.push_back(name.substr(5));
        }
      }
      wanted.emplace_back(kEdge);
      for (const auto& name : wanted) {
        if (auto done = start_one(name); !done) return done;
      }
    }
    if (auto done = start_one(unit); !done) return done;
  }
  write_as_client();
  return {};
}

Checked<void> MachineHost::start_one(const std::string& unit) {
  if (runs(unit)) return {};
  auto known = machine_.memory.find("unit " + unit);
  if (known == machine_.memory.end()) {
    const auto text = read_file(*etc_, unit_path(unit), kMost);
    if (!text) return refuse(Code::host_command, text.error().what);
    known = machine_.memory.emplace("unit " + unit, *text).first;
  }
  const auto release = current();
  if (!release) return refuse(Code::host_command, release.error().what);
  if (unit == kRuntime) {
    if (auto started = start_runtime(*release); !started) {
      return refuse(Code::host_command, started.error().what);
    }
  }
  machine_.memory["runs " + unit] = *release + " " + known->second;
  return {};
}

/// As the runtime does with SQLite: what it answers for is durable, in its own directory.
Checked<void> MachineHost::start_runtime(const std::string& release) {
  const auto data = std::to_string(data_of_.at(release));
  if (!is_there(*data_, "runtime")) return refuse(Code::host_read, "no directory of the runtime");
  if (!is_there(*data_, kVersion)) {
    if (!is_there(*data_, kRecords)) {
      if (auto done = data_->make_directory(kRecords, 0700); !done) return done;
    }
    if (auto done = replace_hastily(*data_, std::string(kVersion), data); !done) return done;
    return data_->sync_directory("runtime");
  }
  const auto is = read_file(*data_, kVersion, kMost);
  if (!is) return tl::unexpected(is.error());
  if (*is != data) return refuse(Code::host_read, "the data are of version " + *is);
  return {};
}

Checked<void> MachineHost::stop(const std::vector<std::string>& units) {
  write_as_client();
  for (const auto& unit : units) {
    machine_.memory.erase("runs " + unit);
    write_as_client();
  }
  return {};
}

Checked<void> MachineHost::start_later(std::string_view unit) {
  machine_.memory["later " + std::string(unit)] = "yes";
  return {};
}

Checked<Ended> MachineHost::run(const Command& command) {
  write_as_client();
  if (command.program == find_program("docker")) return run_docker(command.arguments);
  // It asks for containers that are not well.
  if (command.program == "/bin/sh") return Ended{};
  const auto& what = command.arguments.front();
  if (what == "health") return health(release_in(command.program));
  if (what == "migrate") return migrate_to(data_of_.at(release_in(command.program)));
  return Ended{.status = what == "conform" ? 0 : 2, .output = "unknown"};
}

/// An engine that has every image.
Ended MachineHost::run_docker(const std::vector<std::string>& words) {
  const auto& what = words.front();
  if (what == "exec") {
    const auto release = current();
    return release ? health(*release) : Ended{.status = 1, .output = release.error().what};
  }
  if (what == "inspect") return {.status = 0, .output = "172.18.0.2"};
  if (what == "version") return {.status = 0, .output = "26.1.5"};
  if (what != "compose") return {};
  const auto directory = std::ranges::find(words, "--project-directory");
  return migrate_to(data_of_.at(release_in(*std::next(directory))));
}

Ended MachineHost::health(std::string_view release) const {
  const auto running = machine_.memory.find("runs " + std::string(kRuntime));
  const auto version = read_file(*data_, kVersion, kMost);
  const bool well = running != machine_.memory.end() && running->second.starts_with(release) &&
                    version && *version == std::to_string(data_of_.at(std::string(release))) &&
                    !unwell.contains(std::string(release));
  return {.status = well ? 0 : 1, .output = well ? "" : "not well"};
}

Ended MachineHost::migrate_to(std::uint64_t number) {
  const auto data = std::to_string(number);
  if (runs(kRuntime)) return {.status = 1, .output = "the runtime runs"};
  const auto is = read_file(*data_, kVersion, kMost);
  if (is && *is == data) return {};
  // In place, file after file, as a migration is that nobody may interrupt.
  const auto write = [&]() -> Checked<void> {
    const auto names = data_->list(kRecords);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      const auto path = std::string(kRecords) + "/" + name;
      const auto text = read_file(*data_, path, kMost);
      if (!text) return tl::unexpected(text.error());
      if (auto done = data_->remove(path); !done) return done;
      const auto file = data_->create(path, 0600);
      if (!file) return tl::unexpected(file.error());
      if (auto done = (*file)->append("v" + data + text->substr(2)); !done) return done;
    }
    return replace_hastily(*data_, std::string(kVersion), data);
  };
  if (auto done = write(); !done) return {.status = 3, .output = done.error().what};
  return {};
}

/// A client's write, which is acknowledged when it is durable.
void MachineHost::write_as_client() {
  const auto closed = data_->status(kClosed);
  if (!runs(kEdge) || !runs(kRuntime) || !closed || *closed) return;
  std::size_t number = 1;
  for (const auto& each : machine_.told) number += each.starts_with(kAcknowledged) ? 1 : 0;
  const auto version = read_file(*data_, kVersion, kMost);
  if (!version || number > 6) return;
  const auto name = std::string(kRecords) + "/" + std::to_string(number);
  if (is_there(*data_, name) && !data_->remove(name)) return;
  const auto file = data_->create(name, 0600);
  if (!file || !(*file)->append("v" + *version + " " + std::to_string(number)) ||
      !(*file)->sync() || !data_->sync_directory(kRecords)) {
    return;
  }
  machine_.told.push_back(std::string(kAcknowledged) + std::to_string(number));
}

std::string MachineHost::lost_write() const {
  for (const auto& each : machine_.told) {
    if (!each.starts_with(kAcknowledged)) continue;
    const auto number = each.substr(kAcknowledged.size());
    const auto text = read_file(*data_, std::string(kRecords) + "/" + number, kMost);
    const auto version = read_file(*data_, kVersion, kMost);
    if (!text || !version || *text != "v" + *version + " " + number) {
      return "the write " + number + " was acknowledged, and its record is " +
             (text ? "'" + *text + "'" : "missing: " + text.error().what);
    }
  }
  return "";
}

void MachineHost::boot() {
  machine_.memory.clear();
  if (is_there(*etc_, "sysusers.d/shop.conf")) {
    (void)make_accounts("/etc/sysusers.d/shop.conf");
    (void)make_directories("/etc/tmpfiles.d/shop.conf");
  }
  (void)reload_units();
  bool unread = false;
  const auto enabled = [&](std::string_view unit) {
    const auto link = etc_->status(std::string(kWants) + "/" + std::string(unit));
    const auto file = etc_->status(unit_path(unit));
    unread = unread || !link || !file;
    return link && *link && file && *file;
  };
  const bool recovers = enabled("shop-recover.service") && is_there(*site_, kJournal);
  const bool struck_before = !machine_.struck().empty();
  // Every unit requires the one that recovers.
  bool recovered = true;
  if (recovers) {
    premises_.booting = true;
    recovered = recover(premises_).has_value();
    premises_.booting = false;
  }
  const bool struck_in_recovery = !machine_.struck().empty() && !struck_before;
  Checked<void> started;
  if (recovered &&
      (enabled(kTarget) || machine_.memory.contains("later " + std::string(kTarget)))) {
    started = start({std::string(kTarget)});
  }
  machine_.memory.erase("later " + std::string(kTarget));
  // Where a call of the boot itself has failed, somebody boots once more.
  if ((machine_.struck().empty() && recovered) ||
      (struck_in_recovery && recovered && started && !unread)) {
    machine_.memory["is up"] = "yes";
  }
}

std::string MachineHost::fault(const std::string& release) const {
  if (!release.empty() && is_there(*data_, kClosed)) return "the edge is closed";
  for (const auto& [name, value] : machine_.memory) {
    if (!name.starts_with("runs ")) continue;
    const auto unit = name.substr(5);
    if (release.empty()) return unit + " runs, and nothing is installed";
    const auto text =
        read_file(*site_, tree_path(release, premises_.form) + "/system/" + unit, kMost);
    if (!text) return unit + " runs, and is none of " + release;
    if (value != release + " " + *text && unit != kTarget) return unit + " runs as " + value;
  }
  if (release.empty()) {
    const auto units = unit_files();
    return units->empty() ? "" : "the unit " + units->front() + " is left";
  }
  for (const auto unit : {kTarget, kEdge, kRuntime, std::string_view("shop-dashboard.service")}) {
    if (!runs(unit)) return std::string(unit) + " does not run";
  }
  for (const auto unit : {kTarget, std::string_view("shop-recover.service")}) {
    if (!is_there(*etc_, std::string(kWants) + "/" + std::string(unit))) {
      return std::string(unit) + " is not enabled";
    }
  }
  return "";
}

}  // namespace caisson::installer::testing
