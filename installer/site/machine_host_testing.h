#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "installer/disk/crash_disk_testing.h"
#include "installer/site/premises.h"

namespace caisson::installer::testing {

/// A host on a machine that can crash: its systemd, its accounts, and the programs of
/// `add_release`. What systemd knows and what runs is in the machine's memory; all else is on its
/// disks, written as the real ones write it: links of enabled units, /etc/passwd and directories
/// are not synced. A runtime starts on data of its own release's version alone. While the edge
/// runs, a client writes through it before and after each call; the machine is told what was
/// acknowledged.
class MachineHost final : public Host {
 public:
  /// Of the product `shop`. `data` says which version of the data each release has.
  MachineHost(Machine& machine, std::map<std::string, std::uint64_t> data,
              Form form = Form::systemd);

  [[nodiscard]] Premises& premises() { return premises_; }
  /// Releases whose health check fails, whatever they do.
  std::set<std::string> unwell;

  /// Starts after a crash: accounts and directories, the unit that recovers, then what is enabled.
  void boot();
  /// What runs, or is enabled, and should not, or does not and should; "" when nothing. `release`
  /// is "" for none.
  [[nodiscard]] std::string fault(const std::string& release) const;
  /// Which acknowledged write is not there; "" when all are.
  [[nodiscard]] std::string lost_write() const;

  [[nodiscard]] bool is_root() const override { return true; }
  [[nodiscard]] Checked<std::uint64_t> systemd_version() override { return 252; }
  [[nodiscard]] Checked<Space> space(std::string_view path) override;
  [[nodiscard]] Checked<std::vector<std::string>> mounts_below(std::string_view) override {
    return std::vector<std::string>();
  }
  [[nodiscard]] Checked<bool> is_taken(std::uint16_t) override { return false; }
  [[nodiscard]] Checked<UnitState> unit(std::string_view) override { return UnitState{}; }
  [[nodiscard]] Checked<void> make_accounts(std::string_view file) override;
  [[nodiscard]] Checked<void> make_directories(std::string_view file) override;
  [[nodiscard]] Checked<std::uint32_t> user(std::string_view name) override { return group(name); }
  [[nodiscard]] Checked<std::uint32_t> group(std::string_view name) override;
  [[nodiscard]] Checked<void> reload_units() override;
  [[nodiscard]] Checked<void> set_enabled(std::string_view unit, bool enabled) override;
  [[nodiscard]] Checked<void> start(const std::vector<std::string>& units) override;
  [[nodiscard]] Checked<void> stop(const std::vector<std::string>& units) override;
  [[nodiscard]] Checked<void> start_later(std::string_view unit) override;
  [[nodiscard]] Checked<Ended> run(const Command& command) override;
  [[nodiscard]] std::string find_program(std::string_view name) override {
    return name == "getent" ? "" : "/usr/bin/" + std::string(name);
  }
  [[nodiscard]] std::string random(std::size_t bytes) override { return std::string(bytes, 'r'); }
  [[nodiscard]] std::uint64_t now() override { return 1'800'000'000; }

 private:
  [[nodiscard]] Checked<std::vector<std::string>> unit_files() const;
  /// The release that `current` names.
  [[nodiscard]] Checked<std::string> current() const;
  [[nodiscard]] Checked<void> start_one(const std::string& unit);
  [[nodiscard]] Checked<void> start_runtime(const std::string& release);
  [[nodiscard]] bool runs(std::string_view unit) const;
  [[nodiscard]] Ended run_docker(const std::vector<std::string>& words);
  [[nodiscard]] Ended health(std::string_view release) const;
  [[nodiscard]] Ended migrate_to(std::uint64_t data);
  void write_as_client();

  Machine& machine_;
  std::map<std::string, std::uint64_t> data_of_;
  std::unique_ptr<Disk> site_;
  std::unique_ptr<Disk> data_;
  std::unique_ptr<Disk> etc_;
  std::unique_ptr<Disk> system_;
  Premises premises_;
};

}  // namespace caisson::installer::testing
