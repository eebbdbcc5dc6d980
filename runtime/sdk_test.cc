// The generated clients against the runtime: real processes over real sockets. The clients are
// those of output/quickstart, which another test keeps equal to what the generator writes.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include <boost/json.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/schemas.h"
#include "runtime/http/test_client.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace json = boost::json;

const std::string source = CAISSON_SOURCE_DIR;
const std::string sdk = source + "/output/quickstart/sdk";

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const auto size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  if (const int status = pclose(pipe); status != 0) {
    throw std::runtime_error(command + ": " + std::to_string(status) + "\n" + output);
  }
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

/// A client in a process of its own, asked line by line.
class Driver {
 public:
  Driver(std::vector<std::string> arguments, const std::vector<std::string>& environment) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const auto& variable : environment) envp.push_back(const_cast<char*>(variable.c_str()));
    envp.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execvpe(argv[0], argv.data(), envp.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = ::fdopen(in[1], "w");
    from_ = ::fdopen(out[0], "r");
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() {
    ::fclose(to_);
    ::fclose(from_);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  json::object ask(const json::object& request) {
    const auto line = json::serialize(request) + "\n";
    fwrite(line.data(), 1, line.size(), to_);
    fflush(to_);
    char* answer = nullptr;
    std::size_t capacity = 0;
    const auto size = ::getline(&answer, &capacity, from_);
    const std::string text(answer, size > 0 ? static_cast<std::size_t>(size) : 0);
    ::free(answer);
    if (text.empty()) throw std::runtime_error("the client ended at " + line);
    return json::parse(text, {}, {.max_depth = 64}).as_object();
  }

 private:
  pid_t pid_;
  FILE* to_;
  FILE* from_;
};

class GeneratedClients : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    deployment_ = new TestDeployment();
    application_ = deployment_->start().release();
    const auto tools = output_of(source + "/scripts/test-tools");
    const auto built = (deployment_->directory() / "typescript").string();
    output_of(tools + "/tsc -p " + sdk + "/typescript --outDir " + built + "/dist");
    std::ofstream(built + "/package.json") << R"({"type": "module"})";
    const auto url = "http://127.0.0.1:" + std::to_string(application_->data_port());
    const std::vector<std::string> environment{
        "CREDENTIAL=" + token_for("globex"), "PYTHONPATH=" + sdk + "/python",
        "PYTHONDONTWRITEBYTECODE=1", "PATH=" + std::string(std::getenv("PATH")),
        "HOME=" + std::string(std::getenv("HOME"))};
    clients_ = new std::map<std::string, std::unique_ptr<Driver>>();
    clients_->emplace("typescript",
                      std::make_unique<Driver>(
                          std::vector<std::string>{"node", source + "/runtime/sdk_driver.mjs",
                                                   built + "/dist/index.js", url, "globex"},
                          environment));
    clients_->emplace("python",
                      std::make_unique<Driver>(
                          std::vector<std::string>{"python3", source + "/runtime/sdk_driver.py",
                                                   "acme_client", url, "globex"},
                          environment));
  }
  static void TearDownTestSuite() {
    delete clients_;
    delete application_;
    delete deployment_;
  }

  static TestDeployment* deployment_;
  static Application* application_;
  static std::map<std::string, std::unique_ptr<Driver>>* clients_;
};

TestDeployment* GeneratedClients::deployment_ = nullptr;
Application* GeneratedClients::application_ = nullptr;
std::map<std::string, std::unique_ptr<Driver>>* GeneratedClients::clients_ = nullptr;

// ---- random JSON ----

std::string any_text() {
  static const std::vector<std::string> pieces{"a",
                                               "B",
                                               "0",
                                               " ",
                                               "\"",
                                               "\\",
                                               "/",
                                               "~",
                                               "\n",
                                               "\x01",
                                               "\x7f",
                                               "é",
                                               "\xf0\x9f\x98\x80",
                                               "\xe2\x80\xa8",
                                               "$",
                                               "{}",
                                               "%",
                                               "__proto__",
                                               std::string(1, '\0')};
  std::string text;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) text += *rc::gen::elementOf(pieces);
  return text;
}

json::value any_json(int levels) {
  switch (*rc::gen::inRange(0, levels > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::inRange<std::int64_t>(-(1LL << 53), 1LL << 53);
    case 3:
      return static_cast<double>(*rc::gen::inRange(-1'000'000, 1'000'000)) / 1024;
    case 4:
    case 5:
      return json::value(any_text());
    case 6: {
      json::array list;
      const int count = *rc::gen::inRange(0, 4);
      for (int i = 0; i < count; ++i) list.push_back(any_json(levels - 1));
      return list;
    }
    default:
      break;
  }
  json::object object;
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) object[any_text()] = any_json(levels - 1);
  return object;
}

json::object any_value() {
  json::object value;
  const int count = *rc::gen::inRange(0, 3);
  for (int i = 0; i < count; ++i) value[any_text()] = any_json(3);
  value["kind"] = *rc::gen::elementOf(std::vector<std::string>{"a", "b", "12", "null"});
  value["size"] = *rc::gen::inRange(-2, 3);
  return value;
}

/// Equal as JSON: 1 and 1.0 are one number.
bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(), same);
  }
  if (a.is_object() && b.is_object()) {
    return a.get_object().size() == b.get_object().size() &&
           std::ranges::all_of(a.get_object(), [&](const auto& member) {
             const auto* other = b.get_object().if_contains(member.key());
             return other != nullptr && same(member.value(), *other);
           });
  }
  return a == b;
}

// ---- 37 ----

/// One collection as the client sees it, beside what it should hold.
class Mirror {
 public:
  Mirror(Driver& client, std::string collection)
      : client_(client), collection_(std::move(collection)) {}

  void create() {
    const auto value = any_value();
    expect(ask("create", {{"value", value}}), value, 1);
  }

  void replace() {
    const auto id = any_id();
    auto& entry = held_.at(id);
    entry = {any_value(), entry.version + 1};
    const auto before = "\"" + std::to_string(entry.version - 1) + "\"";
    expect(ask("replace", {{"id", id}, {"value", entry.value}, {"options", {{"ifMatch", before}}}}),
           entry.value, entry.version);
    RC_ASSERT(
        ask("replace", {{"id", id}, {"value", entry.value}, {"options", {{"ifMatch", before}}}})
            .at("error") == "PreconditionFailedProblem");
  }

  void read() {
    const auto id = any_id();
    const auto& entry = held_.at(id);
    const auto answer = ask("read", {{"id", id}});
    expect(answer, entry.value, entry.version);
    RC_ASSERT(
        ask("read", {{"id", id}, {"options", {{"ifNoneMatch", answer.at("etag")}}}}).at("error") ==
        "NotModified");
  }

  void remove() {
    const auto id = any_id();
    RC_ASSERT(ask("delete", {{"id", id}}).at("value").is_null());
    held_.erase(id);
    RC_ASSERT(ask("read", {{"id", id}}).at("error") == "NotFoundProblem");
  }

  void batch() {
    const auto made = any_value();
    json::array operations{{{"op", "create"}, {"collection", collection_}, {"value", made}}};
    std::optional<std::string> replaced;
    const auto value = any_value();
    if (!held_.empty()) {
      replaced = any_id();
      operations.push_back(
          {{"op", "replace"}, {"collection", collection_}, {"id", *replaced}, {"value", value}});
      operations.push_back({{"op", "read"}, {"collection", collection_}, {"id", *replaced}});
      operations.push_back({{"op", "delete"}, {"collection", collection_}, {"id", *replaced}});
    }
    const auto answer = ask("batch", {{"body", {{"operations", operations}}}});
    RC_ASSERT(!answer.contains("error"));
    const auto& results = answer.at("value").at("results").as_array();
    RC_ASSERT(results.size() == operations.size());
    RC_ASSERT(same(results.at(0).at("value"), made));
    held_[std::string(results.at(0).at("id").as_string())] = {made, 1};
    if (!replaced) return;
    RC_ASSERT(same(results.at(1).at("value"), value) && same(results.at(1), results.at(2)));
    RC_ASSERT(results.at(3).at("deleted") == true);
    held_.erase(*replaced);
  }

  void list() {
    const auto kind = *rc::gen::elementOf(std::vector<std::string>{"a", "b", "12", "null"});
    const auto size = *rc::gen::inRange(-2, 3);
    const bool descending = *rc::gen::arbitrary<bool>();
    const auto answer = ask("list", {{"limit", *rc::gen::inRange(1, 4)},
                                     {"order", descending ? "-id" : "created"},
                                     {"filters", {{"kind", "eq", kind}, {"size", "ge", size}}}});
    RC_ASSERT(!answer.contains("error"));
    std::vector<std::string> expected;
    for (const auto& [id, entry] : held_) {  // ids are in the order of creation
      if (entry.value.at("kind").as_string() == kind &&
          entry.value.at("size").to_number<int>() >= size) {
        expected.push_back(id);
      }
    }
    if (descending) std::ranges::reverse(expected);
    const auto& records = answer.at("value").as_array();
    RC_ASSERT(records.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      RC_ASSERT(records[i].at("id").as_string() == expected[i]);
      RC_ASSERT(same(records[i].at("value"), held_.at(expected[i]).value));
    }
  }

  [[nodiscard]] bool empty() const { return held_.empty(); }

 private:
  struct Entry {
    json::object value;
    std::int64_t version = 0;
  };

  json::object ask(std::string_view what, json::object request) {
    request["do"] = what;
    request["collection"] = collection_;
    return client_.ask(request);
  }

  void expect(const json::object& answer, const json::object& value, std::int64_t version) {
    RC_ASSERT(!answer.contains("error"));
    const auto& record = answer.at("value");
    RC_ASSERT(record.at("collection").as_string() == collection_);
    RC_ASSERT(record.at("version").to_number<std::int64_t>() == version);
    RC_ASSERT(answer.at("etag").as_string() == "\"" + std::to_string(version) + "\"");
    RC_ASSERT(same(record.at("value"), value));
    held_[std::string(record.at("id").as_string())] = {value, version};
  }

  std::string any_id() {
    return std::next(held_.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(held_)))->first;
  }

  Driver& client_;
  std::string collection_;
  std::map<std::string, Entry> held_;
};

TEST_F(GeneratedClients, Property37_WhatIsSentComesBack) {
  int cases = 0;
  for (auto& [language, client] : *clients_) {
    EXPECT_TRUE(rc::check("what " + language + " sends comes back", [&, &driver = *client] {
      Mirror mirror(driver, "things-" + std::to_string(++cases));
      const int steps = *rc::gen::inRange(1, 12);
      for (int i = 0; i < steps; ++i) {
        switch (mirror.empty() ? 0 : *rc::gen::inRange(0, 6)) {
          case 0:
            mirror.create();
            break;
          case 1:
            mirror.replace();
            break;
          case 2:
            mirror.read();
            break;
          case 3:
            mirror.remove();
            break;
          case 4:
            mirror.batch();
            break;
          default:
            mirror.list();
        }
      }
      mirror.list();
    }));
  }
}

TEST_F(GeneratedClients, ListCollectionsWithoutPages) {
  for (auto& [language, client] : *clients_) {
    for (int i = 0; i < 5; ++i) {
      const auto made = client->ask({{"do", "create"},
                                     {"collection", "paged-" + language + std::to_string(i)},
                                     {"value", json::object()}});
      ASSERT_FALSE(made.contains("error")) << json::serialize(made);
    }
    for (const int limit : {1, 2, 1000}) {
      const auto answer = client->ask({{"do", "collections"}, {"limit", limit}});
      ASSERT_FALSE(answer.contains("error")) << language << json::serialize(answer);
      std::vector<std::string> names;
      for (const auto& collection : answer.at("value").as_array()) {
        names.emplace_back(collection.at("name").as_string());
      }
      EXPECT_TRUE(std::ranges::is_sorted(names));
      EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(std::ranges::binary_search(names, "paged-" + language + std::to_string(i)))
            << limit;
      }
    }
  }
}

TEST_F(GeneratedClients, SendAWriteThatIsRetriedWithTheSameKeyOnce) {
  for (auto& [language, client] : *clients_) {
    const json::object request{{"do", "create"},
                               {"collection", "once"},
                               {"value", {{"by", language}}},
                               {"options", {{"idempotencyKey", "key-of-" + language}}}};
    const auto first = client->ask(request);
    const auto again = client->ask(request);
    EXPECT_EQ(first.at("replayed"), false) << language;
    EXPECT_EQ(again.at("replayed"), true) << language;
    EXPECT_TRUE(same(first.at("value"), again.at("value"))) << language;
  }
}

TEST_F(GeneratedClients, FollowChangesWithATicket) {
  auto& client = *clients_->at("typescript");
  const json::object request{{"do", "watch"}, {"collection", "followed"}, {"value", {{"a", 1}}}};
  const auto answer = client.ask(request);
  ASSERT_FALSE(answer.contains("error")) << json::serialize(answer);
  const auto& told = answer.at("value");
  const auto& change = told.at("change");
  EXPECT_EQ(told.at("place").at("gap"), false);
  EXPECT_EQ(change.at("op"), "created");
  EXPECT_EQ(change.at("collection"), "followed");
  EXPECT_EQ(change.at("id"), told.at("made").at("id"));
  EXPECT_EQ(change.at("version"), 1);

  // What happened since is told when the watch goes on from there.
  auto resumed = request;
  resumed["options"] = {{"after", told.at("place").at("sequence")}};
  EXPECT_EQ(client.ask(resumed).at("value").at("change"), change);

  auto wrong = request;
  wrong["collection"] = "Followed";
  EXPECT_EQ(client.ask(wrong).at("error"), "InvalidValue");
}

TEST_F(GeneratedClients, IssueTickets) {
  for (auto& [language, client] : *clients_) {
    const auto answer = client->ask({{"do", "ticket"}});
    ASSERT_FALSE(answer.contains("error")) << language << json::serialize(answer);
    EXPECT_EQ(answer.at("value").at("ticket").as_string().size(), 43U) << language;
  }
}

TEST_F(GeneratedClients, KeepACredentialThatCannotBeSentOutOfTheError) {
  for (auto& [language, client] : *clients_) {
    const auto answer = client->ask({{"do", "credential"}, {"credential", "csk_hidden\nmore"}});
    EXPECT_EQ(answer.at("error"), "InvalidValue") << language;
    EXPECT_EQ(answer.at("message").as_string().find("hidden"), json::string::npos) << language;
  }
}

// ---- 38 ----

json::object any_operation() {
  json::object operation;
  operation["op"] =
      *rc::gen::elementOf(std::vector<std::string>{"create", "read", "replace", "delete"});
  operation["collection"] = *rc::gen::elementOf(std::vector<std::string>{"orders", "a", "o-1_x"});
  const auto op = operation.at("op").as_string();
  if (op != "create") operation["id"] = any_text();
  if (op == "create" || op == "replace") operation["value"] = any_value();
  return operation;
}

/// Mostly right, with a few things wrong.
json::value any_batch() {
  json::array operations;
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) operations.push_back(any_operation());
  json::object body{{"operations", operations}};
  const int faults = *rc::gen::inRange(0, 4);
  for (int i = 0; i < faults; ++i) {
    auto* list = body["operations"].if_array();
    const bool inside = list != nullptr && !list->empty() && *rc::gen::inRange(0, 4) != 0;
    auto* place = &body;
    if (inside) {
      auto& operation = list->at(*rc::gen::inRange<std::size_t>(0, list->size()));
      if (!operation.is_object() || *rc::gen::inRange(0, 8) == 0) {
        operation = any_json(1);
        continue;
      }
      place = &operation.get_object();
    }
    const auto name = *rc::gen::elementOf(std::vector<std::string>{
        "op", "collection", "id", "value", "operations", "a/b~c", "tenant"});
    if (*rc::gen::arbitrary<bool>()) {
      place->erase(name);
    } else {
      (*place)[name] = *rc::gen::inRange(0, 3) == 0 ? json::value(any_operation()) : any_json(1);
    }
  }
  return body;
}

std::set<std::string> pointers_of(const json::value& faults) {
  std::set<std::string> pointers;
  for (const auto& fault : faults.as_array()) {
    pointers.emplace(fault.at("pointer").as_string());
  }
  return pointers;
}

/// The pointers of what the server finds wrong with a body; empty when it takes it.
std::set<std::string> found_by_server(http::TestClient& server, std::string_view path,
                                      const json::value& body) {
  const auto answer = server.ask(tenant_request("globex", "POST", path, json::serialize(body)));
  if (!answer || answer->status == 200 || answer->status == 201 || answer->status == 404) return {};
  return pointers_of(json::parse(answer->body).at("errors"));
}

TEST_F(GeneratedClients, Property38_ValidatorsAgreeWithTheServer) {
  http::TestClient server(application_->data_port());
  std::map<bool, int> verdicts;
  EXPECT_TRUE(rc::check("validators agree with the server", [&] {
    const bool alone = *rc::gen::inRange(0, 4) == 0;
    const auto body = alone ? (*rc::gen::arbitrary<bool>() ? json::value(any_value()) : any_json(2))
                            : any_batch();
    const auto found = found_by_server(server, alone ? "/v1/records/bodies" : "/v1/batch", body);
    ++verdicts[found.empty()];
    for (auto& [language, client] : *clients_) {
      const auto answer =
          client->ask({{"do", "check"}, {"schema", alone ? "Value" : "Batch"}, {"value", body}});
      RC_ASSERT(pointers_of(answer.at("faults")) == found);
    }
  }));
  EXPECT_GT(verdicts[true], 5);
  EXPECT_GT(verdicts[false], 5);
}

TEST_F(GeneratedClients, ValidatorsAgreeWithTheServerOnDepth) {
  http::TestClient server(application_->data_port());
  for (const std::size_t levels : {api::deepest_value, api::deepest_value + 1}) {
    json::value value = json::object{};
    for (std::size_t i = 1; i < levels; ++i) value = json::object{{"a", std::move(value)}};
    const bool fine = levels == api::deepest_value;
    EXPECT_EQ(found_by_server(server, "/v1/records/deep", value).empty(), fine);
    for (auto& [language, client] : *clients_) {
      const auto answer = client->ask({{"do", "check"}, {"schema", "Value"}, {"value", value}});
      EXPECT_EQ(answer.at("faults").as_array().empty(), fine) << language << levels;
    }
  }
}

}  // namespace
}  // namespace caisson::runtime
