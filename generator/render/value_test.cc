// What Caisson says of values in generated files, held against those who read the files.

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/file_format.h"
#include "generator/render/json.h"
#include "generator/render/read_tree.h"
#include "generator/render/render_testing.h"
#include "generator/render/unit_file.h"
#include "generator/render/unit_format.h"
#include "generator/render/unit_value.h"
#include "runtime/context/configuration.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> buffer{};
  while (const auto size = fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), size);
  pclose(pipe);
  return output;
}

Node tree_of(const std::string& text) {
  auto tree = read_tree("a test", text, [](std::size_t) { return Origin(own_version); });
  EXPECT_TRUE(tree.has_value()) << text;
  return tree ? *std::move(tree) : Node{};
}

Node unit(std::string_view section, std::string_view directive, Node value) {
  Node inner{Node::Map{}};
  inner.add(std::string(directive), std::move(value));
  Node tree{Node::Map{}};
  tree.add(std::string(section), std::move(inner));
  return tree;
}

std::string unit_ending(std::string_view section) {
  static const std::map<std::string_view, std::string> own{
      {"Socket", ".socket"}, {"Slice", ".slice"}, {"Timer", ".timer"}};
  const auto found = own.find(section);
  return found == own.end() ? ".service" : found->second;
}

/// Words of every kind of value, and words that are nearly one.
const std::vector<std::string> words{"true",
                                     "True",
                                     "on",
                                     "yes",
                                     "0",
                                     "1",
                                     "5",
                                     "-1",
                                     "+5",
                                     "750",
                                     "888",
                                     "99999",
                                     "10001",
                                     "512M",
                                     "512m",
                                     "12x",
                                     "0K",
                                     "1.5G",
                                     "1G 512M",
                                     "50%",
                                     "150%",
                                     "0%",
                                     "infinity",
                                     "30s",
                                     "30S",
                                     "5min 3s",
                                     "30 parsecs",
                                     "often",
                                     "1.5s",
                                     "5ns",
                                     "strict",
                                     "strictt",
                                     "full",
                                     "no",
                                     "always",
                                     "SIGTERM",
                                     "TERM",
                                     "SIGFOO",
                                     "RTMIN+3",
                                     "idle",
                                     "rr",
                                     "none",
                                     "null",
                                     "journal",
                                     "file:/x",
                                     "private",
                                     "inherit",
                                     "replace",
                                     "reboot",
                                     "tmpfs",
                                     "read-only",
                                     "restart",
                                     "kill",
                                     "auto",
                                     "notify",
                                     "main",
                                     "stop",
                                     "pid",
                                     "invisible",
                                     "local0",
                                     "err",
                                     "EPERM",
                                     "uid",
                                     "1-3",
                                     "1,2",
                                     "100:200",
                                     "10K:1M",
                                     "native",
                                     "AF_FOO",
                                     "AF_INET",
                                     "~AF_INET",
                                     "ipc net",
                                     "~ipc",
                                     "cpu memory",
                                     "10.0.0.0/8",
                                     "any",
                                     "/path",
                                     "path",
                                     "a.service",
                                     "a.slice",
                                     "bind",
                                     "mixed",
                                     "control-group",
                                     "inactive",
                                     "abort",
                                     "https://a.example",
                                     "-20",
                                     "20",
                                     "RTMIN+30",
                                     "RTMIN+31",
                                     "RTMIN+99",
                                     "RTMAX-31",
                                     "3-0",
                                     "8191",
                                     "8192",
                                     "0-9999",
                                     "::ffff:10.0.0.1",
                                     "::1 any",
                                     "999.1.1.1",
                                     "10.0.0.0/33",
                                     "10.0.0.0/08",
                                     "fd00::/129",
                                     "/a/../b",
                                     "/a/..",
                                     "-/a",
                                     "+/a",
                                     "-+/a",
                                     "+-/a",
                                     "!/a",
                                     ":/a",
                                     "/a:/b",
                                     "/a:/b:rbind",
                                     "/a:/b:foo",
                                     "/a:rw",
                                     "-~",
                                     "org.acme.A",
                                     "acme..A",
                                     "@system-service",
                                     "@foo",
                                     "~@clock",
                                     "read write",
                                     "readx",
                                     "read:EPERM",
                                     "~read:EPERM",
                                     "~@clock:0",
                                     "~read:FOO",
                                     "EFOO",
                                     "ENOTSUP",
                                     "17E",
                                     "99999999999999T",
                                     "1000000y",
                                     "99999999999999999999s",
                                     "9999999999999h",
                                     "99999999999999999999999",
                                     "01777",
                                     "http:/x",
                                     "man:x",
                                     "file:x",
                                     "2147483647",
                                     "2147483648",
                                     "4294967296"};

/// systemd says of these, or of some of their values, that they are not to be used, and uses them.
const std::set<std::string_view> deprecated{
    "MemoryLimit",          "CPUShares",         "StartupCPUShares",
    "BlockIOWeight",        "OnFailureIsolate",  "SystemCallLog",
    "StartupBlockIOWeight", "BlockIOAccounting", "KillMode"};

TEST(SystemdValues, AreThoseThatSystemdTakes) {
  const TemporaryDirectory tree;
  std::map<std::string, UnitDirective> files;
  std::string command = "systemd-analyze verify --man=no";
  std::set<std::string> seen;
  for (const auto& directive : unit_directives()) {
    const bool install = directive.section == "Install" || directive.section == "Journal";
    const bool exec = is_command(directive.name) || directive.name.starts_with("Listen");
    const bool once = directive.section == "Timer" && directive.name == "Unit";
    // systemd leaves unknown capabilities out without a word.
    const bool quiet =
        directive.name.ends_with("Capabilities") || directive.name == "CapabilityBoundingSet";
    if (!directive.typed || install || exec || once || quiet || deprecated.contains(directive.name))
      continue;
    const auto name = std::string(directive.section) + std::string(directive.name) +
                      unit_ending(directive.section);
    files.emplace(name, directive);
    std::ofstream file(tree.path() / name);
    file << "[" << directive.section << "]\n";
    for (const auto& word : words) file << directive.name << '=' << word << '\n';
    command += " '" + (tree.path() / name).string() + "'";
  }
  ASSERT_GT(files.size(), 200U);
  const auto said = output_of(command);
  std::set<std::string> refused;  // "FILE:LINE"
  const auto prefix = tree.path().string() + "/";
  for (auto at = said.find(prefix); at != std::string::npos; at = said.find(prefix, at + 1)) {
    const auto start = at + prefix.size();
    const auto colon = said.find(':', start);
    refused.insert(said.substr(start, said.find(':', colon + 1) - start));
  }
  ASSERT_FALSE(refused.empty()) << said.substr(0, 1000);
  for (const auto& [name, directive] : files) {
    const bool fatal =
        said.find("\n" + name + ": Unit configuration has fatal error") != std::string::npos;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool theirs = !refused.contains(name + ":" + std::to_string(i + 2));
      const bool ours = !unit_fault(unit(directive.section, directive.name, words[i]));
      EXPECT_EQ(ours, theirs) << directive.section << " " << directive.name << "=" << words[i];
      // A value that ends the reading of its file: what is behind it was not read.
      if (!theirs && fatal) break;
    }
  }
}

/// Paths of programs are no commands, though their directive begins like one.
TEST(SystemdValues, OfPathsOfProgramsAreNoCommands) {
  Node tree{Node::Map{}};
  Node service{Node::Map{}};
  service.add("ExecPaths", "/usr/bin /usr/lib");
  service.add("ExecSearchPath", "/opt/acme/bin");
  tree.add("Service", std::move(service));
  EXPECT_FALSE(unit_fault(tree));
  std::vector<Mistake> mistakes;
  const auto text = to_unit_file(tree, "", mistakes);
  ASSERT_TRUE(text.has_value()) << text.error().text();
  EXPECT_THAT(*text, HasSubstr("ExecPaths=/usr/bin /usr/lib\nExecSearchPath=/opt/acme/bin\n"));
  EXPECT_TRUE(unit_fault(unit("Service", "ExecPaths", "bin")));
}

TEST(SystemdValues, OfOneLineAreNoLists) {
  Node list{Node::List{}};
  list.push("512M");
  const auto fault = unit_fault(unit("Service", "MemoryMax", list));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->what, "is a list where one value belongs");
  EXPECT_THAT(fault->remedy, HasSubstr("512M"));
  Node paths{Node::List{}};
  paths.push("/a");
  paths.push("/b");
  EXPECT_FALSE(unit_fault(unit("Service", "ReadWritePaths", paths)));
}

/// A sign of percent arrives at systemd as one, where systemd takes percentages.
TEST(SystemdValues, OfPercentagesAreWrittenAsSystemdReadsThem) {
  const TemporaryDirectory tree;
  const auto path = (tree.path() / "a.service").string();
  Node service{Node::Map{}};
  service.add("ExecStart", [] {
    Node command{Node::List{}};
    command.push("/bin/true");
    return command;
  }());
  for (const auto* directive : {"MemoryMax", "MemorySwapMax", "TasksMax", "CPUQuota"})
    service.add(directive, "50%");
  Node whole{Node::Map{}};
  whole.add("Service", std::move(service));
  std::vector<Mistake> mistakes;
  const auto text = to_unit_file(whole, "", mistakes);
  ASSERT_TRUE(text.has_value());
  std::ofstream(path) << *text;
  EXPECT_EQ(output_of("systemd-analyze verify --man=no '" + path + "'"), "");
}

/// Every member that `caisson-runtime` reads, in two files: with tenants in a file, and listed.
const std::string whole_config = R"({
  "deployment": "acme", "instance": "runtime", "domain": "acme.localhost",
  "listen": { "data": "127.0.0.1:8080", "operator": "[::1]:9090", "metrics": "name:9091",
              "tls": { "cert-file": "c.pem", "key-file": "k.pem" } },
  "data": "data", "threads": 0, "modules": ["records"], "lame-duck-ms": 0, "drain-ms": 10000,
  "limits": { "header": 16384, "body": 1048576, "header-timeout-ms": 10000, "body-timeout-ms": 30000,
              "idle-timeout-ms": 60000, "request-timeout-ms": 30000, "connections": 10000,
              "pipeline": 64, "open-tenants": 0, "memory": 268435456, "buffered": 1048576 },
  "auth": { "resolve": ["subdomain", "header"], "api-keys": true,
            "tokens": { "issuer": "i", "audience": "a", "key-file": "k.pem", "algorithms": ["EdDSA"],
                        "tenant-claim": "tid", "tenant-claim-holds": "slug", "leeway-ms": 0 } },
  "operator": { "token-file": "t" }, "proxy": { "trust": ["10.0.0.0/8", "unix"] },
  "log": { "level": "info" }, "tenants-file": "tenants.ndjson"
})";
const std::string listed_config = R"({
  "deployment": "acme", "domain": "acme.localhost", "data": "data", "operator": { "token-file": "t" },
  "auth": { "api-keys": false, "tokens": { "issuer": "i", "audience": "a", "jwks-file": "k.json" } },
  "tiers": { "free": { "isolation": "schema", "retention-ms": 0,
                       "limits": { "requests-per-second": 0.5, "burst": 1, "concurrent": 1, "body": 1,
                                   "storage": 1, "queue": 1, "sockets": 1, "egress-connections": 1 } },
             "big": {} },
  "tenants": [ { "slug": "globex", "name": "", "tier": "free", "owner": "", "status": "active",
                 "domains": ["shop.example"], "limits": { "burst": 5 }, "deployment-url": "" },
               { "slug": "initech", "tier": "big", "domains": ["initech.example"] } ]
})";

void collect(const Node& node, const std::string& at, std::vector<std::string>& out) {
  for (const auto& key : node.keys()) {
    const auto place = at + "/" + pointer_segment(key);
    out.push_back(place);
    collect(*node.child(key), place, out);
  }
}

/// The parent of the place and the key there.
std::pair<Node*, std::string> parent_of(Node& tree, const std::string& pointer) {
  auto segments = pointer_segments(pointer);
  auto* node = &tree;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) node = node->child(segments[i]);
  return {node, segments.back()};
}

TEST(RuntimeValues, AreThoseThatTheRuntimeTakes) {
  const TemporaryDirectory tree;
  const auto file = tree.path() / "runtime.json";
  const std::vector<Node> values{true,
                                 0,
                                 1,
                                 -1,
                                 5000,
                                 400000,
                                 std::int64_t{200'000'000},
                                 std::int64_t{99'999'999'999'999},
                                 0.5,
                                 "",
                                 "perhaps",
                                 "Acme",
                                 "127.0.0.1:8080",
                                 "127.0.0.1:99999",
                                 "::1:80",
                                 "10.0.0.0/33",
                                 "fd00::/8",
                                 "https://acme.example/keys",
                                 "globex",
                                 "initech",
                                 "big",
                                 "x.acme.localhost",
                                 "shop.example",
                                 "HS256",
                                 "token",
                                 "suspended",
                                 "unix:/run/a.sock",
                                 "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                                 Node(Node::List{}),
                                 Node(Node::Map{}),
                                 Node(Node::List{Node("token")}),
                                 Node(Node::List{Node("HS256"), Node("ES256")}),
                                 Node(Node::List{Node("unix"), Node("unix")})};
  std::size_t refused = 0;
  std::size_t taken = 0;
  const auto compare = [&](const Node& config, const std::string& what) {
    std::ofstream(file) << to_json(config);
    const auto theirs = context::load_configuration(file, context::Beside::none);
    const auto ours = format_fault("compose/runtime.json", config);
    EXPECT_EQ(ours.has_value(), !theirs.has_value())
        << what << ": "
        << (ours ? ours->at + " " + ours->what
                 : theirs.error().front().pointer + " " + theirs.error().front().detail);
    if (ours) {
      EXPECT_FALSE(ours->remedy.empty()) << what << " " << ours->what;
    }
    ++(ours ? refused : taken);
  };
  for (const auto& text : {whole_config, listed_config}) {
    const auto config = tree_of(text);
    compare(config, "as it is");
    std::vector<std::string> places;
    collect(config, "", places);
    for (const auto& place : places) {
      auto without = config;
      const auto [parent, key] = parent_of(without, place);
      parent->remove(key);
      compare(without, "without " + place);
      for (const auto& value : values) {
        auto changed = config;
        const auto [holder, name] = parent_of(changed, place);
        *holder->child(name) = value;
        compare(changed, place + " = " + to_json_line(value));
      }
    }
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(taken, 200U);
}

struct Written {
  const char* member;  ///< of a service
  bool fine;
};

/// What `docker compose config` says of a value. Some it leaves to the engine, which refuses when
/// the service starts; those are not here.
TEST(ComposeValues, AreThoseThatComposeTakes) {
  const std::vector<Written> members{
      {"mem_limit: 12x", false},
      {"shm_size: much", false},
      {"stop_grace_period: often", false},
      {"healthcheck: { test: exit 0, interval: 1 day }", false},
      {"healthcheck: { test: exit 0, retries: many }", false},
      {"ports: [99999]", false},
      {"ports: ['80:80/foo']", false},
      {"ports: ['80:0']", false},
      {"read_only: maybe", false},
      {"cpus: many", false},
      {"deploy: { resources: { limits: { memory: 12x } } }", false},
      {"ulimits: { nofile: many }", false},
      {"pids_limit: many", false},
      {"mem_limit: 1ib", false},
      {"mem_limit: 1ki", false},
      {"mem_limit: -5m", false},
      {"healthcheck: { test: exit 0, retries: -1 }", false},
      {"healthcheck: { test: exit 0, retries: '-1' }", false},
      {"ports: ['8010-8000:80']", false},
      {"ports: ['8000-8010:80-81']", false},
      {"ports: ['8000:80-81']", false},
      {"ports: ['80-70']", false},
      {"network_mode: host\n    networks: [default]", false},
      {"mem_limit: .5g", true},
      {"mem_limit: 5.k", true},
      {"mem_limit: 1KiB", true},
      {"healthcheck: { test: exit 0, retries: 0 }", true},
      {"ports: ['80:80/TCP', { target: 84, protocol: TCP }, '8100-8101:80-81', '90-91']", true},
      {"network_mode: host", true},
      {"mem_limit: 12.5 mib", true},
      {"memswap_limit: -1", true},
      {"shm_size: 64b", true},
      {"stop_grace_period: 1m30.5s", true},
      {"healthcheck: { test: exit 0, interval: 1h, timeout: 500ms, retries: 3 }", true},
      {"ports: [80, '8000-8010:80', '[::1]:81:81', '127.0.0.1::82/udp', { target: 83 }]", true},
      {"read_only: 'true'", true},
      {"cpus: '0.5'", true},
      {"deploy: { resources: { limits: { memory: 1g } } }", true},
      {"ulimits: { nofile: { soft: 10, hard: 20 } }", true},
      {"restart: on-failure:3", true}};
  const TemporaryDirectory tree;
  const auto project = [](const Written& member) {
    return std::string("name: x\nservices:\n  a:\n    image: x\n    ") + member.member + "\n";
  };
  std::string all = "name: x\nservices:\n";
  std::string command = "cd '" + tree.path().string() + "'; for f in *.yaml; do '" +
                        CAISSON_SOURCE_DIR
                        "/scripts/test-tools' >tools; "
                        "\"$(cat tools)/docker-compose\" -f $f config -q >/dev/null 2>&1; "
                        "echo $f $?; done";
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = members[i];
    EXPECT_EQ(!format_fault("compose/compose.yaml", tree_of(project(member))), member.fine)
        << member.member;
    const auto name = std::to_string(i);
    if (!member.fine) std::ofstream(tree.path() / ("bad" + name + ".yaml")) << project(member);
    if (member.fine) all += "  a" + name + ":\n    image: x\n    " + member.member + "\n";
  }
  std::ofstream(tree.path() / "good.yaml") << all;
  const auto said = output_of(command);
  EXPECT_THAT(said, HasSubstr("good.yaml 0\n"));
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].fine) continue;
    const auto name = "bad" + std::to_string(i) + ".yaml ";
    EXPECT_THAT(said, HasSubstr(name)) << members[i].member;
    EXPECT_EQ(said.find(name + "0\n"), std::string::npos) << members[i].member;
  }
}

}  // namespace
}  // namespace caisson::render
