// Memory runs out at any allocation of the audit log: its chain goes on without a gap.

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/uuid.h"
#include "runtime/observe/audit.h"

namespace {

constexpr int never = 1 << 30;
thread_local int left_here = never;       ///< allocations of this thread until one fails
thread_local bool is_test = false;        ///< this is the thread of the test
std::atomic<int> left_elsewhere = never;  ///< allocations of all other threads until one fails

}  // namespace

// Not inlined: compilers would find `free` beside `new`.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (left_here != never && --left_here == 0) throw std::bad_alloc();
  if (!is_test && left_elsewhere.load() != never && --left_elsewhere == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace caisson::observe {
namespace {

namespace fs = std::filesystem;

class AuditMemoryTest : public testing::Test {
 protected:
  AuditMemoryTest() : path_(fs::temp_directory_path() / ("caisson-audit-" + new_uuid(0))) {
    is_test = true;
  }
  ~AuditMemoryTest() override {
    left_elsewhere = never;
    fs::remove_all(path_);
    ::close(null_);
  }

  [[nodiscard]] std::unique_ptr<Audit> open() {
    auto audit = Audit::open(path_, clock_, log_, metrics_,
                             {.operations = {.file_bytes = 4096, .files = 2},
                              .in_full = {.kind = {.burst = 0, .a_minute = 0}}});
    if (!audit) throw std::runtime_error(audit.error().text());
    return std::move(*audit);
  }
  /// Whether `act` met the end of memory at its allocation `number`.
  template <class Act>
  static bool fails_at(int number, const Act& act) {
    left_here = number;
    bool failed = false;
    try {
      act();
      failed = left_here <= 0;  // met, and swallowed
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    left_here = never;
    return failed;
  }

  fs::path path_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  Log log_{null_, Level::error, "test", clock_};
  Metrics metrics_{"test", "0"};
};

TEST_F(AuditMemoryTest, ARecordIsAddedWholeOrNotAtAll) {
  auto audit = open();
  const std::string long_text(400, 'x');
  bool failed = true;
  for (int number = 1; failed; ++number) {
    std::uint64_t begun = 0;
    failed = fails_at(number, [&] {
      begun = audit->begin({.action = "tenant.create", .tenant = "globex", .reason = long_text});
    });
    EXPECT_EQ(failed, begun == 0);
    if (begun == 0) continue;
    // Nothing else follows an outcome that found no memory.
    bool unended = true;
    for (int other = 1; unended; ++other) {
      unended = fails_at(other, [&] {
        ASSERT_TRUE(audit->end(begun, {.action = "tenant.create", .outcome = "ok"}));
      });
    }
  }
  EXPECT_TRUE(audit->verify().valid()) << audit->verify().operations.reason;
  audit.reset();
  EXPECT_TRUE(open()->unfinished().empty());
  EXPECT_TRUE(verify_audit(path_)->valid());
}

TEST_F(AuditMemoryTest, CountsOfRefusalsWaitForMemory) {
  auto audit = open();
  std::uint64_t refused = 0;
  bool failed = true;
  for (int number = 1; failed; ++number) {
    for (int tenant = 0; tenant < 20; ++tenant) {
      const std::string slug = "t" + std::to_string(tenant);
      audit->refuse({.action = "request.refuse", .tenant = slug, .tenant_id = slug});
      ++refused;
    }
    clock_.advance_ms(60'000);
    failed = fails_at(number, [&] { audit->tick(); });
    audit->tick();
  }
  audit.reset();
  audit = open();
  std::uint64_t counted = 0;
  for (const std::string& line : audit->refusals().query({.limit = 100'000})) {
    const std::size_t at = line.find(R"("count":)");
    ASSERT_NE(at, std::string::npos);
    counted += std::stoull(line.substr(at + 8));
  }
  EXPECT_EQ(counted, refused);
  EXPECT_TRUE(audit->verify().valid());
}

TEST_F(AuditMemoryTest, TheWriterGoesOnWhenThereIsMemoryAgain) {
  auto audit = open();
  constexpr int records = 20;  // more than a file
  bool failed = true;
  std::uint64_t appended = 0;
  // Each failure makes the writer wait, so that not every allocation gets its turn.
  for (int number = 1; failed; number += 11) {
    left_elsewhere = number;
    for (int i = 0; i < records; ++i) {
      if (audit->operations().append({.action = "tenant.update", .outcome = "ok"}) != 0) ++appended;
      while (!audit->operations().flush()) std::this_thread::yield();
    }
    failed = left_elsewhere.exchange(never) <= 0;
  }
  const AuditReport found = audit->verify();
  EXPECT_TRUE(found.valid()) << found.operations.reason;
  EXPECT_GE(found.operations.retired + found.operations.records, appended);
}

}  // namespace
}  // namespace caisson::observe
