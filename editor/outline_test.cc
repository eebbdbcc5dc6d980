#include "editor/outline.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "editor/symbols.h"

namespace caisson::editor {
namespace {

using spec::Node;

const Node* at(const Node& root, std::string_view pointer) { return spec::find(root, pointer); }

std::string text_at(const std::string& text, std::string_view pointer) {
  const Node root = outline(text, 0);
  const Node* node = at(root, pointer);
  return node == nullptr ? "(none)"
                         : text.substr(node->span.begin, node->span.end - node->span.begin);
}

TEST(Outline, SaysWhatAGoodDocumentSays) {
  const std::string text =
      "# c\ncaisson: v1 # c\ntiers:\n  free: { isolation: row, limits: {} }\ntenants:\n- slug: a\n "
      " domains: [x, "
      "'y z']\n-   slug: \"b\"\nruntime:\n  env:\n    A: |\n      text: no key\n    B: it's\n";
  EXPECT_EQ(text_at(text, "/caisson"), "v1");
  EXPECT_EQ(text_at(text, "/tiers/free/isolation"), "row");
  EXPECT_EQ(text_at(text, "/tenants/0/domains/1"), "'y z'");
  EXPECT_EQ(text_at(text, "/tenants/1/slug"), "\"b\"");
  EXPECT_EQ(text_at(text, "/runtime/env/B"), "it's");
  EXPECT_EQ(text_at(text, "/tiers/free"), "{ isolation: row, limits: {} }");
}

TEST(Outline, GoesOnBehindWhatIsNotFinished) {
  EXPECT_EQ(text_at("a: { b: 1,\nc: 2\n", "/c"), "2");
  EXPECT_EQ(text_at("a: \"x\nc: 2\n", "/c"), "2");
  EXPECT_EQ(text_at("a: [1, 2\nc: 2\n", "/a/1"), "2");
  EXPECT_EQ(text_at("a\nc: 2\n", "/c"), "2");
  EXPECT_EQ(text_at("a:\n    b: 1\n  c: 3\nd: 4\n", "/d"), "4");
  EXPECT_EQ(text_at("tenants:\n  - slug: a\n  - \n  - slug: c\n", "/tenants/2/slug"), "c");
}

void within(const Node& node, std::size_t size, int depth) {
  RC_ASSERT(depth < 80);
  RC_ASSERT(node.span.begin <= node.span.end);
  RC_ASSERT(node.span.end <= size);
  for (const auto& item : node.items) within(item, size, depth + 1);
  for (const auto& entry : node.fields) {
    RC_ASSERT(entry.key_span.begin <= entry.key_span.end);
    RC_ASSERT(entry.key_span.end <= size);
    within(entry.value, size, depth + 1);
  }
}

RC_GTEST_PROP(Outline, NeverFailsAndNeverLeavesTheText, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::element('a', 'b', ' ', ' ', '\n', '\n', '-', ':', '{', '}', '[', ']', ',', '"', '\'',
                       '#', '|', '\t', '\r', '.'));
  within(outline(text, 0), text.size(), 0);
}

TEST(Outline, BoundsItsDepth) {
  within(outline(std::string(100'000, '['), 0), 100'000, 0);
  within(outline(std::string(100'000, '{'), 0), 100'000, 0);
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  within(outline(deep, 0), deep.size(), 0);
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  within(outline(dashes, 0), dashes.size(), 0);
}

TEST(Symbols, ShowSectionsAndNames) {
  const Part part{
      .tree =
          outline("tiers:\n  free: {}\ntenants:\n  - { slug: a, tier: free }\n  - slug: b\n", 0)};
  const auto symbols = symbols_of(part);
  ASSERT_EQ(symbols.size(), 2U);
  EXPECT_EQ(symbols[0].children.at(0).name, "free");
  EXPECT_EQ(symbols[0].children.at(0).kind, Symbol::Kind::tier);
  ASSERT_EQ(symbols[1].children.size(), 2U);
  EXPECT_EQ(symbols[1].children[0].name, "a");
  EXPECT_EQ(symbols[1].children[0].detail, "free");
}

TEST(Folds, AreMapsListsAndComments) {
  const std::string text = "# one\n# two\na:\n  b: 1\n  c:\n    - x\n    - y\nd: 1\n";
  const Part part{.tree = outline(text, 0)};
  const auto folds = folds_of(part, text);
  EXPECT_EQ(folds, (std::vector<Fold>{{.first = 2, .last = 6},
                                      {.first = 4, .last = 6},
                                      {.first = 0, .last = 1, .comment = true}}));
}

}  // namespace
}  // namespace caisson::editor
