#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "installer/host/host.h"
#include "installer/site/premises.h"

namespace caisson::installer {

/// Holds a product against whoever else would change it as root, after a minute's wait at most if
/// `patient`; `Code::host_busy` where another one has it. The file is root's alone: a directory
/// that anybody may open could be locked by anybody.
[[nodiscard]] Checked<Descriptor> locked(std::string_view product, bool patient);

/// The directories of a product on this host, locked against every other caisson-install. Whatever
/// this one starts holds the lock too.
class OpenSite {
 public:
  /// Nothing where /opt/<product> is not there. Waits for another one's lock for a minute with
  /// `patient`, else refuses at once (`Code::host_busy`).
  [[nodiscard]] static Checked<std::optional<OpenSite>> open(std::string_view product,
                                                             bool patient);
  /// The same, to be looked at while another one may be at work: without the lock.
  [[nodiscard]] static Checked<std::optional<OpenSite>> watch(std::string_view product);
  OpenSite(OpenSite&&) noexcept = default;
  OpenSite& operator=(OpenSite&&) noexcept = default;
  /// What is at rest is for the unit that recovers at boot again; a change that this program has
  /// left unfinished is not, until then.
  ~OpenSite();

  /// Says that this program changes the product, so that units which it starts do not wait for
  /// the one that recovers.
  [[nodiscard]] Checked<void> begin_work();
  /// Makes the directories first, where they are missing.
  [[nodiscard]] static Checked<OpenSite> make(std::string_view product);

  /// Removes the directories if nothing is in them. One that is a file system of its own stays.
  [[nodiscard]] static Checked<void> remove_empty(std::string_view product);

  /// What the journal says; where it says nothing, whoever reads it for more is told why.
  [[nodiscard]] Form form() const;
  [[nodiscard]] Disks disks() const { return {*site_, *data_, *etc_, *system_}; }

 private:
  OpenSite() = default;

  std::string product_;
  bool at_work_ = false;
  bool was_marked_ = false;  ///< by a program that was killed
  std::string journal_;      ///< as it was before this program did anything
  Descriptor lock_;
  std::unique_ptr<Disk> site_;
  std::unique_ptr<Disk> data_;
  std::unique_ptr<Disk> etc_;
  std::unique_ptr<Disk> system_;
};

}  // namespace caisson::installer
