// Every spec that is refused, and every way to mend it that is offered: made, it takes the mistake
// away. Which codes have such ways is a list, so that none loses them unseen.

#include "editor/fixes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "editor/workspace.h"

namespace caisson::editor {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(CAISSON_SOURCE_DIR) / "specs/invalid";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Surroundings surroundings_for(const std::string& text) {
  Surroundings result{.today = [] { return std::string("2026-06-01"); },
                      .read_file = [](const fs::path& path) -> Result<std::string> {
                        if (!fs::is_regular_file(path)) return fail("no such file");
                        return contents(path);
                      }};
  std::istringstream line(text.substr(0, text.find('\n')));
  if (!text.starts_with("# options:")) return result;
  for (std::string word; line >> word;) {
    if (word == "--strict") result.strict = true;
    if (word == "--env") line >> result.environment;
  }
  return result;
}

std::size_t count(const std::vector<source::Diagnostic>& all, std::string_view code) {
  return static_cast<std::size_t>(std::ranges::count(all, code, &source::Diagnostic::code));
}

/// The codes with their fixes' titles, of one spec.
std::map<std::string, std::set<std::string>> mend(const fs::path& path) {
  std::map<std::string, std::set<std::string>> titles;
  const auto text = contents(path);
  Workspace workspace(surroundings_for(text));
  const std::string uri = "file://" + path.string();
  workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
  OpenSpec& spec = *workspace.member(uri)->spec;
  const auto all = workspace.analysis(spec).diagnostics;
  const auto& project = workspace.project(spec);
  for (source::Diagnostic each : all) {
    const auto& name = workspace.analysis(spec).sources[each.where.file].name();
    for (std::uint32_t file = 0; file < project.sources.size(); ++file)
      if (project.sources[file].name() == name) each.where.file = file;
    const auto fixes = fixes_for(project, all, each, [&](const std::vector<Edit>& edits) {
      return workspace.after(spec, edits);
    });
    for (const Fix& fix : fixes) {
      titles[std::string(each.code)].insert(fix.title);
      const auto after = workspace.after(spec, fix.edits);
      EXPECT_LT(count(after, each.code), count(all, each.code))
          << path.filename() << ": " << each.message << ": " << fix.title;
    }
  }
  return titles;
}

TEST(Fixes, TakeTheirMistakeAwayInEverySpecThatIsRefused) {
  std::map<std::string, std::set<std::string>> titles;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    for (auto& [code, more] : mend(entry.path())) titles[code].merge(more);
  }
  std::set<std::string> codes;
  for (const auto& [code, more] : titles) codes.insert(code);
  // What nothing can be offered for: a text in another encoding, too deep, a key that is no name, a
  // file that is not there or of another kind, and what only people know.
  const std::set<std::string> expected{
      "E0001", "E0002", "E0004", "E0005", "E0008", "E0009", "E0010", "E0011", "E0012", "E0013",
      "E0016", "E0017", "E0101", "E0102", "E0103", "E0104", "E0105", "E0106", "E0107", "E0108",
      "E0110", "E0111", "E0112", "E0113", "E0114", "E0115", "E0116", "E0117", "E0118", "E0119",
      "E0120", "E0121", "E0122", "E0123", "E0124", "E0125", "E0126", "E0127", "E0128", "E0129",
      "E0130", "E0131", "E0201", "E0204", "E0205", "E0206", "E0207", "E0208", "E0209", "E0210",
      "E0211", "E0212", "E0213", "E0215", "E0216", "E0217", "E0218", "E0219", "E0221", "E0302",
      "E0303", "E0304", "W0201", "W0202", "W0203"};
  for (const std::string& code : expected)
    EXPECT_TRUE(codes.contains(code)) << code << " has no fix any more";
}

TEST(Fixes, DoWhatTheRemedySays) {
  const auto titles = [](const std::string& name) { return mend(folder / name); };
  EXPECT_TRUE(titles("tier-unknown.yaml")["E0204"].contains("replace with 'enterprise'"));
  EXPECT_TRUE(titles("value-boolean-yes.yaml")["E0107"].contains("replace with 'true'"));
  EXPECT_TRUE(titles("document-tab-indentation.yaml")["E0002"].contains("indent with spaces"));
  EXPECT_TRUE(titles("document-unclosed-quote.yaml")["E0001"].contains("add the missing quote"));
  const auto units = titles("value-bytes-decimal-unit.yaml")["E0116"];
  EXPECT_TRUE(units.contains("replace with '256Mi'"));
  EXPECT_FALSE(units.contains("replace with '256B'")) << "nobody means 256 bytes";
  // A key that is unlike every other is taken away; none of the others is what was meant.
  for (const auto& [code, offered] : titles("key-unknown-without-suggestion.yaml")) {
    if (code != "E0101") continue;
    for (const auto& title : offered) EXPECT_TRUE(title.starts_with("remove ")) << title;
  }
  EXPECT_TRUE(titles("document-empty.yaml")["E0005"].contains("write a starter spec"));
}

}  // namespace
}  // namespace caisson::editor
