#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_text.h"
#include "generator/render/caddyfile.h"
#include "generator/render/dockerfile.h"
#include "generator/render/env_file.h"
#include "generator/render/json.h"
#include "generator/render/nginx_conf.h"
#include "generator/render/people.h"
#include "generator/render/scalar_text.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;

TEST(ToJson, KeepsShortThingsOnALineAndBreaksLongOnes) {
  Node document{Node::Map{}};
  document.add("short", Node::List{Node{1}, Node{true}, Node{}});
  document.add("long", Node::List{Node{std::string(60, 'x')}, Node{std::string(60, 'y')}});
  document.add("empty", Node::Map{});
  EXPECT_EQ(to_json(document), "{\n  \"short\": [1, true, null],\n  \"long\": [\n    \"" +
                                   std::string(60, 'x') + "\",\n    \"" + std::string(60, 'y') +
                                   "\"\n  ],\n  \"empty\": {}\n}\n");
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\x01\x7f\xc3\xa9"),
            "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xc3\xa9\"");
}

TEST(Decimal, HasNoExponentAndAlwaysAPoint) {
  EXPECT_EQ(decimal(1e3), "1000.0");
  EXPECT_EQ(decimal(0.1), "0.1");
  EXPECT_EQ(decimal(1e-7), "0.0000001");
}

TEST(ToDockerfile, WritesExecFormsAndQuotedPairs) {
  const auto text =
      to_dockerfile({.header = "head",
                     .instructions = {{.name = "FROM", .words = {"scratch"}},
                                      {.name = "LABEL", .pairs = {{"a", "x \"y\" $z \\ \n"}}},
                                      {.name = "CMD", .exec = {"a b", "\"c\""}}}});
  ASSERT_TRUE(text);
  EXPECT_EQ(text->bytes,
            "# head\n\nFROM scratch\nLABEL a=\"x \\\"y\\\" \\$z \\\\  \"\nCMD [\"a b\", "
            "\"\\\"c\\\"\"]\n");
}

TEST(ToDockerfile, RefusesWordsThatWouldBeSplit) {
  for (const auto* word : {"a b", "", "a\nRUN x", "\"a\"", "a\\"}) {
    const auto text = to_dockerfile({.instructions = {{.name = "COPY", .words = {word, "/"}}}});
    ASSERT_FALSE(text) << word;
    EXPECT_THAT(text.error().what, HasSubstr("COPY"));
  }
}

TEST(ToCaddyfile, QuotesWhatTheLexerWouldSplit) {
  EXPECT_EQ(to_caddyfile({{.words = {"header", "A B", "#c", "", "say \"hi\""},
                           .block = {{.words = {"x"}}},
                           .comment = "two\nlines"}},
                         "head", {})
                .bytes,
            "# head\n# two\n# lines\nheader \"A B\" \"#c\" \"\" \"say \\\"hi\\\"\" {\n\tx\n}\n");
}

TEST(Literal, RefusesPlaceholdersAndLineBreaks) {
  EXPECT_TRUE(literal("a.example:443"));
  for (const auto* text : {"{env.HOME}", "{$HOME}", "a\nb", "a\\b"})
    EXPECT_FALSE(literal(text)) << text;
}

TEST(ToNginxConf, QuotesWhatTheLexerWouldSplitAndSetsBlocksApart) {
  EXPECT_EQ(to_nginx_conf({{.words = {"add_header", "A;B", "", "say \"hi\"", "\\d{2}"}},
                           {.words = {"server"},
                            .block = {{.words = {"return", "200"}, .comment = "two\nlines"}}}},
                          "head", {})
                .bytes,
            "# head\nadd_header \"A;B\" \"\" \"say \\\"hi\\\"\" \"\\\\d{2}\";\n\nserver {\n\t# "
            "two\n\t# lines\n\treturn 200;\n}\n");
}

TEST(NginxLiteral, RefusesVariablesAndLineBreaks) {
  EXPECT_TRUE(nginx_literal("a.example:443"));
  for (const auto* text : {"$host", "a${b}", "a\nb"}) EXPECT_FALSE(nginx_literal(text)) << text;
}

TEST(ToEnvFile, QuotesForComposeAndTheShell) {
  EXPECT_EQ(to_env_file({{.name = "A", .value = "x/y:1", .comment = "c"},
                         {.name = "B", .value = "$x `y` z", .comment = "", .commented_out = true},
                         {.name = "C", .value = "it's $5", .comment = ""}},
                        "head", {})
                .bytes,
            "# head\n\n# c\nA=x/y:1\n\n#B='$x `y` z'\n\nC=\"it's \\$5\"\n");
}

TEST(Fill, EscapesMarkdownAndLeavesNoGaps) {
  const auto blueprints = Blueprints::with(
      {{"local/README.md", "a\n\n{{#no}}\nx\n{{/no}}\n\n{{evil}} {{{evil}}}\n\n\n"}});
  ASSERT_TRUE(blueprints);
  Node data{Node::Map{}};
  data.add("evil", "<b>|\n`x`");
  const auto text = fill(*blueprints, "local/README.md", data);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->bytes, "a\n\n\\<b\\>\\| \\`x\\` <b>|\n`x`\n");
}

TEST(Fill, TakesTheLinesOfAnotherTemplateWithTheirOrigins) {
  const auto blueprints = Blueprints::with({{"local/README.md", "a\n{{>runbook/trouble.md}}\nz\n"},
                                            {"runbook/trouble.md", "b\n{{word}}\n"}});
  ASSERT_TRUE(blueprints);
  Node data{Node::Map{}};
  data.add("word", "c");
  const auto text = fill(*blueprints, "local/README.md", data);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->bytes, "a\nb\nc\nz\n");
  std::vector<std::string> places;
  for (const auto& line : text->lines) places.push_back(line.front().at);
  EXPECT_THAT(places, testing::ElementsAre("local/README.md:1", "runbook/trouble.md:1",
                                           "runbook/trouble.md:2", "local/README.md:3"));
}

TEST(Fill, IncludesOnceAndOnlyWhatIsThere) {
  for (const auto* name : {"runbook/nothing.md", "local/README.md"}) {
    const auto blueprints =
        Blueprints::with({{"local/README.md", "a\n{{>" + std::string(name) + "}}\n"}});
    ASSERT_TRUE(blueprints);
    const auto text = fill(*blueprints, "local/README.md", Node{Node::Map{}});
    ASSERT_FALSE(text) << name;
    EXPECT_THAT(text.error().what, testing::StartsWith("blueprint local/README.md:2: ")) << name;
  }
}

TEST(Fill, FailsOnABrokenTemplate) {
  const auto blueprints = Blueprints::with({{"local/README.md", "{{#open}}"}});
  ASSERT_TRUE(blueprints);
  EXPECT_FALSE(fill(*blueprints, "local/README.md", Node{Node::Map{}}));
}

TEST(Pointer, RoundTrips) {
  EXPECT_EQ(pointer_segment("a/b~c"), "a~1b~0c");
  EXPECT_THAT(pointer_segments("/a~1b~0c//x"), testing::ElementsAre("a/b~c", "", "x"));
  EXPECT_THAT(pointer_segments(""), testing::IsEmpty());
}

}  // namespace
}  // namespace caisson::render
