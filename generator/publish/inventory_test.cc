#include "generator/publish/inventory.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/digest.h"

namespace caisson::publish {
namespace {

Inventory example() {
  Inventory inventory{
      .made_from = {.version = "0.1.0", .spec_sha256 = sha256_hex("spec"), .blueprints = "b1"}};
  inventory.files["docker/runtime.Dockerfile"] = {.sha256 = sha256_hex("FROM scratch\n"),
                                                  .owner = "docker"};
  inventory.files["compose/up"] = {
      .sha256 = sha256_hex(""), .executable = true, .owner = "compose"};
  inventory.places = {{.target = "compose",
                       .volume = "data",
                       .at = "acme_data",
                       .service = "files",
                       .replica_of = "initech"},
                      {.target = "helm",
                       .environment = "live",
                       .volume = "data",
                       .at = "acme/data-runtime-0",
                       .bytes = 1024,
                       .storage_class = "fast",
                       .tenants = {"globex", "initech"},
                       .left = {"umbrella"},
                       .moved = {"acme"}}};
  return inventory;
}

/// `example()` with one piece of its text replaced.
std::string with(std::string_view from, std::string_view to) {
  auto text = to_json(example());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Digest, KnowsTheVectorsOfTheStandard) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Inventory, PrintsOneFilePerLine) {
  EXPECT_EQ(to_json(example()), R"({
  "format": 1,
  "caisson": "0.1.0",
  "spec": "d4f02eaafd1a9e9de7d10972ca8e47fa7a985825c3c9c1e249c72683cb3e4f19",
  "environment": "",
  "blueprints": "b1",
  "blueprints-commit": "",
  "files": [
    {"path": "compose/up", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "mode": "0755", "owner": "compose"},
    {"path": "docker/runtime.Dockerfile", "sha256": "bb57c7da220a8753d7bdabac0d3afdb6efa742e4c736c5bc93ab40dfd5e23b9b", "mode": "0644", "owner": "docker"}
  ],
  "places": [
    {"target": "compose", "environment": "", "volume": "data", "at": "acme_data", "bytes": 0, "class": "", "tenants": [], "service": "files", "replica-of": "initech"},
    {"target": "helm", "environment": "live", "volume": "data", "at": "acme/data-runtime-0", "bytes": 1024, "class": "fast", "tenants": ["globex", "initech"], "left": ["umbrella"], "moved": ["acme"]}
  ]
}
)");
}

TEST(Inventory, ReadsWhatItPrints) {
  const auto read = parse_inventory(to_json(example()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, example());
  const auto empty = parse_inventory(to_json({}));
  ASSERT_TRUE(empty) << empty.error().text();
  EXPECT_EQ(*empty, Inventory{});
}

TEST(Inventory, ReadsWhatEarlierVersionsPrinted) {
  const auto read = parse_inventory(with("  \"blueprints-commit\": \"\",\n", ""));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, example());
}

TEST(Inventory, RefusesWhatItCannotHaveWritten) {
  for (const auto& text : {
           std::string(),
           std::string("[]"),
           std::string("{"),
           with("\"format\": 1", "\"format\": 2"),
           with("\"caisson\": \"0.1.0\"", "\"caisson\": 1"),
           with("\"files\": [", "\"dateien\": ["),
           with("\"blueprints-commit\": \"\"", "\"blueprints-commit\": 1"),
           with("compose/up", "../../etc/passwd"),
           with("compose/up", "/etc/passwd"),
           with("compose/up", "compose/../../x"),
           with("compose/up", "docker/runtime.Dockerfile"),
           with("\"mode\": \"0755\"", "\"mode\": \"4755\""),
           with("e3b0c442", "E3B0C442"),
           with("\"owner\": \"compose\"", "\"owner\": null"),
           with("\"places\": [", "\"places\": {}, \"x\": ["),
           with("\"service\": \"files\"", "\"service\": 1"),
           with("\"replica-of\": \"initech\"", "\"replica-of\": []"),
           with("\"bytes\": 1024", "\"bytes\": -1"),
           with("\"at\": \"acme_data\"", "\"at\": 1"),
           with("\"tenants\": []", "\"tenants\": [1]"),
           with("\"left\": [\"umbrella\"]", "\"left\": [1]"),
           with("\"left\": [\"umbrella\"]", "\"left\": {}"),
           with("\"moved\": [\"acme\"]", "\"moved\": \"acme\""),
           with("\"target\": \"compose\", \"environment\": \"\"",
                "\"target\": \"helm\", \"environment\": \"live\""),
       }) {
    const auto read = parse_inventory(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().what.find("caisson.lock.json is not usable: "), 0U) << read.error().what;
    EXPECT_NE(read.error().remedy.find("--force"), std::string::npos);
  }
}

TEST(Inventory, ContainedPathsArePlain) {
  for (const auto* path :
       {"a", "a/b.c", ".env.example", "helm/x/templates/_names.tpl", "...", "ä/ö"}) {
    EXPECT_TRUE(is_contained(path)) << path;
  }
  for (const auto* path : {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b",
                           "a/./b", "a\\b", "a\nb", "a\x7f", ".caisson-a", "a/.caisson-b/c"}) {
    EXPECT_FALSE(is_contained(path)) << path;
  }
  EXPECT_FALSE(is_contained(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_contained(std::string(201, 'a')));
}

TEST(Inventory, PropertyAnyTextSurvivesTheRoundTrip) {
  EXPECT_TRUE(rc::check("values of any bytes that are UTF-8 come back", [](unsigned seed) {
    Inventory inventory;
    inventory.made_from.environment =
        *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
    inventory.files["f" + std::to_string(seed)] = {
        .sha256 = sha256_hex(std::to_string(seed)), .executable = seed % 2 == 0, .owner = "\"\\\n"};
    const auto read = parse_inventory(to_json(inventory));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == inventory);
  }));
}

}  // namespace
}  // namespace caisson::publish
