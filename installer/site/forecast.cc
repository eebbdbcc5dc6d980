#include "installer/site/forecast.h"

#include "installer/site/claims.h"
#include "installer/site/left.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
namespace {

Checked<std::string> sized(const Disk& disk, std::string_view path, const std::string& shown) {
  const auto size = size_of_tree(disk, path);
  if (!size) return tl::unexpected(size.error());
  return shown + " (" + std::to_string(size->bytes) + " bytes in " + std::to_string(size->files) +
         (size->files == 1 ? " file)" : " files)");
}

/// The journal of a site that a change may begin on.
Checked<Journal> ready_journal(const Premises& premises) {
  auto journal = load_journal(premises.disks.site);
  if (!journal) return tl::unexpected(journal.error());
  if (auto fault = fault_of_mounts(premises)) return tl::unexpected(*fault);
  return journal->value_or(Journal{.product = premises.product});
}

}  // namespace

Checked<std::vector<std::string>> forecast_roll_back(const Premises& premises) {
  const auto journal = ready_journal(premises);
  if (!journal) return tl::unexpected(journal.error());
  std::vector<std::string> lines;
  if (journal->flight && journal->flight->step == Step::held) {
    lines.push_back("take back the update to the release " + journal->flight->to +
                    ", with the data as they were before it");
    return lines;
  }
  if (auto fault = fault_of_flight(*journal)) return tl::unexpected(*fault);
  const auto older = older_release(premises, *journal);
  if (!older) return tl::unexpected(older.error());
  if (const auto whole = check_installed(premises.disks.site, older->name); !whole) {
    return tl::unexpected(whole.error());
  }
  const auto units = units_of(premises, journal->installed);
  if (!units) return tl::unexpected(units.error());
  lines.push_back("go back to " + to_text(older->manifest.version) + ", the release " +
                  older->name);
  lines.emplace_back("close the edge, which answers 503 meanwhile");
  for (const auto& unit : *units) {
    if (unit.ends_with(".service")) lines.push_back("restart " + unit);
  }
  lines.emplace_back("leave the data as they are");
  return lines;
}

Checked<std::vector<std::string>> forecast_uninstall(const Premises& premises, bool keep_data) {
  auto journal = ready_journal(premises);
  if (!journal) return tl::unexpected(journal.error());
  if (auto fault = fault_of_flight(*journal)) return tl::unexpected(*fault);
  const auto left = left_on(premises);
  if (!left) return tl::unexpected(left.error());
  if (journal->installed.empty() && left->empty()) {
    return refuse(Code::not_installed, premises.prefix() + " has no release");
  }
  std::vector<std::string> lines;
  if (!journal->installed.empty()) {
    const auto files = files_below_etc(premises, journal->installed);
    if (!files) return tl::unexpected(files.error());
    for (const auto& [path, text] : *files) {
      const auto slash = path.rfind('/');
      if (path.ends_with(".service") || path.ends_with(".target")) {
        lines.push_back("stop " + path.substr(slash + 1));
      }
    }
    for (const auto& [path, text] : *files) lines.push_back("remove /etc/" + path);
    lines.push_back("remove /etc/" + premises.product);
    auto releases = sized(premises.disks.site, kReleases, below(premises.prefix(), kReleases));
    if (!releases) return tl::unexpected(releases.error());
    lines.push_back("remove " + *releases);
  }
  const auto verb = std::string(keep_data ? "keep " : "remove ");
  for (const auto& each : *left) {
    if (each.starts_with(premises.data())) {
      // Copies may be among them, where a release saves its tenants below its data.
      const auto names = premises.disks.data.list("");
      if (!names) return tl::unexpected(names.error());
      for (const auto& name : *names) {
        if (name == kLostAndFound) continue;
        auto data = sized(premises.disks.data, name, below(premises.data(), name));
        if (!data) return tl::unexpected(data.error());
        lines.push_back(verb + *data);
      }
    } else {
      lines.push_back(verb + each);
    }
  }
  const auto releases = releases_on(premises.disks.site);
  if (!releases) return tl::unexpected(releases.error());
  if (auto noted = note_accounts(premises, *journal, *releases, {}); !noted) {
    return tl::unexpected(noted.error());
  }
  const auto accounts = own_accounts(premises.disks.system, premises.product, journal->made);
  if (!accounts) return tl::unexpected(accounts.error());
  for (const auto& account : *accounts) lines.push_back("keep " + account);
  return lines;
}

}  // namespace caisson::installer
