#include "installer/registry/reference.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

TEST(References, AreTakenApartAsEnginesDo) {
  const std::string digest = "sha256:e0" + std::string(62, '0');
  struct Case {
    std::string text;
    std::string registry;
    std::string repository;
    std::string tag;
    bool has_digest;
  };
  const Case cases[] = {
      {"caddy", "docker.io", "library/caddy", "latest", false},
      {"caddy:2.10.0", "docker.io", "library/caddy", "2.10.0", false},
      {"team/app", "docker.io", "team/app", "latest", false},
      {"team/app@" + digest, "docker.io", "team/app", "", true},
      {"localhost/app:1", "localhost", "app", "1", false},
      {"registry.example:5000/team/app:1@" + digest, "registry.example:5000", "team/app", "1",
       true},
      {"[::1]:5000/a--b__c.d:T_1", "[::1]:5000", "a--b__c.d", "T_1", false},
  };
  for (const auto& each : cases) {
    const auto reference = reference_of(each.text);
    ASSERT_TRUE(reference) << each.text;
    EXPECT_EQ(reference->registry, each.registry) << each.text;
    EXPECT_EQ(reference->repository, each.repository) << each.text;
    EXPECT_EQ(reference->tag, each.tag) << each.text;
    EXPECT_EQ(reference->digest.has_value(), each.has_digest) << each.text;
    if (reference->digest) {
      EXPECT_EQ(to_text(*reference->digest), digest);
    }
  }
}

TEST(References, ThatNoRegistryServesAreRefused) {
  const std::string zeros(64, '0');
  for (const std::string& text :
       {std::string(), std::string("Caddy"), std::string("team//app"), std::string("a/../b"),
        std::string("a_-b"), std::string("-a"), std::string("a-"), std::string("a___b"),
        std::string("a..b"), std::string("a:"), std::string("a:.tag"), std::string("a b"),
        "a:" + std::string(129, 'x'), "a@sha256:" + zeros.substr(1), "a@sha512:" + zeros,
        "a@sha256:" + std::string(64, 'E'), std::string(256, 'a'), std::string("r.example/")}) {
    EXPECT_FALSE(reference_of(text)) << text;
  }
}

}  // namespace
}  // namespace caisson::installer
