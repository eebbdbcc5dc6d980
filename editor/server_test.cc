#include "editor/server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::editor {
namespace {

using ::testing::HasSubstr;

/// A client that talks to a server in the same process.
class Client {
 public:
  explicit Client(std::map<std::string, std::string> disk = {})
      : disk_(std::move(disk)),
        server_({.environment = {},
                 .today = [] { return std::string("2026-06-01"); },
                 .read_file = [this](const std::filesystem::path& path) -> Result<std::string> {
                   read.push_back(path.string());
                   const auto found = disk_.find(path.string());
                   if (found == disk_.end()) return fail("no such file");
                   return found->second;
                 },
                 .judge =
                     [this](Analysis& analysis, const ReadFile&) {
                       if (judge) judge(analysis);
                     }},
                [this](const std::string& message) { sent.push_back(json::parse(message)); }) {}

  void tell(std::string_view method, json::value params) {
    server_.receive(notification(method, std::move(params)));
  }
  void ask(int id, std::string_view method, json::value params = json::object()) {
    server_.receive(json::serialize(json::object{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}));
  }
  void work() {
    while (server_.step()) {
    }
  }
  void start(json::object capabilities = {}) {
    ask(0, "initialize",
        json::object{
            {"processId", nullptr},
            {"workspaceFolders", json::array{json::object{{"uri", "file:///w"}, {"name", "w"}}}},
            {"capabilities", std::move(capabilities)}});
    work();
  }
  void open(std::string_view uri, std::string_view text, int version = 1,
            std::string_view language = "yaml") {
    tell("textDocument/didOpen",
         json::object{
             {"textDocument",
              json::object{
                  {"uri", uri}, {"languageId", language}, {"version", version}, {"text", text}}}});
  }
  void change(std::string_view uri, std::string_view text, int version) {
    tell("textDocument/didChange",
         json::object{{"textDocument", json::object{{"uri", uri}, {"version", version}}},
                      {"contentChanges", json::array{json::object{{"text", text}}}}});
  }
  /// The answer to the request.
  json::value answer(int id) const {
    for (const json::value& message : sent)
      if (const auto* own = member(message, {"id"}); own != nullptr && *own == json::value(id))
        return message;
    return nullptr;
  }
  std::int64_t error(int id) const { return integer_at(answer(id), {"error", "code"}).value_or(0); }
  /// The diagnostics that were published last for the document; null when none were.
  json::value published(std::string_view uri) const {
    json::value last = nullptr;
    for (const json::value& message : sent)
      if (string_at(message, {"method"}) == "textDocument/publishDiagnostics" &&
          string_at(message, {"params", "uri"}) == uri)
        last = *member(message, {"params"});
    return last;
  }
  std::size_t publications() const {
    return static_cast<std::size_t>(std::ranges::count_if(sent, [](const json::value& message) {
      return string_at(message, {"method"}) == "textDocument/publishDiagnostics";
    }));
  }
  Server& server() { return server_; }

  std::function<void(Analysis&)> judge;  ///< what is generated shows
  std::vector<json::value> sent;
  std::vector<std::string> read;

 private:
  std::map<std::string, std::string> disk_;
  Server server_;
};

constexpr std::string_view uri = "file:///w/deployment.yaml";
const std::string good =
    "caisson: v1\nname: x\nversion: 1.0.0\ntiers: { free: {} }\ntenants:\n  - { slug: a, tier: "
    "free }\n";

json::object place(int line, int character) {
  return {{"textDocument", json::object{{"uri", uri}}},
          {"position", json::object{{"line", line}, {"character", character}}}};
}

TEST(Server, LivesAsTheProtocolSays) {
  Client client;
  client.ask(1, "textDocument/hover", place(0, 0));
  client.tell("textDocument/didOpen", nullptr);  // dropped
  client.work();
  EXPECT_EQ(client.error(1), -32002);
  client.start();
  EXPECT_EQ(string_at(client.answer(0), {"result", "capabilities", "positionEncoding"}), "utf-16");
  client.ask(2, "initialize");
  client.ask(3, "workspace/unheardOf");
  client.tell("$/unheardOf", nullptr);
  client.work();
  EXPECT_EQ(client.error(2), -32600);
  EXPECT_EQ(client.error(3), -32601);
  client.ask(4, "shutdown");
  client.ask(5, "textDocument/hover", place(0, 0));
  client.work();
  EXPECT_NE(member(client.answer(4), {"result"}), nullptr);
  EXPECT_EQ(client.error(5), -32600);
  EXPECT_FALSE(client.server().exit());
  client.tell("exit", nullptr);
  client.work();
  EXPECT_EQ(client.server().exit(), 0);
}

/// Who did not say that it can show Markdown is not given any.
TEST(Server, SpeaksPlainTextToWhoeverDoesNotShowMarkdown) {
  const std::string text = "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n";
  const auto said = [&](json::object capabilities) {
    Client client;
    client.start(std::move(capabilities));
    client.open(uri, text);
    client.ask(1, "textDocument/hover", place(1, 7));
    client.ask(2, "textDocument/completion", place(4, 0));
    client.work();
    const auto kind = string_at(client.answer(1), {"result", "contents", "kind"});
    const auto value = string_at(client.answer(1), {"result", "contents", "value"});
    std::string items = json::serialize(client.answer(2));
    return std::tuple(kind.value_or(""), value.value_or(""), std::move(items));
  };
  const auto [plain, words, items] = said({});
  EXPECT_EQ(plain, "plaintext");
  EXPECT_TRUE(words.starts_with("name: ")) << words;
  EXPECT_THAT(
      words, testing::AllOf(
                 testing::HasSubstr("\n- compose\n"),
                 testing::HasSubstr("  - \"acme-client\" in sdk/typescript/package.json:/name\n")));
  EXPECT_EQ(words.find("**"), std::string::npos) << words;
  EXPECT_EQ(items.find("markdown"), std::string::npos);
  const json::array markdown{"markdown"};
  const auto [rich, marked, others] = said(
      {{"textDocument",
        json::object{
            {"hover", json::object{{"contentFormat", markdown}}},
            {"completion",
             json::object{{"completionItem", json::object{{"documentationFormat", markdown}}}}}}}});
  EXPECT_EQ(rich, "markdown");
  EXPECT_THAT(marked, testing::AllOf(testing::HasSubstr("**name**: "),
                                     testing::HasSubstr("\n- **compose**\n"),
                                     testing::HasSubstr("`\"acme-client\"` in `sdk/typescript/")));
  EXPECT_NE(others.find("markdown"), std::string::npos);
}

TEST(Server, ExitWithoutShutdownIsOne) {
  Client client;
  client.start();
  client.tell("exit", nullptr);
  client.work();
  EXPECT_EQ(client.server().exit(), 1);
}

TEST(Server, RefusesWhatIsNoMessageAndGoesOn) {
  Client client;
  client.start();
  for (const std::string message :
       {"{", "[]", "1", "\xFF", "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":3}", "\"\\ud800\""}) {
    client.sent.clear();
    client.server().receive(message);
    client.work();
    ASSERT_EQ(client.sent.size(), 1U) << message;
    EXPECT_NE(member(client.sent[0], {"error"}), nullptr);
  }
  client.server().receive(std::string(1000, '['));
  client.open(uri, good);
  client.work();
  EXPECT_TRUE(client.published(uri).is_object());
}

TEST(Server, RequestsWithoutParametersAreAnswered) {
  Client client;
  client.start();
  client.open(uri, good);
  int id = 10;
  for (const char* method :
       {"completion", "hover", "definition", "references", "documentHighlight", "prepareRename",
        "rename", "documentSymbol", "foldingRange", "formatting", "codeAction"}) {
    for (const json::value& params :
         {json::value(nullptr), json::value(json::object()), json::value(json::array{1}),
          json::value(json::object{{"textDocument", json::object{{"uri", uri}}},
                                   {"position", json::object{{"line", -1}, {"character", 1e300}}}}),
          json::value(place(1'000'000, 2'000'000'000))}) {
      client.ask(++id, std::string("textDocument/") + method, params);
      client.work();
      EXPECT_TRUE(client.answer(id).is_object()) << method;
      EXPECT_NE(client.error(id), -32603) << method;
    }
  }
}

TEST(Server, TellsDiagnosticsOfTheNewestVersionOnly) {
  Client client;
  client.start();
  client.open(uri, good, 1);
  for (int version = 2; version < 50; ++version)
    client.change(uri, good + "x" + std::to_string(version) + ": 1\n", version);
  client.work();
  EXPECT_EQ(client.publications(), 1U);
  const auto last = client.published(uri);
  EXPECT_EQ(integer_at(last, {"version"}), 49);
  EXPECT_EQ(last.at("diagnostics").as_array().size(), 1U);
  EXPECT_THAT(json::serialize(last), HasSubstr("x49"));
  client.change(uri, good, 50);
  client.work();
  EXPECT_TRUE(client.published(uri).at("diagnostics").as_array().empty());
}

TEST(Server, ARequestThatIsCancelledBeforeItsTurnIsRefused) {
  Client client;
  client.start();
  client.open(uri, good);
  client.ask(5, "textDocument/hover", place(1, 1));
  client.ask(6, "textDocument/hover", place(1, 1));
  client.tell("$/cancelRequest", json::object{{"id", 5}});
  client.tell("$/cancelRequest", json::object{{"id", 99}});
  client.work();
  EXPECT_EQ(client.error(5), -32800);
  EXPECT_EQ(client.error(6), 0);
  client.ask(5, "textDocument/hover", place(1, 1));  // an id may come again
  client.work();
  EXPECT_NE(member(client.sent.back(), {"result"}), nullptr);
}

TEST(Server, ReadsOnlyWhatTheSpecNamesAndPrefersWhatIsOpen) {
  Client client(std::map<std::string, std::string>{{"/w/t.csv", "slug,tier\na,fre\n"}});
  client.start();
  const std::string spec =
      "caisson: v1\nname: x\nversion: 1.0.0\ntiers: { free: {} }\ntenants: { file: t.csv }\n";
  client.open(uri, spec);
  client.work();
  EXPECT_EQ(std::set<std::string>(client.read.begin(), client.read.end()),
            (std::set<std::string>{"/w/t.csv"}));
  EXPECT_THAT(json::serialize(client.published("file:///w/t.csv")),
              HasSubstr("did you mean 'free'?"));
  client.read.clear();
  client.open("file:///w/t.csv", "slug,tier\na,free\n", 1, "csv");
  client.work();
  EXPECT_TRUE(client.read.empty());
  EXPECT_TRUE(client.published("file:///w/t.csv").at("diagnostics").as_array().empty());
  // A mistake as it is typed in the file beside the spec.
  client.change("file:///w/t.csv", "slug,tier\na,free\na,free\n", 2);
  client.work();
  EXPECT_THAT(json::serialize(client.published("file:///w/t.csv")), HasSubstr("declared twice"));
  EXPECT_EQ(integer_at(client.published("file:///w/t.csv"), {"version"}), 2);
}

TEST(Server, NeverLeavesTheWorkspaceThroughALink) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(CAISSON_BINARY_DIR) / "editor-link-test";
  fs::remove_all(root);
  fs::create_directories(root / "w");
  std::ofstream(root / "secret.csv") << "slug\nsecret\n";
  fs::create_symlink(root / "secret.csv", root / "w/t.csv");
  std::vector<std::string> read;
  std::string published;
  Server server({.environment = {},
                 .today = [] { return std::string("2026-06-01"); },
                 .read_file = [&](const fs::path& path) -> Result<std::string> {
                   read.push_back(path.string());
                   return std::string();
                 }},
                [&](const std::string& message) { published += message; });
  server.receive(
      R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":"file://)" +
      (root / "w").string() + R"(","capabilities":{}}})");
  server.receive(
      R"({"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file://)" +
      (root / "w/deployment.yaml").string() +
      R"(","languageId":"yaml","version":1,"text":"caisson: v1\nname: x\nversion: 1.0.0\ntenants: { file: t.csv }\n"}}})");
  while (server.step()) {
  }
  EXPECT_TRUE(read.empty());
  EXPECT_THAT(published, HasSubstr("it leads out of the workspace"));
  fs::remove_all(root);
}

TEST(Server, RenamesWhatPatchesNameOrSaysWhichOneWouldBreak) {
  const std::string spec = R"(caisson: v1
name: shop
version: 1.0.0
tiers: { own: { isolation: deployment } }
tenants:
  - { slug: acme, tier: own }
services:
  web: { build: { context: . }, port: 8080, storage: { path: /data } }
patches:
  - { file: compose/compose.yaml, at: /services/runtime-acme/mem_limit, set: 1g, reason: r }
  - { file: helm/shop/values.yaml, at: /workloads/web/replicas, merge: { min: 1 }, reason: r }
)";
  Client client;
  client.start();
  client.open(uri, spec);
  client.work();
  const auto rename = [&](int id, int line, int column, const char* name) {
    json::object params = place(line, column);
    params["newName"] = name;
    client.ask(id, "textDocument/rename", params);
    client.work();
  };
  rename(1, 5, 12, "apex");
  const auto tenant = json::serialize(client.answer(1));
  EXPECT_THAT(tenant, HasSubstr("\"newText\":\"apex\""));
  EXPECT_THAT(tenant, HasSubstr("\"line\":9")) << "the patch's place";
  rename(2, 7, 3, "shopfront");
  EXPECT_THAT(json::serialize(client.answer(2)), HasSubstr("helm/shop/values.yaml"));
  EXPECT_NE(client.error(2), 0) << "the chart's workload would have another name";
}

TEST(Server, RenamesNoServiceWhoseDataWouldStayBehind) {
  Client client;
  client.start();
  client.open(uri, R"(caisson: v1
name: shop
version: 1.0.0
tenants: []
services:
  files: { build: { context: . }, port: 8080, storage: { path: /data } }
  web: { build: { context: . }, port: 8080, needs: [index] }
  index: { build: { context: . }, port: 8080 }
)");
  client.work();
  const auto rename = [&](int id, int line, int column = 3) {
    json::object params = place(line, column);
    params["newName"] = "fresh";
    client.ask(id, "textDocument/rename", params);
    client.work();
  };
  rename(1, 5);
  EXPECT_NE(client.error(1), 0);
  EXPECT_THAT(json::serialize(client.answer(1)), HasSubstr("'Move' of RUNBOOK.md"));
  rename(2, 6);
  EXPECT_THAT(json::serialize(client.answer(2)), HasSubstr("\"newText\":\"fresh\""));
  // A tenant has a volume of a service that there is one of for each.
  const auto of_tenants = [&](const std::string& service) {
    client.change(
        uri,
        "caisson: v1\nname: shop\nversion: 1.0.0\ntiers: { a: {} }\n"
        "tenants: [{ slug: adler, tier: a }]\nservices:\n  index: { build: { context: . }, "
        "port: 8080" +
            service +
            " }\n  web: { build: { context: . }, port: 8081, needs: [index], command: "
            "[serve, index] }\n",
        2);
    client.work();
  };
  of_tenants(", replica-per-tenant: true, storage: { path: /data }");
  rename(3, 4, 18);
  EXPECT_NE(client.error(3), 0);
  EXPECT_THAT(json::serialize(client.answer(3)), HasSubstr("what service 'index' keeps"));
  of_tenants(", replica-per-tenant: true");
  rename(4, 4, 18);
  EXPECT_THAT(json::serialize(client.answer(4)), HasSubstr("\"newText\":\"fresh\""));
  // A word that may be an address.
  rename(5, 6, 3);
  EXPECT_THAT(json::serialize(client.answer(5)),
              HasSubstr("deployment.yaml:8 may be the address of the service"));
}

TEST(Server, LeavesOtherPeoplesFilesAlone) {
  Client client;
  client.start();
  client.open("file:///w/deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n");
  client.open("file:///w/values.yaml", "replicas: 2\n");
  client.open("file:///w/data.csv", "a,b\n", 1, "csv");
  client.work();
  EXPECT_EQ(client.publications(), 0U);
  // It becomes a spec while somebody types.
  client.change("file:///w/values.yaml", "caisson: v1\n", 2);
  client.work();
  EXPECT_FALSE(client.published("file:///w/values.yaml").at("diagnostics").as_array().empty());
  client.change("file:///w/values.yaml", "a: 1\n", 3);
  client.work();
  EXPECT_TRUE(client.published("file:///w/values.yaml").at("diagnostics").as_array().empty());
}

TEST(Server, KnowsASpecHoweverItsFirstKeyIsWritten) {
  for (const std::string text : {"\"caisson\": 1\n", "caisson : 1\n", "{\"caisson\": 1}\n",
                                 "\xEF\xBB\xBF"
                                 "caisson: 1\n"}) {
    Client client;
    client.start();
    client.open("file:///w/spec.yaml", text);
    client.open("file:///w/spec.json", text, 1, "json");
    client.work();
    for (const char* each : {"file:///w/spec.yaml", "file:///w/spec.json"}) {
      ASSERT_TRUE(client.published(each).is_object()) << text;
      EXPECT_FALSE(client.published(each).at("diagnostics").as_array().empty()) << text;
    }
  }
}

/// What is found of an old text is told nobody.
TEST(Server, TellsWhatIsGeneratedOnlyOfTheNewestVersion) {
  std::string many = "caisson: v1\nname: x\nversion: 1.0.0\ntenants:\n";
  for (int i = 0; i < 100; ++i) many += "  - { slug: t" + std::to_string(i) + " }\n";
  Client client;
  client.judge = [](Analysis& analysis) {
    analysis.diagnostics.push_back({.code = "E0308", .where = {}, .message = "found later"});
  };
  client.start();
  client.open(uri, many);
  client.work();
  EXPECT_TRUE(client.published(uri).at("diagnostics").as_array().empty());
  ASSERT_TRUE(client.server().has_more_to_find());
  const auto version = client.server().version();
  const std::string found = client.server().find_more();
  client.change(uri, many + "# more\n", 2);
  client.work();
  client.server().tell_more(found, version);
  EXPECT_TRUE(client.published(uri).at("diagnostics").as_array().empty());
  client.server().tell_more(client.server().find_more(), client.server().version());
  EXPECT_THAT(json::serialize(client.published(uri)), HasSubstr("found later"));
  EXPECT_FALSE(client.server().has_more_to_find());
  // Another process that came to no end is not tried again.
  client.change(uri, many, 3);
  client.work();
  EXPECT_TRUE(client.server().has_more_to_find());
  client.server().tell_more({}, client.server().version());
  EXPECT_FALSE(client.server().has_more_to_find());
  EXPECT_THAT(json::serialize(client.sent.back()), HasSubstr("was not looked at"));
  // A small one is told at once.
  client.change(uri, good, 4);
  client.work();
  EXPECT_THAT(json::serialize(client.published(uri)), HasSubstr("found later"));
  EXPECT_FALSE(client.server().has_more_to_find());
  // Everything is generated for each environment.
  std::string environments = good + "environments:\n";
  for (int i = 0; i < 3; ++i) environments += "  e" + std::to_string(i) + ": {}\n";
  client.change(uri, environments, 5);
  client.work();
  EXPECT_TRUE(client.server().has_more_to_find());
  // Whoever has said goodbye is told nothing.
  client.change(uri, many, 6);
  client.work();
  EXPECT_TRUE(client.server().has_more_to_find());
  client.ask(1, "shutdown");
  client.work();
  EXPECT_FALSE(client.server().has_more_to_find());
}

TEST(Server, BoundsDocumentsAndDiagnostics) {
  Client client;
  client.start();
  std::string many =
      "caisson: v1\nname: x\nversion: 1.0.0\ntiers: { free: {}, pro: {} }\ntenants:\n";
  for (int i = 0; i < 3000; ++i) many += "  - { slug: t" + std::to_string(i) + ", tier: lost }\n";
  client.open(uri, many);
  client.work();
  EXPECT_EQ(client.published(uri).at("diagnostics").as_array().size(), Features::most_diagnostics);
  for (std::size_t i = 0; i < Workspace::most_documents + 5; ++i)
    client.open("file:///w/" + std::to_string(i) + ".yaml", "a: 1\n");
  client.work();
  EXPECT_EQ(std::ranges::count_if(client.sent,
                                  [](const json::value& message) {
                                    return json::serialize(message).find("too many documents") !=
                                           std::string::npos;
                                  }),
            6);
  for (std::size_t i = 0; i < Server::most_waiting; ++i) client.ask(static_cast<int>(i) + 100, "x");
  EXPECT_TRUE(client.server().is_full());
  client.work();
  EXPECT_FALSE(client.server().is_full());
}

TEST(Server, AgreesOnTheEncodingOfPlaces) {
  // The unknown key is behind a character of four bytes, two units and one scalar value.
  const std::string text = good + "runtime: { env: { A: \"\xF0\x9F\x98\x80\" }, bogus: 1 }\n";
  const int before = static_cast<int>(std::string("runtime: { env: { A: \"").size());
  for (const auto& [encoding, units] : {std::pair{"utf-8", 4}, {"utf-16", 2}, {"utf-32", 1}}) {
    Client client;
    client.start({{"general", json::object{{"positionEncodings", json::array{encoding}}}}});
    EXPECT_EQ(string_at(client.answer(0), {"result", "capabilities", "positionEncoding"}),
              encoding);
    client.open(uri, text);
    client.work();
    const auto range = client.published(uri).at("diagnostics").as_array().at(0).at("range");
    EXPECT_EQ(range.at("start").at("character").as_int64(), before + units + 5) << encoding;
  }
}

}  // namespace
}  // namespace caisson::editor
