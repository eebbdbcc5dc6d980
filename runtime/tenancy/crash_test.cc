// Kills a process in the middle of its writes, again and again, and looks for what it had
// acknowledged.

#include <array>
#include <csignal>
#include <filesystem>
#include <future>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "base/uuid.h"
#include "runtime/storage/database.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;

constexpr int kills = 200;
constexpr int kills_between_checks = 20;
constexpr storage::Migration table = "CREATE TABLE note(text TEXT PRIMARY KEY) WITHOUT ROWID";

/// What clients know: everything the killed processes had acknowledged.
struct Journal {
  std::map<std::string, std::set<std::string>> notes;  // by slug
  std::map<std::string, std::string> created;          // id by slug, not removed since
  std::set<std::string> removed;                       // ids
  std::size_t writes = 0;

  void read(const std::string& lines) {
    std::istringstream in(lines.substr(0, lines.rfind('\n') + 1));
    std::string what;
    std::string slug;
    std::string detail;
    while (in >> what >> slug >> detail) {
      if (what == "write") {
        notes[slug].insert(detail);
        ++writes;
      } else if (what == "create") {
        created[slug] = detail;
      } else {
        created.erase(slug);
        removed.insert(detail);
      }
    }
  }
};

/// Lets the child run until it has acknowledged `bytes` of lines, kills it, and returns all it
/// said.
std::string run_and_kill(const fs::path& data, std::size_t bytes) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string program = CAISSON_BINARY_DIR "/bin/caisson_crash_child";
  std::string argument = data.string();
  std::array<char*, 3> argv = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);

  std::string lines;
  std::array<char, 65536> chunk;
  bool killed = false;
  while (true) {
    const ssize_t size = read(ends[0], chunk.data(), chunk.size());
    if (size <= 0) break;
    lines.append(chunk.data(), static_cast<std::size_t>(size));
    if (!killed && lines.size() >= bytes) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  return lines;
}

/// Starts as the runtime does and compares with the journal.
void check(const fs::path& data, const Journal& journal) {
  const SystemClock clock;
  auto registry = Registry::open(data, {}, clock).value();
  auto tenants = Tenants::open({.data = data, .schema = {&table, 1}}, *registry).value();
  for (const auto& [slug, notes] : journal.notes) {
    const TenantPtr tenant = registry->by_slug(slug);
    ASSERT_NE(tenant, nullptr);
    std::set<std::string> missing = notes;
    std::promise<std::string> integrity;
    tenants->submit(
        *tenant, storage::Access::read, Deadline::max(),
        [&](storage::TenantStore& store) {
          auto row = store.prepare("SELECT text FROM note");
          while (row.step()) missing.erase(std::string(row.text_at(0)));
          auto verdict = store.prepare("PRAGMA integrity_check");
          return verdict.step() ? std::string(verdict.text_at(0)) : "no answer";
        },
        [&](const tl::expected<std::string, Refusal>& answer) {
          integrity.set_value(answer.value_or("refused"));
        });
    EXPECT_EQ(integrity.get_future().get(), "ok") << slug;
    EXPECT_EQ(missing.size(), 0U) << slug << " lost acknowledged writes";
  }
  for (const auto& [slug, id] : journal.created) {
    // It may be gone: a removal that was under way when the process was killed is finished at
    // start.
    const TenantPtr tenant = registry->by_slug(slug);
    ASSERT_NE(tenant, nullptr) << "an acknowledged tenant is unknown";
    EXPECT_EQ(tenant->id, id);
  }
  for (const std::string& id : journal.removed) {
    ASSERT_NE(registry->by_id(id), nullptr);
    EXPECT_EQ(registry->by_id(id)->status, Status::deleted);
  }
}

/// Starts as the runtime does, and looks at every file: none is there but those that tenants have
/// and complete snapshots, whatever step the process was killed in, and no tenant's outlive it.
void check_files(const fs::path& data) {
  const SystemClock clock;
  auto registry = Registry::open(data, {}, clock).value();
  auto tenants = Tenants::open({.data = data, .schema = {&table, 1}}, *registry).value();
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (entry.is_directory()) continue;
    const fs::path place = fs::relative(entry.path(), data);
    const std::string name = place.filename();
    const std::string whole = place;
    if (whole == "cursor.key" || whole == "registry.db" || whole == "registry.db-wal") continue;
    const TenantPtr tenant = registry->by_id(place.parent_path().filename().string());
    ASSERT_NE(tenant, nullptr) << place;
    EXPECT_NE(tenant->status, Status::deleted) << place;
    const std::string kind = *place.begin();
    if (kind == "tenants") {
      // A store that was being made is an empty one of this tenant; its next use makes it anew.
      const bool own =
          name == "store.db" || name == "store.db-wal" || name.starts_with("store.db.new");
      EXPECT_TRUE(own) << place;
      continue;
    }
    ASSERT_EQ(kind, "snapshots") << place;
    fs::path other = entry.path();
    other.replace_extension(other.extension() == ".db" ? ".json" : ".db");
    EXPECT_TRUE(Uuid::parse(place.stem().string())) << place;
    EXPECT_TRUE(fs::exists(other)) << place;
  }
}

TEST(Crash, NothingAcknowledgedIsEverLost) {
  const fs::path data = fs::temp_directory_path() / ("caisson-" + Uuid::make(unix_ms_now()).text());
  fs::create_directory(data);
  std::minstd_rand random(std::random_device{}());
  Journal journal;
  // A fast disk may need more kills until every kind of change has been acknowledged often enough.
  const auto enough = [&] { return journal.writes > 2000 && journal.removed.size() > 10; };
  for (int killed = 1; killed <= (enough() ? kills : 10 * kills) && !HasFatalFailure(); ++killed) {
    // From the first acknowledgement to some hundred of them.
    journal.read(run_and_kill(data, std::uniform_int_distribution<std::size_t>(1, 20000)(random)));
    check_files(data);
    if (killed % kills_between_checks == 0) check(data, journal);
  }
  EXPECT_GT(journal.writes, 2000U);
  EXPECT_GT(journal.removed.size(), 10U);
  RecordProperty("acknowledged_writes", static_cast<int>(journal.writes));
  fs::remove_all(data);
}

}  // namespace
}  // namespace caisson::tenancy
