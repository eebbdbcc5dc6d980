#include <gtest/gtest.h>

#include "generator/source/diagnostics.h"

namespace caisson::source {
namespace {

SourceSet one(std::string text) {
  SourceSet sources;
  sources.emplace_back("deployment.yaml", std::move(text));
  return sources;
}

Diagnostics single(Span where, std::string message, std::string remedy) {
  Diagnostics diagnostics;
  diagnostics.report({.code = "E0008",
                      .where = where,
                      .message = std::move(message),
                      .remedy = std::move(remedy)});
  return diagnostics;
}

TEST(RenderText, ShowsPlaceExcerptCaretAndRemedy) {
  const auto sources = one("tenants:\n  - tier: enterprize\n");
  EXPECT_EQ(render(single({0, 19, 29}, "unknown tier 'enterprize'", "did you mean 'enterprise'?"),
                   sources, Format::text),
            "deployment.yaml:2:11: error[E0008]: unknown tier 'enterprize'\n"
            "    2 |   - tier: enterprize\n"
            "      |           ^^^^^^^^^^ did you mean 'enterprise'?\n");
}

TEST(RenderText, CaretsFollowWideAndCombiningCharacters) {
  const auto sources = one("日本: e\u0301x\n");
  EXPECT_EQ(render(single({0, 8, 12}, "m", ""), sources, Format::text),
            "deployment.yaml:1:5: error[E0008]: m\n"
            "    1 | 日本: e\u0301x\n"
            "      |       ^^\n");
}

TEST(RenderText, ASpanOverLinesIsMarkedOnItsFirst) {
  const auto sources = one("a:\n  b: 1\n  c: 2\n");
  EXPECT_EQ(render(single({0, 5, 16}, "m", "r"), sources, Format::text),
            "deployment.yaml:2:3: error[E0008]: m\n"
            "    2 |   b: 1\n"
            "      |   ^^^^ r\n");
}

TEST(RenderText, AnEmptyFileHasAPlaceToo) {
  EXPECT_EQ(render(single({0, 0, 0}, "the file is empty", "r"), one(""), Format::text),
            "deployment.yaml:1:1: error[E0008]: the file is empty\n"
            "    1 |\n"
            "      | ^ r\n");
}

TEST(RenderText, SortsByPlaceAndDropsRepeats) {
  auto diagnostics = single({0, 3, 4}, "later", "");
  diagnostics.report({.code = "E0001", .where = {0, 0, 1}, .message = "earlier"});
  diagnostics.report({.code = "E0001", .where = {0, 0, 1}, .message = "earlier"});
  const auto text = render(diagnostics, one("abcdef"), Format::text);
  EXPECT_LT(text.find("earlier"), text.find("later"));
  EXPECT_EQ(text.find("earlier"), text.rfind("earlier"));
}

TEST(RenderText, ColoursOnlyWhenAsked) {
  const auto diagnostics = single({0, 0, 1}, "m", "r");
  EXPECT_EQ(render(diagnostics, one("x"), Format::text).find('\033'), std::string::npos);
  EXPECT_NE(render(diagnostics, one("x"), Format::text, true).find("\033[1;31merror"),
            std::string::npos);
}

TEST(RenderJson, CarriesTheSameFacts) {
  auto diagnostics = single({0, 3, 4}, "tab\there", "r");
  diagnostics.report({.severity = Severity::warning,
                      .code = "W0001",
                      .where = {0, 0, 2},
                      .message = "w",
                      .related = {{0, 3, 4}}});
  EXPECT_EQ(
      render(diagnostics, one("ab\ncd\n"), Format::json),
      R"({"diagnostics":[{"severity":"warning","code":"W0001","file":"deployment.yaml","line":1,"column":1,)"
      R"("end_line":1,"end_column":3,"message":"w","remedy":"","related":[{"file":"deployment.yaml","line":2,)"
      R"("column":1,"end_line":2,"end_column":2}]},{"severity":"error","code":"E0008","file":"deployment.yaml",)"
      R"("line":2,"column":1,"end_line":2,"end_column":2,"message":"tab here","remedy":"r","related":[]}],)"
      R"("errors":1,"warnings":1})"
      "\n");
}

TEST(RenderSarif, DescribesTheRulesThatOccur) {
  const auto sarif = render(single({0, 0, 1}, "m", "r"), one("x"), Format::sarif);
  EXPECT_NE(sarif.find(R"("version":"2.1.0")"), std::string::npos);
  EXPECT_NE(sarif.find(R"("ruleId":"E0008")"), std::string::npos);
  EXPECT_NE(sarif.find(R"("shortDescription":{"text":"duplicate key"})"), std::string::npos);
  EXPECT_NE(sarif.find(R"("text":"m; r")"), std::string::npos);
  EXPECT_EQ(sarif.find("E0001"), std::string::npos);
}

}  // namespace
}  // namespace caisson::source
