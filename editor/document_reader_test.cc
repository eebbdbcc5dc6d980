#include "editor/document_reader.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
  EXPECT_EQ(source::render(found, sources, source::Format::json),
            source::render(expected, sources, source::Format::json));
}

std::string with_tenants(int count, bool indented = true) {
  std::string text = "caisson: v1\nname: large\n# about tenants\ntenants:\n";
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    switch (i % 4) {
      case 0:
        text += "  - { slug: tenant-" + number + ", tier: free, owner: \"a@b.example\" }\n";
        break;
      case 1:
        text +=
            "  - slug: tenant-" + number + "\n    tier: free\n    limits:\n      requests: 1/s\n";
        break;
      case 2:
        text += "\n  # one more\n  - slug: 'tenant-" + number +
                "'   # quoted\n    domains: [a.example]\n";
        break;
      default:
        text += "  - { slug: tenant-" + number + ",\n      name: \"\xC3\xA9\xE2\x82\xAC\" }\n";
    }
  }
  if (!indented) {
    for (auto at = text.find("\n  "); at != std::string::npos; at = text.find("\n  ", at + 1))
      text.erase(at + 1, 2);
  }
  return text + "\nruntime: { replicas: 1 }\nsecrets: {}\n";
}

TEST(DocumentReader, AssemblesWhatTheWholeWouldBe) {
  DocumentReader reader;
  agree(reader, with_tenants(2000));
  agree(reader, "\xEF\xBB\xBF" + with_tenants(2000));
  std::string crlf;
  for (const char c : with_tenants(2000))
    crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  agree(reader, crlf);
  // Nothing behind the list.
  const auto text = with_tenants(2000);
  agree(reader, text.substr(0, text.find("\nruntime:")));
  agree(reader, with_tenants(2000, false));
}

TEST(DocumentReader, ParsesWhatHasChangedAndLittleMore) {
  for (const bool indented : {true, false}) {
    DocumentReader reader;
    auto text = with_tenants(10'000, indented);
    agree(reader, text);
    EXPECT_GE(reader.parsed(), text.size());
    agree(reader, text);
    EXPECT_LT(reader.parsed(), 200) << "what stands around the list";
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
  const auto indented = with_tenants(2000);
  const auto flat = with_tenants(2000, false);
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
      broken.insert(text.find("tenant-1000"), mistake);
      agree(reader, broken);
      agree(reader, text);
    }
  }
}

RC_GTEST_PROP(DocumentReader, AgreesAfterEveryEdit, ()) {
  static const std::string indented = with_tenants(1500);
  static const std::string flat = with_tenants(1500, false);
  std::string text = *rc::gen::element(indented, flat);
  DocumentReader reader;
  for (int i = 0; i < 3; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, 40);
    const auto fresh = *rc::gen::container<std::string>(
        rc::gen::element('a', ' ', '\n', '-', ':', '{', '}', '"', '\'', '#', ',', '&', '|'));
    text.replace(at, length, fresh);
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
