// `caisson lsp` as a program. What `caisson generate` refuses because of the spec is seen in the
// editor, in the same words and at the same places.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/corpus_testing.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

using Lines = std::set<std::string>;

std::string framed(const json::value& message) {
  const auto text = json::serialize(message);
  return "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
}

/// What a server has written.
std::vector<json::object> messages_in(std::string_view out) {
  std::vector<json::object> messages;
  while (!out.empty()) {
    const auto length = std::stoul(std::string(out.substr(out.find(' '))));
    const auto begin = out.find("\r\n\r\n") + 4;
    messages.push_back(json::parse(out.substr(begin, length)).as_object());
    out.remove_prefix(begin + length);
  }
  return messages;
}

/// Specs that say something else in an editor, and why.
const std::map<std::string, std::string_view> exceptions{
    {"answer-missing", "whoever only looks at a spec has no answers: samples stand for them"},
    {"document-bom-columns", "in an editor's document the byte order mark is a character"},
    {"document-invalid-utf8", "an editor's document is Unicode"},
    {"document-utf16", "an editor's document is Unicode"},
    {"module-missing", "why a file cannot be read is the system's to say"},
    {"tenants-file-missing", "why a file cannot be read is the system's to say"},
};

/// What a server says that is given these messages, as `where: severity[code]: message`, by file.
std::map<std::string, Lines> published(const fs::path& folder, std::vector<std::string> options,
                                       const std::vector<fs::path>& specs) {
  std::string input =
      framed({{"jsonrpc", "2.0"},
              {"id", 1},
              {"method", "initialize"},
              {"params",
               {{"processId", nullptr},
                {"rootUri", "file://" + folder.string()},
                {"capabilities", {{"general", {{"positionEncodings", json::array{"utf-32"}}}}}}}}});
  for (const fs::path& spec : specs) {
    input += framed({{"jsonrpc", "2.0"},
                     {"method", "textDocument/didOpen"},
                     {"params",
                      {{"textDocument",
                        {{"uri", "file://" + spec.string()},
                         {"languageId", "caisson"},
                         {"version", 1},
                         {"text", contents(spec)}}}}}});
  }
  options.insert(options.begin(), "lsp");
  const auto ran = caisson(options, {.directory = folder, .environment = {}, .input = input});
  std::map<std::string, Lines> said;
  for (const auto& message : messages_in(ran.out)) {
    if (!message.contains("method") || message.at("method") != "textDocument/publishDiagnostics")
      continue;
    const auto& params = message.at("params").as_object();
    const std::string name =
        fs::path(std::string(params.at("uri").as_string())).filename().string();
    Lines lines;
    for (const auto& each : params.at("diagnostics").as_array()) {
      const auto& start = each.at("range").at("start");
      std::string words(each.at("message").as_string());
      // The server reads files by their whole path.
      const std::string path = folder.string() + "/";
      for (auto at = words.find(path); at != std::string::npos; at = words.find(path))
        words.erase(at, path.size());
      lines.insert(name + ':' + std::to_string(start.at("line").as_int64() + 1) + ':' +
                   std::to_string(start.at("character").as_int64() + 1) + ": " +
                   (each.at("severity").as_int64() == 1 ? "error[" : "warning[") +
                   std::string(each.at("code").as_string()) +
                   "]: " + words.substr(0, words.find('\n')));
    }
    said[name] = std::move(lines);
  }
  return said;
}

/// Of the file of the spec itself exactly this, and of the files beside it at least this: they
/// belong to several specs here.
TEST(Lsp, ShowsWhateverGenerateRefusesBecauseOfTheSpec) {
  for (const std::string corpus : {"specs/invalid", "specs/refused"}) {
    const fs::path folder = fs::path(CAISSON_SOURCE_DIR) / corpus;
    std::map<std::vector<std::string>, std::vector<fs::path>> by_options;
    for (const fs::path& spec : specs_in(folder))
      if (!exceptions.contains(spec.stem().string()))
        by_options[options_of(contents(spec))].push_back(spec);
    for (const auto& [options, specs] : by_options) {
      auto said = published(folder, options, specs);
      for (const fs::path& spec : specs) {
        const std::string name = spec.filename().string();
        Lines own;
        for (const std::string& line :
             mistakes_in(contents(fs::path(spec).replace_extension(".expected")))) {
          const std::string file = line.substr(0, line.find(':'));
          if (file == name) {
            own.insert(line);
          } else {
            EXPECT_TRUE(said[file].contains(line)) << line;
          }
        }
        EXPECT_EQ(said[name], own);
      }
    }
  }
}

/// What `validate --env` says of an environment, in the file that no environment is chosen for.
TEST(Lsp, ShowsWhatIsGeneratedFromEachEnvironment) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntiers: { free: {} }\n"
      "tenants: [{ slug: a, tier: free }]\n"
      "waivers: [{ rule: loss/services.*.port, reason: ours }]\n"
      "services:\n  web: { image: \"registry.example/web@sha256:" +
      std::string(64, '0') + "\", port: 8080 }\nenvironments:\n  quiet: {}\n  staging:\n    ";
  const auto patch = [](const std::string& file, const std::string& rest) {
    return "patches: [{ file: " + file + ", at: " + rest + ", reason: x }]";
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {patch("helm/shop/values.yaml", "/workloads/wbe, merge: { x: true }"), "error[E0307]"},
      {patch("compose/compose.yaml", "/services/wbe, merge: { x: true }"), "error[E0307]"},
      {patch("compose/none.yaml", "/services/web, merge: { x: true }"), "error[E0303]"},
      {patch("compose/compose.yaml", "/services/web, merge: { privileged: true }"), "[W0305]"},
      {"waivers: [{ rule: loss/services.*.prt, reason: x }]", "error[E0306]"},
      {"services: { web: { image: \"registry.example/web:latest\" } }", "warning[W0201]"},
      {"database: { engine: postgres, version: \"15\" }", "error[E0309]"},
  };
  for (const auto& [text, expected] : cases) {
    const Scratch scratch;
    const auto path = scratch / "deployment.yaml";
    std::ofstream(path) << head << text << '\n';
    const auto said = published(scratch.path(), {}, {path}).at("deployment.yaml");
    EXPECT_TRUE(std::ranges::any_of(said,
                                    [&](const std::string& line) {
                                      return line.starts_with("deployment.yaml:12:") &&
                                             line.find(expected) != std::string::npos &&
                                             line.ends_with(", with --env staging");
                                    }))
        << text << testing::PrintToString(said);
    for (const std::string& line : said) EXPECT_EQ(line.find("quiet"), std::string::npos) << line;
    // And each only once where the spec says it itself.
    std::set<std::string> places;
    for (const std::string& line : said)
      EXPECT_TRUE(places.insert(line.substr(0, line.find(']'))).second) << line;
  }
  // `validate` has a place for what the chart's values of an environment cannot take.
  const Scratch scratch;
  std::ofstream(scratch / "deployment.yaml") << head << cases[0].first << '\n';
  const auto ran = caisson({"validate", "deployment.yaml"}, {.directory = scratch.path()});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.out.find("deployment.yaml:12:"), std::string::npos) << ran.out << ran.error;
  EXPECT_NE(ran.out.find("error[E0307]"), std::string::npos) << ran.out;
}

/// By title, what the quick fixes write that are offered anywhere in the spec.
std::map<std::string, std::string> offered(const fs::path& folder, const fs::path& spec) {
  const std::string uri = "file://" + spec.string();
  const json::value nowhere{{"line", 0}, {"character", 0}};
  const json::value end{{"line", 10'000}, {"character", 0}};
  const std::string input = framed({{"jsonrpc", "2.0"},
                                    {"id", 1},
                                    {"method", "initialize"},
                                    {"params",
                                     {{"processId", nullptr},
                                      {"rootUri", "file://" + folder.string()},
                                      {"capabilities", json::object{}}}}}) +
                            framed({{"jsonrpc", "2.0"},
                                    {"method", "textDocument/didOpen"},
                                    {"params",
                                     {{"textDocument",
                                       {{"uri", uri},
                                        {"languageId", "caisson"},
                                        {"version", 1},
                                        {"text", contents(spec)}}}}}}) +
                            framed({{"jsonrpc", "2.0"},
                                    {"id", 2},
                                    {"method", "textDocument/codeAction"},
                                    {"params",
                                     {{"textDocument", {{"uri", uri}}},
                                      {"range", {{"start", nowhere}, {"end", end}}},
                                      {"context", {{"diagnostics", json::array{}}}}}}});
  const auto ran = caisson({"lsp"}, {.directory = folder, .environment = {}, .input = input});
  std::map<std::string, std::string> texts;
  for (const auto& message : messages_in(ran.out)) {
    if (!message.contains("id") || message.at("id") != 2) continue;
    for (const auto& each : message.at("result").as_array()) {
      for (const auto& [file, edits] : each.at("edit").at("changes").as_object())
        for (const auto& edit : edits.as_array())
          texts[std::string(each.at("title").as_string())] +=
              std::string(edit.at("newText").as_string());
    }
  }
  return texts;
}

/// What only the generated files show is mended like everything else.
TEST(Lsp, OffersWhatTheRemedySaysOfGeneratedFiles) {
  const Scratch scratch;
  std::ofstream(scratch / "deployment.yaml")
      << "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n"
         "  web: { image: \"registry.example/web@sha256:"
      << std::string(64, '0')
      << "\", port: 8080 }\n"
         "patches:\n"
         "  - { file: systemd/system/shop-runtime.service, at: /Service/MemoryMaks, set: 1G, "
         "reason: x "
         "}\n";
  const auto patched = offered(scratch.path(), scratch / "deployment.yaml");
  EXPECT_EQ(patched.count("replace 'MemoryMaks' with 'MemoryMax'"), 1U)
      << testing::PrintToString(patched);
  std::ofstream(scratch / "deployment.yaml")
      << "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n"
         "  web: { image: \"registry.example/web@sha256:"
      << std::string(64, '0') << "\", port: 8080 }\n";
  const auto waived = offered(scratch.path(), scratch / "deployment.yaml");
  ASSERT_EQ(waived.count("waive loss/services.*.port"), 1U) << testing::PrintToString(waived);
  EXPECT_NE(waived.at("waive loss/services.*.port")
                .find("{ rule: loss/services.*.port, reason: accepted as it is }"),
            std::string::npos);
  std::ofstream(scratch / "deployment.yaml")
      << "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n"
         "waivers: [{ rule: loss/services.*.prt, reason: x }]\n";
  const auto corrected = offered(scratch.path(), scratch / "deployment.yaml");
  EXPECT_EQ(corrected.count("replace with 'loss/services.*.port'"), 1U)
      << testing::PrintToString(corrected);
}

/// Large ones too, though a little later.
TEST(Lsp, LooksAtWhatIsGeneratedFromALargeSpec) {
  const Scratch scratch;
  std::string text = "caisson: v1\nname: big\nversion: 1.0.0\ntiers: { free: {} }\ntenants:\n";
  for (int i = 0; i < 60; ++i) text += "  - { slug: t" + std::to_string(i) + ", tier: free }\n";
  text += "patches: [{ file: compose/none.yaml, at: /a, set: 1, reason: r }]\n";
  std::ofstream(scratch / "deployment.yaml") << text;
  const auto said = published(scratch.path(), {}, {scratch / "deployment.yaml"});
  ASSERT_TRUE(said.contains("deployment.yaml"));
  ASSERT_EQ(said.at("deployment.yaml").size(), 1U);
  EXPECT_NE(said.at("deployment.yaml").begin()->find("error[E0303]"), std::string::npos);
}

}  // namespace
}  // namespace caisson::cli
