#include "runtime/context/configuration.h"

#include <filesystem>
#include <fstream>
#include <type_traits>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/uuid.h"

namespace caisson::context {
namespace {

namespace fs = std::filesystem;

const std::string operator_token(43, 'k');

class ConfigurationFile : public testing::Test {
 protected:
  ConfigurationFile()
      : directory_(fs::temp_directory_path() / ("caisson-configuration-" + new_uuid(0))) {
    fs::create_directory(directory_);
    write("operator.token", operator_token + "\n");
  }
  ~ConfigurationFile() override { fs::remove_all(directory_); }

  void write(const std::string& name, std::string_view text,
             fs::perms permissions = fs::perms::owner_all) const {
    std::ofstream(directory_ / name, std::ios::binary | std::ios::trunc) << text;
    fs::permissions(directory_ / name, permissions);
  }

  /// A small valid configuration with one member replaced; an empty value removes it.
  [[nodiscard]] static std::string with(const std::string& key, const std::string& value) {
    boost::json::object object =
        boost::json::parse(R"({"deployment":"acme","domain":"acme.localhost","data":"data",
        "operator":{"token-file":"operator.token"},
        "tiers":{"free":{"isolation":"schema"}},
        "tenants":[{"slug":"globex","tier":"free"}]})")
            .as_object();
    if (value.empty()) {
      object.erase(key);
    } else if (!key.empty()) {
      object[key] = boost::json::parse(value);
    }
    return boost::json::serialize(object);
  }

  /// What is wrong with that configuration, one `pointer detail` a line.
  [[nodiscard]] std::string faults_with(const std::string& key, const std::string& value) const {
    return faults_of(with(key, value));
  }
  [[nodiscard]] std::string faults_of(std::string_view text) const {
    const auto result = parse_configuration(text, directory_);
    if (result) return "fine";
    std::string told;
    for (const auto& fault : result.error()) told += fault.pointer + " " + fault.detail + "\n";
    return told;
  }

  fs::path directory_;
};

TEST_F(ConfigurationFile, HasDefaults) {
  const auto result = parse_configuration(with("", "x"), directory_);
  ASSERT_TRUE(result);
  const Configuration& configuration = **result;
  EXPECT_EQ(configuration.instance, "runtime");
  EXPECT_EQ(configuration.listen.data, "127.0.0.1:8080");
  EXPECT_EQ(configuration.listen.operator_, "127.0.0.1:9090");
  EXPECT_EQ(configuration.listen.metrics, "") << "nobody reads them";
  EXPECT_EQ(configuration.data, directory_ / "data");
  EXPECT_EQ(configuration.limits.pipeline, 64);
  EXPECT_EQ(configuration.modules, std::vector<std::string>{"records"});
  EXPECT_TRUE(configuration.resolve.subdomain && configuration.resolve.header &&
              configuration.resolve.token);
  EXPECT_TRUE(configuration.api_keys);
  EXPECT_FALSE(configuration.tokens);
  EXPECT_EQ(configuration.operator_token, operator_token);
  ASSERT_EQ(configuration.tenants.size(), 1);
  EXPECT_EQ(configuration.tenants[0].slug, "globex");
  EXPECT_EQ(configuration.tiers.at("free").isolation, tenancy::Isolation::schema);
}

TEST_F(ConfigurationFile, ReadsEveryKeyOfTheDocumentation) {
  write("runtime.json", R"({
    "deployment": "acme", "instance": "acme-1", "domain": "acme.localhost",
    "listen": { "data": "0.0.0.0:8080", "operator": "[::1]:9090", "metrics": "[::1]:9091", "tls": { "cert-file": "c.pem", "key-file": "/k.pem" } },
    "data": "/var/lib/caisson", "threads": 2, "modules": ["records"], "lame-duck-ms": 3000, "drain-ms": 5000,
    "limits": { "header": 8192, "body": 1000, "header-timeout-ms": 1, "body-timeout-ms": 2, "idle-timeout-ms": 3,
                "request-timeout-ms": 4, "connections": 5, "pipeline": 6, "open-tenants": 7 },
    "auth": { "resolve": ["subdomain", "token"], "api-keys": false,
              "tokens": { "issuer": "i", "audience": "a", "jwks-file": "jwks.json", "algorithms": ["ES256", "RS256"],
                          "tenant-claim": "org", "tenant-claim-holds": "id", "leeway-ms": 100 } },
    "operator": { "token-file": "operator.token" },
    "proxy": { "trust": ["10.0.0.0/8", "fd00::/8", "127.0.0.1"] },
    "log": { "level": "warn" },
    "tiers": { "free": { "isolation": "database", "retention-ms": 9, "limits": { "requests-per-second": 0.5, "burst": 10 } } },
    "tenants": [ { "slug": "globex", "name": "Globex", "tier": "free", "owner": "o@x", "status": "suspended",
                   "domains": ["shop.example.com"], "limits": { "concurrent": 3, "body": 4, "storage": 5, "queue": 6,
                   "sockets": 7, "egress-connections": 8 }, "deployment-url": "http://x" } ]
  })");
  const auto result = load_configuration(directory_ / "runtime.json");
  ASSERT_TRUE(result) << result.error().front().pointer << " " << result.error().front().detail;
  const Configuration& c = **result;
  EXPECT_EQ(c.listen.metrics, "[::1]:9091");
  EXPECT_EQ(c.lame_duck_ms, 3000);
  EXPECT_EQ(c.listen.tls->certificate, directory_ / "c.pem");
  EXPECT_EQ(c.listen.tls->key, "/k.pem");
  EXPECT_EQ(c.limits.open_tenants, 7);
  EXPECT_FALSE(c.resolve.header);
  EXPECT_EQ(c.tokens->algorithms, (std::set{Algorithm::es256, Algorithm::rs256}));
  EXPECT_EQ(c.tokens->tenant_claim, "org");
  EXPECT_EQ(c.tokens->claim_holds, TenantClaim::id);
  EXPECT_EQ(c.log_level, observe::Level::warn);
  ASSERT_EQ(c.trusted_proxies.size(), 3);
  EXPECT_TRUE(c.trusted_proxies[0].contains("10.255.0.1"));
  EXPECT_FALSE(c.trusted_proxies[0].contains("11.0.0.1"));
  EXPECT_TRUE(c.trusted_proxies[1].contains("fd12::1"));
  EXPECT_FALSE(c.trusted_proxies[1].contains("10.0.0.1"));
  EXPECT_TRUE(c.trusted_proxies[2].contains("127.0.0.1"));
  EXPECT_FALSE(c.trusted_proxies[2].contains("127.0.0.2"));
  EXPECT_EQ(c.tiers.at("free").limits.requests_per_second, 0.5);
  const tenancy::TenantSpec& tenant = c.tenants.at(0);
  EXPECT_EQ(tenant.status, tenancy::Status::suspended);
  EXPECT_EQ(tenant.limits.egress_connections, 8);
  EXPECT_EQ(tenant.domains, std::vector<std::string>{"shop.example.com"});
}

TEST_F(ConfigurationFile, TellsEveryFaultAtOnce) {
  EXPECT_EQ(
      faults_of(
          R"({"deployment":"","domain":"Acme","listen":{"data":"8080","tls":{"cert-file":"c"}},
      "auth":{"resolve":["cookie"],"api-keys":false},"log":{"level":"loud"},"threads":-1,"colour":1,
      "tenants":[{"slug":"A"},{"slug":"b","limits":{"burst":0}},{"slug":"b"}]})"),
      "/deployment must not be empty\n"
      "/domain must be a domain in lower case, for example acme.example.com\n"
      "/listen/data must be address:port, for example 127.0.0.1:8080, or unix:/path\n"
      "/listen/tls/key-file is required\n"
      "/data is required\n"
      "/threads must be a whole number from 0 to 256\n"
      "/auth/resolve 'cookie' is none of subdomain, header, token\n"
      "/auth/api-keys without API keys and without tokens nobody could authenticate\n"
      "/operator is required: the operator API answers only to its token\n"
      "/log/level must be one of trace, debug, info, warn, error\n"
      "/tenants/0/slug must be 1 to 40 lower-case letters, digits and '-', with '-' only inside\n"
      "/tenants/1/limits/burst must be a whole number of at least 1\n"
      "/tenants/2/slug another tenant has the slug 'b'\n"
      "/colour unknown key\n");
}

TEST_F(ConfigurationFile, RefusesDefects) {
  const std::vector<std::array<std::string, 3>> cases{
      {"operator", R"({"token-file":"missing"})", "/operator/token-file cannot open"},
      {"operator", R"({"token-file":"operator.token","x":1})", "/operator/x unknown key"},
      {"listen", R"({"data":"127.0.0.1:1","operator":"127.0.0.1:1"})",
       "/listen/operator is the same as data"},
      {"listen", R"({"operator":"127.0.0.1:1","metrics":"127.0.0.1:1"})",
       "/listen/metrics is the same as another"},
      {"listen", R"({"metrics":""})", "/listen/metrics must be address:port"},
      {"listen", R"({"data":"::1:80"})", "/listen/data must be address:port"},
      {"listen", R"({"data":"127.0.0.1:65536"})", "/listen/data must be address:port"},
      {"listen", R"({"data":"127.1:80"})", "/listen/data must be address:port"},
      {"limits", R"({"header":100})", "/limits/header must be a whole number from 1024 to 1048576"},
      {"limits", R"({"body":1.5})", "/limits/body must be a whole number"},
      {"auth", R"({"resolve":[]})", "/auth/resolve must name at least one"},
      {"auth", R"({"tokens":{"issuer":"i","audience":"a"}})",
       "/auth/tokens/key-file exactly one of"},
      {"auth", R"({"tokens":{"issuer":"i","audience":"a","key-file":"k","algorithms":["none"]}})",
       "/auth/tokens/algorithms 'none' is none of"},
      {"auth",
       R"({"tokens":{"issuer":"i","audience":"a","key-file":"k","algorithms":["HS256","RS256"]}})",
       "/auth/tokens/algorithms one key cannot be both"},
      {"proxy", R"({"trust":["10.0.0.0/33"]})", "/proxy/trust '10.0.0.0/33' is no network"},
      {"tenants", R"([{"slug":"a","tier":"gold"}])", "/tenants/0/tier unknown tier 'gold'"},
      {"tenants", R"([{"slug":"a","domains":["x.acme.localhost"]}])",
       "/tenants/0/domains/0 lies inside"},
      {"tenants", R"([{"slug":"a","domains":["d.example"]},{"slug":"b","domains":["d.example"]}])",
       "/tenants/1/domains another tenant has the domain 'd.example'"},
      {"tenants", R"([{"slug":"-a"}])", "/tenants/0/slug must be"},
      {"tenants", R"([{"slug":"a","name":"x\u0001"}])",
       "/tenants/0/name must be at most 1024 printable bytes"},
      {"tenants", R"({})", "/tenants must be a list"},
      {"tiers", R"({"free":{"isolation":"planet"}})", "/tiers/free/isolation must be one of"},
      {"tenants-file", R"("t.ndjson")",
       "/tenants-file tenants are listed both here and in 'tenants'"},
  };
  for (const auto& [key, value, expected] : cases) {
    EXPECT_NE(faults_with(key, value).find(expected), std::string::npos)
        << key << ": " << faults_with(key, value);
  }
  EXPECT_EQ(faults_of(R"({"a":1,)"
                      "\n"
                      R"("a":2})"),
            " line 2, column 6: the key 'a' is there twice\n");
}

TEST_F(ConfigurationFile, RefusesASecretThatEverybodyCanRead) {
  write("operator.token", operator_token, fs::perms::owner_all | fs::perms::others_read);
  const std::string told = faults_with("", "x");
  EXPECT_NE(told.find("everybody on this machine"), std::string::npos) << told;
  EXPECT_EQ(told.find(operator_token), std::string::npos) << "a fault never holds the secret";
  write("operator.token", "short");
  EXPECT_NE(faults_with("", "x").find("at least 32 characters"), std::string::npos);
}

TEST_F(ConfigurationFile, ReadsTenantsFromAFile) {
  write("tenants.ndjson", "{\"slug\":\"a\"}\n\n{\"slug\":\"b\",\"tier\":\"free\"}\n");
  const std::string start =
      R"({"deployment":"acme","domain":"acme.localhost","data":"data","operator":{"token-file":"operator.token"},
      "tiers":{"free":{}},"tenants-file":"tenants.ndjson"})";
  const auto result = parse_configuration(start, directory_);
  ASSERT_TRUE(result);
  ASSERT_EQ((*result)->tenants.size(), 2);
  EXPECT_EQ((*result)->tenants[1].slug, "b");
  write("tenants.ndjson", "{\"slug\":\"a\"}\n{\"slug\":\"a\"}\n{\n");
  EXPECT_EQ(faults_of(start),
            "tenants.ndjson:2/slug another tenant has the slug 'a'\ntenants.ndjson:3 not valid "
            "JSON: the text ends early\n");
}

TEST(Values, KnowSlugsDomainsAndAddresses) {
  for (const char* good : {"a", "globex", "a-b", "0", "a1-2"}) EXPECT_TRUE(is_slug(good)) << good;
  for (const char* bad : {"", "-a", "a-", "A", "a_b", "a.b", "ä", "a b"})
    EXPECT_FALSE(is_slug(bad)) << bad;
  EXPECT_TRUE(is_slug(std::string(40, 'a')));
  EXPECT_TRUE(slug_defect("globex").empty());
  EXPECT_FALSE(slug_defect("Globex").empty());
  for (const char* id :
       {"01a2247e-c6f0-73fb-bcd4-87731377c132", "00000000-0000-0000-0000-000000000000"}) {
    EXPECT_TRUE(looks_like_id(id)) << id;
    EXPECT_FALSE(slug_defect(id).empty()) << id;
  }
  for (const char* name :
       {"01a2247e-c6f0-73fb-bcd4-87731377c13", "01a2247e-c6f0-73fb-bcd4-87731377c1322",
        "01a2247g-c6f0-73fb-bcd4-87731377c132", "01a2247ec6f073fbbcd487731377c132"}) {
    EXPECT_FALSE(looks_like_id(name)) << name;
    EXPECT_TRUE(slug_defect(name).empty()) << name;
  }
  EXPECT_FALSE(is_slug(std::string(41, 'a')));
  EXPECT_TRUE(is_domain("acme.localhost"));
  EXPECT_FALSE(is_domain("acme..localhost"));
  EXPECT_FALSE(is_domain("acme."));
  EXPECT_FALSE(is_domain(std::string(254, 'a')));
  EXPECT_TRUE(is_address("127.0.0.1"));
  EXPECT_TRUE(is_address("[::1]"));
  EXPECT_FALSE(is_address("127.1"));
  EXPECT_FALSE(is_address("localhost"));
}

// What is shared is const all the way: there is no member function and no pointer to change it
// through.
static_assert(std::is_same_v<ConfigurationPtr::element_type, const Configuration>);

TEST_F(ConfigurationFile, Property32_ConfigurationImmutability) {
  const bool holds = rc::check([this] {
    // Whatever happens afterwards to the text and the files that a configuration was made of, and
    // whatever other configurations are made, the one that was handed out stays what it was.
    const auto slugs = *rc::gen::container<std::set<std::string>>(
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z'))));
    boost::json::array tenants;
    for (const std::string& slug : slugs)
      tenants.push_back(boost::json::object{{"slug", slug.substr(0, 40)}});
    write("operator.token", operator_token);
    std::string text = with("tenants", boost::json::serialize(tenants));
    const auto held = parse_configuration(text, directory_);
    RC_PRE(held.has_value());
    const ConfigurationPtr& configuration = *held;

    write("operator.token", std::string(50, *rc::gen::inRange('a', 'z')));
    text.assign(text.size(), *rc::gen::arbitrary<char>());
    const auto other =
        parse_configuration(with("threads", std::to_string(*rc::gen::inRange(0, 200))), directory_);
    RC_ASSERT(other.has_value());
    RC_ASSERT(*other != configuration);

    RC_ASSERT(configuration->operator_token == operator_token);
    RC_ASSERT(configuration->threads == 0);
    RC_ASSERT(configuration->tenants.size() == tenants.size());
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      RC_ASSERT(configuration->tenants[i].slug ==
                std::string_view(tenants[i].at("slug").as_string()));
    }
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace caisson::context
