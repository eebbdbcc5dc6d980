#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/site/premises.h"

namespace caisson::installer {

/// One part of what a site shows its vendor when something does not work.
struct Exhibit {
  std::string name;   ///< "log"
  std::string about;  ///< for whoever decides whether it may leave
  std::string text;   ///< lines that are fit for a terminal
};

/// The names of all exhibits, in their order.
[[nodiscard]] std::vector<std::string_view> exhibit_names();

/// Gathers what tells of the state of a product on this host, but for the exhibits named in
/// `without`. Reads only. Whatever cannot be read says so in its place. Secret answers, credentials
/// of requests and e-mail addresses are left out of the texts; each is of 1 MiB at most, the end of
/// a longer one.
[[nodiscard]] std::vector<Exhibit> gather(const Premises& premises,
                                          const std::vector<std::string>& without);

/// Why exhibits may not leave: one shows a secret of this site, a private key, or a canary of the
/// isolation probes (`Code::in_archive`). Secrets of fewer than 16 bytes cannot be told from chance
/// in the middle of a word; they are looked for as words of their own. What cannot be looked for
/// lets nothing leave.
[[nodiscard]] Checked<void> check_exhibits(const Premises& premises,
                                           const std::vector<Exhibit>& exhibits);

/// All exhibits as one text for people: a heading each, their lines indented.
[[nodiscard]] std::string to_text(const Premises& premises, const std::vector<Exhibit>& exhibits);

}  // namespace caisson::installer
