#include "generator/spec/tenant_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::spec {
namespace {

struct Read {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  std::optional<Node> list;

  Read(std::string name, std::string text) {
    sources.emplace_back(std::move(name), std::move(text));
    list = read_tenant_file(sources[0], 0, diagnostics);
  }
  [[nodiscard]] std::string errors() const {
    return source::render(diagnostics, sources, source::Format::text);
  }
  /// The value at a pointer as text, and as it stands in the file.
  [[nodiscard]] std::string text(std::string_view pointer) const {
    const Node* node = find(*list, pointer);
    return node == nullptr ? "(none)" : node->text;
  }
  [[nodiscard]] std::string_view written(std::string_view pointer) const {
    const source::Span span = find(*list, pointer)->span;
    return sources[0].text().substr(span.begin, span.end - span.begin);
  }
};

TEST(ReadTenantFile, ReadsCsvIntoTheMapsOfTheSpec) {
  const Read read("tenants.csv",
                  "\xEF\xBB\xBFslug,name,tier,domains,limits.requests,limits.burst\r\n"
                  "globex,\"Globex, \"\"the\"\" Corp\",free,a.example b.example,20/s,5\r\n"
                  "\r\n"
                  "initech,,free,,,\r\n");
  ASSERT_TRUE(read.list) << read.errors();
  EXPECT_EQ(read.errors(), "");
  ASSERT_EQ(read.list->items.size(), 2U);
  EXPECT_EQ(read.text("/0/name"), "Globex, \"the\" Corp");
  EXPECT_EQ(read.text("/0/domains/1"), "b.example");
  EXPECT_EQ(read.written("/0/domains/1"), "b.example");
  EXPECT_EQ(read.text("/0/limits/requests"), "20/s");
  EXPECT_EQ(read.text("/0/limits/burst"), "5");
  EXPECT_EQ(read.list->items[1].fields.size(), 2U) << "empty cells are absent keys";
}

TEST(ReadTenantFile, ReportsEveryBadRowOfACsv) {
  const Read read("tenants.csv",
                  "slug,tier\n"
                  "a\n"
                  "b,free\n"
                  "\"c\"x,free\n"
                  "d,free,more\n"
                  "\"e,free\n");
  ASSERT_TRUE(read.list);
  EXPECT_EQ(read.list->items.size(), 1U);
  EXPECT_EQ(read.errors(),
            "tenants.csv:2:1: error[E0016]: the row has 1 cells, the header 2\n"
            "    2 | a\n"
            "      | ^ an empty cell needs its comma too; quote a cell that holds one\n"
            "tenants.csv:4:4: error[E0016]: text after the closing quote of a cell\n"
            "    4 | \"c\"x,free\n"
            "      |    ^ write a quote inside a quoted cell twice: \"\"\n"
            "tenants.csv:5:1: error[E0016]: the row has 3 cells, the header 2\n"
            "    5 | d,free,more\n"
            "      | ^^^^^^^^^^^ an empty cell needs its comma too; quote a cell that holds one\n"
            "tenants.csv:6:1: error[E0016]: a quoted cell is never closed\n"
            "    6 | \"e,free\n"
            "      | ^ add the missing '\"'\n");
}

TEST(ReadTenantFile, RefusesUnknownAndRepeatedColumns) {
  const Read read("tenants.csv", "slug,teir,slug\n");
  EXPECT_FALSE(read.list);
  EXPECT_EQ(read.diagnostics.sorted().size(), 2U) << read.errors();
  EXPECT_EQ(read.diagnostics.sorted()[0].message, "unknown column 'teir'");
  EXPECT_EQ(read.diagnostics.sorted()[1].message, "column 'slug' is given twice");
  EXPECT_THAT(Read("t.csv", "slug,limits\n").diagnostics.sorted().at(0).remedy,
              testing::AllOf(testing::StartsWith("give each its column: limits.requests"),
                             testing::HasSubstr("limits.egress-connections")));
  EXPECT_THAT(Read("t.csv", "slug,colour\n").diagnostics.sorted().at(0).remedy,
              testing::StartsWith("use slug, name, tier, "));
}

TEST(ReadTenantFile, RefusesAnEmptyCsvAndOtherEndings) {
  EXPECT_EQ(Read("t.csv", "\n\n").diagnostics.sorted().at(0).code, "E0016");
  EXPECT_EQ(Read("t.xlsx", "slug\n").diagnostics.sorted().at(0).code, "E0015");
  EXPECT_EQ(Read("t.csv", std::string("slug\na\0b\n", 9)).diagnostics.sorted().at(0).code, "E0004");
}

TEST(ReadTenantFile, ReadsNdjsonWithPlaces) {
  const Read read("tenants.ndjson",
                  "{\"slug\": \"globex\", \"tier\": \"free\", \"domains\": [\"a.example\"], "
                  "\"limits\": {\"burst\": 5}}\r\n"
                  "\n"
                  "{\"slug\":\"k\\u00f6ln\",\"name\":\"\\ud83d\\ude00 \\\"x\\\"\"}\n");
  ASSERT_TRUE(read.list) << read.errors();
  EXPECT_EQ(read.errors(), "");
  EXPECT_EQ(read.text("/0/limits/burst"), "5");
  EXPECT_FALSE(find(*read.list, "/0/limits/burst")->quoted);
  EXPECT_EQ(read.written("/0/domains/0"), "\"a.example\"");
  EXPECT_EQ(read.text("/1/slug"), "köln");
  EXPECT_EQ(read.text("/1/name"), "😀 \"x\"");
}

TEST(ReadTenantFile, ReportsEveryBadLineOfNdjson) {
  const std::string deep(40, '[');
  const Read read(
      "t.ndjson",
      "[]\n{\"a\": 1,}\n{\"a\": nope}\n{\"a\": 01}\n{\"a\": 1} x\n{\"a\": \"\\ud800\"}\n"
      "{\"a\": 1, \"a\": 2}\n{\"a\" 1}\n{\"a\": \"b\n{\"a\": " +
          deep + "\n{\"ok\": true}\n");
  ASSERT_TRUE(read.list);
  EXPECT_EQ(read.list->items.size(), 1U);
  std::string messages;
  for (const auto& diagnostic : read.diagnostics.sorted()) messages += diagnostic.message + "\n";
  EXPECT_EQ(messages,
            "a line is one JSON object\n"
            "a key in double quotes is missing\n"
            "this is no JSON value\n"
            "this is no JSON value\n"
            "text after the object\n"
            "unknown escape in a string\n"
            "key 'a' is given twice\n"
            "a ':' is missing after the key\n"
            "a string is never closed\n"
            "nested too deeply\n");
}

}  // namespace
}  // namespace caisson::spec
