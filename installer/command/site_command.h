#pragma once

#include <optional>
#include <string>
#include <vector>

#include "installer/command/command.h"
#include "installer/format/form.h"
#include "installer/format/moves.h"

namespace caisson::installer {

/// What is to be done to this host.
struct SiteRequest {
  Request bundle;            ///< of `install` and `update`
  std::string product;       ///< of all others; all products for `status` without one
  std::string secrets;       ///< a directory with secrets that are handed over; may be empty
  std::string answers;       ///< a file with answers to the release's questions; may be empty
  std::optional<Form> form;  ///< of `install` and `update`: in which it is to run
  AcceptedMoves moves{};     ///< of `update` and `rollback`: data that are taken along or given up
  bool dry_run = false;      ///< look whether it can be done, and write nothing
  bool again = false;
  bool keep_data = false;
  bool booting = false;
  bool stage = false;                ///< `update`: put the release on the disk, and stop
  bool apply = false;                ///< `update`: to the release that was staged
  std::string out;                   ///< `diagnose`: the file that it writes
  std::vector<std::string> without;  ///< `diagnose`: exhibits that it leaves out
  std::string
      waiver;  ///< `recover`: a file that opens an update which is held; signature beside it
};

/// The product that a bundle says it is of. What it may do is for that product's roots to say.
[[nodiscard]] Checked<std::string> product_of(const Medium& medium);

/// The form of a product that is here, or was kept; nothing where no journal says it.
[[nodiscard]] std::optional<Form> form_on_host(const std::string& product);

/// The form in which `install` or `update` would deliver a bundle whose texts verify; nothing of
/// one that is refused. A bundle of a product that is in a cluster is for that, whether it verifies
/// or not (`form_in_cluster`). Writes nothing.
[[nodiscard]] std::optional<Form> form_of_bundle(const SiteRequest& request, bool update);

// Each carries out one command on this host. Steps are told on standard error as they are done.

[[nodiscard]] Said install_bundle(const SiteRequest& request);
[[nodiscard]] Said update_from_bundle(const SiteRequest& request);
[[nodiscard]] Said roll_back_site(const SiteRequest& request);
[[nodiscard]] Said recover_site(const SiteRequest& request);
[[nodiscard]] Said uninstall_site(const SiteRequest& request);
[[nodiscard]] Said tell_status(const SiteRequest& request);

}  // namespace caisson::installer
