#include "editor/names.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "editor/format.h"
#include "editor/testing.h"

namespace caisson::editor {
namespace {

using ::testing::HasSubstr;

const std::string spec = R"(caisson: v1
name: x
version: 1.0.0
tiers:
  free: { isolation: row }
  "pro": {}
tenants: { file: tenants.csv }
services:
  billing:
    image: x@sha256:0
    needs: [mail, database]
    module: billing.yaml
    env: { KEY: "${secret:stripe}", TEXT: free }
    secrets: [stripe]
  mail: { image: y }
secrets:
  stripe: { from: generate }
environments:
  demo:
    tenants:
      - { slug: acme, tier: 'pro' }
    services: { billing: { replicas: 2 } }
patches:
  - { file: compose/compose.yaml, at: /services/billing/image, set: z, reason: r }
waivers:
  - { rule: W0201, where: services.billing.image, reason: r }
  - { rule: W0202, where: secrets.stripe, reason: r }
)";
const std::map<std::string, std::string> files{
    {"tenants.csv", "slug,tier\nacme,free\nother,\"pro\"\n"},
    {"billing.yaml",
     "handlers: [a]\nversions: [2026-01-01]\ncapabilities:\n  topics: [billing.paid, "
     "mail.sent]\n"}};

std::string renamed(NameKind kind, const std::string& name, const std::string& fresh) {
  const auto project = project_of(spec, files);
  const auto uses = uses_of(project);
  std::string all;
  for (std::uint32_t file = 0; file < project.sources.size(); ++file) {
    std::vector<Edit> edits;
    for (const Use& use : uses) {
      if (use.kind == kind && use.name == name && use.place.file == file)
        edits.push_back({use.place, fresh});
    }
    all += apply(project.sources[file].text(), edits);
  }
  return all;
}

std::size_t count(const std::string& text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST(Names, EveryUseOfAServiceIsFound) {
  const auto text = renamed(NameKind::service, "billing", "invoices");
  EXPECT_EQ(count(text, "invoices"), 5U) << text;
  EXPECT_EQ(count(text, "billing"), 1U) << "only the manifest's file keeps its name: " << text;
  EXPECT_THAT(text, HasSubstr("invoices.paid"));
  EXPECT_THAT(text, HasSubstr("/services/invoices/image"));
  EXPECT_THAT(renamed(NameKind::service, "mail", "post"), HasSubstr("needs: [post, database]"));
}

TEST(Names, EveryUseOfASecretATierAndATenantIsFound) {
  const auto secret = renamed(NameKind::secret, "stripe", "card");
  EXPECT_EQ(count(secret, "card"), 4U);
  EXPECT_EQ(count(secret, "stripe"), 0U);
  const auto tier = renamed(NameKind::tier, "pro", "gold");
  EXPECT_THAT(tier, HasSubstr("\"gold\": {}"));
  EXPECT_THAT(tier, HasSubstr("tier: 'gold'"));
  EXPECT_THAT(tier, HasSubstr("other,\"gold\""));
  const auto free = renamed(NameKind::tier, "free", "basic");
  EXPECT_THAT(free, HasSubstr("TEXT: free")) << "what is spelt the same is not the same";
  const auto tenant = renamed(NameKind::tenant, "acme", "apex");
  EXPECT_THAT(tenant, HasSubstr("apex,free"));
  EXPECT_THAT(tenant, HasSubstr("slug: apex"));
}

TEST(Names, PatchesOfWhatATenantHasAreUsesOfItsName) {
  const std::string patched = R"(caisson: v1
name: shop
tenants: [{ slug: acme }, { slug: acme-eu }, { slug: data }]
services:
  worker: { image: x, replica-per-tenant: true }
  one: { image: x }
patches:
  - { file: compose/compose.yaml, at: /services/runtime-acme/mem_limit, set: 1g, reason: acme }
  - { file: compose/compose.yaml, at: /services/runtime-acme-eu/mem_limit, set: 1g, reason: r }
  - { file: compose/compose.yaml, at: /volumes/runtime-acme-data, set: {}, reason: r }
  - { file: compose/compose.yaml, at: /services/worker-acme/mem_limit, set: 1g, reason: r }
  - { file: compose/compose.yaml, at: /services/one-acme/mem_limit, set: 1g, reason: r }
  - { file: systemd/system/shop-runtime-acme.service, at: /Service/Nice, set: 5, reason: r }
  - { file: helm/shop/values.yaml, at: /tenants/acme/namespace, set: x, reason: r }
)";
  const auto project = project_of(patched, {});
  std::vector<Edit> edits;
  for (const Use& use : uses_of(project)) {
    if (use.kind == NameKind::tenant && use.name == "acme") edits.push_back({use.place, "apex"});
  }
  const auto after = editor::apply(patched, edits);
  for (const auto* changed :
       {"slug: apex }", "/services/runtime-apex/", "/volumes/runtime-apex-data",
        "/services/worker-apex/", "shop-runtime-apex.service", "/tenants/apex/"})
    EXPECT_THAT(after, HasSubstr(changed));
  for (const auto* kept :
       {"slug: acme-eu", "runtime-acme-eu/", "/services/one-acme/", "reason: acme }"})
    EXPECT_THAT(after, HasSubstr(kept));
}

TEST(Names, AddressesOfWhatAServiceNeedsAreUsesOfItsName) {
  const std::string text = R"(caisson: v1
services:
  events: { image: x, port: 8080 }
  shop:
    image: y
    needs: [events, events-old]
    env:
      A: "http://events:8080"
      B: https://events/path
      C: 'amqp://me:secret@events/queue'
      D: events:8080
      E: "events:8080,events:8081"
      F: events
      G: http://events-old:8080/events/x
      H: http://my.events:8080
      I: http://events.example
      J: http://x/events
    command: [serve, --from, http://events:8080]
    health: { command: [curl, "http://events:8080/health"] }
  events-old: { image: z }
  stranger: { image: y, env: { A: http://events:8080 } }
environments:
  demo: { services: { shop: { env: { A: http://events:9090 } } } }
)";
  const auto project = project_of(text);
  std::vector<Edit> edits;
  for (const Use& use : uses_of(project))
    if (use.kind == NameKind::service && use.name == "events") edits.push_back({use.place, "feed"});
  EXPECT_EQ(editor::apply(text, edits), R"(caisson: v1
services:
  feed: { image: x, port: 8080 }
  shop:
    image: y
    needs: [feed, events-old]
    env:
      A: "http://feed:8080"
      B: https://feed/path
      C: 'amqp://me:secret@feed/queue'
      D: feed:8080
      E: "feed:8080,feed:8081"
      F: events
      G: http://events-old:8080/events/x
      H: http://my.events:8080
      I: http://events.example
      J: http://x/events
    command: [serve, --from, http://feed:8080]
    health: { command: [curl, "http://feed:8080/health"] }
  events-old: { image: z }
  stranger: { image: y, env: { A: http://events:8080 } }
environments:
  demo: { services: { shop: { env: { A: http://feed:9090 } } } }
)");
}

TEST(Names, AddressesInOtherWordsAreUsesToo) {
  const std::string text = R"(caisson: v1
services:
  word-index: { image: x, port: 9000 }
  web:
    image: y
    needs: [word-index]
    env:
      INDEX_HOST: word-index
      SEARCH_ADDRESS: "word-index"
      FAR: http://word-index.klaer.svc.cluster.local:9000/
      NEAR: word-index.klaer.svc
      OTHER: http://word-index.klaer.example/
    command: [sh, -c, "serve ${WORD_INDEX_HOST:-word-index} ${WORD_INDEX_PORT:-9000}"]
    local: { command: ["curl $WORD_INDEX_HOST:$WORD_INDEX_PORT/ $MY_WORD_INDEX_HOST $WORD_INDEX_HOSTS"] }
)";
  const auto project = project_of(text);
  EXPECT_TRUE(doubtful_uses_of(project).empty());
  std::vector<Edit> edits;
  for (const Use& use : uses_of(project))
    if (use.kind == NameKind::service && use.name == "word-index")
      edits.push_back({use.place, editor::renamed(use, "full-text")});
  EXPECT_EQ(editor::apply(text, edits), R"(caisson: v1
services:
  full-text: { image: x, port: 9000 }
  web:
    image: y
    needs: [full-text]
    env:
      INDEX_HOST: full-text
      SEARCH_ADDRESS: "full-text"
      FAR: http://full-text.klaer.svc.cluster.local:9000/
      NEAR: full-text.klaer.svc
      OTHER: http://word-index.klaer.example/
    command: [sh, -c, "serve ${FULL_TEXT_HOST:-full-text} ${FULL_TEXT_PORT:-9000}"]
    local: { command: ["curl $FULL_TEXT_HOST:$FULL_TEXT_PORT/ $MY_WORD_INDEX_HOST $WORD_INDEX_HOSTS"] }
)");
}

TEST(Names, AWordThatMayBeAnAddressIsDoubtful) {
  const auto doubts = [](const std::string& line) {
    return doubtful_uses_of(project_of("services:\n  index: { image: x, port: 9000 }\n"
                                       "  web:\n    image: y\n    needs: [index]\n    " +
                                       line + "\n"))
        .size();
  };
  EXPECT_EQ(doubts("command: [serve, index]"), 1U);
  EXPECT_EQ(doubts("command: [serve, --from=index]"), 1U);
  EXPECT_EQ(doubts("local: { command: [\"curl index/x\"] }"), 1U);
  EXPECT_EQ(doubts("env: { BACKEND: index }"), 1U);
  EXPECT_EQ(doubts("env: { A: \"http://index:9000/\\u0061\" }"), 1U) << "cannot be changed there";
  EXPECT_EQ(doubts("env: { A: reindex, B: my-index, C: http://x/index.html, D: http://index }"),
            0U);
  EXPECT_EQ(doubts("replicas: 1"), 0U);
}

TEST(Names, TheCursorIsOnANameFromItsFirstToBehindItsLastCharacter) {
  const auto project = project_of(spec, files);
  const auto uses = uses_of(project);
  const auto at = static_cast<std::uint32_t>(spec.find("stripe}"));
  for (std::uint32_t offset = at; offset <= at + 6; ++offset) {
    const Use* use = use_at(uses, 0, offset);
    ASSERT_NE(use, nullptr);
    EXPECT_EQ(use->name, "stripe");
  }
  EXPECT_EQ(use_at(uses, 0, 0), nullptr);
}

TEST(Names, ANameThatCannotBeIsRefused) {
  const auto project = project_of(spec, files);
  const auto uses = uses_of(project);
  const auto service = std::ranges::find(uses, "billing", &Use::name);
  ASSERT_NE(service, uses.end());
  EXPECT_EQ(why_not(uses, *service, "invoices"), "");
  EXPECT_THAT(why_not(uses, *service, "mail"), HasSubstr("already"));
  EXPECT_THAT(why_not(uses, *service, "Invoices"), HasSubstr("did you mean 'invoices'?"));
  EXPECT_THAT(why_not(uses, *service, "database"), HasSubstr("'needs'"));
  EXPECT_NE(why_not(uses, *service, ""), "");
}

}  // namespace
}  // namespace caisson::editor
