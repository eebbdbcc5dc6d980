#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/observe/chain.h"

namespace caisson::observe {

/// An open file, closed with its owner.
class AuditFd {
 public:
  explicit AuditFd(int fd = -1) noexcept : fd_(fd) {}
  AuditFd(AuditFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  AuditFd& operator=(AuditFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  AuditFd(const AuditFd&) = delete;
  AuditFd& operator=(const AuditFd&) = delete;
  ~AuditFd();

  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// What `audit.head` says: the log holds the records `first` to `end`.
struct AuditHead {
  std::uint64_t first = 1;
  ChainEnd end;
  /// No intent before this record is without an outcome; 0: none at all is.
  std::uint64_t open = 0;
  bool refusals = false;  ///< a log of refusals belongs to this one
};

/// The files of a log at one moment, oldest first, without those that only wait to be removed; each
/// is read up to `bytes`.
struct AuditView {
  struct File {
    std::uint64_t first;  ///< seq that its name claims; 0: the active file
    AuditFd fd;
    std::uint64_t bytes;
  };
  std::vector<File> files;
  std::optional<AuditHead> head;
};

/// The files of an audit log on disk; see Audit for their names and what they promise.
class AuditFiles {
 public:
  [[nodiscard]] static Result<AuditFiles> open(const std::filesystem::path& directory,
                                               std::size_t file_bytes, std::size_t files);

  /// Where the chain goes on, and what was found to be damaged; an empty text when nothing was.
  [[nodiscard]] const ChainEnd& end() const { return head_.end; }
  [[nodiscard]] const std::string& damage() const { return damage_; }

  /// The first record that may be an intent without an outcome.
  [[nodiscard]] std::uint64_t unsettled_from() const { return unsettled_from_; }

  /// Makes whole records durable, then notes `end` and `open`. False when the disk refuses any of
  /// that: to be called with the same records again, for what was done is not done twice. Tells in
  /// `removed` what went to keep the bound.
  [[nodiscard]] bool write(std::string_view records, const ChainEnd& end, std::uint64_t open,
                           std::string& removed);

  /// Whether a log of refusals, in a directory of this one's, belongs to it.
  [[nodiscard]] bool has_refusals() const { return head_.refusals; }
  /// Notes durably that one does. False when the disk refuses it.
  [[nodiscard]] bool note_refusals();

  [[nodiscard]] AuditView view() const;

  AuditFiles(AuditFiles&& other) noexcept;
  AuditFiles& operator=(AuditFiles&&) = delete;
  AuditFiles(const AuditFiles&) = delete;
  AuditFiles& operator=(const AuditFiles&) = delete;
  ~AuditFiles() = default;

 private:
  AuditFiles(std::filesystem::path directory, std::size_t file_bytes, std::size_t files);
  [[nodiscard]] bool open_active();
  [[nodiscard]] bool recover();
  [[nodiscard]] bool set_aside();
  [[nodiscard]] bool retire(std::string& removed);
  [[nodiscard]] bool write_head() const;

  std::filesystem::path directory_;
  std::size_t file_bytes_;
  std::size_t files_;
  mutable std::mutex mutex_;
  AuditFd directory_fd_;
  AuditFd active_;
  AuditFd head_fd_;
  std::uint64_t active_first_ = 1;  ///< seq of the first record of the active file
  std::uint64_t active_bytes_ = 0;
  AuditHead head_;
  std::uint64_t unsettled_from_ = 1;
  std::string damage_;
};

/// The log in `directory` as another process sees it, also while a runtime writes it. Fails when
/// there is none.
[[nodiscard]] Result<AuditView> view_audit(const std::filesystem::path& directory);

/// One file of a chain, wherever it is.
[[nodiscard]] Result<AuditView::File> view_file(const std::filesystem::path& path);

/// Calls `take` for every whole line of `file` from `offset` until it returns false. Returns where
/// the last whole line that was taken ends.
std::uint64_t for_each_line(const AuditView::File& file, std::uint64_t offset,
                            const std::function<bool(std::string_view line)>& take);

/// Offset of the first record after `seq`, found by bisection.
[[nodiscard]] std::uint64_t offset_after(const AuditView::File& file, std::uint64_t seq);

}  // namespace caisson::observe
