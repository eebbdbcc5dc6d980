#include "conformance/report/report.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "conformance/report/escape.h"
#include "conformance/report/figures.h"
#include "conformance/report/truth.h"

namespace caisson::conformance {
namespace {

using testing::HasSubstr;
using testing::Not;

RunReport sample() {
  RunReport report{.run = "r1",
                   .deployment = "acme",
                   .version = "1.0.0",
                   .target = "local",
                   .tool_version = "0.1.0",
                   .plan_digest = "abc",
                   .level = 2,
                   .started = "2026-01-01T00:00:00Z",
                   .elapsed_us = 1'234'567};
  report.tenants = {
      {.slug = "globex", .tier = "free", .instance = "runtime", .isolation = "schema"}};
  report.probes.push_back({.id = "ID1",
                           .title = "A's credential with B's header",
                           .resource = Resource::identity,
                           .level = 1,
                           .verdict = Verdict::pass,
                           .elapsed_us = 1500,
                           .cells = {{.accessor = "initech",
                                      .owner = "initech",
                                      .verdict = Verdict::pass,
                                      .control = true,
                                      .observations = 2},
                                     {.accessor = "globex",
                                      .owner = "initech",
                                      .verdict = Verdict::pass,
                                      .observations = 6}}});
  report.probes.push_back({.id = "DB1",
                           .title = "every route with B's id <b>",
                           .resource = Resource::records,
                           .level = 1,
                           .verdict = Verdict::leak,
                           .reason = "a canary of initech came back",
                           .cells = {{.accessor = "globex",
                                      .owner = "initech",
                                      .verdict = Verdict::leak,
                                      .reason = "canary & more",
                                      .observations = 3,
                                      .evidence = {{.step = "GET <record>",
                                                    .expected = "404 not-found",
                                                    .observed = "200",
                                                    .sent = "GET / \x01\xff",
                                                    .received = "\"quoted\"",
                                                    .verdict = Verdict::leak}}}}});
  report.probes.push_back({.id = "DB6",
                           .title = "superuser role",
                           .resource = Resource::records,
                           .level = 0,
                           .verdict = Verdict::not_applicable,
                           .reason = "no PostgreSQL in this plan"});
  report.probes.push_back({.id = "NN1",
                           .title = "flood",
                           .resource = Resource::noise,
                           .level = 2,
                           .verdict = Verdict::inconclusive,
                           .reason = "B did not answer"});
  return report;
}

TEST(TruthTable, MergesByPairAndResourceOwnFirst) {
  const TruthTable table = truth_table(sample());
  EXPECT_EQ(table.columns, (std::vector{Resource::identity, Resource::records}));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0].accessor, "globex");
  EXPECT_EQ(observed_in(table.rows[0], table.rows[0].cells[0]), "held");
  EXPECT_EQ(observed_in(table.rows[0], table.rows[0].cells[1]), "LEAK");
  EXPECT_EQ(observed_in(table.rows[1], table.rows[1].cells[0]), "given");
  EXPECT_EQ(observed_in(table.rows[1], table.rows[1].cells[1]), "-");
}

TEST(SignedJson, VerifiesAndNoticesEveryChange) {
  const auto key = SigningKey::generate(Algorithm::ed_dsa);
  const auto sealed = to_signed_json(sample(), *key);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(verify_signed_json(*sealed));
  EXPECT_TRUE(verify_signed_json(*sealed, key->public_raw()));
  EXPECT_FALSE(verify_signed_json(*sealed, SigningKey::generate(Algorithm::ed_dsa)->public_raw()));
  std::string changed = *sealed;
  changed.replace(changed.find("\"LEAK\""), 6, "\"PASS\"");
  EXPECT_FALSE(verify_signed_json(changed));
  EXPECT_FALSE(verify_signed_json(R"({"report":{}})"));
  EXPECT_FALSE(verify_signed_json("{"));
}

TEST(CanonicalJson, IsSortedAndStable) {
  const std::string json = to_canonical_json(sample());
  EXPECT_EQ(json, to_canonical_json(sample()));
  EXPECT_LT(json.find("\"canaries\""), json.find("\"deployment\""));
  EXPECT_THAT(json, HasSubstr(R"("exit-status":1)"));
  EXPECT_THAT(json, Not(HasSubstr(": ")));
}

TEST(Junit, TellsLeaksErrorsAndSkipsApart) {
  const std::string xml = to_junit(sample());
  EXPECT_THAT(xml,
              HasSubstr(R"(<testsuite name="DB" tests="2" failures="1" errors="0" skipped="1")"));
  EXPECT_THAT(xml, HasSubstr(R"(<failure type="LEAK" message="a canary of initech came back">)"));
  EXPECT_THAT(xml, HasSubstr(R"(<error type="INCONCLUSIVE")"));
  EXPECT_THAT(xml, HasSubstr(R"(<skipped message="no PostgreSQL in this plan"/>)"));
  EXPECT_THAT(xml, HasSubstr("&lt;record&gt;"));
  EXPECT_THAT(xml, HasSubstr(R"(time="0.001")"));
}

TEST(Sarif, SaysWhatWasNotTested) {
  auto report = sample();
  report.probes[0].verdict = Verdict::not_tested;
  report.probes[0].reason = "no root";
  EXPECT_THAT(to_sarif(report, "deployment.yaml"),
              HasSubstr(R"("level":"note","message":{"text":"ID1 NOT TESTED: no root)"));
  report.require_all = true;
  EXPECT_THAT(to_sarif(report, "deployment.yaml"),
              HasSubstr(R"("level":"error","message":{"text":"ID1 NOT TESTED: no root)"));
}

TEST(Sarif, HoldsNothingThatPassedOrDoesNotApply) {
  const std::string sarif = to_sarif(sample(), "deployment.yaml");
  EXPECT_THAT(sarif, HasSubstr(R"("version":"2.1.0")"));
  EXPECT_THAT(sarif, HasSubstr(R"("ruleId":"DB1")"));
  EXPECT_THAT(sarif, HasSubstr(R"("level":"warning")"));
  EXPECT_THAT(sarif, Not(HasSubstr("ID1")));
  EXPECT_THAT(sarif, Not(HasSubstr("DB6")));
}

TEST(Html, IsSelfContainedAndEscaped) {
  const std::string page = to_html(sample());
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("id <b>")));
  EXPECT_THAT(page, HasSubstr("GET &lt;record&gt;"));
  EXPECT_THAT(page, HasSubstr(R"(href="#probe-DB1-1")"));
  EXPECT_THAT(page, HasSubstr(R"(id="probe-DB1" open)"));
}

/// Every resource, many pairs, and as many probes in a square as real runs have.
RunReport large() {
  RunReport report = sample();
  report.probes.clear();
  const std::vector<std::string> tenants{"globex", "initech", "umbrella", "czr1-new",
                                         "a-tenant-whose-name-is-as-long-as-one-may-be"};
  for (int resource = 0; resource <= static_cast<int>(Resource::supply); ++resource) {
    for (int number = 1; number <= 15; ++number) {
      ProbeResult probe{.id = "P" + std::to_string(resource) + "X" + std::to_string(number),
                        .title = "a probe",
                        .resource = static_cast<Resource>(resource),
                        .verdict = Verdict::pass};
      for (const auto& accessor : tenants) {
        for (const auto& owner : tenants) {
          probe.cells.push_back({.accessor = accessor,
                                 .owner = owner,
                                 .verdict = Verdict::pass,
                                 .observations = 1234,
                                 .evidence = {{.step = "GET", .expected = "404"}}});
        }
      }
      report.probes.push_back(std::move(probe));
    }
  }
  return report;
}

std::vector<std::string> all_matches(const std::string& text, const std::string& expression) {
  const std::regex pattern(expression);
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    found.push_back((*at)[1]);
  return found;
}

TEST(Html, LinksEveryProbeOfASquareToItsOwnEvidence) {
  const std::string page = to_html(large());
  auto links = all_matches(page, R"re(<a class="pass" href="#(probe-[^"]+)")re");
  auto evidence = all_matches(page, R"re(<h4 id="(probe-[^"]+)")re");
  EXPECT_EQ(links.size(), 12U * 15 * 25);
  EXPECT_EQ(std::set(evidence.begin(), evidence.end()).size(), evidence.size());
  std::sort(links.begin(), links.end());
  std::sort(evidence.begin(), evidence.end());
  EXPECT_EQ(links, evidence);
}

TEST(Html, LinksToTheHeaviestOfSeveralCellsOfASquare) {
  RunReport report = sample();
  ProbeResult& probe = report.probes[1];
  probe.cells = {
      {.accessor = "czr1-a", .owner = "globex", .verdict = Verdict::pass, .observations = 1},
      {.accessor = "czr1-b", .owner = "globex", .verdict = Verdict::leak, .observations = 1}};
  EXPECT_THAT(to_html(report), HasSubstr(R"(<a class="leak" href="#probe-DB1-2")"));
}

TEST(Html, SaysOfEverySquareWhichResourceItIsAbout) {
  // Small screens show squares below one another, without the head of the table.
  const std::string page = to_html(large());
  const auto heads = all_matches(page, R"re(<th role="columnheader" scope="col">([^<]+)<)re");
  const auto columns =
      all_matches(page, R"re(<td role="cell" class="[^"]*" data-column="([^"]+)")re");
  ASSERT_EQ(heads.size(), 2U + 12);
  ASSERT_EQ(columns.size(), 25U * 12);
  for (std::size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(columns[i], heads[2 + i % 12]);
}

TEST(Figures, AreForPeople) {
  EXPECT_EQ(people_bytes(999), "999 B");
  EXPECT_EQ(people_bytes(86'600'000), "86.6 MB");
  EXPECT_EQ(people_bytes(999'999), "1.00 MB");
  EXPECT_EQ(people_count(999), "999");
  EXPECT_EQ(people_count(1'234'567), "1,234,567");
  EXPECT_EQ(people_time(850), "850 us");
  EXPECT_EQ(people_time(12'345), "12 ms");
  EXPECT_EQ(people_time(5'240'000), "5.2 s");
  EXPECT_EQ(people_time(9'960'000), "10 s");
  EXPECT_EQ(people_time(65'000'000), "1 min 5 s");
}

TEST(Text, PrintsTableVerdictsAndWhatWasNotVerified) {
  const std::string text = to_text(sample(), false);
  EXPECT_THAT(text, HasSubstr("globex -> initech"));
  EXPECT_THAT(text, HasSubstr("LEAK 3"));
  EXPECT_THAT(text, HasSubstr("DB6 superuser role: no PostgreSQL in this plan"));
  EXPECT_THAT(text, HasSubstr("LEAK: 1 passed, 1 leaked, 0 invalid, 1 inconclusive, 0 not tested, "
                              "1 not applicable"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b[")));
  RunReport passed = sample();
  passed.probes.resize(1);
  EXPECT_THAT(to_text(passed, false),
              HasSubstr("N = 6 attempts without a leak. What was tried gives the same answer "
                        "every time, and what was not tried is not covered. A fault that comes by "
                        "chance, such as a race, would have shown (95 % confidence) if it let "
                        "through more than one attempt of its family in so many (3/N): ID 2."));
}

TEST(Text, NamesTheCauseBeforeWhatItChangedForOthers) {
  RunReport report = sample();
  ProbeResult after = report.probes[1];
  after.id = "AB1";
  after.cells[0].aftermath = true;
  report.probes.insert(report.probes.begin(), after);
  const std::string text = to_text(report, false);
  EXPECT_THAT(text, HasSubstr("LEAK          AB1: a tenant's state changed while they ran"));
  EXPECT_LT(text.find("LEAK          DB1"), text.find("LEAK          AB1"));
  EXPECT_THAT(text, HasSubstr("LEAK: 1 passed, 2 leaked"));
  report.probes.resize(1);
  EXPECT_THAT(to_text(report, false), HasSubstr("a canary of initech came back"))
      << "alone it is the cause";
}

TEST(NotTested, IsSaidAsLoudlyAsTheVerdict) {
  RunReport report = sample();
  report.probes.resize(1);
  report.probes.push_back({.id = "PR1",
                           .title = "B's /proc entries",
                           .resource = Resource::process,
                           .level = 2,
                           .verdict = Verdict::not_tested,
                           .reason = "run as root"});
  EXPECT_THAT(to_text(report, false), HasSubstr("\nPASS, and 1 NOT TESTED: 1 passed, "));
  EXPECT_THAT(to_text(report, false), HasSubstr("NOT TESTED    PR1 B's /proc entries\n"));
  EXPECT_THAT(to_text(report, false), HasSubstr("run as root"));
  EXPECT_THAT(to_html(report), HasSubstr(">PASS</span> <span class=\"badge open\">1 not tested"));
  EXPECT_THAT(to_html(report), HasSubstr("badge open\">NOT TESTED</span></td><td>run as root"));
  EXPECT_THAT(to_junit(report), HasSubstr("<skipped message=\"NOT TESTED: run as root\"/>"));
  EXPECT_THAT(to_canonical_json(report), HasSubstr(R"("exit-status":0)"));
  EXPECT_THAT(to_canonical_json(report), HasSubstr(R"("not-tested":1)"));
  report.require_all = true;
  EXPECT_THAT(to_junit(report), HasSubstr("<error type=\"NOT TESTED\" message=\"run as root\"/>"));
  EXPECT_THAT(to_canonical_json(report), HasSubstr(R"("exit-status":2)"));
  EXPECT_THAT(to_text(report, false), HasSubstr("--require-all demands"));
}

TEST(EscapeMarkup, KeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(escape_markup("é€😀<&>\"'"), "é€😀&lt;&amp;&gt;&quot;&#39;");
  EXPECT_EQ(escape_markup("a\x01z"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(escape_markup("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(escape_markup("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(WriteReports, WritesFourFiles) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("caisson-report-" + std::to_string(getpid()));
  const auto key = SigningKey::generate(Algorithm::ed_dsa);
  ASSERT_TRUE(write_reports(directory, sample(), *key, "deployment.yaml"));
  for (const char* name : {"report.json", "junit.xml", "report.sarif", "index.html"}) {
    EXPECT_GT(std::filesystem::file_size(directory / name), 200U) << name;
  }
  std::filesystem::remove_all(directory);
  EXPECT_FALSE(write_reports("/proc/nowhere", sample(), *key, "x"));
}

}  // namespace
}  // namespace caisson::conformance
