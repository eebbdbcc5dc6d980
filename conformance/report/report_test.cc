#include "conformance/report/report.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "conformance/report/escape.h"
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
  report.probes.push_back(
      {.id = "ID1",
       .title = "A's credential with B's header",
       .resource = Resource::identity,
       .level = 1,
       .verdict = Verdict::pass,
       .elapsed_us = 1500,
       .cells = {
           {.accessor = "initech", .owner = "initech", .verdict = Verdict::pass, .observations = 2},
           {.accessor = "globex",
            .owner = "initech",
            .verdict = Verdict::pass,
            .observations = 4}}});
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

TEST(Sarif, HoldsFailuresOnly) {
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
  EXPECT_THAT(page, HasSubstr(R"(href="#probe-DB1")"));
  EXPECT_THAT(page, HasSubstr(R"(id="probe-DB1" open)"));
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
  EXPECT_THAT(to_text(passed, false), HasSubstr("N = 6 observations without a leak: at most 50 %"));
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
