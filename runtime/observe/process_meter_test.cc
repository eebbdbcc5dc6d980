#include "runtime/observe/process_meter.h"

#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace caisson::observe {
namespace {

TEST(ProcessMeter, CountsFileDescriptors) {
  const ProcessMeter meter;
  const auto before = meter.read();
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(before.max_fds, static_cast<std::int64_t>(files.rlim_cur));
  const int extra = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(meter.read().open_fds, before.open_fds + 1);
  ::close(extra);
  EXPECT_EQ(meter.read().open_fds, before.open_fds);
}

TEST(ProcessMeter, SeesMemoryAndProcessorTime) {
  const ProcessMeter meter;
  const auto before = meter.read();
  EXPECT_GT(before.resident_bytes, 1 << 20);
  EXPECT_GT(before.memory_limit_bytes, before.resident_bytes);
  EXPECT_GT(before.start_seconds, 1.7e9);
  const std::vector<char> touched(64 << 20, 'x');
  const auto after = meter.read();
  EXPECT_GT(after.resident_bytes, before.resident_bytes + (32 << 20)) << touched.back();
  EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
}

}  // namespace
}  // namespace caisson::observe
