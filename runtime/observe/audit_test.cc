#include "runtime/observe/audit.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "base/uuid.h"

namespace caisson::observe {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;

constexpr Actor by_operator{.kind = Actor::Kind::operator_};

class AuditTest : public testing::Test {
 protected:
  AuditTest() : path_(fs::temp_directory_path() / ("caisson-audit-" + new_uuid(0))) {}
  ~AuditTest() override {
    fs::remove_all(path_);
    ::close(null_);
  }

  [[nodiscard]] std::unique_ptr<Audit> open(const Audit::Bounds& bounds = {}) {
    auto audit = Audit::open(path_, clock_, log_, metrics_, bounds);
    if (!audit) throw std::runtime_error(audit.error().text());
    return std::move(*audit);
  }
  static std::vector<json::object> records(AuditLog& log) {
    std::vector<json::object> all;
    AuditQuery query{.limit = 1000};
    std::vector<std::string> lines;
    do {
      lines = log.query(query);
      for (const std::string& line : lines) all.push_back(json::parse(line).as_object());
      if (!lines.empty()) query.after = *claimed_seq(lines.back());
    } while (lines.size() == query.limit);
    return all;
  }
  /// A refusal of a caller without a credential.
  static AuditEvent anonymous(std::string_view request_id) {
    return {.action = "request.refuse",
            .request_id = request_id,
            .outcome = "refused",
            .reason = "invalid-credential: no such key"};
  }
  static std::uintmax_t bytes_below(const fs::path& path) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
  }

  fs::path path_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  Log log_{null_, Level::error, "test", clock_};
  Metrics metrics_{"test", "0"};
};

TEST_F(AuditTest, ASubjectIsNeverTakenForAnotherKindOfActor) {
  EXPECT_EQ(text(Actor{}), "anonymous");
  EXPECT_EQ(text(by_operator), "operator");
  EXPECT_EQ(text(Actor{.kind = Actor::Kind::configuration}), "configuration");
  EXPECT_EQ(text(Actor{.kind = Actor::Kind::runtime}), "runtime");
  for (const char* subject : {"operator", "runtime", "configuration", "anonymous", "", "api-key:x",
                              "token:x", ":", "operator:"}) {
    EXPECT_EQ(text(Actor{.kind = Actor::Kind::token, .id = subject}),
              "token:" + std::string(subject));
    EXPECT_EQ(text(Actor{.kind = Actor::Kind::api_key, .id = subject}),
              "api-key:" + std::string(subject));
  }
}

TEST_F(AuditTest, AFloodOfRefusalsPushesNothingOut) {
  // The bounds are a thousandth of the real ones, the flood is not: a million refusals in an hour,
  // with everything varied that a caller without a credential can vary.
  auto audit = open({.operations = {.file_bytes = 64 << 10, .files = 2},
                     .refusals = {.file_bytes = 64 << 10, .files = 2},
                     .in_full = {.kind = {.burst = 20, .a_minute = 1},
                                 .anonymous = {.burst = 100, .a_minute = 2},
                                 .known = {.burst = 100, .a_minute = 2}}});
  const std::uint64_t begun = audit->begin({.actor = by_operator, .action = "tenant.create"});
  ASSERT_NE(begun, 0);
  ASSERT_TRUE(
      audit->end(begun, {.actor = by_operator, .action = "tenant.create", .outcome = "ok"}));
  const std::string start = rfc3339(clock_.unix_ms());
  constexpr int flood = 1'000'000;
  for (int i = 0; i < flood; ++i) {
    const std::string id = "r-" + std::to_string(i);
    AuditEvent event = anonymous(id);
    if (i % 3 == 1) event.reason = "unauthenticated";
    if (i % 3 == 2) event.action = "operator.refuse";
    audit->refuse(event);
    if (i % 1000 == 999) clock_.advance_ms(3600);
  }
  const std::uint64_t second = audit->begin({.actor = by_operator, .action = "tenant.delete"});
  ASSERT_TRUE(
      audit->end(second, {.actor = by_operator, .action = "tenant.delete", .outcome = "ok"}));

  const auto operations = records(audit->operations());
  ASSERT_EQ(operations.size(), 4) << "what operators did is all there";
  EXPECT_EQ(operations[0].at("action"), "tenant.create");
  EXPECT_EQ(operations[3].at("action"), "tenant.delete");
  EXPECT_LT(bytes_below(path_), 1 << 20);
  const AuditReport report = audit->verify();
  EXPECT_TRUE(report.valid());
  EXPECT_EQ(report.operations.retired, 0);
  EXPECT_EQ(report.operations.from, start);

  // The newest counts tell since when, whatever was removed meanwhile.
  audit->tick();
  const auto refusals = records(audit->refusals());
  std::map<std::string, json::object> newest;
  for (const json::object& record : refusals) {
    if (record.contains("count"))
      newest[std::string(record.at("action").as_string()) +
             std::string(record.at("reason").as_string())] = record;
  }
  ASSERT_EQ(newest.size(), 3);
  for (const auto& [kind, record] : newest) {
    EXPECT_LE(std::string_view(record.at("since").as_string()),
              rfc3339(*parse_rfc3339(start) + 60'000))
        << kind;
    EXPECT_GT(record.at("count").as_int64(), 1000) << kind;
  }
}

TEST_F(AuditTest, EveryRefusalIsInTheLogOrInACount) {
  const bool holds = rc::check([this] {
    fs::remove_all(path_);
    const auto kinds = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
    std::map<std::string, std::uint64_t> expected;
    {
      auto audit = open({.in_full = {.kind = {.burst = 3, .a_minute = 5},
                                     .anonymous = {.burst = 10, .a_minute = 20},
                                     .known = {.burst = 30, .a_minute = 20},
                                     .kinds = kinds,
                                     .rows = 4}});
      const int refusals = *rc::gen::inRange(0, 400);
      for (int i = 0; i < refusals; ++i) {
        const std::string tenant = "t" + std::to_string(*rc::gen::inRange(0, 30));
        const std::string reason =
            *rc::gen::element<std::string>("rate-limited", "tenant-mismatch");
        const bool known = *rc::gen::arbitrary<bool>();
        const std::string id = "r-" + std::to_string(i);
        audit->refuse(
            {.actor = {.kind = known ? Actor::Kind::token : Actor::Kind::anonymous, .id = id},
             .action = "request.refuse",
             .tenant = known ? tenant : "",
             .tenant_id = known ? tenant : "",
             .request_id = id,
             .outcome = "refused",
             .reason = reason});
        ++expected[reason];
        clock_.advance_ms(*rc::gen::inRange(0, 20'000));
        if (*rc::gen::arbitrary<bool>()) audit->tick();
      }
    }
    auto audit = open();
    std::map<std::string, std::uint64_t> kept;
    for (const json::object& record : records(audit->refusals())) {
      const auto* count = record.if_contains("count");
      kept[std::string(record.at("reason").as_string())] +=
          count == nullptr ? 1 : static_cast<std::uint64_t>(count->as_int64());
      if (count != nullptr) {
        RC_ASSERT(record.at("from").as_string() <= record.at("to").as_string());
        RC_ASSERT(record.at("since").as_string() <= record.at("from").as_string());
      }
    }
    RC_ASSERT(kept == expected);
    RC_ASSERT(audit->verify().valid());
  });
  EXPECT_TRUE(holds);
}

TEST_F(AuditTest, OrdinaryRefusalsAreRecordedInFull) {
  // What a run of the conformance suite is: hundreds a minute of many kinds, for an hour.
  auto audit = open();
  constexpr int minutes = 60;
  constexpr int each = 300;
  for (int i = 0; i < minutes * each; ++i) {
    const std::string tenant = "t" + std::to_string(i % 20);
    const std::string id = "r-" + std::to_string(i);
    audit->refuse({.actor = {.kind = Actor::Kind::token, .id = "u"},
                   .action = "request.refuse",
                   .tenant = tenant,
                   .tenant_id = tenant,
                   .request_id = id,
                   .outcome = "refused",
                   .reason = "tenant-mismatch"});
    if (i % each == each - 1) clock_.advance_ms(60'000);
  }
  const auto refusals = records(audit->refusals());
  ASSERT_EQ(refusals.size(), minutes * each);
  EXPECT_EQ(refusals.back().at("request_id").as_string(),
            "r-" + std::to_string(minutes * each - 1));
}

TEST_F(AuditTest, TellsKindsApartWithinBounds) {
  // More tenants than kinds: memory stays, and so does what is written of a minute.
  Refusals refusals({.kind = {.burst = 1, .a_minute = 1}, .kinds = 100, .rows = 8});
  std::uint64_t counted = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string tenant = "t" + std::to_string(i % 5000);
    if (!refusals.in_full({.actor = {.kind = Actor::Kind::api_key, .id = tenant},
                           .action = "request.refuse",
                           .tenant = tenant,
                           .tenant_id = tenant,
                           .reason = "rate-limited"},
                          1'000'000, 1'000'000)) {
      ++counted;
    }
  }
  EXPECT_FALSE(refusals.due(1'000'000));
  EXPECT_TRUE(refusals.due(1'000'000 + 60'000));
  const std::vector<RefusalCount> rows = refusals.counts();
  refusals.clear();
  EXPECT_EQ(rows.size(), 9);
  std::uint64_t in_rows = 0;
  for (const RefusalCount& row : rows) in_rows += row.count;
  EXPECT_EQ(in_rows, counted);
  EXPECT_TRUE(rows.back().tenant.empty());
  EXPECT_TRUE(refusals.counts().empty());

  // Kinds that are idle make room for others.
  const std::int64_t later_ns = 1'000'000 + 200 * 60'000'000'000LL;
  for (int i = 0; i < 2; ++i) {
    static_cast<void>(refusals.in_full({.actor = {.kind = Actor::Kind::api_key, .id = "late"},
                                        .action = "request.refuse",
                                        .tenant = "late",
                                        .tenant_id = "late",
                                        .reason = "rate-limited"},
                                       14'000'000, later_ns));
  }
  const std::vector<RefusalCount> late = refusals.counts();
  ASSERT_EQ(late.size(), 1);
  EXPECT_EQ(late.front().tenant, "late");
  EXPECT_EQ(late.front().since_ms, 14'000'000) << "it has only begun";
}

TEST_F(AuditTest, GoesOnWithALogThatHasBothKinds) {
  // The version before had one log for everything.
  {
    auto before = AuditLog::open(path_, clock_, log_, metrics_).value();
    before->append(anonymous("r-1"));
    before->append({.actor = by_operator, .action = "tenant.create", .outcome = "ok"});
  }
  auto audit = open();
  audit->refuse(anonymous("r-2"));
  ASSERT_TRUE(audit->record({.actor = by_operator, .action = "tenant.delete", .outcome = "ok"}));
  const AuditReport report = audit->verify();
  EXPECT_TRUE(report.valid()) << report.operations.reason;
  EXPECT_EQ(report.operations.records, 3);
  EXPECT_EQ(report.refusals->records, 1);
  audit.reset();
  EXPECT_TRUE(verify_audit(path_)->valid());
  EXPECT_EQ(verify_audit(path_)->refusals->records, 1);
  EXPECT_FALSE(verify_audit(path_ / "audit.ndjson")->refusals);
  EXPECT_EQ(verify_audit(path_ / "refusals")->operations.records, 1);
}

TEST_F(AuditTest, NoticesThatTheLogOfRefusalsIsGone) {
  // Nothing is missing of a log that never had one.
  AuditLog::open(path_, clock_, log_, metrics_).value().reset();
  EXPECT_TRUE(verify_audit(path_)->valid());
  for (const bool emptied : {false, true}) {
    {
      auto audit = open();
      for (int i = 0; i < 500; ++i) audit->refuse(anonymous("r-1"));
    }
    ASSERT_TRUE(verify_audit(path_)->valid());
    fs::remove_all(path_ / "refusals");
    if (emptied) fs::create_directory(path_ / "refusals");
    const AuditReport found = verify_audit(path_).value();
    EXPECT_FALSE(found.valid());
    EXPECT_TRUE(found.operations.valid);
    EXPECT_EQ(found.refusals->broken_at, 1);
    EXPECT_EQ(found.refusals->reason, "the log of refusals is missing");
    // It begins anew, and what operators did says since when.
    auto audit = open();
    const auto operations = records(audit->operations());
    EXPECT_EQ(operations.back().at("action"), "audit.damaged");
    EXPECT_EQ(operations.back().at("reason"), "the log of refusals was missing");
    EXPECT_TRUE(audit->verify().valid());
  }
  const auto audit = open();
  fs::remove_all(path_ / "refusals");
  audit->refuse(anonymous("r-1"));
  EXPECT_FALSE(audit->verify().valid()) << "also while it is written";
}

TEST_F(AuditTest, SaysWhatWasRetired) {
  auto audit = open({.operations = {.file_bytes = 2048, .files = 3}});
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(audit->record({.actor = by_operator, .action = "tenant.update", .outcome = "ok"}));
    clock_.advance_ms(1000);
  }
  const AuditVerification found = audit->verify().operations;
  EXPECT_TRUE(found.valid) << found.reason;
  EXPECT_GT(found.retired, 0);
  EXPECT_EQ(found.first, found.retired + 1);
  const auto kept = records(audit->operations());
  EXPECT_EQ(found.from, std::string_view(kept.front().at("time").as_string()));
  EXPECT_EQ(found.to, std::string_view(kept.back().at("time").as_string()));
  bool told = false;
  for (const json::object& record : kept) {
    told = told || std::string_view(record.at("reason").as_string()).find(": records ") !=
                       std::string_view::npos;
  }
  EXPECT_TRUE(told);
}

TEST_F(AuditTest, KeepsIntentsOpenUntilTheirOutcome) {
  std::uint64_t open_one = 0;
  {
    auto audit = open();
    const std::uint64_t first = audit->begin({.actor = by_operator, .action = "a"});
    open_one = audit->begin({.actor = by_operator,
                             .action = "tenant.create",
                             .tenant = "globex",
                             .tenant_id = "0198",
                             .request_id = "r-1",
                             .reason = "say \"hi\""});
    ASSERT_TRUE(audit->end(first, {.actor = by_operator, .action = "a", .outcome = "ok"}));
    for (int i = 0; i < 500; ++i)
      ASSERT_TRUE(audit->record({.actor = by_operator, .action = "b", .outcome = "ok"}));
  }
  for (int start = 0; start < 2; ++start) {  // it stays open until somebody says what became of it
    auto audit = open();
    ASSERT_EQ(audit->unfinished().size(), 1);
    const UnfinishedAct& act = audit->unfinished().front();
    EXPECT_EQ(act.seq, open_one);
    EXPECT_EQ(act.action, "tenant.create");
    EXPECT_EQ(act.tenant, "globex");
    EXPECT_EQ(act.tenant_id, "0198");
    EXPECT_EQ(act.request_id, "r-1");
    EXPECT_EQ(act.reason, "say \"hi\"");
    EXPECT_EQ(act.time_ms, clock_.unix_ms());
    if (start == 1) {
      ASSERT_TRUE(audit->end(act.seq, {.action = act.action, .outcome = "failed"}));
    }
  }
  EXPECT_TRUE(open()->unfinished().empty());
  EXPECT_TRUE(verify_audit(path_)->valid());
}

TEST_F(AuditTest, RefusalsNeverWait) {
  // A log that cannot take a record has it counted.
  auto audit = open({.refusals = {.pending_bytes = 1}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) audit->refuse(anonymous("r-" + std::to_string(t * 5000 + i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  audit.reset();
  audit = open();
  std::int64_t kept = 0;
  for (const json::object& record : records(audit->refusals()))
    kept += record.contains("count") ? record.at("count").as_int64() : 1;
  EXPECT_EQ(kept, 20'000);
}

}  // namespace
}  // namespace caisson::observe
