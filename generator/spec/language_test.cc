// What is generated from the field tables: the committed schema, reference and codes are current,
// every field can be explained, the starter is right.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/suggestion.h"
#include "generator/source/codes.h"
#include "generator/spec/document.h"
#include "generator/spec/field_paths.h"
#include "generator/spec/spec.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void expect_current(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(CAISSON_SOURCE_DIR) / "specs" / name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    GTEST_SKIP() << "golden written";
  }
  EXPECT_EQ(contents(path), text);
}

TEST(Language, SchemaIsCurrent) { expect_current("schema.json", json_schema()); }
TEST(Language, ReferenceIsCurrent) { expect_current("reference.md", reference()); }
TEST(Language, CodesAreCurrent) { expect_current("codes.md", codes_reference()); }

TEST(Language, CodesAreSortedAndUnique) {
  std::string before;
  for (const source::Code& entry : source::codes()) {
    EXPECT_LT(before, entry.code);
    before = entry.code;
  }
}

TEST(Language, EveryFieldHasAMeaning) {
  for (const FieldPath& field : all_fields()) {
    EXPECT_FALSE(field.field->doc.empty()) << field.path;
    EXPECT_EQ(field.field->doc.find('\n'), std::string_view::npos) << field.path;
  }
}

TEST(Language, EveryPathIsExplained) {
  const auto paths = field_paths();
  EXPECT_GT(paths.size(), 200U);
  for (const std::string& path : paths) {
    const auto text = explain_field(path);
    ASSERT_TRUE(text) << path;
    EXPECT_TRUE(text->starts_with(path + ": ")) << *text;
  }
}

/// The keys of a service in the Compose specification, as its schema names them.
std::vector<std::string> keys_of_compose() {
  const auto schema = contents(fs::path(CAISSON_SOURCE_DIR) /
                               "generator/render/schemas/compose-spec/compose-spec.json");
  source::Diagnostics diagnostics;
  const source::SourceFile source("compose-spec.json", schema);
  const auto document = read_document(source, 0, diagnostics);
  std::vector<std::string> keys;
  if (!document) return keys;
  const auto* service = find(*document, "/definitions/service/properties");
  if (service == nullptr) return keys;
  for (const auto& entry : service->fields) keys.push_back(entry.key);
  return keys;
}

TEST(Language, EveryKeyOfComposeIsAnsweredWithWhatSaysItHere) {
  const auto keys = keys_of_compose();
  EXPECT_GT(keys.size(), 80U);
  const std::set<std::string> same{"build", "command", "image", "secrets", "user"};
  for (const auto& key : keys) {
    source::SourceSet sources;
    source::Diagnostics diagnostics;
    const auto loaded = load("deployment.yaml",
                             "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\nservices: { "
                             "web: { image: 'web:1', " +
                                 key + ": 1 } }\n",
                             {.today = "2026-06-01"}, sources, diagnostics);
    if (same.contains(key)) continue;
    EXPECT_FALSE(loaded) << key;
    for (const auto& said : diagnostics.sorted()) {
      if (said.code != "E0101") continue;
      EXPECT_FALSE(said.remedy.empty()) << key;
      EXPECT_EQ(said.remedy.find("lists the keys"), std::string::npos) << key << said.remedy;
    }
  }
}

/// Every place of the language: of a key, of what a name of a map stands for, of an item of a list.
std::set<std::string> places() {
  std::set<std::string> all;
  for (const FieldPath& field : all_fields()) {
    for (auto end = field.path.find_first_of(".["); end != std::string::npos;
         end = field.path.find_first_of(".[", end + 1))
      all.insert(field.path.substr(0, end));
    for (auto end = field.path.find("[]"); end != std::string::npos;
         end = field.path.find("[]", end + 1))
      all.insert(field.path.substr(0, end + 2));
    all.insert(field.path);
  }
  return all;
}

/// A spec with nothing but a value at the place, and where that begins.
std::pair<std::string, std::size_t> spec_with(std::string_view place, std::string_view value) {
  std::string text = "caisson: v1\nname: acme\nversion: 1.0.0\n";
  if (!place.starts_with("tenants")) text += "tenants: []\n";
  std::string closing;
  for (bool first = true; !place.empty(); first = false) {
    if (place.starts_with("[]")) {
      text += "[";
      closing.insert(0, "]");
      place.remove_prefix(2);
      continue;
    }
    if (place.starts_with('.')) place.remove_prefix(1);
    const auto key = place.substr(0, place.find_first_of(".["));
    text += (first ? "" : "{ ") + std::string(key == "<name>" ? "x" : key) + ": ";
    if (!first) closing.insert(0, " }");
    place.remove_prefix(key.size());
  }
  return {text + std::string(value) + closing + "\n", text.size()};
}

/// What decoding says of the value that begins there, or of anything inside of it.
std::vector<source::Diagnostic> said_of(const std::string& text, std::size_t from, std::size_t to) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  (void)load("deployment.yaml", text, {.today = "2026-06-01"}, sources, diagnostics);
  auto said = diagnostics.sorted();
  std::erase_if(said, [&](const source::Diagnostic& each) {
    return each.where.begin < from || each.where.begin >= to || each.code >= "E0200";
  });
  return said;
}

/// The map or the list that a remedy writes, or shows; empty when it does neither.
std::string written_in(const std::string& remedy) {
  for (const std::string_view before : {"write ", ", as ", "keys, as "}) {
    const auto at = remedy.find(before);
    if (at == std::string::npos) continue;
    const auto begin = at + before.size();
    if (remedy[begin] != '{' && remedy[begin] != '[') continue;
    int depth = 0;
    for (auto end = begin; end < remedy.size(); ++end) {
      depth += remedy[end] == '{' || remedy[end] == '[' ? 1 : 0;
      depth -= remedy[end] == '}' || remedy[end] == ']' ? 1 : 0;
      if (depth == 0) return remedy.substr(begin, end + 1 - begin);
    }
  }
  return {};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

TEST(Language, ABareWordIsAnsweredWithWhatCanStandThere) {
  std::set<std::string> meant;
  for (const std::string& place : places()) {
    for (const std::string_view word :
         {"true", "false", "none", "off", "deny", "allow", "all", "on", "0", "5", "8080", "10Gi",
          "30d", "records", "internal"}) {
      const auto [text, at] = spec_with(place, word);
      for (const auto& said : said_of(text, at, at + word.size())) {
        const std::string what = place + ": " + std::string(word) + ": " + said.remedy;
        EXPECT_FALSE(said.remedy.empty()) << what;
        const bool of_a_whole = says_all(word) || says_nothing(word);
        if (of_a_whole) {
          EXPECT_EQ(said.remedy.find("did you mean"), std::string::npos) << what;
          if (said.remedy.starts_with("write {")) meant.insert(said.remedy);
        }
        auto instead = written_in(said.remedy);
        if (instead.empty()) continue;
        replace_all(instead, "@sha256:...", "");
        replace_all(instead, "...", "name");
        const auto [next, there] = spec_with(place, instead);
        for (const auto& still : said_of(next, there, there + instead.size()))
          ADD_FAILURE() << what << ": " << still.message;
      }
    }
  }
  EXPECT_EQ(meant, (std::set<std::string>{"write { egress: deny }", "write { mode: off }",
                                          "write { proxy: none }"}));
}

// The schema's definitions go by name.
TEST(Language, TypesOfOneNameAreOneType) {
  std::map<std::string_view, const Shape*> named;
  const auto visit = [&named](const auto& self, const Shape& shape) -> void {
    if (shape.kind == Shape::Kind::object || shape.kind == Shape::Kind::scalar) {
      const Shape& known = *named.emplace(shape.name, &shape).first->second;
      EXPECT_EQ(known.fields.data(), shape.fields.data()) << shape.name;
      EXPECT_EQ(known.pattern, shape.pattern) << shape.name;
      EXPECT_EQ(known.numeric, shape.numeric) << shape.name;
    }
    for (const Field& field : shape.fields) self(self, *field.shape);
    if (shape.key != nullptr) self(self, *shape.key);
    if (shape.element != nullptr) self(self, *shape.element);
    for (const Shape* choice : shape.choices) self(self, *choice);
  };
  visit(visit, deployment_type.shape);
  EXPECT_GT(named.size(), 60U);
}

// Whoever makes a part of a deployment by hand gets what the tables say.
TEST(Language, DefaultsOfTheTypesAreThoseOfTheTables) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  const std::string text =
      "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n"
      "services: { web: { image: 'web:1', port: 80, health: { path: / }, storage: { path: /data } "
      "} }\n";
  const auto loaded = load("deployment.yaml", text, {.today = "2026-06-01"}, sources, diagnostics);
  ASSERT_TRUE(loaded) << render(diagnostics, sources, source::Format::text);
  const Deployment& read = loaded->deployment;
  const Deployment made;
  const auto same = [](const Resources& a, const Resources& b) {
    return a.cpu == b.cpu && a.memory == b.memory;
  };
  EXPECT_TRUE(same(read.runtime.resources, made.runtime.resources));
  EXPECT_EQ(read.runtime.replicas, made.runtime.replicas);
  EXPECT_EQ(read.runtime.storage, made.runtime.storage);
  EXPECT_EQ(read.runtime.drain, made.runtime.drain);
  EXPECT_TRUE(same(read.dashboard.resources, made.dashboard.resources));
  EXPECT_EQ(read.dashboard.enabled, made.dashboard.enabled);
  EXPECT_TRUE(same(read.database.resources, made.database.resources));
  EXPECT_EQ(read.auth.resolve, made.auth.resolve);
  EXPECT_EQ(read.auth.api_keys, made.auth.api_keys);
  EXPECT_EQ(read.edge.http, made.edge.http);
  EXPECT_EQ(read.edge.https, made.edge.https);
  EXPECT_EQ(read.edge.tls.mode, made.edge.tls.mode);
  EXPECT_EQ(read.edge.limits.connections, made.edge.limits.connections);
  EXPECT_EQ(read.edge.limits.body, made.edge.limits.body);
  EXPECT_EQ(read.edge.limits.header, made.edge.limits.header);
  EXPECT_EQ(read.edge.limits.timeout, made.edge.limits.timeout);
  EXPECT_EQ(read.observability.prometheus.retention, made.observability.prometheus.retention);
  EXPECT_EQ(read.observability.prometheus.storage, made.observability.prometheus.storage);
  EXPECT_EQ(read.observability.logs.rotate.size, made.observability.logs.rotate.size);
  EXPECT_EQ(read.observability.logs.rotate.keep, made.observability.logs.rotate.keep);
  EXPECT_EQ(read.targets.local.port, made.targets.local.port);
  EXPECT_EQ(read.targets.bundle.enabled, made.targets.bundle.enabled);
  EXPECT_EQ(read.targets.helm.kubernetes, made.targets.helm.kubernetes);
  EXPECT_EQ(read.conformance.level, made.conformance.level);
  EXPECT_EQ(read.conformance.p95, made.conformance.p95);
  EXPECT_EQ(read.conformance.quiet_neighbour_ratio, made.conformance.quiet_neighbour_ratio);
  const Service& service = read.services.at(0).second;
  const Service hand;
  EXPECT_TRUE(same(service.resources, hand.resources));
  EXPECT_EQ(service.user, hand.user);
  EXPECT_EQ(service.health->interval, Health{}.interval);
  EXPECT_EQ(service.health->timeout, Health{}.timeout);
  EXPECT_EQ(service.health->retries, Health{}.retries);
  EXPECT_EQ(service.health->start, Health{}.start);
  EXPECT_EQ(service.storage->size, ServiceStorage{}.size);
}

void mark(const Shape& shape, const Node& node, const std::string& path,
          std::set<std::string>& used) {
  for (const Entry& entry : node.fields) {
    const auto field = std::ranges::find(shape.fields, entry.key, &Field::key);
    if (field != shape.fields.end()) {
      const std::string inner = path.empty() ? entry.key : path + '.' + entry.key;
      used.insert(inner);
      mark(*field->shape, entry.value, inner, used);
    }
    if (shape.kind == Shape::Kind::map) mark(*shape.element, entry.value, path + ".<name>", used);
  }
  for (const Node& item : node.items) {
    if (shape.kind == Shape::Kind::list) mark(*shape.element, item, path + "[]", used);
  }
  for (const Shape* choice : shape.choices) mark(*choice, node, path, used);
}

TEST(Language, ValidSpecsUseEveryField) {
  std::set<std::string> used;
  for (const auto& entry : fs::directory_iterator(fs::path(CAISSON_SOURCE_DIR) / "specs/valid")) {
    if (entry.path().extension() != ".yaml") continue;
    const source::SourceFile source(entry.path().string(), contents(entry.path()));
    source::Diagnostics diagnostics;
    const auto document = read_document(source, 0, diagnostics);
    ASSERT_TRUE(document) << entry.path();
    mark(deployment_type.shape, *document, "", used);
  }
  for (const std::string& path : field_paths()) EXPECT_TRUE(used.contains(path)) << path;
}

TEST(ExplainField, TakesPathsAsPeopleWriteThem) {
  EXPECT_EQ(explain_field("runtime.replicas").value(),
            "runtime.replicas: instances of the shared runtime: 1, since SQLite has one writer\n\n"
            "  type     Replicas: a number, or bounds for autoscaling as 2..6\n"
            "  default  1\n");
  EXPECT_EQ(explain_field("services.billing.env").value(),
            explain_field("services.<name>.env").value());
  EXPECT_EQ(explain_field("tenants[3].slug").value(), explain_field("tenants[].slug").value());
  EXPECT_EQ(explain_field("tenants.slug").value(), explain_field("tenants[].slug").value());
  EXPECT_EQ(explain_field("services.billing").value(), explain_field("services").value());
  EXPECT_EQ(explain_field("/runtime/drain").value(), explain_field("runtime.drain").value());
}

TEST(ExplainField, SuggestsForAnUnknownField) {
  EXPECT_EQ(explain_field("runtime.replica").error().text(),
            "there is no field 'runtime.replica'; did you mean runtime.replicas?");
  EXPECT_EQ(explain_field("tiers.free.limit").error().text(),
            "there is no field 'tiers.free.limit'; did you mean tiers.<name>.limits?");
  EXPECT_EQ(explain_field("tenants[2].limits.request").error().text(),
            "there is no field 'tenants[2].limits.request'; did you mean "
            "tenants[].limits.requests?");
  EXPECT_EQ(explain_field("quiet-neighbour-ratio").error().text(),
            "there is no field 'quiet-neighbour-ratio'; did you mean "
            "conformance.slo.quiet-neighbour-ratio?");
}

TEST(Starter, LoadsWithoutAWord) {
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  const auto loaded =
      load("deployment.yaml", starter("acme"), {.today = "2026-06-01"}, sources, diagnostics);
  EXPECT_EQ(render(diagnostics, sources, source::Format::text), "");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->deployment.name, "acme");
}

}  // namespace
}  // namespace caisson::spec
