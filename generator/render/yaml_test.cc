#include "generator/render/yaml.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <yaml-cpp/yaml.h>

#include "generator/render/json.h"
#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

const std::vector<std::string> hostile{"",
                                       "no",
                                       "No",
                                       "on",
                                       "off",
                                       "yes",
                                       "y",
                                       "N",
                                       "true",
                                       "FALSE",
                                       "null",
                                       "Null",
                                       "~",
                                       "0123",
                                       "0o17",
                                       "0x1F",
                                       "1e3",
                                       "1_000",
                                       "12:30",
                                       "12:30:45",
                                       ".inf",
                                       "-.INF",
                                       ".nan",
                                       "2026-02-14",
                                       "-",
                                       "--",
                                       "---",
                                       "...",
                                       "- a",
                                       "? a",
                                       ": a",
                                       "a: b",
                                       "a:",
                                       "a #b",
                                       "#a",
                                       "&a",
                                       "*a",
                                       "!a",
                                       "!!int 1",
                                       "|",
                                       ">",
                                       "%a",
                                       "@a",
                                       "`a`",
                                       "'a'",
                                       "\"a\"",
                                       "it's",
                                       "a\\b",
                                       "{a: b}",
                                       "[a]",
                                       " a",
                                       "a ",
                                       "a\nb",
                                       "a\n",
                                       "\ta",
                                       "a\tb",
                                       "a\r\nb",
                                       "\x01",
                                       "\x7f",
                                       "caf\xc3\xa9",
                                       "\xe2\x80\xa8",
                                       "\xef\xbb\xbf",
                                       "\xc2\x85",
                                       "\xf0\x9f\x9a\xa2",
                                       "=",
                                       "<<",
                                       "+1",
                                       "-1",
                                       "1.",
                                       ".5",
                                       "{{ .Values }}",
                                       "cost: $5 {{not a template}} 100%",
                                       "--config",
                                       "-e",
                                       "./a",
                                       "../a",
                                       "/a",
                                       "-x-.inf",
                                       "a,b",
                                       "0.50",
                                       "18446744073709551616",
                                       "e1",
                                       "_1",
                                       "0b1",
                                       "1:2"};

std::string round_trip(const std::string& text) {
  Node document{Node::Map{}};
  document.add("key", text);
  return YAML::Load(to_yaml(document))["key"].Scalar();
}

TEST(ToYaml, GivesHostileStringsBackToYaml12) {
  for (const auto& text : hostile) {
    Node document{Node::Map{}};
    document.add("value", text);
    document.add(text, "key");
    Node list;
    list.push(text);
    document.add("list", std::move(list));
    const auto bytes = to_yaml(document, "header\n\nmore");
    const auto loaded = YAML::Load(bytes);
    EXPECT_EQ(loaded["value"].Scalar(), text) << bytes;
    EXPECT_EQ(loaded["list"][0].Scalar(), text) << bytes;
    // A plain scalar has the tag "?", a quoted one "!": what is plain must be a word to everyone.
    if (loaded["value"].Tag() == "?") {
      EXPECT_TRUE(std::isalpha(static_cast<unsigned char>(text[0])) != 0 ||
                  std::string_view("/_-.").find(text[0]) != std::string_view::npos)
          << text;
    }
    bool found = false;
    for (const auto& entry : loaded) {
      found |= entry.first.Scalar() == text && entry.second.Scalar() == "key";
    }
    EXPECT_TRUE(found) << bytes;
  }
}

TEST(ToYaml, GivesHostileStringsBackToYaml11) {
  Node document{Node::Map{}};
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    document.add("value " + std::to_string(i), hostile[i]);
    document.add(hostile[i] + " key", "value");
    Node nested{Node::Map{}};
    nested.add(hostile[i], Node::List{Node{hostile[i]}});
    document.add("nested " + std::to_string(i), std::move(nested));
  }
  const TemporaryDirectory directory;
  directory.write({{.path = "a.yaml", .bytes = to_yaml(document), .owner = {}, .tree = nullptr},
                   {.path = "a.json", .bytes = to_json(document), .owner = {}, .tree = nullptr}});
  const auto base = directory.path().string();
  // PyYAML reads YAML 1.1, where far more words are not strings.
  const auto command =
      "python3 -c 'import json, sys, yaml; a, b = sys.argv[1:]; "
      "sys.exit(yaml.safe_load(open(a)) != json.load(open(b)))' '" +
      base + "/a.yaml' '" + base + "/a.json'";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

RC_GTEST_PROP(ToYaml, AnyAsciiStringComesBack, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
  RC_ASSERT(round_trip(text) == text);
}

TEST(ToYaml, WritesBlocksCommentsAndEmptyContainers) {
  Node document{Node::Map{}};
  document.add("a", 1).remark("first\nline: - {");
  Node list;
  Node entry{Node::Map{}};
  entry.add("x", true);
  entry.add("z", Node::List{});
  list.push(std::move(entry));
  list.push(Node::List{Node{1}, Node{2}});
  list.push(0.5);
  document.add("list", std::move(list));
  document.add("empty", Node::Map{});
  document.add("none", Node{});
  EXPECT_EQ(to_yaml(document, "made by hand"),
            "# made by hand\n---\n# first\n# line: - {\na: 1\nlist:\n  - x: true\n    z: []\n  -\n"
            "    - 1\n    - 2\n  - 0.5\nempty: {}\nnone: null\n");
}

}  // namespace
}  // namespace caisson::render
