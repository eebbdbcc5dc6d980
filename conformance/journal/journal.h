#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace caisson::conformance {

/// Something that a run makes in the target, written down before it is made.
struct Creation {
  std::string kind{};      ///< "tenant", "key", "collection", "file", "snapshot", "limits" (that
                           ///< were lifted)
  std::string instance{};  ///< whose operator API knows it
  std::string tenant{};
  std::string
      name{};  ///< slug, key name, collection or path, which carry the run id; or the limits

  friend bool operator==(const Creation&, const Creation&) = default;
};

/// The cleanup journal of one run: an append-only file, each line on disk before the thing it names
/// exists. What was not removed when the run ends is removed by `caisson sweep`.
class Journal {
 public:
  /// Makes `<directory>/<run>.journal`. `ttl_seconds`: after that even a living owner's run may be
  /// swept.
  [[nodiscard]] static Result<Journal> open(const std::filesystem::path& directory,
                                            const std::string& run, std::int64_t ttl_seconds);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// On disk when this returns. Thread-safe.
  [[nodiscard]] Result<void> will_create(const Creation& creation);
  [[nodiscard]] Result<void> removed(const Creation& creation);
  /// Everything that still stands, the latest first.
  [[nodiscard]] std::vector<Creation> standing() const;
  /// Removes the file; only when nothing stands any more.
  [[nodiscard]] Result<void> close();

 private:
  explicit Journal(std::filesystem::path path, int file) : path_(std::move(path)), file_(file) {}
  [[nodiscard]] Result<void> append(const std::string& line);

  std::filesystem::path path_;
  int file_ = -1;
  mutable std::mutex mutex_;
  std::vector<Creation> standing_;
};

/// A journal that was left behind.
struct LeftJournal {
  std::filesystem::path path{};
  std::string run{};
  std::int64_t expires{};  ///< Unix time
  bool owner_alive = false;
  std::vector<Creation> standing{};  ///< the latest first
};

/// Journals below `directory`; a last line that was cut off by a crash is read as far as it goes.
[[nodiscard]] std::vector<LeftJournal> left_journals(const std::filesystem::path& directory);

}  // namespace caisson::conformance
