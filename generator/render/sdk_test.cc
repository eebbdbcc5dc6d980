#include <array>
#include <cctype>
#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/schemas.h"
#include "generator/render/render_testing.h"
#include "generator/render/sdk_code.h"
#include "generator/render/sdk_openapi.h"
#include "generator/render/sdk_python.h"
#include "generator/render/sdk_typescript.h"

namespace caisson::render {
namespace {

using api::Schema;
using testing::HasSubstr;
using testing::Not;

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(c));
  return out;
}

TEST(OpenApi, HasEveryOperationOfTheApiAndNoOther) {
  const auto document = openapi_document(plan::example("quickstart").plan);
  std::set<std::string> documented;
  for (const auto& [path, item] : *document.at("/paths")->map()) {
    for (const auto& [method, operation] : *item.map()) documented.insert(method + " " + path);
  }
  std::set<std::string> served;
  for (const auto& operation : api::operations()) {
    served.insert(lower(operation.method) + " " + std::string(operation.path));
    const auto* node = document.find("paths")->find(operation.path)->find(lower(operation.method));
    for (const auto code : api::problems_of(operation)) {
      EXPECT_NE(node->find("responses")->find(std::to_string(api::info(code).status)), nullptr)
          << operation.name << " " << api::info(code).name;
    }
  }
  EXPECT_EQ(documented, served);
  for (const auto path : api::host_paths) {
    EXPECT_EQ(document.find("paths")->find(path), nullptr) << path;
  }
}

TEST(OpenApi, HidesWhatTheEdgeHides) {
  const auto hidden = plan::example("quickstart").plan.edge.hidden;
  EXPECT_THAT(hidden, testing::ElementsAreArray(api::host_paths));
}

TEST(OpenApi, NamesTheHostsTheSignalsAndTheLimitsOfTheDeployment) {
  auto planned = plan::example("agentik").plan;
  auto document = openapi_document(planned);
  EXPECT_EQ(*document.at("/servers/0/url"), Node("https://{tenant}.agentik.example.com"));
  EXPECT_EQ(*document.at("/servers/1/url"), Node("https://agents.northwind.example"));
  EXPECT_EQ(*document.at("/x-caisson-tiers/free/concurrent"), Node(8));
  EXPECT_EQ(document.at("/x-caisson-tiers/free/concurrent")->origin(),
            Origin(Origin::Kind::spec, "/tiers/free/limits/concurrent"));
  EXPECT_NE(document.at("/components/securitySchemes/token"), nullptr);

  planned.auth.by_subdomain = planned.auth.by_header = planned.auth.api_keys = false;
  document = openapi_document(planned);
  EXPECT_EQ(*document.at("/servers/0/url"), Node("https://agentik.example.com"));
  EXPECT_EQ(document.at("/components/securitySchemes/apiKey"), nullptr);
  EXPECT_EQ(document.at("/paths/~1v1~1whoami/get/parameters"), nullptr);
}

TEST(OpenApi, TellsWhatServicesDeclare) {
  auto planned = plan::example("quickstart").plan;
  planned.modules.push_back({.service = "billing",
                             .manifest = {"billing/module.yaml", {}},
                             .handlers = {"charge"},
                             .versions = {"2026-02-14"}});
  EXPECT_EQ(*openapi_document(planned).at("/x-caisson-modules/billing/handlers/0"), Node("charge"));
  const auto artifacts = rendered(planned, {Target::sdk});
  EXPECT_THAT(artifact(artifacts, "sdk/README.md").bytes, HasSubstr("| billing | charge |"));
  EXPECT_THAT(artifact(artifacts, "sdk/python/acme_client/deployment.py").bytes,
              HasSubstr(R"("handlers": ["charge"])"));
}

TEST(Identifiers, JoinTheWordsOfAName) {
  constexpr std::array<std::string_view, 1> reserved{"class"};
  EXPECT_EQ(identifier("If-Match", Case::camel, reserved), "ifMatch");
  EXPECT_EQ(identifier("If-Match", Case::snake, reserved), "if_match");
  EXPECT_EQ(identifier("whoAmI", Case::snake, reserved), "who_am_i");
  EXPECT_EQ(identifier("not-found", Case::pascal, reserved), "NotFound");
  EXPECT_EQ(identifier("class", Case::camel, reserved), "class_");
  EXPECT_EQ(identifier("3com-client", Case::snake, reserved), "_3com_client");
  EXPECT_EQ(identifier("\";*/", Case::snake, reserved), "_");
  EXPECT_FALSE(is_identifier("class", reserved));
  EXPECT_FALSE(is_identifier("a b", reserved));
  EXPECT_FALSE(is_identifier("", reserved));
}

TEST(PythonVersion, TakesWhatFollowsTheNumbersAsLocal) {
  EXPECT_EQ(python_version("1.2.3"), "1.2.3");
  EXPECT_EQ(python_version("1.2.3-rc.1+linux"), "1.2.3+rc.1.linux");
  EXPECT_EQ(python_version("1.2.3--x"), "1.2.3+x");
}

/// Names that mean something to a language, and texts that end what they stand in.
TEST(GeneratedCode, TakesAnyNameAndAnyText) {
  static constexpr std::string_view hostile = "*/ \"\"\" ''' \\ ${x} \n#\" { } \xe2\x80\xa8";
  static constexpr Schema plain{.kind = Schema::Kind::text, .hint = hostile};
  static constexpr std::array<std::string_view, 2> words{"None", hostile};
  static constexpr Schema choice{.name = "class", .kind = Schema::Kind::text, .words = words};
  static constexpr std::array<api::Member, 6> members{{{"class", &plain, hostile},
                                                       {"def", &choice},
                                                       {"a b", &plain},
                                                       {"__proto__", &plain, hostile, false},
                                                       {hostile, &plain},
                                                       {"3", &plain}}};
  static constexpr Schema object{.name = "import",
                                 .kind = Schema::Kind::object,
                                 .description = hostile,
                                 .members = members,
                                 .closed = true};
  static constexpr std::array<const Schema*, 2> schemas{&choice, &object};
  const TemporaryDirectory directory;
  Artifacts files;
  for (const auto& file : rendered(plan::example("quickstart").plan, {Target::sdk})) {
    if (file.path.starts_with("sdk/python/acme_client/check.py")) files.push_back(file);
  }
  files.push_back({.path = "sdk/python/acme_client/models.py", .bytes = python_models(schemas)});
  files.push_back(
      {.path = "sdk/python/acme_client/validators.py", .bytes = python_validators(schemas)});
  files.push_back({.path = "sdk/python/acme_client/__init__.py"});
  files.push_back({.path = "try.py", .bytes = R"(
import sys
sys.path.insert(0, "sdk/python")
from acme_client import check, models, validators
names = list(models.Import.__annotations__)
value = {name: "None" for name in names}
assert len(names) == 6, names
assert check.faults_of(validators.check_import, value) == []
assert len(check.faults_of(validators.check_import, {})) == 5
assert check.faults_of(validators.check_import, {**value, "x": 1})[0].pointer == "/x"
)"});
  directory.write(files);
  EXPECT_EQ(std::system(("cd '" + directory.path().string() + "' && python3 -B try.py").c_str()),
            0);

  const auto types = typescript_types(schemas);
  EXPECT_THAT(types, HasSubstr("export interface Import {"));
  EXPECT_THAT(types, HasSubstr("readonly \"class\": string;"));
  EXPECT_THAT(types, HasSubstr("readonly \"a b\": string;"));
  EXPECT_THAT(types, HasSubstr("readonly [\"__proto__\"]?: string;"));
  EXPECT_THAT(types, Not(HasSubstr("*/ \"\"\"")));
}

}  // namespace
}  // namespace caisson::render
