#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/answers.h"
#include "installer/site/preflight.h"
#include "installer/site/probation.h"
#include "installer/site/store.h"
#include "installer/trust/chain.h"
#include "installer/verify/content.h"

namespace caisson::installer {

/// What became of a change.
struct Outcome {
  enum class Kind {
    done,         ///< the site is as it was asked for
    nothing,      ///< it was so already
    rolled_back,  ///< the site is whole and as it was before
    held,         ///< both releases leak: closed, until somebody waives it or goes back
  };
  Kind kind = Kind::done;
  std::string release;            ///< that is installed now; empty for none
  std::optional<Refusal> why;     ///< why it was rolled back
  Isolation isolation;            ///< of an install or an update that was done
  std::vector<std::string> kept;  ///< where nothing is installed now: what is left, and why
};

/// What becomes of a change to what is there already.
[[nodiscard]] Outcome nothing_to_do(std::string release);

/// A bundle that is to be installed, as far as it has been verified for the site.
struct Delivery {
  const VerifiedBundle& bundle;
  const Reading& reading;
  bool again = false;   ///< also when it was tried here and rolled back
  bool staged = false;  ///< it lies on this host's disk already, where `stage` has put it
  Answers answers;      ///< what the site answers now; the rest is kept, or as the release says
};

// Each of these writes down what it does before it does it, so that `recover` can finish or undo
// it. When a step fails before the change is committed, it is undone at once; a refusal says that
// not even that was possible, or that nothing was begun. The caller holds the site's lock.

/// Installs a release where none is installed.
[[nodiscard]] Checked<Outcome> install(const Premises& premises, const Delivery& delivery);

/// Replaces the installed release by a newer one, or by the newest that was here.
[[nodiscard]] Checked<Outcome> update(const Premises& premises, const Delivery& delivery);

/// Puts a newer release on this host's disk, whole, to be updated to later. Nothing that runs is
/// touched.
[[nodiscard]] Checked<Outcome> stage(const Premises& premises, const Delivery& delivery);

/// Goes back to the release that was installed before: programs and configuration, but not data.
/// An update that is held is taken back with its data.
[[nodiscard]] Checked<Outcome> roll_back(const Premises& premises);

/// The release that `roll_back` would go to.
[[nodiscard]] Checked<StagedRelease> older_release(const Premises& premises,
                                                   const Journal& journal);

/// Opens an update that is held, since a release key has signed a waiver for it. `signature` is the
/// detached signature of `text`; the keys are those of `root`.
[[nodiscard]] Checked<Outcome> waive(const Premises& premises, const TrustedRoot& root,
                                     std::string_view text, std::string_view signature);

/// Removes the product, with or without its data and secrets; and what an earlier uninstall has
/// kept, or an install that failed.
[[nodiscard]] Checked<Outcome> uninstall(const Premises& premises, bool keep_data);

/// Finishes a change that was interrupted after it was committed, and undoes any other. Once is
/// the same as twice.
[[nodiscard]] Checked<Outcome> recover(const Premises& premises);

}  // namespace caisson::installer
