#include "editor/document_reader.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace caisson::editor {
namespace {

using spec::Node;

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.quoted != b.quoted || !(a.span == b.span) || a.text != b.text ||
      a.items.size() != b.items.size() || a.fields.size() != b.fields.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].key != b.fields[i].key || !(a.fields[i].key_span == b.fields[i].key_span) ||
        !same(a.fields[i].value, b.fields[i].value)) {
      return false;
    }
  }
  return true;
}

/// Whether both readers say the same about the text.
void agree(DocumentReader& reader, const std::string& text) {
  source::SourceSet sources;
  sources.emplace_back("deployment.yaml", text);
  source::Diagnostics found;
  source::Diagnostics expected;
  const auto document = reader.read(sources[0], 0, found);
  const auto whole = spec::read_document(sources[0], 0, expected);
  ASSERT_EQ(document.has_value(), whole.has_value());
  if (whole) {
    EXPECT_TRUE(same(*document, *whole)) << text.substr(0, 2000);
  }
  const auto said = [&](const source::Diagnostics& all) {
    source::Diagnostics each;
    for (auto& diagnostic : all.sorted()) each.report(std::move(diagnostic));
    return source::render(each, sources, source::Format::json);
  };
  EXPECT_EQ(said(found), said(expected));
}

/// Ways to write a long list.
enum class Style { indented, flat, commented, brackets, environment, json, continued, literal };
constexpr std::array styles{Style::indented,    Style::flat, Style::commented, Style::brackets,
                            Style::environment, Style::json, Style::continued, Style::literal};

std::string opening_of(Style style) {
  const std::string head = "caisson: v1\nname: large\n# about tenants\n";
  switch (style) {
    case Style::commented:
      return head + "tenants:  # ours\n";
    case Style::brackets:
      return head + "tenants: [\n";
    case Style::environment:
      return head + "environments:\n  prod:\n    tenants:\n";
    case Style::json:
      return "{\n  \"caisson\": \"v1\",\n  \"tenants\": [\n";
    default:
      return head + "tenants:\n";
  }
}

std::string indent_of(Style style) {
  switch (style) {
    case Style::flat:
      return "";
    case Style::environment:
      return "      ";
    case Style::json:
      return "    ";
    default:
      return "  ";
  }
}

bool is_flow(Style style) { return style == Style::brackets || style == Style::json; }

std::string tenant_in(Style style, int number) {
  const std::string in = indent_of(style);
  const std::string slug = "tenant-" + std::to_string(number);
  if (style == Style::json)
    return in + "{\n      \"slug\": \"" + slug + "\",\n      \"tier\": \"free\"\n    },\n";
  if (style == Style::brackets) return in + "{ slug: " + slug + ", owner: \"a@b.example\" },\n";
  switch (number % 4) {
    case 0:
      return in + "- { slug: " + slug + ", tier: free, owner: \"a@b.example\" }\n";
    case 1:
      return in + "- slug: " + slug + "\n" + in + "  limits:\n" + in + "    requests: 1/s\n" +
             (style == Style::literal ? in + "  name: |-\n\n" + in + "    foo\n" : "");
    case 2:
      return "\n" + in + "# one more\n" + in + "- slug: '" + slug + "'   # quoted\n" + in +
             "  domains: [a.example]\n";
    default:
      return in + "- { slug: " + slug + ",\n" + in + (style == Style::continued ? "" : "    ") +
             "name: \"\xC3\xA9\xE2\x82\xAC\" }\n";
  }
}

/// A document that is worth taking apart.
std::string written_in(Style style, int tenants = 800) {
  std::string text = opening_of(style);
  for (int i = 0; i < tenants; ++i) text += tenant_in(style, i);
  if (style == Style::json) return text + "    {}\n  ],\n  \"secrets\": {}\n}\n";
  if (style == Style::brackets) text += "]\n";
  return text + "\nruntime: { replicas: 1 }\nbackup: { schedule: \"0 3 * * *\" }\n";
}

/// Where the lines of a tenant begin.
std::size_t line_of(const std::string& text, Style style, int number) {
  const std::string first = tenant_in(style, number);
  return text.find(first) + (first.front() == '\n' ? 1 : 0);
}

TEST(DocumentReader, AssemblesWhatTheWholeWouldBe) {
  DocumentReader reader;
  for (const Style style : styles) {
    SCOPED_TRACE(static_cast<int>(style));
    const std::string text = written_in(style);
    agree(reader, text);
    agree(reader, "\xEF\xBB\xBF" + text);
    std::string crlf;
    for (const char c : text) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    agree(reader, crlf);
    // Nothing behind the list.
    agree(reader, text.substr(0, text.find("\nruntime:")));
  }
}

TEST(DocumentReader, ParsesWhatHasChangedAndLittleMore) {
  for (const Style style : {Style::indented, Style::flat}) {
    DocumentReader reader;
    auto text = written_in(style, 10'000);
    agree(reader, text);
    EXPECT_GE(reader.parsed(), text.size());
    agree(reader, text);
    EXPECT_LT(reader.parsed(), text.size() / 50) << "what stands around the list";
    text.replace(text.find("tenant-5000"), 11, "somebody-else");
    agree(reader, text);
    EXPECT_LT(reader.parsed(), text.size() / 50);
    text.insert(text.find("tenant-2000"), "x");
    text.erase(text.find("tenant-8000"), 1);
    agree(reader, text);
    EXPECT_LT(reader.parsed(), text.size() / 25);
  }
}

TEST(DocumentReader, ReportsWhatTheWholeWouldReport) {
  const auto indented = written_in(Style::indented);
  const auto flat = written_in(Style::flat);
  for (const std::string_view mistake : {"&anchor ",
                                         "*alias",
                                         "\"",
                                         "'",
                                         "{",
                                         "}",
                                         "[",
                                         "\t",
                                         "\n- x\n",
                                         "\n  - y\n",
                                         "\n x: y\n",
                                         ": ",
                                         "\n---\n",
                                         "\n...\n",
                                         "|",
                                         "\r",
                                         "\n  tenants:\n",
                                         "\ntenants:\n  - { slug: z }\n",
                                         "\x01",
                                         "\xFF",
                                         "!!str ",
                                         "<<: {}",
                                         "\n%YAML 1.2\n",
                                         "#",
                                         "- ",
                                         "\n   - deeper\n"}) {
    for (const std::string& text : {indented, flat}) {
      DocumentReader reader;
      agree(reader, text);
      auto broken = text;
      broken.insert(text.find("tenant-500"), mistake);
      agree(reader, broken);
      agree(reader, text);
    }
  }
}

/// Key by key, through every state that cannot be read.
TEST(DocumentReader, AgreesWhileATenantIsTyped) {
  for (const Style style : styles) {
    SCOPED_TRACE(static_cast<int>(style));
    const std::string base = written_in(style);
    const std::string in = indent_of(style);
    DocumentReader reader;
    agree(reader, base);
    const std::string row =
        is_flow(style) ? in + "{ a: \"b\", c: ['d'] }," : in + "- a: b\n" + in + "  c: \"d\"";
    for (const int where : {0, 400, 799}) {
      std::string text = base;
      std::size_t at = line_of(base, style, where);
      text.insert(at, "\n");
      for (const char key : row) {
        text.insert(at++, 1, key);
        agree(reader, text);
        EXPECT_LT(reader.parsed(), text.size() / 2) << text.substr(at - 30, 60);
      }
      agree(reader, base);
      EXPECT_LT(reader.parsed(), text.size() / 2) << "undone";
    }
  }
}

TEST(DocumentReader, AgreesWhileSomebodyErrs) {
  for (const Style style : styles) {
    SCOPED_TRACE(static_cast<int>(style));
    const std::string base = written_in(style);
    const std::size_t at = line_of(base, style, 401);
    DocumentReader reader;
    for (const std::string_view mistake :
         {"-\n",       "  -\n",     "    - x\n",    "\t- x\n",      "  -\tx\n",   "  - 'a\n",
          "  - \"a\n", "  - {\n",   "  - [\n",      "  - |\n",      "  - a: >\n", "  - domains:\n",
          "  }\n",     "  ],\n",    "  - limi\n",   "x\n",          "---\n",      "  - &a b\n",
          "  - *a\n",  "  - ? a\n", "  - \"a\\q\n", "  - {a: b}}\n"}) {
      SCOPED_TRACE(mistake);
      std::string text = base;
      text.insert(at, mistake);
      agree(reader, text);
      text.erase(at + mistake.size(), 3000);
      agree(reader, text);
      text.insert(at, base.substr(base.find("tenant-7"), 2000));
      agree(reader, text);
    }
  }
}

/// Changes by chance. CAISSON_SEEDS=FROM-TO looks for more; a failure says which seed it was.
TEST(DocumentReader, AgreesAfterEveryEdit) {
  int from = 0;
  int to = 40;
  if (const char* seeds = std::getenv("CAISSON_SEEDS"); seeds != nullptr) {
    char* rest = nullptr;
    from = static_cast<int>(std::strtol(seeds, &rest, 10));
    to = static_cast<int>(std::strtol(rest + 1, nullptr, 10));
  }
  constexpr std::string_view keys = "a \n-:{}\"'#,&|[]\t*>!?%\\\r";
  for (int seed = from; seed < to && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("CAISSON_SEEDS=" + std::to_string(seed) + "-" + std::to_string(seed + 1));
    std::mt19937 chance(static_cast<std::mt19937::result_type>(seed));
    std::string text = written_in(styles.at(static_cast<std::size_t>(seed) % styles.size()));
    DocumentReader reader;
    for (int i = 0; i < 3; ++i) {
      const std::size_t at = chance() % text.size();
      const std::size_t length = chance() % 4 == 0 ? chance() % 2000 : chance() % 12;
      std::string fresh;
      for (auto count = chance() % 9; count > 0; --count) fresh += keys[chance() % keys.size()];
      text.replace(at, length, fresh);
      agree(reader, text);
    }
  }
}

/// What the parser accepts at the end of a text, and refuses before another key.
TEST(DocumentReader, JudgesNoItemByTheEndOfItsPiece) {
  const std::string base = written_in(Style::indented);
  DocumentReader reader;
  for (int number = 1; number < 200; number += 4) {
    std::string text = base;
    text.insert(text.find("limits:", line_of(base, Style::indented, number)) + 4, "\n    x");
    agree(reader, text);
  }
}

TEST(DocumentReader, AgreesOnEveryCorpus) {
  DocumentReader reader;
  for (const char* folder : {"/specs/valid", "/specs/invalid"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(CAISSON_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".yaml") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      agree(reader, {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
    }
  }
}

}  // namespace
}  // namespace caisson::editor
