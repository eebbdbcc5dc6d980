#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/form.h"
#include "installer/format/manifest.h"

namespace caisson::installer {

/// What is being done to a site.
enum class Change { install, rollback, uninstall, update };

/// How far a change has come: each step is written down when it is done. A change that is not yet
/// `committed` is undone when it is interrupted, one that is committed is finished.
enum class Step {
  begun,
  staged,     ///< the release is on this host's disk
  verified,   ///< with its configuration, accounts and secrets
  baseline,   ///< the old release was well
  quiesced,   ///< the edge is closed and nothing runs
  backed_up,  ///< the data are there twice
  migrated,   ///< the data have the new release's form
  switched,   ///< programs, configuration and units are the new release's
  probation,  ///< the new release was well
  held,       ///< it leaks as the old one does: closed until somebody decides
  committed,  ///< it is the installed one
  opened,     ///< the edge is open
  undone,     ///< data, programs, configuration and units are the old release's again
};

/// A change in flight.
struct Flight {
  Change change = Change::install;
  Step step = Step::begun;
  std::string from;  ///< the release that was installed; empty for none
  std::string to;    ///< the release that comes; empty for none
  /// When it is uninstalled, or an install is undone: data and secrets stay, for they were there
  /// before.
  bool keep_data = false;
  /// Namespaces of the cluster that were not there when this change began, and go with it when it
  /// is undone; of the form helm alone.
  std::vector<std::string> making;
};

/// The cluster of a product in its helm form.
struct ClusterSite {
  std::string id;        ///< the UID of its namespace kube-system, which no other cluster has
  std::string space;     ///< the release's namespace
  std::string registry;  ///< "host:port/prefix" that its images come from; empty: nodes have them
  /// Helm's newest revision of the installed release that was deployed to its end; 0 for none.
  std::uint64_t revision = 0;
  std::uint64_t previous = 0;     ///< the same of the release before
  std::vector<std::string> made;  ///< namespaces that changes here have made
  std::vector<std::string> used;  ///< others in which an uninstall has kept what is there
};

/// A release that was tried on this site and rolled back.
struct RefusedRelease {
  std::string release;
  std::string code;  ///< why: "B0416"
};

/// An account that a release has made, or a group.
struct MadeAccount {
  std::string name;
  std::string instance;  ///< whose account it is: described as "PRODUCT INSTANCE"; empty: a group
  bool operator==(const MadeAccount&) const = default;
};

/// The newest release that was committed here.
struct Floor {
  Release release;
  Digest manifest{};
};

/// What a site knows of itself, and the only thing that says what is installed. Releases are named
/// as their directories are (`release_name`).
struct Journal {
  std::string product;
  Form form = Form::systemd;            ///< of everything that is installed or kept here
  std::uint64_t root = 0;               ///< version of the newest root that was kept; 0 for none
  std::optional<Floor> floor;           ///< nothing older is taken
  std::string installed;                ///< empty for none
  std::string previous;                 ///< that was installed before; empty for none
  std::string staged;                   ///< that is here to be updated to; empty for none
  std::vector<RefusedRelease> refused;  ///< the oldest first
  std::vector<MadeAccount> made;        ///< of releases that are gone, and of none that is here
  std::optional<ClusterSite> cluster;   ///< of the form helm alone
  std::optional<Flight> flight;
};

/// The most releases that are remembered as refused; older ones are forgotten.
inline constexpr std::size_t kMostRefused = 32;

/// The most accounts and groups that are remembered; older ones are forgotten.
inline constexpr std::size_t kMostMade = 4096;

/// "1.1000000-0123456789abcdef": epoch, sequence and the first 16 digits of MANIFEST's digest.
[[nodiscard]] std::string release_name(const Release& release, const Digest& manifest);
[[nodiscard]] bool is_release_name(std::string_view text);

/// Whether a journal can name an account, a group or an instance so.
[[nodiscard]] bool is_account(std::string_view text);

[[nodiscard]] std::string_view to_text(Change change);
[[nodiscard]] std::string_view to_text(Step step);

/// Reads a journal and checks what can be told from it alone.
[[nodiscard]] Checked<Journal> read_journal(std::string_view text);

/// Writes what `read_journal` reads, in its one form.
[[nodiscard]] std::string write_journal(const Journal& journal);

}  // namespace caisson::installer
