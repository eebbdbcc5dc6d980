#include "editor/completion.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "editor/testing.h"

namespace caisson::editor {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Proposals proposals_at(const std::string& marked) {
  const auto [text, at] = with_cursor(marked);
  return complete(project_of(text), 0, at);
}

std::vector<std::string> labels(const Proposals& found) {
  std::vector<std::string> all;
  for (const auto& proposal : found.proposals) all.push_back(proposal.label);
  return all;
}

std::vector<std::string> at(const std::string& marked) { return labels(proposals_at(marked)); }

TEST(Completion, OffersTheKeysThatAreNotThere) {
  EXPECT_THAT(at("caisson: v1\nna|"),
              AllOf(Contains("name"), Contains("tenants"), Not(Contains("caisson"))));
  EXPECT_THAT(at("|"), Contains("caisson"));
  EXPECT_THAT(at("caisson: v1\nruntime:\n  |\n"),
              AllOf(Contains("replicas"), Not(Contains("name"))));
  EXPECT_THAT(at("tenants:\n  - slug: a\n    |\n"), AllOf(Contains("tier"), Not(Contains("slug"))));
  EXPECT_THAT(at("tenants:\n  - slug: a\n    |\n    tier: free\n"), Not(Contains("tier")));
  EXPECT_THAT(at("tenants:\n  - |\n"), Contains("slug"));
  EXPECT_THAT(at("tiers: { free: { iso| } }\n"), Contains("isolation"));
  EXPECT_THAT(at("services:\n  web:\n    health:\n      |\n"), Contains("interval"));
  EXPECT_THAT(at("environments:\n  demo:\n    |\n"),
              AllOf(Contains("domain"), Not(Contains("environments"))));
}

TEST(Completion, OffersWordsNamesAndDefaults) {
  EXPECT_THAT(at("tiers: { free: { isolation: | } }\n"),
              ElementsAre("row", "schema", "database", "deployment"));
  EXPECT_THAT(at("tiers:\n  free: {}\n  pro: {}\ntenants:\n  - { slug: a, tier: fr| }\n"),
              ElementsAre("free", "pro"));
  EXPECT_THAT(at("secrets: { k: {} }\nbackup:\n  encrypt: |\n"), ElementsAre("k"));
  EXPECT_THAT(at("services:\n  a: {}\n  b:\n    needs: [|]\n"), ElementsAre("a"));
  EXPECT_THAT(at("database: postgres\nservices:\n  a: {}\n  b:\n    needs: [|]\n"),
              ElementsAre("a", "database"));
  EXPECT_THAT(at("database: sqlite\nservices:\n  b: { needs: [|] }\n"
                 "environments: { demo: { cache: { engine: redis } } }\n"),
              ElementsAre("cache"));
  EXPECT_THAT(at("secrets: { k: {} }\nruntime:\n  env: { KEY: | }\n"), Contains("${secret:k}"));
  EXPECT_THAT(at("runtime:\n  modules:\n    - |\n"), Contains("events"));
  EXPECT_THAT(at("runtime:\n  drain: |\n"), Contains("10s"));
  EXPECT_THAT(at("dashboard: |\n"), AllOf(Contains("true"), Contains("false")));
  EXPECT_THAT(at("runtime: { env: { KEY: \"${secret:lost}\" } }\nsecrets:\n  |\n"),
              Contains("lost"));
}

/// The text after the only proposal of that label.
std::string completed(const std::string& marked, const std::string& label) {
  auto text = with_cursor(marked).first;
  const auto found = proposals_at(marked);
  const auto proposal = std::ranges::find(found.proposals, label, &Proposal::label);
  if (proposal == found.proposals.end()) return "nothing of that name";
  return text.replace(found.replaced.begin, found.replaced.end - found.replaced.begin,
                      proposal->text);
}

TEST(Completion, KeepsOneBraceOfAReferenceInEditorsThatCloseThem) {
  const std::string head = "secrets: { mail-password: {} }\nruntime:\n  env:\n    ";
  const std::string flow = "secrets: { mail-password: {} }\nruntime:\n  env: ";
  const auto all = [](const std::string& text) {
    return completed(text, "${secret:mail-password}");
  };
  const std::string whole = head + "MAIL: \"${secret:mail-password}\"";
  for (const auto* written :
       {"${|}", "${secret:|}", "${secret:mail-|}", "${secret:ma|il-x}", "${secret:|", "${|",
        "\"${secret:|}\"", "\"${|}\"", "\"${secret:|\""}) {
    EXPECT_EQ(all(head + "MAIL: " + written + "\n"), whole + "\n") << written;
    EXPECT_EQ(all(flow + "{ MAIL: " + written + " }\n"),
              flow + "{ MAIL: \"${secret:mail-password}\" }\n")
        << written;
  }
  // The brace of the map is its own.
  EXPECT_EQ(all(flow + "{MAIL: ${secret:|}\n"), flow + "{MAIL: \"${secret:mail-password}\"}\n");
}

TEST(Completion, OffersAnswersInReferencesToThem) {
  const std::string head =
      "answers: { region: { type: word }, mail: { type: secret } }\nsecrets: { mail: {} }\n";
  EXPECT_THAT(at(head + "domain: \"${answer:|}\"\n"), ElementsAre("${answer:region}"));
  EXPECT_THAT(at(head + "runtime: { env: { A: \"${|}\" } }\n"),
              ElementsAre("${answer:region}", "${secret:mail}"));
  // What is the same everywhere takes none, and without its beginning it is too much.
  EXPECT_THAT(at(head + "version: \"${answer:|}\"\n"), IsEmpty());
  EXPECT_THAT(at(head + "runtime: { env: { A: | } }\n"), Not(Contains("${answer:region}")));
  EXPECT_EQ(completed(head + "domain: x.${answer:|}.example\n", "${answer:region}"),
            head + "domain: x.${answer:region}.example\n");
  EXPECT_EQ(completed(head + "domain: \"x.${|}\"\n", "${answer:region}"),
            head + "domain: \"x.${answer:region}\"\n");
  EXPECT_EQ(completed(head + "domain: ${|\n", "${answer:region}"),
            head + "domain: \"${answer:region}\"\n");
}

TEST(Completion, OffersInAnEnvironmentWhatTheSpecDeclares) {
  const std::string head =
      "tiers: { basic: {}, premium: {} }\nsecrets: { key: {} }\nservices: { web: {} }\n"
      "environments:\n  staging:\n    ";
  EXPECT_THAT(at(head + "tiers:\n      ba|\n"), ElementsAre("basic", "premium"));
  EXPECT_THAT(at(head + "tiers:\n      basic: {}\n      pr|\n"), ElementsAre("premium"));
  EXPECT_THAT(at(head + "tiers: { | }\n"), ElementsAre("basic", "premium"));
  EXPECT_THAT(at(head + "services:\n      |\n"), ElementsAre("web"));
  EXPECT_THAT(at(head + "secrets:\n      k|: {}\n"), ElementsAre("key"));
}

TEST(Completion, WorksInADocumentThatDoesNotParse) {
  EXPECT_THAT(at("name: \"x\ntiers: { free: { isolation: |\ntenants:\n  - slug: a\n"),
              Contains("row"));
  EXPECT_THAT(at("a: {\nruntime:\n  rep|\n   bad\n- x: [\n"), Contains("replicas"));
  EXPECT_THAT(at("tiers:\n  free: {}\ntenants:\n  - { slug: a, tier: |\n"), Contains("free"));
}

TEST(Completion, OffersNothingInCommentsAndForeignMaps) {
  EXPECT_THAT(at("# na|\ncaisson: v1\n"), IsEmpty());
  EXPECT_THAT(at("unheard-of:\n  x|\n"), IsEmpty());
}

TEST(Completion, ReplacesTheWordAndSaysWhatTheFieldMeans) {
  const auto found = proposals_at("caisson: v1\ndashboard:\n  repl|: 2\n");
  EXPECT_EQ(found.replaced, (source::Span{0, 25, 29}));
  const auto replicas = std::ranges::find(found.proposals, "replicas", &Proposal::label);
  ASSERT_NE(replicas, found.proposals.end());
  EXPECT_EQ(replicas->text, "replicas");  // the ':' is there
  EXPECT_THAT(replicas->documentation,
              AllOf(HasSubstr("default: `1`"), HasSubstr("compose may approximate it")));
  const auto fresh = proposals_at("caisson: v1\nrun|");
  const auto runtime = std::ranges::find(fresh.proposals, "runtime", &Proposal::label);
  ASSERT_NE(runtime, fresh.proposals.end());
  EXPECT_EQ(runtime->text, "runtime:");
}

TEST(Completion, WorksInFilesBesideTheSpec) {
  const auto in = [](const std::string& file, const std::string& marked) {
    const auto [text, at] = with_cursor(marked);
    const auto project = project_of("tiers: { free: {}, pro: {} }\ntenants: { file: " + file +
                                        " }\nservices: { a: { module: m.yaml } }\n",
                                    {{file, text}, {"m.yaml", text}});
    return labels(complete(project, 1, at));
  };
  EXPECT_THAT(in("t.csv", "slug,ti|\n"),
              AllOf(Contains("tier"), Contains("limits.requests"), Not(Contains("slug"))));
  EXPECT_THAT(in("t.csv", "slug,tier\na,|\n"), ElementsAre("free", "pro"));
  EXPECT_THAT(in("t.csv", "slug,status\na,|\n"), ElementsAre("active", "suspended"));
  EXPECT_THAT(in("t.ndjson", "{\"slug\": \"a\"}\n{\"slug\": \"b\", \"tier\": \"|\"}\n"),
              ElementsAre("free", "pro"));
  EXPECT_THAT(in("t.ndjson", "{\"slug\": \"a\", \"|\"}\n"),
              AllOf(Contains("tier"), Not(Contains("slug"))));
  const auto [text, at] = with_cursor("handlers: [a]\n|\n");
  const auto project = project_of("services: { a: { module: m.yaml } }\n", {{"m.yaml", text}});
  EXPECT_THAT(labels(complete(project, 1, at)),
              AllOf(Contains("versions"), Not(Contains("handlers"))));
}

}  // namespace
}  // namespace caisson::editor
