#include "installer/command/cluster_place.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/command/open_site.h"
#include "installer/site/store.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;

/// The directory that holds those of all products; empty where there is none.
std::string top_place() {
  if (geteuid() == 0) return "/opt";
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/caisson-install";
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/caisson-install";
  return {};
}

/// Root's lock is the one of every other change of a product on this host.
Checked<Descriptor> lock_of(std::string_view product, const std::string& path) {
  if (geteuid() == 0) return locked(product, false);
  const auto file = path + "/" + std::string(kClusterLock);
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (!lock) return refuse(Code::host_write, "cannot open " + file + ": " + system_words(errno));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return refuse(Code::host_busy, file + " is locked");
  }
  return lock;
}

}  // namespace

std::string cluster_place(std::string_view product) {
  const auto top = top_place();
  return top.empty() ? top : top + "/" + std::string(product);
}

bool is_in_cluster(std::string_view product) {
  const auto top = top_place();
  const auto opened = top.empty() ? Checked<std::unique_ptr<Disk>>(nullptr) : open_disk(top);
  if (!opened || *opened == nullptr) return false;
  std::vector<std::string> products{std::string(product)};
  if (product.empty()) products = (*opened)->list("").value_or(std::vector<std::string>());
  return std::ranges::any_of(products, [&](const std::string& each) {
    const auto disk = open_disk(top + "/" + each);
    if (!disk) return false;
    const auto journal = load_journal(**disk);
    return journal && *journal && (*journal)->form == Form::helm;
  });
}

Checked<std::optional<ClusterPlace>> open_cluster_place(std::string_view product, bool make) {
  const auto path = cluster_place(product);
  if (path.empty()) {
    return refuse(Code::host_lacks,
                  "neither XDG_STATE_HOME nor HOME says where to keep the journal");
  }
  const auto there = is_there(path);
  if (!there) return refuse(Code::host_read, there.error().what);
  if (!*there) {
    if (!make) return std::nullopt;
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    const unsigned mode = geteuid() == 0 ? 0755 : 0700;
    if (error || mkdir(path.c_str(), mode) != 0) {
      return refuse(Code::host_write, "cannot make " + path + ": " + system_words(errno));
    }
  }
  auto lock = lock_of(product, path);
  if (!lock) return tl::unexpected(lock.error());
  auto disk = open_disk(path);
  if (!disk) return tl::unexpected(disk.error());
  return ClusterPlace{.path = path, .lock = *std::move(lock), .disk = *std::move(disk)};
}

void remove_if_empty(const ClusterPlace& place) {
  const auto names = place.disk->list("");
  if (!names ||
      std::ranges::any_of(*names, [](const auto& each) { return each != kClusterLock; })) {
    return;
  }
  if (!names->empty() && !place.disk->remove(kClusterLock)) return;
  ::rmdir(place.path.c_str());
}

}  // namespace caisson::installer
