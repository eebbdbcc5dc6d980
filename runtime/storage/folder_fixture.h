#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

#include "base/time.h"
#include "base/uuid.h"
#include "runtime/storage/store.h"

namespace caisson::storage {

/// Where tests make files: in memory when the machine has such a place, for a property of a
/// thousand cases waits for the disk some ten thousand times. Only the crash test needs a disk.
[[nodiscard]] inline std::filesystem::path test_place() {
  const bool memory = access("/dev/shm", W_OK) == 0;
  const auto place = memory ? std::filesystem::path("/dev/shm")
                            : std::filesystem::canonical(std::filesystem::temp_directory_path());
  return place / ("caisson-" + Uuid::make(unix_ms_now()).text());
}

/// A directory of its own for a test; gone afterwards.
class TestFolder {
 public:
  TestFolder() : path(test_place()) { std::filesystem::create_directory(path); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path); }

  const std::filesystem::path path;
};

inline constexpr auto no_deadline = std::chrono::steady_clock::time_point::max();

inline constexpr Migration note_table = "CREATE TABLE note(text TEXT PRIMARY KEY) WITHOUT ROWID";

[[nodiscard]] inline Result<Store> open_notes(const std::filesystem::path& directory,
                                              const std::string& tenant_id, bool create = true,
                                              const Store::Options& options = {}) {
  return Store::open(directory, tenant_id, {&note_table, 1}, create, options);
}

/// One committed write.
inline bool add_note(Store& store, std::string_view text) {
  store.begin();
  const auto outcome = store.run(
      [&](TenantStore& view) { view.prepare("INSERT INTO note VALUES(?)").text(text).run(); },
      no_deadline);
  return outcome.fault == Fault::none && store.commit();
}

/// All notes in order, joined by spaces.
[[nodiscard]] inline std::string notes_of(Store& store) {
  std::string all;
  auto row = store.database().prepare("SELECT text FROM note ORDER BY text");
  while (row.step()) all.append(row.text_at(0)).append(" ");
  return all;
}

}  // namespace caisson::storage
