#include "installer/site/doctor.h"

#include <algorithm>
#include <map>

#include "base/printable.h"
#include "installer/format/words.h"
#include "installer/site/answers.h"
#include "installer/site/containers.h"
#include "installer/site/left.h"
#include "installer/site/preflight.h"
#include "installer/site/probation.h"
#include "installer/site/roots.h"
#include "installer/site/settings.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
namespace {

using Level = Finding::Level;

constexpr Word<Level> kLevels[] = {
    {"ok", Level::ok}, {"note", Level::note}, {"fault", Level::fault}};

/// A text of the host that may have several lines, as one.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return printable(text);
}

/// The most files of the configuration that are compared, and of findings of one kind.
constexpr std::size_t kMostCompared = std::size_t{1} << 20;
constexpr std::size_t kMostNamed = 20;
/// More often than this within its life, a unit does not run well.
constexpr std::uint64_t kFewRestarts = 3;

class Doctor {
 public:
  explicit Doctor(const Premises& premises) : premises_(premises), site_(premises.disks.site) {}

  std::vector<Finding> examine() {
    host();
    const auto journal = load_journal(site_);
    if (!journal) {
      fault("journal", journal.error(),
            "keep the file, it alone says what is installed, and send it to the vendor");
    } else if (!*journal || (*journal)->installed.empty()) {
      note("journal", "nothing is installed");
      left();
    } else if (at_rest(**journal)) {
      release(**journal);
    }
    return std::move(findings_);
  }

 private:
  void add(Level level, std::string what, std::string is, std::string remedy = {}) {
    findings_.push_back({level, std::move(what), std::move(is), std::move(remedy)});
  }
  void ok(std::string what, std::string is) { add(Level::ok, std::move(what), std::move(is)); }
  void note(std::string what, std::string is) { add(Level::note, std::move(what), std::move(is)); }
  void fault(std::string what, std::string is, std::string remedy) {
    add(Level::fault, std::move(what), std::move(is), std::move(remedy));
  }
  void fault(std::string what, const Refusal& why, std::string remedy) {
    fault(std::move(what), why.what, std::move(remedy));
  }
  /// What cannot be read, with the remedy of its code.
  void unread(std::string what, const Refusal& why) {
    fault(std::move(what), why.what, std::string(entry_of(why.code).remedy));
  }
  [[nodiscard]] std::string place(std::string_view name) const {
    return below(premises_.prefix(), name);
  }

  void host() {
    const auto version = premises_.host.systemd_version();
    if (!version) {
      unread("systemd", version.error());
    } else if (*version < kOldestSystemd) {
      fault("systemd", "version " + std::to_string(*version),
            "update the system: version " + std::to_string(kOldestSystemd) +
                " is the oldest whose units keep tenants apart");
    } else {
      ok("systemd", "version " + std::to_string(*version));
    }
    if (premises_.form == Form::compose) engine();
    const auto mounts = own_mounts(premises_.host, premises_.product);
    if (!mounts) {
      unread("mounts", mounts.error());
    } else if (!mounts->empty()) {
      fault("mounts", mounts->front() + " is a file system of its own",
            std::string(entry_of(Code::own_mount).remedy));
    } else {
      ok("mounts", "none below the product's directories");
    }
    for (const auto& path : {premises_.prefix(), premises_.data()}) {
      const auto space = premises_.host.space(path);
      if (!space) {
        unread("space in " + path, space.error());
      } else if (space->bytes < kLittleSpace || space->inodes < kFewInodes) {
        fault("space in " + path, text_of(*space), "free space: a service that cannot write stops");
      } else {
        ok("space in " + path, text_of(*space));
      }
    }
  }

  void engine() {
    const auto rows = container_requirements(premises_.host, nullptr);
    if (!rows) return unread("Docker", rows.error());
    for (const auto& row : *rows) {
      if (row.met) {
        ok(row.what, row.has);
      } else {
        fault(row.what, row.has, "systemctl start docker; install what is missing of it");
      }
    }
  }

  static std::string text_of(const Space& space) {
    return std::to_string(space.bytes / 1'000'000) + " MB" +
           (space.inodes >= kLargestNumber ? "" : ", " + std::to_string(space.inodes) + " inodes");
  }

  void left() {
    const auto left = left_on(premises_);
    if (!left) return unread("what is left", left.error());
    for (const auto& each : *left) {
      note("left",
           each + "; `caisson-install uninstall --product " + premises_.product + "` removes it");
    }
  }

  bool at_rest(const Journal& journal) {
    const auto& flight = journal.flight;
    for (const auto& refused : journal.refused) {
      note("refused release", refused.release + " for " + refused.code);
    }
    if (!journal.staged.empty()) note("staged release", journal.staged);
    if (!flight) {
      ok("journal", "at rest");
      return true;
    }
    const auto recover = "`caisson-install recover --product " + premises_.product + "`";
    const auto is = "'" + std::string(to_text(flight->change)) + "' has come to '" +
                    std::string(to_text(flight->step)) + "'";
    if (flight->step == Step::held) {
      fault("journal", is + ": both releases leak, and nobody is served",
            "`caisson-install rollback --product " + premises_.product +
                "` goes back; `recover --waiver FILE` opens it");
    } else if (flight->step == Step::committed && flight->change != Change::uninstall) {
      fault("journal", is + ": the release did not open", "repeat " + recover);
    } else {
      fault("journal", is, recover + " finishes or undoes it, unless a caisson-install is at work");
    }
    return false;
  }

  void users(const StagedRelease& release) {
    const auto account =
        container_accounts({premises_.host, premises_.disks.system}, container_users(release));
    if (!account) return unread("accounts", account.error());
    if (account->met) {
      ok(account->what, account->has);
    } else {
      fault(account->what, account->has, std::string(entry_of(account->code).remedy));
    }
  }

  void release(const Journal& journal) {
    trust();
    const auto now = load_release(premises_, journal.installed);
    if (!now) return unread("release " + journal.installed, now.error());
    if (premises_.form == Form::compose) users(*now);
    whole(journal.installed, Level::fault);
    if (!journal.previous.empty()) whole(journal.previous, Level::note);
    if (const auto date = now->manifest.date; premises_.host.now() < date) {
      fault("clock", "it is before the release's date",
            "set the clock: certificates and tokens depend on it");
    }
    leftovers(journal);
    links();
    secrets(now->needs);
    settings(*now);
    unit_files(journal.installed);
    units(now->needs);
    answers(*now);
  }

  void trust() {
    const auto root = load_roots(site_, kRoots);
    const std::string remedy = "`caisson-install trust update` takes the roots again";
    if (!root) return fault("roots", root.error(), remedy);
    if (!*root) return fault("roots", "the site keeps none", remedy);
    ok("roots", "root " + std::to_string((*root)->root().version));
  }

  void whole(const std::string& release, Level level) {
    const auto sum = check_installed(site_, release);
    if (sum) {
      return ok("release " + release, std::to_string(sum->files) + " files are as installed");
    }
    add(level, "release " + release, sum.error().what,
        level == Level::fault
            ? "look whom the disk and the audit log blame; `rollback`, then `update` with the "
              "bundle, puts the files there again"
            : "");
  }

  /// At rest nothing of a change is there.
  void leftovers(const Journal& journal) {
    std::vector<std::string> found;
    for (const auto name : {kIncoming, kSpare}) {
      if (const auto there = site_.status(name); there && *there) found.push_back(place(name));
    }
    for (const auto name : {".before", ".dropped"}) {
      const auto there = premises_.disks.data.status(name);
      if (there && *there) found.push_back(below(premises_.data(), name));
    }
    if (const auto releases = site_.list(kReleases)) {
      for (const auto& name : *releases) {
        if (name != journal.installed && name != journal.previous && name != journal.staged) {
          found.push_back(place(release_path(name)));
        }
      }
    }
    for (const auto& path : found) {
      note("left of a change", path + "; the next update removes it");
    }
  }

  void links() {
    for (const auto& [path, target] :
         {std::pair("bin", "current/tree/bin"), std::pair("etc", "current/etc"),
          std::pair("caisson-install", "current/caisson-install")}) {
      const auto is = site_.target(path);
      if (is && *is == target) continue;
      fault("link " + place(path), is ? "it names " + *is : is.error().what,
            "ln -sfn " + std::string(target) + " " + place(path));
    }
    const auto journal = load_journal(site_);
    const auto is = site_.target(kCurrent);
    if (journal && *journal && is && *is == release_path((*journal)->installed)) {
      return ok("links", "they name the installed release");
    }
    fault("link " + place(kCurrent), is ? "it names " + *is : is.error().what,
          "the journal says what is installed: `caisson-install status`; make the link name it");
  }

  void secrets(const SiteNeeds& needs) {
    std::size_t fine = 0;
    const bool shared = premises_.form == Form::compose;
    const unsigned mode = shared ? 0440 : 0600;
    const std::uint32_t group = shared ? kContainerGroup : 0;
    for (const auto& secret : needs.secrets) {
      const auto path = below(kSecrets, secret.name);
      const auto status = site_.status(path);
      const auto what = "secret " + place(path);
      if (!status) {
        unread(what, status.error());
      } else if (!*status || (*status)->kind != Status::Kind::file) {
        fault(what, "it is not there",
              secret.source == SiteSecret::Source::generated
                  ? "restore it from a backup of this host"
                  : "put it there again: root's, mode 0600");
      } else if ((*status)->mode != mode || (*status)->uid != 0 || (*status)->gid != group) {
        fault(what,
              shared ? "others than root and containers may read it, or it is not root's"
                     : "others than root may read it, or it is not root's",
              "chown root:" + std::to_string(group) + " and chmod " +
                  (group == 0 ? "0600" : "0440") + "; make a new one if somebody may have read it");
      } else {
        ++fine;
      }
    }
    if (fine == needs.secrets.size()) ok("secrets", std::to_string(fine) + " are there, root's");
  }

  void settings(const StagedRelease& release) {
    const auto directory = release_path(release.name);
    std::vector<std::string> changed;
    const std::string configuration = release.form == Form::compose ? "compose" : "systemd/config";
    const auto answers = kept_answers(site_, &release);
    if (!answers) unread("answers", answers.error());
    for (const auto& file : release.needs.settings) {
      const auto path = directory + "/etc/" + file.path;
      const auto status = site_.status(path);
      const auto what = "configuration " + place(path);
      if (!status) {
        unread(what, status.error());
        continue;
      }
      if (!*status) {
        fault(what, "it is not there",
              release.manifest.questions.empty()
                  ? "copy it from the release's tree, below " + configuration
                  : "copy it from the release's tree, below " + configuration +
                        ", with what answers.env says in the places of `${answer:...}`");
        continue;
      }
      const auto group = premises_.host.group(file.group);
      if ((*status)->mode != file.mode || (group && (*status)->gid != *group)) {
        fault(what, "it has another mode or group",
              "chgrp " + file.group + " and chmod " + (file.mode == 0640 ? "0640" : "0644"));
      }
      const auto is = read_file(site_, path, kMostCompared);
      if (!answers) continue;
      const auto was = pristine(site_, release, file.path, *answers);
      if (!was) unread(what, was.error());
      if (is && was && *was && *is != **was) changed.push_back(file.path);
    }
    for (const auto& path : named(std::move(changed))) {
      note("configuration", path + " was changed here; it is kept over updates");
    }
  }

  static std::vector<std::string> named(std::vector<std::string> names) {
    if (names.size() <= kMostNamed) return names;
    const auto more = names.size() - kMostNamed;
    names.resize(kMostNamed);
    names.push_back(std::to_string(more) + " more");
    return names;
  }

  void unit_files(const std::string& release) {
    const auto files = files_below_etc(premises_, release);
    if (!files) return unread("unit files", files.error());
    std::size_t fine = 0;
    for (const auto& [path, text] : *files) {
      const auto is = read_file(premises_.disks.etc, path, kMostCompared);
      if (is && *is == text) {
        ++fine;
        continue;
      }
      fault("file /etc/" + path, is ? "it is not what the release brings" : is.error().what,
            "copy it from the release's tree, and `systemctl daemon-reload`; changes of "
            "your own belong into drop-ins (`systemctl edit`)");
    }
    if (fine == files->size()) ok("unit files", std::to_string(fine) + " are the release's");
  }

  void units(const SiteNeeds& needs) {
    auto units = needs.services;
    if (!needs.edge.empty()) units.push_back(needs.edge);
    units.push_back(needs.target);
    const auto log = "`journalctl --namespace " + premises_.product + " -u ";
    for (const auto& unit : units) {
      const auto state = premises_.host.unit(unit);
      const auto what = "unit " + unit;
      if (!state) {
        unread(what, state.error());
        continue;
      }
      if (!state->drop_ins.empty() &&
          state->drop_ins != "/etc/systemd/system/" + unit + ".d/image.conf") {
        note(what, "it is changed by " + state->drop_ins);
      }
      if (state->file != "/etc/systemd/system/" + unit) {
        fault(what, "systemd reads it from '" + state->file + "'",
              "remove that file, and `systemctl daemon-reload`");
      } else if (state->active != "active") {
        fault(what, "it is " + state->active,
              log + unit + "` says why; `systemctl start " + needs.target + "` starts it");
      } else if (state->restarts > kFewRestarts) {
        fault(what, "it was restarted " + std::to_string(state->restarts) + " times",
              log + unit + "` says why");
      } else {
        ok(what, "active");
      }
    }
    for (const auto& unit : {needs.target, recover_unit(premises_.product)}) {
      const auto state = premises_.host.unit(unit);
      if (state && state->enabled == "enabled") continue;
      fault("boot", unit + " is not enabled", "systemctl enable " + unit);
    }
  }

  /// Whether what runs does what it is for.
  void answers(const StagedRelease& release) {
    if (!release.needs.door.empty()) {
      const auto closed = release.needs.door + "/closed";
      const auto there = premises_.disks.data.status(closed);
      if (there && *there) {
        fault("edge", "it is closed, and no change is in work",
              "rm " + below(premises_.data(), closed));
      }
    }
    for (const auto port : ports(release)) {
      const auto taken = premises_.host.is_taken(port);
      const auto what = "port " + std::to_string(port);
      if (!taken) {
        unread(what, taken.error());
      } else if (!*taken) {
        fault(what, "nobody listens there", "look at the edge's unit");
      } else {
        ok(what, "somebody listens there");
      }
    }
    using namespace std::chrono_literals;
    const auto health = check_health(premises_, release, 0s);
    if (health) return ok("health", "every runtime answers");
    fault("health", health.error(), "`journalctl --namespace " + premises_.product + "` says why");
  }

  /// Those that the site has answered, too.
  std::vector<std::uint16_t> ports(const StagedRelease& release) {
    const auto refused = [&](const Refusal& why) {
      unread("answers", why);
      return release.needs.ports;
    };
    const auto kept = kept_answers(site_, &release);
    if (!kept) return refused(kept.error());
    const auto replies = replies_to(release.manifest, &site_, *kept, {});
    if (!replies) return refused(replies.error());
    const auto ports = ports_of(release.needs, answers_of(*replies, false));
    return ports ? *ports : refused(ports.error());
  }

  static constexpr std::uint64_t kLittleSpace = 100'000'000;
  static constexpr std::uint64_t kFewInodes = 1000;

  const Premises& premises_;
  const Disk& site_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> examine(const Premises& premises) { return Doctor(premises).examine(); }

std::string_view to_text(Level level) { return word_of(kLevels, level); }

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    std::string level(to_text(finding.level));
    level.resize(7, ' ');
    text += level + one_line(finding.what) + ": " + one_line(finding.is) + "\n";
    if (!finding.remedy.empty()) text += "       " + one_line(finding.remedy) + "\n";
  }
  return text;
}

}  // namespace caisson::installer
