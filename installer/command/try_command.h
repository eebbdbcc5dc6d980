#pragma once

#include <string>

#include "installer/command/command.h"

namespace caisson::installer {

/// A release that is tried: its programs and its spec as plain processes on loopback, by whoever
/// starts it, with nothing outside of one directory.
struct TrialRequest {
  Request bundle;
  std::string directory;  ///< that holds everything; made by the trial and removed with it
  std::string answers;    ///< a file with answers to the release's questions; may be empty
};

/// Verifies a bundle, puts it into the directory, and starts it there. The bundle is read by a
/// process that has given up the network. The directory must not be there yet; of a bundle that is
/// refused nothing stays.
[[nodiscard]] Said start_trial(const TrialRequest& request);

/// Stops what `start_trial` has started, and removes the directory. One that no trial has made is
/// refused.
[[nodiscard]] Said end_trial(const TrialRequest& request);

}  // namespace caisson::installer
