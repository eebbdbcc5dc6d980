#include "editor/format.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generator/spec/document.h"
#include "generator/spec/json_value.h"

namespace caisson::editor {
namespace {

std::string formatted(const std::string& text) { return editor::apply(text, format(text)); }

/// What a text says; "" when it says nothing that can be read.
std::string meaning(const std::string& text) {
  source::Diagnostics found;
  const source::SourceFile source("", text);
  const auto document = spec::read_document(source, 0, found);
  return document && !found.has_errors() ? spec::json_value(*document) : std::string();
}

std::vector<std::string> comments(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#', at + 1)) {
    if (at > 0 && text[at - 1] != ' ' && text[at - 1] != '\n' && text[at - 1] != '\t') continue;
    auto comment = text.substr(at, text.find_first_of("\r\n", at) - at);
    while (comment.ends_with(' ') || comment.ends_with('\t')) comment.pop_back();
    all.push_back(std::move(comment));
  }
  return all;
}

TEST(Format, LaysOut) {
  EXPECT_EQ(formatted("caisson:   v1\n"
                      "name: x   \n"
                      "\n"
                      "\n"
                      "# tiers\n"
                      "tiers:\n"
                      "    # the first\n"
                      "    free:   {isolation: row,limits: { } }   # shared\n"
                      "    pro:\n"
                      "        isolation: 'schema'\n"
                      "tenants:\n"
                      "-   slug: a\n"
                      "    tier: free\n"
                      "-   { slug: b , tier: pro}\n"
                      "runtime: {modules: [ records,memory ]}\n"
                      "\n"),
            "caisson: v1\n"
            "name: x\n"
            "\n"
            "# tiers\n"
            "tiers:\n"
            "  # the first\n"
            "  free: { isolation: row, limits: {} }   # shared\n"
            "  pro:\n"
            "    isolation: 'schema'\n"
            "tenants:\n"
            "- slug: a\n"
            "  tier: free\n"
            "- { slug: b, tier: pro }\n"
            "runtime: { modules: [records, memory] }\n");
}

TEST(Format, MovesTextsOverSeveralLinesAsTheyAre) {
  const std::string text =
      "a:\n"
      "      b: |\n"
      "          one\n"
      "            two\n"
      "\n"
      "\n"
      "          three\n"
      "      c: \"x\n"
      "         y\"\n"
      "      d: [1,\n"
      "          2]\n";
  const auto after = formatted(text);
  EXPECT_EQ(meaning(after), meaning(text));
  EXPECT_NE(after, text);
  EXPECT_EQ(formatted(after), after);
}

TEST(Format, LeavesAloneWhatCannotBeRead) {
  for (const std::string text :
       {"a: {\n", "a:   1\na: 2\n", "\ta: 1\n", "a: *b\n", "", "# only a comment   \n"})
    EXPECT_TRUE(format(text).empty()) << text;
}

TEST(Format, KeepsTheBlanksThatMakeAComment) {
  const std::string text =
      "tiers: {  # of all\n"
      "  free: {},  # the free one\n"
      "  big: {\t# dear\n"
      "    isolation:  # how\n"
      "      deployment }  # dear\n"
      "  }\n"
      "tenants: [ # nobody\n"
      "  ]\n"
      "list:\n"
      "- # one:  two\n"
      "  three\n";
  const auto after = formatted(text);
  EXPECT_EQ(after,
            "tiers: {  # of all\n"
            "  free: {},  # the free one\n"
            "  big: {\t# dear\n"
            "    isolation: # how\n"
            "      deployment }  # dear\n"
            "  }\n"
            "tenants: [ # nobody\n"
            "  ]\n"
            "list:\n"
            "- # one:  two\n"
            "  three\n");
  EXPECT_EQ(meaning(after), meaning(text));
  EXPECT_EQ(formatted(after), after);
}

TEST(Format, KeepsLineBreaksOfOneKind) {
  EXPECT_EQ(formatted("a:  1\r\nb: 2\n"), "a: 1\r\nb: 2\r\n");
  EXPECT_EQ(formatted("a:  1\nb: 2\r\n"), "a: 1\nb: 2\n");
}

void holds_for(const std::string& text) {
  const auto after = formatted(text);
  EXPECT_EQ(meaning(after), meaning(text));
  EXPECT_EQ(comments(after), comments(text));
  EXPECT_EQ(formatted(after), after) << "laying out twice changes more:\n" << after;
}

TEST(Format, ChangesNoMeaningOfAnyCorpus) {
  std::size_t changed = 0;
  for (const char* folder : {"/specs", "/examples", "/output"}) {
    const std::string root = std::string(CAISSON_SOURCE_DIR) + folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".yaml" && extension != ".yml")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
      SCOPED_TRACE(entry.path().string());
      holds_for(text);
      changed += format(text).empty() ? 0 : 1;
    }
  }
  EXPECT_GT(changed, 0U);
}

/// A document with every way of writing, and blanks wherever YAML takes them.
class Writer {
 public:
  explicit Writer(std::uint32_t seed) : random_(seed) {}

  std::string write() {
    map(0, 0);
    return std::move(out_);
  }

 private:
  int pick(int from, int to) { return std::uniform_int_distribution(from, to - 1)(random_); }
  std::string one_of(std::initializer_list<const char*> all) {
    return all.begin()[pick(0, static_cast<int>(all.size()))];
  }
  std::string blanks(int least = 0) {
    return std::string(static_cast<std::size_t>(pick(least, least + 3)), ' ');
  }
  std::string word() {
    return one_of({"a", "b-c", "1", "true", "it's", "x#y", "http://x", "\"q # q\"", "'s: s'",
                   "\"\xE2\x82\xAC\"", "''", "a:b"});
  }
  std::string key() { return "k" + std::to_string(number_++); }

  void end_line() {
    if (pick(0, 4) == 0) out_ += " # c" + std::to_string(number_++) + blanks();
    out_ += blanks() + "\n";
    while (pick(0, 5) == 0) out_ += blanks() + "\n";
  }
  void comment_line(int indent) {
    if (pick(0, 6) == 0)
      out_ += std::string(static_cast<std::size_t>(indent), ' ') + "# c" +
              std::to_string(number_++) + "\n";
  }

  /// Between two words in brackets: blanks, or comments and the breaks behind them.
  std::string between(int indent, int least = 0) {
    if (pick(0, 4) > 0) return blanks(least);
    std::string text;
    for (int i = pick(1, 3); i > 0; --i) {
      if (pick(0, 3) > 0)
        text += (pick(0, 4) == 0 ? "\t" : blanks(1)) + "# c" + std::to_string(number_++) +
                one_of({"", ", d: {", " }]", " 'it", " # twice", "  "});
      text += "\n" + std::string(static_cast<std::size_t>(indent + pick(1, 6)), ' ');
    }
    return text;
  }

  std::string flow(int indent, int depth) {
    const int kind = depth > 2 ? 2 : pick(0, 3);
    if (kind == 2) return one_of({"a", "1", "'x, y'", "\"}\"", "b c", "x#y", "\"#q\"", "''"});
    std::string text = kind == 0 ? "{" : "[";
    const int count = pick(0, 3);
    for (int i = 0; i < count; ++i) {
      if (i > 0) text += between(indent) + "," + between(indent);
      text += between(indent) + (kind == 0 ? key() + ":" + between(indent, 1) : "") +
              flow(indent, depth + 1);
    }
    if (count > 0 && pick(0, 4) == 0) text += between(indent) + ",";
    return text + between(indent) + (kind == 0 ? "}" : "]");
  }

  void value(int indent, int depth) {
    switch (depth > 3 ? pick(2, 6) : pick(0, 6)) {
      case 0:
        end_line();
        map(indent + pick(1, 5), depth + 1);
        break;
      case 1:
        end_line();
        list(indent + pick(0, 4), depth + 1);
        break;
      case 2: {
        out_ += blanks(1) + one_of({"|", ">", "|-", ">-"});
        if (pick(0, 4) == 0) out_ += blanks(1) + "# c" + std::to_string(number_++);
        out_ += "\n";
        const std::string inner(static_cast<std::size_t>(indent + pick(1, 4)), ' ');
        out_ += inner + "text  # no comment\n\n" + inner + "  more\n";
        break;
      }
      case 3:
        out_ += blanks(1) + flow(indent, depth);
        end_line();
        break;
      default:
        out_ += blanks(1) + word();
        end_line();
    }
  }

  void map(int indent, int depth) {
    for (int i = pick(1, 4); i > 0; --i) {
      comment_line(indent);
      out_ += std::string(static_cast<std::size_t>(indent), ' ') + key() + ":";
      value(indent, depth);
    }
  }

  void list(int indent, int depth) {
    for (int i = pick(1, 4); i > 0; --i) {
      comment_line(indent);
      out_ += std::string(static_cast<std::size_t>(indent), ' ') + "-";
      const int gap = pick(1, 4);
      out_ += std::string(static_cast<std::size_t>(gap), ' ');
      if (depth < 3 && pick(0, 2) == 0) {
        // A map that begins behind the dash.
        out_ += key() + ":";
        value(indent + 1 + gap, depth + 1);
        out_ += std::string(static_cast<std::size_t>(indent + 1 + gap), ' ') + key() + ":" +
                blanks(1) + word();
      } else {
        if (pick(0, 6) == 0)  // the value on a line of its own
          out_ += "# c" + std::to_string(number_++) + ":  d\n" +
                  std::string(static_cast<std::size_t>(indent + 1 + gap), ' ');
        out_ += flow(indent, depth);
      }
      end_line();
    }
  }

  std::mt19937 random_;  // a draw of rapidcheck for every blank would take minutes
  std::string out_;
  int number_ = 0;
};

RC_GTEST_PROP(Format, ChangesNoMeaningAndNothingTheSecondTime, (std::uint32_t seed)) {
  const auto text = Writer(seed).write();
  RC_TAG(meaning(text).empty() ? "cannot be read" : "can be read");
  const auto after = formatted(text);
  RC_LOG() << text << "\n--- becomes\n" << after;
  RC_ASSERT(meaning(after) == meaning(text));
  RC_ASSERT(comments(after) == comments(text));
  RC_ASSERT(formatted(after) == after);
}

}  // namespace
}  // namespace caisson::editor
