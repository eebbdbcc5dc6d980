#include "runtime/observe/audit_log.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "base/uuid.h"

namespace caisson::observe {
namespace {

namespace fs = std::filesystem;

constexpr Actor by_operator{.kind = Actor::Kind::operator_};

/// A directory of its own for a test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(fs::temp_directory_path() / ("caisson-audit-" + new_uuid(0))) {
    fs::create_directory(path_);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

class AuditLogTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<AuditLog> open(AuditBounds bounds = {}) {
    auto audit = AuditLog::open(folder(), clock_, log_, metrics_, bounds);
    if (!audit) throw std::runtime_error(audit.error().text());
    return std::move(*audit);
  }
  [[nodiscard]] fs::path folder() const { return directory_.path() / "audit"; }
  [[nodiscard]] fs::path file() const { return folder() / "audit.ndjson"; }
  [[nodiscard]] AuditVerification verify() const {
    const auto result = verify_audit_log(folder());
    if (!result) throw std::runtime_error(result.error().text());
    return *result;
  }
  static void append(AuditLog& audit, int records, std::string_view tenant = "globex") {
    for (int i = 0; i < records; ++i) {
      audit.append(
          {.actor = by_operator, .action = "tenant.update", .tenant = tenant, .outcome = "ok"});
    }
  }

  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  Log log_{null_, Level::error, "test", clock_};
  Metrics metrics_{"test", "0"};
  TemporaryDirectory directory_;

 public:
  ~AuditLogTest() override { ::close(null_); }
};

TEST_F(AuditLogTest, WritesRecordsAsDocumented) {
  open()->append({.actor = by_operator,
                  .action = "tenant.create",
                  .tenant = "globex",
                  .tenant_id = "0198",
                  .request_id = "r-1",
                  .outcome = "ok",
                  .reason = "say \"hi\"\n"});
  const std::string line = read(file());
  EXPECT_TRUE(line.starts_with(
      R"({"seq":1,"time":"2023-11-14T22:13:20.000Z","actor":"operator","action":"tenant.create",)"
      R"("tenant":"globex","tenant_id":"0198","request_id":"r-1","outcome":"ok",)"
      R"("reason":"say \"hi\"\n","prev":"0000)"))
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto permissions = fs::status(file()).permissions();
  EXPECT_EQ(permissions & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
}

TEST_F(AuditLogTest, GoesOnWhereItStopped) {
  append(*open(), 3);
  append(*open(), 2);
  const AuditVerification result = verify();
  EXPECT_TRUE(result.valid) << result.reason;
  EXPECT_EQ(result.records, 5);
}

TEST_F(AuditLogTest, RefusesASecondWriter) {
  const auto audit = open();
  const auto second = AuditLog::open(folder(), clock_, log_, metrics_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("in use by another process"), std::string::npos);
}

TEST_F(AuditLogTest, RemovesARecordTornByACrash) {
  append(*open(), 3);
  write(file(), read(file()) + R"({"seq":4,"time":"2023-)");
  append(*open(), 1);
  const AuditVerification result = verify();
  EXPECT_TRUE(result.valid) << result.reason;
  EXPECT_EQ(result.records, 4);
}

TEST_F(AuditLogTest, KeepsTheEvidenceOfACutLog) {
  append(*open(), 5);
  std::string text = read(file());
  text.resize(text.rfind('\n', text.size() - 2) + 1);
  write(file(), text);
  EXPECT_FALSE(verify().valid);
  EXPECT_EQ(verify().broken_at, 5);
  append(*open(), 3);
  EXPECT_FALSE(verify().valid);
  EXPECT_EQ(verify().broken_at, 5);
}

TEST_F(AuditLogTest, NotesAMissingHead) {
  append(*open(), 2);
  fs::remove(folder() / "audit.head");
  EXPECT_FALSE(verify().valid);
  auto audit = open();
  const auto records = audit->query({.limit = 10});
  ASSERT_EQ(records.size(), 3);
  EXPECT_NE(records[2].find("audit.damaged"), std::string::npos);
}

TEST_F(AuditLogTest, RotatesAndStaysOneChain) {
  auto audit = open({.file_bytes = 4096});
  for (int i = 0; i < 40; ++i) {
    append(*audit, 1);
    ASSERT_TRUE(audit->flush());
  }
  EXPECT_GT(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 4);
  EXPECT_TRUE(audit->verify().valid) << audit->verify().reason;
  EXPECT_EQ(audit->verify().records, 40);
  const auto records = audit->query({.after = 17, .limit = 5});
  ASSERT_EQ(records.size(), 5);
  EXPECT_EQ(claimed_seq(records.front()), 18);
  EXPECT_EQ(claimed_seq(records.back()), 22);
  audit.reset();
  append(*open({.file_bytes = 4096}), 1);
  EXPECT_TRUE(verify().valid) << verify().reason;
  EXPECT_EQ(verify().records, 41);
}

TEST_F(AuditLogTest, KeepsABoundedNumberOfFiles) {
  auto audit = open({.file_bytes = 2048, .files = 3});
  for (int i = 0; i < 60; ++i) {
    append(*audit, 1);
    ASSERT_TRUE(audit->flush());
  }
  EXPECT_LE(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 5);
  EXPECT_TRUE(audit->verify().valid) << audit->verify().reason;
  bool retired = false;
  for (const std::string& line : audit->query({.limit = 1000})) {
    retired = retired || line.find("audit.retire") != std::string::npos;
  }
  EXPECT_TRUE(retired);
  audit.reset();

  fs::path oldest;
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (entry.path().filename().native().starts_with("audit-") &&
        (oldest.empty() || entry.path() < oldest)) {
      oldest = entry.path();
    }
  }
  fs::remove(oldest);
  EXPECT_FALSE(verify().valid) << "a file removed by someone else is noticed";
}

TEST_F(AuditLogTest, QueriesByTenantInOrder) {
  auto audit = open();
  for (int i = 0; i < 2000; ++i) append(*audit, 1, i % 3 == 0 ? "globex" : "initech");
  audit->append({.action = "x", .reason = R"(","tenant":"globex",")"});
  const auto records = audit->query({.tenant = "globex", .after = 900, .limit = 1000});
  ASSERT_EQ(records.size(), 367);
  EXPECT_EQ(claimed_seq(records.front()), 901);
  EXPECT_EQ(claimed_seq(records.back()), 1999);
}

TEST_F(AuditLogTest, VerifiesOneFileAlone) {
  append(*open(), 4);
  const fs::path copy = directory_.path() / "copy.ndjson";
  fs::copy(file(), copy);
  EXPECT_TRUE(verify_audit_log(copy)->valid);
  EXPECT_TRUE(verify_audit_log(file())->valid);
  std::string text = read(copy);
  text[200] ^= 1;
  write(copy, text);
  EXPECT_EQ(verify_audit_log(copy)->broken_at, 1);
  EXPECT_FALSE(verify_audit_log(directory_.path() / "none"));
}

TEST_F(AuditLogTest, Property42_AuditCompleteness) {
  // Whatever threads append is there, once each, in one chain, also across restarts and rotations.
  const bool holds = rc::check([this] {
    fs::remove_all(folder());
    const int threads = *rc::gen::inRange(1, 4);
    const int each = *rc::gen::inRange(0, 40);
    const int restarts = *rc::gen::inRange(1, 3);
    const auto file_bytes = static_cast<std::size_t>(*rc::gen::inRange(400, 20'000));
    for (int r = 0; r < restarts; ++r) {
      auto audit = open({.file_bytes = file_bytes, .files = 1000, .pending_bytes = 2000});
      std::vector<std::thread> writers;
      writers.reserve(static_cast<std::size_t>(threads));
      for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
          for (int i = 0; i < each; ++i) {
            const std::string id =
                std::to_string(r) + "." + std::to_string(t) + "." + std::to_string(i);
            audit->append({.action = "b", .request_id = id});
          }
        });
      }
      for (std::thread& writer : writers) writer.join();
    }
    auto audit = open();
    const AuditVerification result = audit->verify();
    RC_ASSERT(result.valid);
    RC_ASSERT(result.records == static_cast<std::uint64_t>(threads * each * restarts));
    std::set<std::string> seen;
    for (const std::string& line : audit->query({.limit = 10'000})) {
      const std::size_t at = line.find(R"("request_id":")");
      seen.insert(line.substr(at, line.find(',', at) - at));
    }
    RC_ASSERT(seen.size() == result.records);
  });
  EXPECT_TRUE(holds);
}

/// A log of `records` records on disk, and its bytes.
class Tampering : public AuditLogTest {};

TEST_F(Tampering, Property42_AuditTamperEvidence) {
  constexpr int records = 12;
  append(*open(), records);
  const std::string good = read(file());
  const std::string head = read(folder() / "audit.head");
  std::vector<std::string> lines;
  std::istringstream in(good);
  for (std::string line; std::getline(in, line);) lines.push_back(line + '\n');
  ASSERT_EQ(lines.size(), records);
  ASSERT_TRUE(verify().valid);
  const auto join = [&] {
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
  };
  const std::vector<std::string> kept = lines;

  const bool holds = rc::check([&] {
    lines = kept;
    std::string text;
    const int kind = *rc::gen::inRange(0, 6);
    const auto some = [] { return static_cast<std::size_t>(*rc::gen::inRange(0, records)); };
    if (kind == 0) {  // flip any bit of any byte
      text = good;
      char& byte = text[*rc::gen::inRange<std::size_t>(0, text.size())];
      byte = static_cast<char>(byte ^ (1 << *rc::gen::inRange(0, 8)));
    } else if (kind == 1) {  // remove a record
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(some()));
      text = join();
    } else if (kind == 2) {  // swap two
      const std::size_t a = some();
      const std::size_t b = some();
      RC_PRE(a != b);
      std::swap(lines[a], lines[b]);
      text = join();
    } else if (kind == 3) {  // repeat one somewhere
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(some()), lines[some()]);
      text = join();
    } else if (kind == 4) {  // cut at any byte
      text = good.substr(0, *rc::gen::inRange<std::size_t>(0, good.size()));
    } else {  // insert a byte
      text = good;
      text.insert(text.begin() + *rc::gen::inRange<std::ptrdiff_t>(
                                     0, static_cast<std::ptrdiff_t>(good.size())),
                  *rc::gen::arbitrary<char>());
      RC_PRE(text != good);
    }
    write(file(), text);
    RC_ASSERT(!verify().valid);
    RC_ASSERT(verify().broken_at > 0u);
  });
  EXPECT_TRUE(holds);
  write(file(), good);
  ASSERT_TRUE(verify().valid);

  // A chain that was rewritten from some record on is sound in itself, and still not the one noted.
  ChainEnd end;
  std::string forged;
  for (int i = 0; i < records; ++i) {
    forged +=
        chain_line({.actor = by_operator, .action = "harmless"}, "2023-11-14T22:13:20.000Z", end);
  }
  write(file(), forged);
  EXPECT_EQ(verify().broken_at, records);
  EXPECT_EQ(read(folder() / "audit.head"), head);
}

}  // namespace
}  // namespace caisson::observe
