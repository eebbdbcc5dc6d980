#include "generator/spec/document.h"

#include <gtest/gtest.h>

#include "generator/spec/tabs.h"

namespace caisson::spec {
namespace {

struct Read {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  std::optional<Node> document;

  explicit Read(std::string text, const DocumentLimits& limits = {}) {
    sources.emplace_back("d.yaml", std::move(text));
    document = read_document(sources[0], 0, diagnostics, limits);
  }
  [[nodiscard]] std::string errors() const {
    return source::render(diagnostics, sources, source::Format::text);
  }
  [[nodiscard]] std::string codes() const {
    std::string codes;
    for (const auto& d : diagnostics.sorted()) codes += std::string(d.code) + " ";
    return codes;
  }
  [[nodiscard]] std::string_view at(const Node& node) const {
    return sources[0].text().substr(node.span.begin, node.span.end - node.span.begin);
  }
};

TEST(ReadDocument, KeepsScalarsExactlyAsWritten) {
  const Read read("a: 0.50\nb: 'it''s'\nc: \"x\\ty\"\nd: no\ne: 0123\nf: |\n  two\n  lines\n");
  ASSERT_TRUE(read.document) << read.errors();
  const auto& root = *read.document;
  EXPECT_EQ(root.at("a")->text, "0.50");
  EXPECT_FALSE(root.at("a")->quoted);
  EXPECT_EQ(root.at("b")->text, "it's");
  EXPECT_TRUE(root.at("b")->quoted);
  EXPECT_EQ(root.at("c")->text, "x\ty");
  EXPECT_EQ(root.at("d")->text, "no");
  EXPECT_EQ(root.at("e")->text, "0123");
  EXPECT_EQ(root.at("f")->text, "two\nlines\n");
  EXPECT_TRUE(root.at("f")->quoted);
}

TEST(ReadDocument, ReadsEveryEscapeAsUtf8) {
  const Read read(
      "a: \"\\N|\\_|\\L|\\P|\\xa0|\\u0085|\\U0001F600|é\\_\\_é\"\n"
      "\"k\\_\": \"\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\\"\\/\\\\\"\n");
  ASSERT_TRUE(read.document) << read.errors();
  const auto& root = *read.document;
  EXPECT_EQ(root.at("a")->text,
            "\u0085|\u00A0|\u2028|\u2029|\u00A0|\u0085|\U0001F600|é\u00A0\u00A0é");
  ASSERT_TRUE(root.at("k\u00A0"));
  EXPECT_EQ(root.at("k\u00A0")->text, std::string_view("\0\a\b\t\n\v\f\r\x1B \"/\\", 13));
}

TEST(ReadDocument, SpansCoverTheValueInTheText) {
  const Read read("héllo: wörld\nb: 'it''s' # c\nc: { x: [1, \"two\\\"\"], y: ~ }\n");
  ASSERT_TRUE(read.document) << read.errors();
  const auto& root = *read.document;
  EXPECT_EQ(read.at(*root.at("héllo")), "wörld");
  EXPECT_EQ(read.at(*root.at("b")), "'it''s'");
  EXPECT_EQ(read.at(*find(root, "/c/x/0")), "1");
  EXPECT_EQ(read.at(*find(root, "/c/x/1")), "\"two\\\"\"");
  EXPECT_EQ(read.at(*find(root, "/c/y")), "~");
  EXPECT_EQ(root.fields[0].key_span.begin, 0U);
}

TEST(ReadDocument, AcceptsAByteOrderMarkAndCrLf) {
  const Read read(
      "\xEF\xBB\xBF"
      "a: 1\r\nb:\r\n  - x\r\n");
  ASSERT_TRUE(read.document) << read.errors();
  EXPECT_EQ(read.at(*read.document->at("a")), "1");
  EXPECT_EQ(read.document->at("a")->text, "1");
  EXPECT_EQ(find(*read.document, "/b/0")->text, "x");
}

TEST(ReadDocument, NullStandsWhereItIsWrittenOrAtItsKey) {
  const Read read("a:\nb: null\n");
  ASSERT_TRUE(read.document) << read.errors();
  EXPECT_EQ(read.document->at("a")->kind, Node::Kind::null);
  EXPECT_EQ(read.at(*read.document->at("a")), "a");
  EXPECT_EQ(read.at(*read.document->at("b")), "null");
}

TEST(ReadDocument, ReportsEveryDuplicateWithItsFirst) {
  const Read read("a: 1\nb: { x: 1, x: 2 }\na: 2\n");
  EXPECT_EQ(read.errors(),
            "d.yaml:2:12: error[E0008]: key 'x' is given twice\n"
            "    2 | b: { x: 1, x: 2 }\n"
            "      |            ^ keep one; the first is at line 2\n"
            "d.yaml:3:1: error[E0008]: key 'a' is given twice\n"
            "    3 | a: 2\n"
            "      | ^ keep one; the first is at line 1\n");
}

TEST(ReadDocument, RefusesWhatMakesYamlAmbiguousEachForItsOwnReason) {
  EXPECT_EQ(Read("a: &x 1\nb: *x\n").codes(), "E0009 E0010 ");
  EXPECT_EQ(Read("a: &x { k: 1 }\nb:\n  <<: *x\n").codes(), "E0009 E0011 E0010 ");
  EXPECT_EQ(Read("a: !!str 1\nb: !custom { x: 1 }\nc: ! x\n").codes(), "E0012 E0012 E0012 ");
  EXPECT_EQ(Read("a: 1\n---\nb: 2\n").codes(), "E0013 ");
  EXPECT_EQ(Read("? [a]\n: 1\n? {b: 1}\n: 2\n: 3\n").codes(), "E0014 E0014 E0014 ");
  EXPECT_EQ(Read("").codes(), "E0005 ");
  EXPECT_EQ(Read("# nothing\n---\n# here\n").codes(), "E0005 ");
  EXPECT_EQ(Read(std::string("a: \0b\n", 6)).codes(), "E0004 ");
  EXPECT_EQ(Read("a: \x1b[31m\n").codes(), "E0004 ");
  EXPECT_EQ(Read("a: \xff\n").codes(), "E0003 ");
  EXPECT_EQ(Read("a: \xed\xa0\x80\n").codes(), "E0003 ") << "a surrogate is not UTF-8";
  EXPECT_EQ(Read("a:\n\t- 1\n\t- 2\n").codes(), "E0002 E0002 ");
  EXPECT_EQ(Read("a: b: c\n").codes(), "E0001 ");
}

TEST(ReadDocument, NamesTheTabsThatYamlRefusesAndNoOthers) {
  // Each is legal where it stands, as the document without the last line shows.
  const std::string legal =
      "a: |\n  one\n  \ttwo\n\n  \t\n  three: {\n"
      "b:\n- c: >-\n    x\n    \t- y\n"
      "d: \"q\n\tr: s\n\t- t\"\n"
      "e: { f: 1,\n\tg: [2,\n\t3],\n\th: 'i\n\tj: k' }\n"
      "\t# a comment: here\n"
      "\t\n"
      "n:\to # p\n\t\n";
  EXPECT_EQ(Read(legal).codes(), "");
  EXPECT_EQ(Read(legal + "p: q: r\n").codes(), "E0001 ");
  EXPECT_EQ(tabs_in_indentation(legal, 0).size(), 0U);
  const Read read(legal + "p:\n\tq: r\n  \t - s\n");
  EXPECT_EQ(read.codes(), "E0002 E0002 ");
  const auto tabs = tabs_in_indentation(read.sources[0].text(), 0);
  ASSERT_EQ(tabs.size(), 2U);
  EXPECT_EQ(tabs[1].end - tabs[1].begin, 2U) << "up to what the line says";
  // What may go on with plain text, and what may be no text of a block.
  EXPECT_EQ(Read("a: b\n\tand more\n").codes(), "E0002 ");
  EXPECT_EQ(Read("a: b\n\t\n\t# c\n").codes(), "E0002 E0002 ");
  EXPECT_EQ(Read("a: |\n    b\n  \t\n    c\n").codes(), "E0002 ");
  // A block scalar whose first line is indented with one.
  EXPECT_EQ(Read("a: |\n\tb\n\tc: d\n").codes(), "E0002 E0002 ");
  EXPECT_EQ(Read("a:\n\tb: |\n\t\tc\n\td: e\n").codes(), "E0002 E0002 E0002 ");
}

TEST(ReadDocument, BoundsDepthAndSize) {
  EXPECT_EQ(Read(std::string(1000, '[')).codes(), "E0007 ");
  EXPECT_EQ(Read(std::string(100'000, '[')).codes(), "E0007 ");
  std::string blocks;
  for (std::size_t i = 0; i < 1000; ++i) blocks += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(Read(blocks).codes(), "E0007 ");
  EXPECT_EQ(Read("a: 1234567890\n", {.bytes = 8}).codes(), "E0006 ");
}

TEST(ReadDocument, ShowsTheNeighbourhoodOfAnErrorInAnEndlessLine) {
  const Read read("a: '" + std::string(5'000'000, 'x') + "' : : y\n");
  EXPECT_EQ(read.codes(), "E0001 ");
  EXPECT_LT(read.errors().size(), 600U);
}

TEST(Find, ResolvesPointersWithEscapes) {
  const Read read("a/b: { '~': [x, y] }\n");
  ASSERT_TRUE(read.document);
  EXPECT_EQ(find(*read.document, "/a~1b/~0/1")->text, "y");
  EXPECT_EQ(find(*read.document, ""), &*read.document);
  EXPECT_EQ(find(*read.document, "/a~1b/~0/2"), nullptr);
  EXPECT_EQ(find(*read.document, "/a~1b/~0/1/z"), nullptr);
  EXPECT_EQ(&nearest(*read.document, "/a~1b/~0/9"), find(*read.document, "/a~1b/~0"));
}

TEST(Merge, MapsMergeScalarsAndListsReplaceNullRemoves) {
  const Read base("a: { x: 1, y: 2 }\nl: [1, 2]\ngone: { z: 1 }\n");
  const Read overlay("a: { y: 3, w: { v: ~, u: 4 } }\nl: [9]\ngone: ~\nnever: ~\n");
  ASSERT_TRUE(base.document && overlay.document);
  const auto merged = merge(*base.document, *overlay.document);
  EXPECT_EQ(find(merged, "/a/x")->text, "1");
  EXPECT_EQ(find(merged, "/a/y")->text, "3");
  EXPECT_EQ(find(merged, "/a/w/u")->text, "4");
  EXPECT_EQ(find(merged, "/a/w/v"), nullptr);
  EXPECT_EQ(merged.at("l")->items.size(), 1U);
  EXPECT_EQ(merged.at("gone"), nullptr);
  EXPECT_EQ(merged.at("never"), nullptr);
}

}  // namespace
}  // namespace caisson::spec
