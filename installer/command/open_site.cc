#include "installer/command/open_site.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "installer/host/system_host.h"
#include "installer/site/store.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

constexpr const char* kParents[] = {"/opt", "/var/lib"};

/// The journal as it stands there, whatever it says.
std::string journal_text(const Disk& site) {
  constexpr std::size_t most = std::size_t{64} * 1024;
  return read_file(site, kJournal, most).value_or("");
}

}  // namespace

Checked<Descriptor> locked(std::string_view product, bool patient) {
  const auto path = "/run/caisson-install." + std::string(product) + ".lock";
  // It is passed on to what this starts, so that nobody else begins before all of it has ended.
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (!file) {
    return refuse(errno == ELOOP || errno == EISDIR ? Code::host_in_the_way : Code::host_read,
                  "cannot open " + path + ": " + system_words(errno));
  }
  const auto until = std::chrono::steady_clock::now() + (patient ? 60s : 0s);
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return refuse(Code::host_read, "cannot lock " + path + ": " + system_words(errno));
    }
    if (std::chrono::steady_clock::now() >= until) {
      return refuse(Code::host_busy, path + " is locked");
    }
    std::this_thread::sleep_for(100ms);
  }
  return file;
}

Checked<std::optional<OpenSite>> OpenSite::open(std::string_view product, bool patient) {
  const auto path = "/opt/" + std::string(product);
  const auto there = is_there(path);
  if (!there) return refuse(Code::host_read, there.error().what);
  if (!*there) return std::nullopt;
  // Whoever is not root changes nothing, and reads what is replaced in one step.
  Descriptor lock;
  if (geteuid() == 0) {
    auto held = locked(product, patient);
    if (!held) return tl::unexpected(held.error());
    lock = *std::move(held);
  }
  auto site = watch(product);
  if (site && *site) (*site)->lock_ = std::move(lock);
  return site;
}

Checked<std::optional<OpenSite>> OpenSite::watch(std::string_view product) {
  const auto path = "/opt/" + std::string(product);
  const auto there = is_there(path);
  if (!there) return refuse(Code::host_read, there.error().what);
  if (!*there) return std::nullopt;
  OpenSite site;
  site.product_ = product;
  const auto data = "/var/lib/" + std::string(product);
  for (const auto& [disk, place] :
       {std::pair(&site.site_, path), std::pair(&site.data_, data),
        std::pair(&site.etc_, std::string("/etc")), std::pair(&site.system_, std::string("/"))}) {
    auto opened = open_disk(place);
    if (!opened) return tl::unexpected(opened.error());
    *disk = *std::move(opened);
  }
  return site;
}

Checked<void> OpenSite::begin_work() {
  const auto path = at_work(product_);
  const auto marked = is_there(path);
  if (!marked) return refuse(Code::host_read, marked.error().what);
  was_marked_ = *marked;
  journal_ = journal_text(*site_);
  const Descriptor mark(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!mark) return refuse(Code::host_write, "cannot make " + path + ": " + system_words(errno));
  at_work_ = true;
  return {};
}

Form OpenSite::form() const {
  const auto journal = load_journal(*site_);
  return journal && *journal ? (*journal)->form : Form::systemd;
}

OpenSite::~OpenSite() {
  if (!lock_ || !at_work_) return;
  const auto journal = load_journal(*site_);
  const bool rests = journal && (!*journal || !(*journal)->flight);
  // One that was refused has left the site to the boot, as it was.
  const bool refused = !was_marked_ && journal_text(*site_) == journal_;
  if (rests || refused) ::unlink(at_work(product_).c_str());
}

Checked<OpenSite> OpenSite::make(std::string_view product) {
  const auto top = open_disk("/");
  if (!top) return tl::unexpected(top.error());
  // Small systems come without it.
  if (auto made = ensure_directory(**top, "opt", 0755); !made) return tl::unexpected(made.error());
  for (const auto* parent : kParents) {
    const auto disk = open_disk(parent);
    if (!disk) return tl::unexpected(disk.error());
    if (auto made = ensure_directory(**disk, product, 0755); !made) {
      return tl::unexpected(made.error());
    }
  }
  auto site = open(product, false);
  if (!site) return tl::unexpected(site.error());
  if (!*site) return refuse(Code::host_read, "/opt/" + std::string(product) + " is gone");
  return **std::move(site);
}

Checked<void> OpenSite::remove_empty(std::string_view product) {
  const auto mounts = system_host()->mounts_below("");
  if (!mounts) return tl::unexpected(mounts.error());
  for (const auto* parent : kParents) {
    const auto disk = open_disk(parent);
    if (!disk) return tl::unexpected(disk.error());
    const auto there = (*disk)->status(product);
    if (!there) return tl::unexpected(there.error());
    if (!*there || std::ranges::find(*mounts, std::string(parent) + "/" + std::string(product)) !=
                       mounts->end()) {
      continue;
    }
    const auto names = (*disk)->list(product);
    if (!names) return tl::unexpected(names.error());
    // The other one stays with it: a later command opens both.
    if (!names->empty()) return {};
    if (auto removed = (*disk)->remove(product); !removed) return removed;
  }
  return {};
}

}  // namespace caisson::installer
