#include "runtime/observe/log.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "base/json_text.h"

namespace caisson::observe {
namespace {

class LogFile : public testing::Test {
 protected:
  ~LogFile() override { ::close(fd_); }
  [[nodiscard]] std::string written() const {
    std::string text(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  int fd_ =
      open(std::filesystem::temp_directory_path().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  ManualClock clock_;
};

TEST_F(LogFile, WritesOneObjectALine) {
  const Log log(fd_, Level::info, "runtime", clock_);
  log.debug("not this");
  log.info("listening", {{"address", "127.0.0.1:8080"},
                         {"tries", std::int64_t{3}},
                         {"seconds", 0.5},
                         {"tls", false}});
  log.warn("done");
  EXPECT_EQ(
      written(),
      R"({"time":"2023-11-14T22:13:20.000Z","level":"info","instance":"runtime","message":"listening",)"
      R"("address":"127.0.0.1:8080","tries":3,"seconds":0.5,"tls":false})"
      "\n"
      R"({"time":"2023-11-14T22:13:20.000Z","level":"warn","instance":"runtime","message":"done"})"
      "\n");
}

TEST_F(LogFile, CutsWhatIsLong) {
  const Log log(fd_, Level::info, "runtime", clock_);
  log.info(std::string(100'000, 'm'), {{"key", std::string(100'000, 'v')}});
  EXPECT_LT(written().size(), 1300);
  EXPECT_TRUE(boost::json::parse(written()).is_object());
}

TEST_F(LogFile, KeepsLinesOfThreadsApart) {
  const Log log(fd_, Level::info, "runtime", clock_);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log] {
      for (std::int64_t i = 0; i < 500; ++i) log.info("line", {{"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string text = written();
  EXPECT_EQ(std::ranges::count(text, '\n'), 2000);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ASSERT_TRUE(boost::json::parse(text.substr(at, end - at)).is_object());
    at = end + 1;
  }
}

RC_GTEST_FIXTURE_PROP(LogFile, NoValueForgesAFieldOrALine,
                      (const std::string& message, const std::string& value)) {
  const Log log(fd_, Level::info, "runtime", clock_);
  const std::string nasty = message + "\r\n{\"level\":\"error\"}\",\"admin\":true" + value;
  log.info(nasty, {{"value", nasty}});
  const std::string text = written();
  RC_ASSERT(std::ranges::count(text, '\n') == 1);
  const auto parsed = boost::json::parse(text).as_object();
  RC_ASSERT(parsed.size() == 5u);
  RC_ASSERT(parsed.at("level").as_string() == "info");
}

}  // namespace
}  // namespace caisson::observe
