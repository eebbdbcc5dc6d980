#include "installer/site/left.h"

#include <algorithm>

#include "installer/format/site.h"
#include "installer/site/tree.h"

namespace caisson::installer {

Checked<std::vector<std::string>> left_on(const Premises& premises) {
  std::vector<std::string> left;
  auto stores = premises.disks.data.list("");
  if (!stores) return tl::unexpected(stores.error());
  std::erase(*stores, kLostAndFound);
  if (!stores->empty()) left.push_back(premises.data() + ": data");
  for (const auto& [name, what] :
       {std::pair(kSecrets, "secrets"), std::pair(kGate, "reports of probes"),
        std::pair(kAnswersFile, "what was answered"), std::pair(kRoots, "whom this site trusts")}) {
    const auto there = premises.disks.site.status(name);
    if (!there) return tl::unexpected(there.error());
    if (*there) left.push_back(below(premises.prefix(), name) + ": " + what);
  }
  return left;
}

Checked<std::vector<std::string>> own_mounts(Host& host, std::string_view product) {
  std::vector<std::string> all;
  for (const auto* parent : {"/opt/", "/var/lib/"}) {
    const auto found = host.mounts_below(std::string(parent).append(product));
    if (!found) return tl::unexpected(found.error());
    all.insert(all.end(), found->begin(), found->end());
  }
  return all;
}

std::optional<Refusal> fault_of_mounts(const Premises& premises) {
  const auto mounts = own_mounts(premises.host, premises.product);
  if (!mounts) return mounts.error();
  if (mounts->empty()) return std::nullopt;
  return Refusal{Code::own_mount, mounts->front() + " is mounted there"};
}

}  // namespace caisson::installer
