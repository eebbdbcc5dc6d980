#include "generator/render/unit_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::render {
namespace {

using testing::HasSubstr;

Node service(const std::string& key, Node value) {
  Node section{Node::Map{}};
  section.add(key, std::move(value));
  Node tree{Node::Map{}};
  tree.add("Service", std::move(section));
  return tree;
}

std::string written(const std::string& key, Node value) {
  std::vector<Mistake> mistakes;
  auto text = to_unit_file(service(key, std::move(value)), "", mistakes);
  EXPECT_TRUE(mistakes.empty());
  if (!text) return text.error().what;
  return text->substr(std::string_view("[Service]\n").size());
}

Node words(std::initializer_list<const char*> of) {
  Node list{Node::List{}};
  for (const auto* word : of) list.push(word);
  return list;
}

Node variable(const char* value) {
  Node map{Node::Map{}};
  map.add("A", value);
  return map;
}

TEST(UnitFile, WritesScalarsAndLists) {
  EXPECT_EQ(written("PrivateTmp", true), "PrivateTmp=yes\n");
  EXPECT_EQ(written("TasksMax", 256), "TasksMax=256\n");
  EXPECT_EQ(written("After", words({"a.service", "b.socket"})),
            "After=a.service\nAfter=b.socket\n");
  EXPECT_EQ(written("CapabilityBoundingSet", ""), "CapabilityBoundingSet=\n");
}

TEST(UnitFile, TakesSpecifiersAsData) {
  EXPECT_EQ(written("Description", "100% of $5"), "Description=100%% of $5\n");
  EXPECT_EQ(written("CPUQuota", "150%"), "CPUQuota=150%\n");
}

TEST(UnitFile, QuotesCommandsSoThatNothingIsSplitOrExpanded) {
  EXPECT_EQ(written("ExecStart", words({"/bin/echo", "a b", "$HOME", "50%", "\"q\"", "back\\", ";",
                                        "", "'", "line\nfeed"})),
            "ExecStart=/bin/echo \"a b\" \"$$HOME\" \"50%%\" \"\\\"q\\\"\" \"back\\\\\" \";\" \"\" "
            "\"'\" \"line\\nfeed\"\n");
}

TEST(UnitFile, QuotesTheEnvironment) {
  EXPECT_EQ(written("Environment", variable("plain")), "Environment=A=plain\n");
  EXPECT_EQ(written("Environment", variable(" $5 %d \"x\" \\n\t# ü ")),
            "Environment=\"A= $5 %%d \\\"x\\\" \\\\n\\t# ü \"\n");
}

TEST(UnitFile, KeepsPathsWhole) {
  EXPECT_EQ(written("ReadWritePaths", words({"/var/lib/a", "/two words", "/50%"})),
            "ReadWritePaths=/var/lib/a\nReadWritePaths=\"/two words\"\nReadWritePaths=\"/50%%\"\n");
  EXPECT_EQ(written("BindPaths", "/a b:/c\"d\\"), "BindPaths=\"/a b\":\"/c\\\"d\\\\\"\n");
  EXPECT_EQ(written("TemporaryFileSystem", "/run:ro"), "TemporaryFileSystem=/run:ro\n");
  EXPECT_EQ(written("TemporaryFileSystem", "/a\\b"), "TemporaryFileSystem=\"/a\\\\\\\\b\"\n");
  EXPECT_THAT(written("BindPaths", "/a\tb"), HasSubstr("U+0009"));
}

TEST(UnitFile, NamesTheFieldOfTheSpecThatItCannotSay) {
  const Origin origin(Origin::Kind::spec, "/services/a/env/A");
  Node list{Node::List{}};
  list.push({"/bin/x", origin});
  list.push({"\a", origin});
  auto tree = service("ExecStart", std::move(list));
  tree.find("Service")->add("Description", {"\a", origin});
  tree.find("Service")->add("Type", "exec");
  std::vector<Mistake> mistakes;
  EXPECT_EQ(to_unit_file(tree, "", mistakes), "[Service]\nType=exec\n");
  ASSERT_EQ(mistakes.size(), 2U) << "all in one run";
  EXPECT_EQ(mistakes[0].pointer, origin.at);
  EXPECT_THAT(mistakes[0].message, HasSubstr("ExecStart"));
  EXPECT_THAT(mistakes[1].message, HasSubstr("Description"));
  const Origin line(Origin::Kind::blueprint, "systemd/service.yaml:3");
  EXPECT_FALSE(to_unit_file(service("Description", {"\a", line}), "", mistakes));
}

TEST(UnitFile, RefusesWhatAUnitFileCannotSay) {
  EXPECT_THAT(written("Description", "a\nExecStart=/bin/sh"), HasSubstr("U+000a"));
  EXPECT_THAT(written("Description", " a"), HasSubstr("blanks around it"));
  EXPECT_THAT(written("Description", "a\\"), HasSubstr("backslash"));
  EXPECT_THAT(written("Environment", variable("bell\a")), HasSubstr("the variable A"));
  EXPECT_THAT(written("Environment", variable("\xEF\xBF\xBF")), HasSubstr("U+ffff"));
  EXPECT_THAT(written("Environment", variable(std::string(1'000'000, 'x').c_str())),
              HasSubstr("1 MB"));
  EXPECT_THAT(written("A=b\n[X]", "y"), HasSubstr("no name"));
  EXPECT_THAT(written("ExecStart", Node{Node::List{}}), HasSubstr("no words"));
}

TEST(UnitWord, IsOneWordOfALine) {
  EXPECT_EQ(*unit_word("/var/lib/acme", "x"), "/var/lib/acme");
  EXPECT_EQ(*unit_word("two words 5%", "x"), "\"two words 5%%\"");
  EXPECT_FALSE(unit_word(std::string(1, '\0'), "x"));
}

}  // namespace
}  // namespace caisson::render
