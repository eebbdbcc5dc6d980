#include "conformance/probe/probe.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "conformance/probe/fake_runtime_testing.h"
#include "conformance/probe/neighbour.h"
#include "conformance/probe/runner.h"
#include "conformance/probe/targets.h"

namespace caisson::conformance {
namespace {

using testing::HasSubstr;

constexpr const char* a_record = "018f0000-0000-7000-8000-00000000000a";
constexpr const char* b_record = "018f0000-0000-7000-8000-00000000000b";

/// Two tenants on one fake instance, ready for examinations.
class ExaminationTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(directory_);
    plan_.domain.value = "acme.localhost";
    stack_.target = "local";
    stack_.instances = {{.name = "runtime",
                         .role = "runtime",
                         .data = fake_.endpoint(),
                         .operator_api = fake_.endpoint()}};
    auto journal = Journal::open(directory_, "r1", 60);
    ASSERT_TRUE(journal);
    journal_ = std::make_unique<Journal>(std::move(*journal));
    for (const auto& [slug, record] : {std::pair{"globex", a_record}, {"initech", b_record}}) {
      Actor actor{.slug = slug,
                  .host = std::string(slug) + ".acme.localhost",
                  .instance = &stack_.instances[0],
                  .credential = std::string("csk_") + slug + "_0123456789abcdef",
                  .collection = "caisson-r1",
                  .records = {record},
                  .canaries = {make_canary("r1", slug, "row")},
                  .pace = std::make_shared<Pace>(0, 0)};
      fake_.add(slug, actor.credential, record, R"({"canary":")" + actor.canaries[0].text + "\"}");
      actors_.push_back(std::move(actor));
    }
    begin_run();
  }
  void begin_run() {
    arena_ = std::make_unique<Arena>(plan_, stack_, "r1", 2, *journal_);
    arena_->enrol(actors_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// The verdict of an examination in which `act` is done.
  Cell examine(const std::function<void(Examination&)>& act) {
    const auto pairs = arena_->pairs();
    Examination examination(*arena_, *pairs.at(0).first, *pairs.at(0).second);
    examination.begin();
    act(examination);
    examination.finish();
    return examination.cell();
  }

  Attack read_of_b(const Examination& e) {
    const std::string ghost = ghost_of(b_record);
    return {.step = "GET",
            .request = e.arena().request_of(e.attacker(), "GET",
                                            std::string("/v1/records/caisson-r1/") + b_record),
            .refusals = {"404 not-found"},
            .ghost = e.arena().request_of(e.attacker(), "GET", "/v1/records/caisson-r1/" + ghost),
            .id = b_record,
            .ghost_id = ghost};
  }
  Attack header_of_b(const Examination& e) {
    HttpRequest request = e.arena().request_of(e.attacker(), "GET", "/v1/whoami");
    request.headers.emplace_back("Caisson-Tenant", "initech");
    return {.step = "header", .request = request, .refusals = e.refusals_at(nullptr)};
  }
  /// Twists only what the attacker asks about the victim's record.
  void answer_attack(FakeRuntime::Answer given) {
    fake_.twist = [given](const FakeRuntime::Asked& asked) {
      const bool attack = asked.authorization.find("globex") != std::string::npos &&
                          asked.target.find(b_record) != std::string::npos;
      return attack ? given : FakeRuntime::Answer{.status = 0};
    };
  }

  FakeRuntime fake_;
  plan::Plan plan_;
  RunningStack stack_;
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("caisson-probe-" + std::to_string(getpid()));
  std::unique_ptr<Journal> journal_;
  std::vector<Actor> actors_;
  std::unique_ptr<Arena> arena_;
};

TEST_F(ExaminationTest, APassIsEarned) {
  const Cell cell = examine([&](Examination& e) {
    e.attack(read_of_b(e));
    e.attack(header_of_b(e));
  });
  EXPECT_EQ(cell.verdict, Verdict::pass) << cell.reason;
  EXPECT_EQ(cell.observations, 3U);  // two attacks, one ghost
}

TEST_F(ExaminationTest, NothingTriedIsNoPass) {
  fake_.twist = nullptr;
  const auto pairs = arena_->pairs();
  Examination e(*arena_, *pairs[0].first, *pairs[0].second);
  e.begin();
  e.finish();
  EXPECT_EQ(e.control_cell().verdict, Verdict::pass);
  EXPECT_EQ(e.cell().verdict, Verdict::inconclusive) << "a state that stays is no attack";
  EXPECT_EQ(e.cell().reason,
            "the harness: expected a conclusive observation, observed nothing was attacked");
}

TEST_F(ExaminationTest, WhatWasSkippedDoesNotPassWithItsControls) {
  const Probe probe{"X1", "skips", Resource::records, 1, false, nullptr, [](Examination& e) {
                      e.skip("there is no such surface");
                    }};
  const auto result = run_probe(*arena_, probe);
  EXPECT_EQ(result.verdict, Verdict::not_applicable);
  EXPECT_THAT(result.reason, HasSubstr("there is no such surface"));
}

TEST_F(ExaminationTest, A404OfTheRouterIsNoRefusal) {
  answer_attack({.status = 404,
                 .body = R"({"type":"urn:caisson:problem:not-found",)"
                         R"("detail":"there is nothing at this path"})"});
  const Cell cell = examine([&](Examination& e) {
    auto attack = read_of_b(e);
    attack.ghost.reset();
    e.attack(attack);
  });
  EXPECT_EQ(cell.verdict, Verdict::inconclusive);
  EXPECT_THAT(cell.reason, HasSubstr("no such route"));
}

TEST_F(ExaminationTest, AForeignCanaryIsALeakInAnyForm) {
  const std::string canary = arena_->actors()[1].canaries[0].text;
  for (const std::string& body : {canary, "cut: " + canary.substr(canary.size() - 32)}) {
    answer_attack({.status = 404, .body = body});
    const Cell cell = examine([&](Examination& e) { e.attack(read_of_b(e)); });
    EXPECT_EQ(cell.verdict, Verdict::leak);
    EXPECT_THAT(cell.reason, HasSubstr("row canary of initech"));
  }
}

TEST_F(ExaminationTest, SuccessWithoutACanaryIsALeakToo) {
  answer_attack({.status = 204});
  EXPECT_EQ(examine([&](Examination& e) { e.attack(read_of_b(e)); }).verdict, Verdict::leak);
}

/// A busy or restarting deployment answers this id so and that id otherwise, and is no oracle.
TEST_F(ExaminationTest, ADeploymentThatDoesNotServeJustThenIsInconclusive) {
  answer_attack({.status = 503, .problem = "overloaded"});
  EXPECT_EQ(examine([&](Examination& e) { e.attack(read_of_b(e)); }).verdict,
            Verdict::inconclusive);
  fake_.twist = nullptr;
  const auto own = [&](const Result<HttpResponse>& answer) {
    return examine([&](Examination& e) { e.expect_own("own", e.attacker(), answer); }).verdict;
  };
  EXPECT_EQ(own(fail("no answer in time")), Verdict::inconclusive);
  EXPECT_EQ(own(HttpResponse{.status = 502}), Verdict::inconclusive);
  EXPECT_EQ(own(HttpResponse{.status = 200, .body = R"({"tenant":"globex"})"}), Verdict::pass);
  EXPECT_EQ(own(HttpResponse{.status = 200, .body = R"({"tenant":"initech"})"}), Verdict::leak);
}

/// What a customer stored has no place in a report, nor has its name.
TEST_F(ExaminationTest, AReportOfAnAttachedDeploymentHasNoBodiesAndNoNamesOfOthers) {
  stack_.attached = "/etc/acme/site.json";
  begin_run();
  answer_attack({.status = 200, .body = R"({"tenant":"hooli","value":"what hooli stored"})"});
  const Cell cell = examine([&](Examination& e) { e.attack(read_of_b(e)); });
  EXPECT_EQ(cell.verdict, Verdict::leak);
  EXPECT_THAT(cell.reason, HasSubstr("a tenant that was not made for the run"));
  for (const Evidence& evidence : cell.evidence) {
    EXPECT_THAT(evidence.received + evidence.observed, testing::Not(HasSubstr("hooli")));
  }
}

TEST_F(ExaminationTest, ActingAsAnotherIsALeak) {
  fake_.twist = [](const FakeRuntime::Asked& asked) {
    return asked.tenant_header == "initech" ? FakeRuntime::Answer{.body = R"({"tenant":"initech"})"}
                                            : FakeRuntime::Answer{.status = 0};
  };
  const Cell cell = examine([&](Examination& e) { e.attack(header_of_b(e)); });
  EXPECT_EQ(cell.verdict, Verdict::leak);
  EXPECT_THAT(cell.reason, HasSubstr("accepted as initech"));
}

TEST_F(ExaminationTest, ARefusalForAnotherReasonIsInconclusive) {
  answer_attack({.status = 404, .body = "404 page not found"});
  EXPECT_EQ(examine([&](Examination& e) {
              Attack attack = read_of_b(e);
              attack.ghost.reset();
              e.attack(attack);
            }).verdict,
            Verdict::inconclusive);
  answer_attack({.status = 500, .problem = "internal"});
  EXPECT_EQ(examine([&](Examination& e) {
              Attack attack = read_of_b(e);
              attack.ghost.reset();
              e.attack(attack);
            }).verdict,
            Verdict::inconclusive);
}

TEST_F(ExaminationTest, AnOracleIsALeak) {
  answer_attack({.status = 403, .problem = "insufficient-scope"});
  const Cell cell = examine([&](Examination& e) { e.attack(read_of_b(e)); });
  EXPECT_EQ(cell.verdict, Verdict::leak);
  EXPECT_THAT(cell.reason, HasSubstr("the answers differ"));
}

TEST_F(ExaminationTest, AChangedStateIsALeak) {
  const Cell cell = examine([&](Examination& e) {
    static_cast<void>(
        e.arena().send(&e.victim(),
                       e.arena().request_of(e.victim(), "DELETE",
                                            std::string("/v1/records/caisson-r1/") + b_record),
                       Way::direct));
    e.count();
  });
  EXPECT_EQ(cell.verdict, Verdict::leak);
  EXPECT_THAT(cell.reason + cell.evidence.back().observed, HasSubstr("changed"));
}

TEST_F(ExaminationTest, ADeadVictimIsInconclusive) {
  fake_.twist = [](const FakeRuntime::Asked& asked) {
    const bool victim = asked.authorization.find("initech") != std::string::npos;
    return victim ? FakeRuntime::Answer{.status = 503, .problem = "tenant-unavailable"}
                  : FakeRuntime::Answer{.status = 0};
  };
  const Cell cell = examine([&](Examination& e) { e.attack(read_of_b(e)); });
  EXPECT_EQ(cell.verdict, Verdict::inconclusive);
  EXPECT_THAT(cell.reason, HasSubstr("positive control"));
}

TEST_F(ExaminationTest, ADenialThatIsNotInTheAuditLogIsInconclusive) {
  fake_.writes_audit = false;
  const Cell cell = examine([&](Examination& e) { e.attack(header_of_b(e)); });
  EXPECT_EQ(cell.verdict, Verdict::inconclusive);
  EXPECT_THAT(cell.reason, HasSubstr("audit log"));
}

TEST_F(ExaminationTest, ADenialThatTheAuditLogTellsWronglyIsInconclusive) {
  const auto verdict_with = [&](const std::string& reason, const std::vector<std::string>& causes) {
    begin_run();
    fake_.audit_reason = reason;
    return examine([&](Examination& e) {
             auto attack = header_of_b(e);
             attack.causes = causes;
             e.attack(attack);
           })
        .verdict;
  };
  EXPECT_EQ(verdict_with("tenant-mismatch", {}), Verdict::pass);
  EXPECT_EQ(verdict_with("tenant-mismatch: the header", {"the host", "the header"}), Verdict::pass);
  EXPECT_EQ(verdict_with("tenant-mismatch: the host", {"the header"}), Verdict::inconclusive);
  EXPECT_EQ(verdict_with("tenant-mismatch", {"the header"}), Verdict::inconclusive);
  EXPECT_EQ(verdict_with("rate-limited", {}), Verdict::inconclusive);
}

TEST_F(ExaminationTest, ACountInTheAuditLogStandsForAsManyRefusalsAsItSays) {
  const auto verdict_with = [&](const std::string& reason, int count, const std::string& time) {
    begin_run();
    fake_.count_record = R"("request_id":"x","actor":"api-key:k","outcome":"refused","reason":")" +
                         reason + R"(","count":)" + std::to_string(count) + R"(,"from":")" + time +
                         R"(","to":")" + time + '"';
    return examine([&](Examination& e) {
             e.attack(header_of_b(e));
             e.attack(header_of_b(e));
           })
        .verdict;
  };
  const std::string mismatch = "tenant-mismatch: the header names another tenant";
  const std::string then = "2023-11-14T22:13:20.004Z";
  EXPECT_EQ(verdict_with(mismatch, 2, then), Verdict::pass);
  EXPECT_EQ(verdict_with("tenant-mismatch", 7, then), Verdict::pass);
  EXPECT_EQ(verdict_with(mismatch, 1, then), Verdict::inconclusive) << "one is not counted";
  EXPECT_EQ(verdict_with("rate-limited", 2, then), Verdict::inconclusive);
  EXPECT_EQ(verdict_with(mismatch, 2, "2023-11-14T22:13:19.999Z"), Verdict::inconclusive);
  EXPECT_EQ(verdict_with(mismatch, 2, "2023-11-14T22:14:00.000Z"), Verdict::inconclusive);
}

TEST_F(ExaminationTest, EvidenceCarriesNoCredential) {
  const Cell cell = examine([&](Examination& e) { e.attack(header_of_b(e)); });
  for (const Evidence& piece : cell.evidence) {
    EXPECT_THAT(piece.sent, testing::Not(HasSubstr("0123456789abcdef")));
  }
  EXPECT_THAT(cell.evidence.front().sent, HasSubstr("Bearer [secret]"));
}

TEST_F(ExaminationTest, AProbeThatThrowsIsInvalid) {
  const Probe broken{
      .id = "X1", .title = "broken", .each = [](Examination&) { throw std::runtime_error("bug"); }};
  const ProbeResult result = run_probe(*arena_, broken);
  EXPECT_EQ(result.verdict, Verdict::invalid);
  EXPECT_THAT(result.reason, HasSubstr("bug"));
}

TEST_F(ExaminationTest, ABlindScannerInvalidatesTheRun) {
  EXPECT_EQ(guard(*arena_).verdict, Verdict::pass);
  fake_.twist = [](const FakeRuntime::Asked& asked) {
    return asked.target.find(b_record) != std::string::npos ? FakeRuntime::Answer{.body = "{}"}
                                                            : FakeRuntime::Answer{.status = 0};
  };
  const ProbeResult blind = guard(*arena_);
  EXPECT_EQ(blind.verdict, Verdict::invalid);
  EXPECT_THAT(blind.reason, HasSubstr("initech"));
}

TEST_F(ExaminationTest, AnExclusionOfTheSpecIsNamed) {
  plan_.conformance.exclude = {
      {.probe = "ID1", .reason = "the vendor's proxy needs it", .until = "2027-01-01"}};
  RunReport report;
  run_probes(*arena_, {.level = 1, .filter = "ID1"}, report);
  ASSERT_EQ(report.probes.size(), 2U);  // the guard and the probe
  EXPECT_EQ(report.probes[1].verdict, Verdict::not_applicable);
  EXPECT_THAT(report.probes[1].reason, HasSubstr("the vendor's proxy needs it (until 2027-01-01)"));
}

TEST_F(ExaminationTest, AnInstanceOrAListenerOfThePlanThatIsNotThereIsALeak) {
  const auto listeners = [&] {
    begin_run();
    const auto probes = catalogue();
    Probe probe = **std::ranges::find(probes, "SU1", &Probe::id);
    probe.inapplicable = nullptr;  // a process of this user can be seen without root
    return run_probe(*arena_, probe);
  };
  stack_.instances[0].process = identify(getpid()).value();
  plan_.instances = {
      {.name = "runtime",
       .role = plan::Role::runtime,
       .ports = {{.name = "data"},
                 {.name = "operator", .purpose = plan::Port::Purpose::operator_api}}},
      {.name = "database", .role = plan::Role::database},
      {.name = "elsewhere", .role = plan::Role::service}};
  const ProbeResult all = listeners();
  EXPECT_EQ(all.verdict, Verdict::pass) << all.reason;

  plan_.instances[0].ports.push_back({.name = "metrics", .purpose = plan::Port::Purpose::metrics});
  const ProbeResult port = listeners();
  EXPECT_EQ(port.verdict, Verdict::leak);
  EXPECT_THAT(port.reason, HasSubstr("port 'metrics' of runtime"));
  plan_.instances[0].ports.pop_back();

  plan_.instances.push_back(
      {.name = "events", .role = plan::Role::service, .local_command = {"events"}});
  const ProbeResult instance = listeners();
  EXPECT_EQ(instance.verdict, Verdict::leak);
  EXPECT_THAT(instance.reason, HasSubstr("events of the plan"));

  // It was started, and has ended since.
  stack_.instances.push_back({.name = "events",
                              .role = "service",
                              .process = {.pid = 1, .start_ticks = std::uint64_t{1} << 60U}});
  for (Actor& actor : actors_) actor.instance = &stack_.instances[0];
  const ProbeResult ended = listeners();
  EXPECT_EQ(ended.verdict, Verdict::leak);
  EXPECT_THAT(ended.reason, HasSubstr("does not run"));
}

TEST(Catalogue, HasUniqueStableIdsAndEnoughProbes) {
  std::set<std::string_view> ids;
  std::set<std::string> families;
  std::size_t runnable = 0;
  for (const Probe* probe : catalogue()) {
    EXPECT_TRUE(ids.insert(probe->id).second) << probe->id;
    EXPECT_FALSE(probe->title.empty());
    EXPECT_FALSE(probe->each != nullptr && probe->once != nullptr) << probe->id;
    // What cannot run must be able to say why.
    EXPECT_TRUE(probe->each != nullptr || probe->once != nullptr || probe->inapplicable != nullptr)
        << probe->id;
    runnable += probe->each != nullptr || probe->once != nullptr ? 1 : 0;
    families.insert(std::string(probe->id.substr(0, 2)));
  }
  EXPECT_GE(runnable, 40U);
  for (const char* family : {"ID", "DB", "FS", "PR", "SE", "CA", "OB", "NN", "LC", "SC", "WF"})
    EXPECT_TRUE(families.contains(family)) << family;
}

TEST(Matches, UnderstandsIdsFamiliesAndGlobs) {
  const Probe probe{.id = "DB15", .title = ""};
  EXPECT_TRUE(matches("", probe));
  EXPECT_TRUE(matches("DB15", probe));
  EXPECT_TRUE(matches("ID1,DB", probe));
  EXPECT_TRUE(matches("DB1*", probe));
  EXPECT_FALSE(matches("DB1", probe));
  EXPECT_FALSE(matches("D", probe));
}

TEST(Indistinct, ForgetsIdsAndNothingElse) {
  const HttpResponse one{.status = 404,
                         .headers = {{"Date", "a"}, {"Caisson-Request-Id", "r1"}, {"X", "1"}},
                         .body = "r1 id1"};
  HttpResponse two{.status = 404,
                   .headers = {{"Date", "b"}, {"Caisson-Request-Id", "r2"}, {"X", "1"}},
                   .body = "r2 id2"};
  EXPECT_EQ(indistinct(one, "id1"), indistinct(two, "id2"));
  two.headers.back().second = "2";
  EXPECT_NE(indistinct(one, "id1"), indistinct(two, "id2"));
}

TEST(Pace, StaysBelowTheRate) {
  Pace pace(1000, 1);
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) pace.wait();
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(95));
  Pace unlimited(0, 0);
  for (int i = 0; i < 100'000; ++i) unlimited.wait();
}

TEST(Neighbour, MayGrowByTheRatioOfThePlanAndNoMore) {
  const auto verdict = [](std::int64_t during, double ratio) {
    return judge({.before = 20'000, .during = during, .after = 19'000, .ratio = ratio}).verdict;
  };
  EXPECT_EQ(verdict(29'000, 1.5), Verdict::pass);
  EXPECT_EQ(verdict(31'000, 1.5), Verdict::leak);
  EXPECT_EQ(verdict(31'000, 2), Verdict::pass);
  EXPECT_EQ(verdict(24'000, 1), Verdict::pass);  // five milliseconds are no growth
  EXPECT_EQ(verdict(26'000, 1), Verdict::leak);
}

TEST(Neighbour, IsNotBlamedForWhatEverybodyPays) {
  const auto verdict = [](std::int64_t during, std::int64_t nobodys_during) {
    return judge({.before = 5'000,
                  .during = during,
                  .after = 5'000,
                  .nobodys_at_rest = 1'000,
                  .nobodys_during = nobodys_during})
        .verdict;
  };
  EXPECT_EQ(verdict(48'000, 41'000), Verdict::pass);
  EXPECT_EQ(verdict(48'000, 20'000), Verdict::leak);
  EXPECT_EQ(verdict(11'000, 500), Verdict::leak) << "who is served faster gives nobody time";
}

TEST(Neighbour, IsNotBlamedForTheMachine) {
  const auto unsteady = judge({.before = 20'000, .during = 90'000, .after = 50'000});
  EXPECT_EQ(unsteady.verdict, Verdict::inconclusive);
  EXPECT_THAT(unsteady.observed, HasSubstr("too noisy to tell, or the flood lasts"));
  const auto late = judge({.before = 20'000,
                           .during = 60'000,
                           .after = 20'000,
                           .late_at_rest = 100,
                           .late_during = 9'000});
  EXPECT_EQ(late.verdict, Verdict::inconclusive);
  EXPECT_THAT(late.observed, HasSubstr("it wakes threads that late"));
  EXPECT_THAT(late.observed, HasSubstr("p95 20.0 ms before, 60.0 ms during, 20.0 ms after: 3.00"));
}

TEST(Neighbour, IsNotBlamedOnAMachineThatWasBusyBefore) {
  const auto verdict = [](std::int64_t late_at_rest, std::int64_t nobodys_at_rest) {
    return judge({.before = 20'000,
                  .during = 90'000,
                  .after = 21'000,
                  .nobodys_at_rest = nobodys_at_rest,
                  .nobodys_during = nobodys_at_rest,
                  .late_at_rest = late_at_rest,
                  .late_during = late_at_rest});
  };
  EXPECT_EQ(verdict(300, 1'500).verdict, Verdict::leak);
  EXPECT_EQ(verdict(4'000, 1'500).verdict, Verdict::inconclusive);
  EXPECT_EQ(verdict(300, 9'000).verdict, Verdict::inconclusive) << "while others took 0.2 ms";
  EXPECT_THAT(verdict(4'000, 1'500).observed, HasSubstr("too busy to tell"));
}

/// Distance is no load: every request pays it, with the flood and without.
TEST(Neighbour, IsJudgedAlikeHoweverFarAwayTheTargetIs) {
  for (const std::int64_t away : {0, 5'000, 10'000, 20'000, 50'000}) {
    const auto judged = [&](std::int64_t grown, std::int64_t everybodys, std::int64_t spread) {
      return judge({.before = away + 1'500,
                    .during = away + 1'500 + grown,
                    .after = away + 1'400,
                    .nobodys_at_rest = away + 600 + spread,
                    .nobodys_least = away + 400,
                    .nobodys_during = away + 600 + spread + everybodys,
                    .late_at_rest = 150,
                    .late_during = 200});
    };
    EXPECT_EQ(judged(2'000, 0, 0).verdict, Verdict::pass) << away;
    EXPECT_EQ(judged(9'000, 5'000, 0).verdict, Verdict::pass) << away;
    EXPECT_EQ(judged(9'000, 0, 0).verdict, Verdict::leak) << away;
    EXPECT_EQ(judged(30'000, 5'000, 0).verdict, Verdict::leak) << away;
    EXPECT_EQ(judged(30'000, 0, 8'000).verdict, Verdict::inconclusive)
        << away << ": some answers of nobody's were much slower than others without any noise";
  }
}

/// A flood whose work outlives it is no pass: what comes after it is no measure of the time
/// without.
TEST(Neighbour, IsNotPassedForAFloodThatLasts) {
  NeighbourFigures figures{.before = 47'300,
                           .during = 117'200,
                           .after = 94'100,
                           .nobodys_at_rest = 21'000,
                           .nobodys_least = 20'900,
                           .nobodys_during = 21'000,
                           .late_at_rest = 150,
                           .late_during = 200};
  EXPECT_EQ(judge(figures).verdict, Verdict::inconclusive);
  figures.after = 50'000;
  EXPECT_EQ(judge(figures).verdict, Verdict::leak);
}

/// The same flood takes more askers the longer each waits for its answer.
TEST(Neighbour, IsFloodedFromFarAwayAsWell) {
  EXPECT_EQ(askers_for(200, 300), 3U);
  EXPECT_EQ(askers_for(200, 50'000), 10U);
  EXPECT_EQ(askers_for(200, 900'000), 32U);
}

/// 50 a second and 50 at once: on a slow machine a flood of 250 in five seconds is none.
TEST(Neighbour, IsOnlyBlamedForAFloodThatWasOne) {
  EXPECT_EQ(judge_flood(50, 50, 1.5, 900, 700), Verdict::pass);
  EXPECT_EQ(judge_flood(50, 50, 1.5, 900, 0), Verdict::leak);
  EXPECT_EQ(judge_flood(50, 50, 5, 250, 0), Verdict::inconclusive);
}

TEST(GhostOf, HasTheShapeOfAnIdAndIsAnother) {
  const std::string ghost = ghost_of(a_record);
  EXPECT_EQ(ghost.size(), std::string(a_record).size());
  EXPECT_EQ(ghost.substr(0, 24), std::string(a_record).substr(0, 24));
  EXPECT_NE(ghost, a_record);
}

}  // namespace
}  // namespace caisson::conformance
