#include "runtime/observe/audit_files.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/uuid.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/audit_log.h"

namespace {

/// What happens to the system calls that change a log's files. The linker puts the functions below
/// before those of the system (CMakeLists.txt).
std::atomic<bool> armed = false;
struct Disk {
  int calls = 0;  ///< so far
  int fails_from = 0;
  int fails_until = 0;            ///< the first call that succeeds again
  int dies_at = 0;                ///< the process is killed in the place of this call
  std::function<void(int)> hook;  ///< told the number of each call before it is made
  std::function<void()> unlinked;
  std::function<void(int)> synced;

  void arm() {
    *this = {};
    armed = true;
  }
  void disarm() {
    armed = false;
    *this = {};
  }
  bool refuses() {
    if (!armed) return false;
    ++calls;
    if (hook) hook(calls);
    if (calls == dies_at) ::kill(::getpid(), SIGKILL);
    if (calls < fails_from || calls >= fails_until) return false;
    errno = ENOSPC;
    return true;
  }
};
Disk disk;
bool waits_for_disk = true;  ///< a process that is killed loses nothing of what it wrote

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
extern "C" {
int __real_openat(int directory, const char* name, int flags, ...);
int __real_renameat(int from, const char* name, int to, const char* other);
ssize_t __real_pwrite(int fd, const void* data, std::size_t size, off_t offset);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_unlinkat(int directory, const char* name, int flags);

int __wrap_openat(int directory, const char* name, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return disk.refuses() ? -1 : __real_openat(directory, name, flags, mode);
}
int __wrap_renameat(int from, const char* name, int to, const char* other) {
  return disk.refuses() ? -1 : __real_renameat(from, name, to, other);
}
ssize_t __wrap_pwrite(int fd, const void* data, std::size_t size, off_t offset) {
  if (!disk.refuses()) return __real_pwrite(fd, data, size, offset);
  // A disk that is full takes some of it.
  if (__real_pwrite(fd, data, size / 2, offset) < 0) return -1;
  errno = ENOSPC;
  return -1;
}
int __wrap_fdatasync(int fd) {
  if (disk.refuses()) return -1;
  if (disk.synced) disk.synced(fd);
  return waits_for_disk ? __real_fdatasync(fd) : 0;
}
int __wrap_fsync(int fd) {
  if (disk.refuses()) return -1;
  return waits_for_disk ? __real_fsync(fd) : 0;
}
int __wrap_ftruncate(int fd, off_t size) {
  return disk.refuses() ? -1 : __real_ftruncate(fd, size);
}
int __wrap_unlinkat(int directory, const char* name, int flags) {
  if (disk.refuses()) return -1;
  const int done = __real_unlinkat(directory, name, flags);
  if (disk.unlinked) disk.unlinked();
  return done;
}
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

namespace caisson::observe {
namespace {

namespace fs = std::filesystem;

constexpr int records = 20;  // in files of three, of which two are kept beside the last
constexpr std::size_t file_bytes = 1000;  // three records
constexpr std::size_t files = 2;

class AuditFilesTest : public testing::Test {
 protected:
  AuditFilesTest() : path_(fs::temp_directory_path() / ("caisson-audit-" + new_uuid(0))) {
    waits_for_disk = false;
  }
  ~AuditFilesTest() override {
    waits_for_disk = true;
    disk.disarm();
    fs::remove_all(path_);
    ::close(null_);
  }
  void begin_anew() {
    disk.disarm();
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  [[nodiscard]] fs::path folder() const { return path_ / "audit"; }

  /// Opens the log, however often that fails.
  [[nodiscard]] AuditFiles open() const {
    for (int tries = 0; tries < 100; ++tries) {
      if (auto log = AuditFiles::open(folder(), file_bytes, files)) return std::move(*log);
    }
    throw std::runtime_error("the log cannot be opened");
  }

  /// Adds a record to the log, however often that fails.
  static void append(AuditFiles& log) {
    ChainEnd end = log.end();
    const std::string line =
        chain_line({.action = "tenant.update"}, "2023-11-14T22:13:20.000Z", end);
    std::string removed;
    for (int tries = 0; tries < 100; ++tries) {
      if (log.write(line, end, 0, removed)) return;
    }
    throw std::runtime_error("the log cannot be written");
  }

  /// What is said of the log when it is intact and ends with `seq` or later.
  [[nodiscard]] static testing::AssertionResult holds(const fs::path& path, int seq) {
    const auto found = verify_audit_log(path);
    if (!found) return testing::AssertionFailure() << found.error().text();
    if (!found->valid)
      return testing::AssertionFailure()
             << "broken at " << found->broken_at << ": " << found->reason;
    const std::uint64_t last = found->retired + found->records;
    if (std::cmp_less(last, seq)) return testing::AssertionFailure() << "ends with " << last;
    return testing::AssertionSuccess();
  }

  [[nodiscard]] std::unique_ptr<Audit> open_audit(AuditBounds bounds = {}) {
    auto audit = Audit::open(folder(), clock_, log_, metrics_, {.operations = bounds});
    if (!audit) throw std::runtime_error(audit.error().text());
    return std::move(*audit);
  }
  static void wait_for_disk(AuditLog& log) {
    while (!log.flush()) std::this_thread::yield();
  }

  fs::path path_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  Log log_{null_, Level::error, "test", clock_};
  Metrics metrics_{"test", "0"};
};

TEST_F(AuditFilesTest, AnyCallMayFail) {
  // Each call fails once, and so often that what is tried next fails as well.
  for (const int often : {1, 2, 3, 7}) {
    for (int call = 1, calls = 1; call <= calls; ++call) {
      begin_anew();
      disk.arm();
      disk.fails_from = call;
      disk.fails_until = call + often;
      {
        AuditFiles log = open();
        EXPECT_EQ(log.damage(), "");
        for (int i = 1; i <= records; ++i) {
          append(log);
          armed = false;
          ASSERT_TRUE(holds(folder(), i)) << often << " failures from call " << call;
          armed = true;
        }
      }
      calls = disk.calls;
      disk.fails_until = 0;
      AuditFiles log = open();
      EXPECT_EQ(log.damage(), "");
      append(log);
      ASSERT_TRUE(holds(folder(), records + 1)) << often << " failures from call " << call;
    }
  }
}

TEST_F(AuditFilesTest, ATornRecordThatCannotBeRemovedKeepsTheLogClosed) {
  begin_anew();
  {
    AuditFiles log = open();
    append(log);
  }
  bool refused = false;
  for (int call = 1, calls = 1; call <= calls + 1; ++call) {
    std::ofstream(folder() / "audit.ndjson", std::ios::app) << R"({"seq":2,)";
    disk.arm();
    disk.fails_from = call;
    disk.fails_until = call + 1;
    const auto log = AuditFiles::open(folder(), file_bytes, files);
    calls = std::max(calls, disk.calls);
    refused = refused || !log;
    if (log) {
      EXPECT_EQ(log->damage(), "") << "failure of call " << call;
    }
  }
  armed = false;
  EXPECT_TRUE(refused);
  AuditFiles log = open();
  EXPECT_EQ(log.damage(), "");
  append(log);
  EXPECT_TRUE(holds(folder(), 2));
}

TEST_F(AuditFilesTest, AKillAtAnyCallLosesNothingAcknowledged) {
  auto* const acknowledged = static_cast<volatile int*>(
      ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(acknowledged, MAP_FAILED);
  bool killed = true;
  for (int call = 1; killed; ++call) {
    begin_anew();
    *acknowledged = 0;
    const pid_t child = ::fork();
    if (child == 0) {
      disk.arm();
      disk.dies_at = call;
      AuditFiles log = open();
      for (int i = 1; i <= records; ++i) {
        append(log);
        *acknowledged = i;
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed = WIFSIGNALED(status);
    disk.arm();
    const int seq = *acknowledged;
    if (seq > 0) {
      ASSERT_TRUE(holds(folder(), seq)) << "killed at call " << call;
    }
    AuditFiles log = open();
    ASSERT_EQ(log.damage(), "") << "killed at call " << call;
    const auto found = static_cast<int>(log.end().seq);
    ASSERT_GE(found, seq);
    for (int i = 0; i < 10; ++i) append(log);
    ASSERT_TRUE(holds(folder(), found + 10)) << "killed at call " << call;
  }
  ::munmap(const_cast<int*>(acknowledged), sizeof(int));
}

TEST_F(AuditFilesTest, APowerLossAtARetirementLeavesAnIntactLog) {
  // The worst that may be left: a removed file is gone, and of the head there is what was synced.
  begin_anew();
  const fs::path head = path_ / "head";
  const fs::path image = path_ / "image";
  int losses = 0;
  disk.arm();
  disk.synced = [&](int fd) {
    if (fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).filename() == "audit.head")
      fs::copy(folder() / "audit.head", head, fs::copy_options::overwrite_existing);
  };
  disk.unlinked = [&] {
    fs::remove_all(image);
    fs::copy(folder(), image);
    if (fs::exists(head))
      fs::copy(head, image / "audit.head", fs::copy_options::overwrite_existing);
    armed = false;
    EXPECT_TRUE(holds(image, 0)) << "loss " << losses;
    armed = true;
    ++losses;
  };
  AuditFiles log = open();
  fs::copy(folder() / "audit.head", head, fs::copy_options::overwrite_existing);
  for (int i = 0; i < records; ++i) append(log);
  EXPECT_GE(losses, 3);
}

TEST_F(AuditFilesTest, AnIntactLogIsIntactWhileItIsWritten) {
  // At each call of the reader the writer has set files aside and removed some.
  bool interfered = true;
  for (int call = 1; interfered; ++call) {
    begin_anew();
    AuditFiles log = open();
    for (int i = 0; i < records; ++i) append(log);
    interfered = false;
    disk.arm();
    disk.hook = [&](int number) {
      if (number != call) return;
      armed = false;
      for (int i = 0; i < 20; ++i) append(log);
      armed = true;
      interfered = true;
    };
    EXPECT_TRUE(holds(folder(), records)) << "at call " << call;
    disk.disarm();
  }
}

TEST_F(AuditFilesTest, AFileThatIsThereIsNotReplaced) {
  begin_anew();
  disk.arm();
  AuditFiles log = open();
  append(log);
  const fs::path other = folder() / "audit-00000000000000000001.ndjson";
  fs::copy(folder() / "audit.ndjson", other);
  const auto bytes = fs::file_size(other);
  EXPECT_THROW(
      {
        for (int i = 0; i < records; ++i) append(log);
      },
      std::runtime_error);
  EXPECT_EQ(fs::file_size(other), bytes);
}

TEST_F(AuditFilesTest, AnIntentIsNotForgottenByAKillWhenTheLogIsOpened) {
  // A process was killed when its intent was in the log and not yet in the head. The next one is
  // killed as well, at any of its calls.
  begin_anew();
  const fs::path head = path_ / "head";
  {
    auto audit = open_audit();
    ASSERT_TRUE(audit->record({.action = "tenant.update", .outcome = "ok"}));
    fs::copy(folder() / "audit.head", head);
    ASSERT_NE(audit->begin({.action = "tenant.create"}), 0);
    fs::copy(head, folder() / "audit.head", fs::copy_options::overwrite_existing);
    fs::copy(folder(), path_ / "killed", fs::copy_options::recursive);
  }
  bool killed = true;
  for (int call = 1; killed; ++call) {
    fs::remove_all(folder());
    fs::copy(path_ / "killed", folder(), fs::copy_options::recursive);
    const pid_t child = ::fork();
    if (child == 0) {
      disk.arm();
      disk.dies_at = call;
      auto audit = open_audit();
      static_cast<void>(audit->record({.action = "tenant.update", .outcome = "ok"}));
      audit.reset();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    killed = WIFSIGNALED(status);
    ASSERT_EQ(open_audit()->unfinished().size(), 1) << "killed at call " << call;
    ASSERT_TRUE(verify_audit(folder())->valid()) << "killed at call " << call;
  }
}

TEST_F(AuditFilesTest, AnIntentThatCouldNotBeWrittenHasAnOutcomeWhenItIs) {
  // Others fill what may be pending between the intent and its outcome.
  begin_anew();
  auto audit = open_audit({.pending_bytes = 1000});
  disk.arm();
  disk.fails_from = 1;
  disk.fails_until = std::numeric_limits<int>::max();
  disk.hook = [&](int call) {
    for (int i = 0; call == 1 && i < 10; ++i)
      static_cast<void>(audit->operations().try_append({.action = "other", .outcome = "ok"}));
  };
  EXPECT_EQ(audit->begin({.action = "tenant.create"}), 0);
  EXPECT_FALSE(audit->end(7, {.action = "tenant.delete", .outcome = "ok"})) << "not durable yet";
  armed = false;
  wait_for_disk(audit->operations());
  audit.reset();
  audit = open_audit();
  EXPECT_TRUE(audit->unfinished().empty());
  const auto lines = audit->operations().query({.limit = 100});
  const auto told = [&](std::string_view what) {
    return std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(what) != std::string::npos; });
  };
  EXPECT_EQ(told("not begun: the audit log could not be written"), 1);
  EXPECT_EQ(told("tenant.delete"), 1);
  EXPECT_TRUE(audit->verify().valid());
}

}  // namespace
}  // namespace caisson::observe
