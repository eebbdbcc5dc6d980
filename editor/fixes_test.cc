// Every spec that is refused, and every way to mend it that is offered: made, it takes the mistake
// away. Which codes have such ways is a list, so that none loses them unseen.

#include "editor/fixes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "editor/fix_words.h"
#include "editor/workspace.h"

namespace caisson::editor {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(CAISSON_SOURCE_DIR) / "specs/invalid";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Surroundings surroundings_for(const std::string& text) {
  Surroundings result{.today = [] { return std::string("2026-06-01"); },
                      .read_file = [](const fs::path& path) -> Result<std::string> {
                        if (!fs::is_regular_file(path)) return fail("no such file");
                        return contents(path);
                      }};
  std::istringstream line(text.substr(0, text.find('\n')));
  if (!text.starts_with("# options:")) return result;
  for (std::string word; line >> word;) {
    if (word == "--strict") result.strict = true;
    if (word == "--env") line >> result.environment;
  }
  return result;
}

std::size_t count(const std::vector<source::Diagnostic>& all, std::string_view code) {
  return static_cast<std::size_t>(std::ranges::count(all, code, &source::Diagnostic::code));
}

/// What people wrote, without blanks, quotes and brackets.
std::string letters(std::string text) {
  std::erase_if(text, [](char c) {
    return std::string_view(" \t\r\n\"'{}[],:").find(c) != std::string_view::npos;
  });
  return text;
}

/// A fix that an editor makes without asking: the text can be read, its mistake is gone, and
/// everything that was written is still there but for what the diagnostic is about.
void expect_harmless(const Project& project, const source::Diagnostic& mended, const Fix& fix,
                     const std::vector<source::Diagnostic>& after, const std::string& name) {
  const std::string said = name + ": " + mended.message + ": " + fix.title;
  for (const source::Diagnostic& each : after) {
    EXPECT_FALSE(each.code.starts_with("E00")) << said << ": " << each.message;
    EXPECT_FALSE(each.code == mended.code && each.message == mended.message) << said;
  }
  for (std::uint32_t file = 0; file < project.sources.size(); ++file) {
    const std::string before(project.sources[file].text());
    std::vector<Edit> here;
    std::ranges::copy_if(fix.edits, std::back_inserter(here),
                         [file](const Edit& edit) { return edit.place.file == file; });
    const std::string left = letters(editor::apply(before, here));
    std::string kept = before;
    if (file == mended.where.file)
      kept.erase(mended.where.begin, mended.where.end - mended.where.begin);
    std::size_t at = 0;
    for (const char c : letters(kept)) {
      at = left.find(c, at);
      ASSERT_NE(at, std::string::npos) << said << " takes away what was written beside it";
      ++at;
    }
  }
}

/// Where the remedy has another word for one that the message quotes, what stands around that in
/// the value is kept; and so are references, whatever is replaced.
void expect_in_place(const Project& project, const source::Diagnostic& mended, const Fix& fix,
                     const std::string& name) {
  if (!fix.title.starts_with("replace with ")) return;
  const std::string said = name + ": " + mended.message + ": " + fix.title;
  for (const Edit& edit : fix.edits) {
    const auto text = project.sources[edit.place.file].text();
    const auto old = text.substr(edit.place.begin, edit.place.end - edit.place.begin);
    for (const auto* reference : {"${secret:", "${answer:", "loss/"})
      EXPECT_EQ(old.find(reference) == std::string_view::npos,
                edit.text.find(reference) == std::string::npos)
          << said;
    if (mended.remedy.find("did you mean '") == std::string::npos) continue;
    const auto quote = mended.message.find('\'');
    const auto word = mended.message.substr(
        quote + 1,
        std::min(mended.message.find('\'', quote + 1), mended.message.size()) - quote - 1);
    const auto at = old.find(word);
    ASSERT_NE(at, std::string_view::npos) << said << " replaces something else";
    EXPECT_TRUE(edit.text.starts_with(old.substr(0, at)) ||
                letters(std::string(old.substr(0, at))).empty())
        << said;
    EXPECT_TRUE(edit.text.ends_with(old.substr(at + word.size())) ||
                letters(std::string(old.substr(at + word.size()))).empty())
        << said;
  }
}

/// The codes with their fixes' titles, of one spec.
std::map<std::string, std::set<std::string>> mend(const fs::path& path) {
  std::map<std::string, std::set<std::string>> titles;
  const auto text = contents(path);
  Workspace workspace(surroundings_for(text));
  const std::string uri = "file://" + path.string();
  workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
  OpenSpec& spec = *workspace.member(uri)->spec;
  const auto all = workspace.analysis(spec).diagnostics;
  const auto& project = workspace.project(spec);
  for (source::Diagnostic each : all) {
    const auto& name = workspace.analysis(spec).sources[each.where.file].name();
    for (std::uint32_t file = 0; file < project.sources.size(); ++file)
      if (project.sources[file].name() == name) each.where.file = file;
    const auto fixes = fixes_for(project, all, each, [&](const std::vector<Edit>& edits) {
      return workspace.after(spec, edits);
    });
    for (const Fix& fix : fixes) {
      titles[std::string(each.code)].insert(fix.title);
      const auto after = workspace.after(spec, fix.edits);
      expect_in_place(project, each, fix, path.filename().string());
      EXPECT_LT(count(after, each.code), count(all, each.code))
          << path.filename() << ": " << each.message << ": " << fix.title;
      if (&fix != &fixes.front()) {
        EXPECT_FALSE(fix.preferred) << fix.title;
      } else if (fix.preferred) {
        expect_harmless(project, each, fix, after, path.filename().string());
        titles["preferred " + std::string(each.code)].insert(fix.title);
      }
    }
  }
  return titles;
}

TEST(Fixes, TakeTheirMistakeAwayInEverySpecThatIsRefused) {
  std::map<std::string, std::set<std::string>> titles;
  for (const auto* specs : {"invalid", "refused", "valid"}) {
    for (const auto& entry : fs::directory_iterator(folder.parent_path() / specs)) {
      if (entry.path().extension() != ".yaml") continue;
      for (auto& [code, more] : mend(entry.path())) titles[code].merge(more);
    }
  }
  std::set<std::string> codes;
  for (const auto& [code, more] : titles) codes.insert(code);
  // What nothing can be offered for: a text in another encoding, too deep, a key that is no name, a
  // file that is not there or of another kind, and what only people know.
  const std::set<std::string> expected{
      "E0001", "E0002", "E0004", "E0005", "E0008", "E0009", "E0010", "E0011", "E0012", "E0013",
      "E0016", "E0017", "E0101", "E0102", "E0103", "E0104", "E0105", "E0106", "E0107", "E0108",
      "E0110", "E0111", "E0112", "E0113", "E0114", "E0115", "E0116", "E0117", "E0118", "E0119",
      "E0120", "E0121", "E0122", "E0123", "E0125", "E0126", "E0127", "E0128", "E0129", "E0130",
      "E0131", "E0201", "E0204", "E0205", "E0206", "E0207", "E0208", "E0209", "E0210", "E0211",
      "E0212", "E0213", "E0215", "E0216", "E0217", "E0218", "E0219", "E0221", "E0302", "E0303",
      "E0304", "W0201", "W0202", "W0203", "W0206"};
  for (const std::string& code : expected)
    EXPECT_TRUE(codes.contains(code)) << code << " has no fix any more";
}

TEST(Fixes, DoWhatTheRemedySays) {
  const auto titles = [](const std::string& name) { return mend(folder / name); };
  EXPECT_TRUE(titles("tier-unknown.yaml")["E0204"].contains("replace with 'enterprise'"));
  EXPECT_TRUE(titles("value-boolean-yes.yaml")["E0107"].contains("replace with 'true'"));
  EXPECT_TRUE(titles("document-tab-indentation.yaml")["E0002"].contains("indent with spaces"));
  EXPECT_TRUE(titles("document-unclosed-quote.yaml")["E0001"].contains("add the missing quote"));
  const auto units = titles("value-bytes-decimal-unit.yaml")["E0116"];
  EXPECT_TRUE(units.contains("replace with '256Mi'"));
  EXPECT_FALSE(units.contains("replace with '256B'")) << "nobody means 256 bytes";
  // A key that is unlike every other is taken away; none of the others is what was meant.
  for (const auto& [code, offered] : titles("key-unknown-without-suggestion.yaml")) {
    if (code != "E0101") continue;
    for (const auto& title : offered) EXPECT_TRUE(title.starts_with("remove ")) << title;
  }
  EXPECT_TRUE(titles("document-empty.yaml")["E0005"].contains("write a starter spec"));
}

/// Of a spec that reads so.
std::map<std::string, std::set<std::string>> mend_text(const std::string& text) {
  const auto path = fs::temp_directory_path() / ("fixes-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream(path) << text;
  auto titles = mend(path);
  fs::remove(path);
  return titles;
}

TEST(Fixes, ArePreferredOnlyWhereNothingElseCanBeMeant) {
  const auto preferred = [](const std::string& name, const std::string& code) {
    return mend(folder / name)["preferred " + code];
  };
  using Titles = std::set<std::string>;
  // A name that people give may be the right one, not declared yet.
  EXPECT_EQ(preferred("tier-unknown.yaml", "E0204"), Titles{});
  EXPECT_EQ(mend(folder / "tier-unknown.yaml")["E0204"].count("replace with 'enterprise'"), 1U);
  // A list is one value, not its first word.
  EXPECT_EQ(preferred("compose-words.yaml", "E0102"),
            (Titles{"replace with '[bundle, exec, sidekiq, -C, config/sidekiq.yml]'",
                    "replace with '[nc, -z, localhost, 9092]'"}));
  // Several words, and nobody knows which.
  EXPECT_EQ(preferred("value-word-status.yaml", "E0106"), Titles{});
  EXPECT_EQ(preferred("tier-not-named.yaml", "E0219"), Titles{});
  EXPECT_EQ(preferred("value-env-name.yaml", "E0130"), Titles{});
  // Only people know the value.
  EXPECT_EQ(preferred("variable-in-value.yaml", "W0205"), Titles{});
  // The unit and the port that are missing.
  const auto units = mend_text(
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nruntime: { drain: 10 }\n"
      "tiers: { free: { isolation: schema, limits: { requests: 5 } } }\n"
      "services: { web: { image: 'a/b@sha256:" +
      std::string(64, 'a') + "', egress: [smtp.example.com] } }\n");
  for (const auto* code : {"E0113", "E0118", "E0119"}) {
    EXPECT_TRUE(units.contains(code)) << code;
    EXPECT_FALSE(units.contains("preferred " + std::string(code))) << code;
  }
  // Something would go, or something that is said would not be heard.
  EXPECT_EQ(preferred("service-reserved-name.yaml", "E0202"), Titles{});
  EXPECT_EQ(preferred("secret-unused.yaml", "W0202"), Titles{});
  EXPECT_EQ(preferred("image-unpinned-warning.yaml", "W0201"), Titles{});
}

TEST(Fixes, ThatAddWhatNobodySaidAreGuesses) {
  const auto only = [](std::string_view code, std::string_view written, std::string remedy) {
    const auto words =
        other_words({.code = code, .message = {}, .remedy = std::move(remedy)}, written);
    return !words.empty() && words.front().only;
  };
  EXPECT_FALSE(only("E0113", "api.stripe.com", "write api.stripe.com:443"));
  EXPECT_FALSE(only("E0117", "10", "write 10s"));
  EXPECT_FALSE(only("E0204", "prod1", "did you mean 'prod2'?"));
  EXPECT_FALSE(only("E0205", "${secret:key}", "did you mean 'keys'?"));
  EXPECT_FALSE(only("E0206", "databas", "did you mean 'database'?"));
  EXPECT_FALSE(only("E0207", "web", "did you mean 'webs'?"));
  EXPECT_FALSE(only("E0110", "M\u00fcller", "write m-ller"));
  EXPECT_FALSE(only("E0106", "inactive", "did you mean 'active'?"));
  EXPECT_FALSE(only("E0106", "unsuspended", "did you mean 'suspended'?"));
  EXPECT_FALSE(only("E0118", "10", "a duration needs a unit: did you mean 10s?"));
  EXPECT_FALSE(only("E0119", "5", "a rate needs a unit of time: did you mean 5/s?"));
  EXPECT_FALSE(
      only("E0113", "smtp.example.com", "it needs a port: did you mean smtp.example.com:443?"));
  EXPECT_FALSE(only("E0114", "10.0.0.5", "did you mean 10.0.0.5/32?"));
  EXPECT_TRUE(only("E0125", "data", "a pointer starts with '/': did you mean /data?"));
  EXPECT_TRUE(only("E0101", "tenats", "did you mean 'tenants'?"));
  EXPECT_TRUE(only("E0106", "activ", "did you mean 'active'?"));
  EXPECT_TRUE(only("E0102", "nc -z localhost", "write [nc, -z, localhost]"));
}

TEST(Fixes, PutAnotherWordInThePlaceOfTheOneThatIsQuoted) {
  const auto words = [](std::string_view code, std::string_view written, std::string message,
                        std::string remedy) {
    std::vector<std::string> texts;
    for (const auto& word : other_words(
             {.code = code, .message = std::move(message), .remedy = std::move(remedy)}, written)) {
      EXPECT_FALSE(word.only && code == "E0228") << "people give names to answers";
      texts.push_back(word.text);
    }
    return texts;
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("E0205", "${secret:mail-pasword}", "unknown secret 'mail-pasword'",
                  "did you mean 'mail-password'?"),
            Words{"${secret:mail-password}"});
  EXPECT_EQ(words("E0228", "\"http://${answer:regoin}.example.com/x\"",
                  "unknown answer 'regoin' in services.web.env.REGION", "did you mean 'region'?"),
            Words{"http://${answer:region}.example.com/x"});
  EXPECT_EQ(words("E0228", "x-${answer:Region}-${answer:region}", "unknown answer 'Region' in name",
                  "did you mean 'region'?"),
            Words{"x-${answer:region}-${answer:region}"});
  EXPECT_EQ(words("E0306", "loss/services.*.prt", "no target loses 'services.*.prt'",
                  "did you mean 'services.*.port'?"),
            Words{"loss/services.*.port"});
  EXPECT_EQ(words("E0307", "/services/runtme/init",
                  "'/services/runtme/init' is at 0 places of 'compose/compose.yaml', not at 1",
                  "did you mean '/services/runtime'?"),
            Words{"/services/runtime/init"});
  // What the message quotes stands elsewhere, or twice.
  EXPECT_EQ(words("E0307", "1G", "'/Service/MemoryMaks' of 'a.service' is no directive of systemd",
                  "did you mean 'MemoryMax'?"),
            Words{});
  EXPECT_EQ(
      words("E0228", "${answer:a}-${answer:a}", "unknown answer 'a' in name", "did you mean 'b'?"),
      Words{});
  // What an answer stands for while the spec is checked.
  EXPECT_EQ(words("E0112", "x_${answer:dom}", "invalid domain 'x_dom.answers.example'",
                  "write x-dom.answers.example"),
            Words{"x-${answer:dom}"});
  // A cell with two names.
  EXPECT_EQ(words("E0112", "\"a.example.com,http://b.example.com\"",
                  "invalid domain 'a.example.com,http://b.example.com'", ""),
            (Words{"a.example.com http://b.example.com"}));
}

TEST(Fixes, KeepWhatIsSaid) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: [{slug: acme, tier: free}]\n"
      "tiers: {free: {isolation: schema}}\n";
  // One word of a command that has several.
  const auto list = mend_text(head + "services: {web: {image: a/b@sha256:" + std::string(64, 'a') +
                              ", command: sh -c 'a; b'}}\n");
  EXPECT_EQ(list.count("preferred E0102"), 0U);
  // What is in base64 is another text without its tag.
  const auto tag = mend_text("caisson: v1\nname: !!binary c2hvcA==\nversion: 1.0.0\n");
  EXPECT_EQ(tag.count("preferred E0012"), 0U);
  EXPECT_EQ(mend_text("caisson: v1\nname: !!str shop\nversion: 1.0.0\n").count("preferred E0012"),
            1U);
  // The anchor is no word of a comment, and its value ends before one.
  const auto alias =
      mend_text("caisson: v1 # see &n in other.yaml\nname: &n shop # ours\nversion: *n\n");
  EXPECT_TRUE(alias.at("E0010").contains("write the value out"));
}

TEST(Fixes, OfATabTouchItsLineAlone) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\npatches:\n"
      "  - file: compose/Caddyfile\n    at: /x\n    reason: y\n    set: |\n"
      "      a\n      \tb\n      \t\tc\n";
  const auto fixed = [](const std::string& text) {
    const std::string uri = "file:///work/deployment.yaml";
    Workspace workspace(surroundings_for(text));
    workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
    OpenSpec& spec = *workspace.member(uri)->spec;
    const auto all = workspace.analysis(spec).diagnostics;
    std::map<std::string, std::string> texts;
    for (const source::Diagnostic& each : all)
      for (const Fix& fix : fixes_for(workspace.project(spec), all, each, [&](const auto& edits) {
             return workspace.after(spec, edits);
           }))
        texts[(fix.preferred ? "preferred: " : "") + fix.title +
              std::to_string(std::ranges::count(text.substr(0, each.where.begin), '\n'))] =
            editor::apply(text, fix.edits);
    return texts;
  };
  using Texts = std::map<std::string, std::string>;
  EXPECT_EQ(fixed(head + "runtime:\n\tstorage: 1Gi\n"),
            (Texts{{"preferred: indent with spaces13", head + "runtime:\n  storage: 1Gi\n"}}));
  // Below or beside, by how wide the tab was.
  EXPECT_EQ(fixed("caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nruntime:\n  drain:\n"
                  "\tstorage: 1Gi\n")
                .count("preferred: indent with spaces6"),
            0U);
  // Each by itself, or all when asked for.
  const auto two = fixed(head + "runtime:\n\tstorage: 1Gi\n\tdrain: 5s\n");
  EXPECT_EQ(two.at("indent with spaces13"), head + "runtime:\n  storage: 1Gi\n\tdrain: 5s\n");
  EXPECT_EQ(two.at("indent with spaces14"), head + "runtime:\n\tstorage: 1Gi\n  drain: 5s\n");
  for (const auto* every : {"indent every line with spaces13", "indent every line with spaces14"})
    EXPECT_EQ(two.at(every), head + "runtime:\n  storage: 1Gi\n  drain: 5s\n");
  EXPECT_EQ(two.size(), 4U);
}

TEST(Fixes, DoNotTakeAWholeBlockAwayForOneWordInIt) {
  for (const auto* name : {"service-reserved-name.yaml", "one-of-no-image.yaml",
                           "name-first-letter.yaml", "kind-list-for-map.yaml"}) {
    for (const auto& [code, titles] : mend(folder / name))
      for (const auto& title : titles) EXPECT_FALSE(title.starts_with("remove")) << name << title;
  }
}

/// The text after the first fix of every unknown key, one after the other.
std::string with_keys_mended(std::string text) {
  const std::string uri = "file:///work/deployment.yaml";
  for (std::size_t rounds = 0; rounds < 32; ++rounds) {
    Workspace workspace(surroundings_for(text));
    workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
    OpenSpec& spec = *workspace.member(uri)->spec;
    const auto all = workspace.analysis(spec).diagnostics;
    const auto next = std::ranges::find(all, "E0101", &source::Diagnostic::code);
    if (next == all.end()) break;
    const auto fixes =
        fixes_for(workspace.project(spec), all, *next,
                  [&](const std::vector<Edit>& edits) { return workspace.after(spec, edits); });
    if (fixes.empty()) return text + "# no fix: " + next->message + '\n';
    text = editor::apply(text, fixes.front().edits);
  }
  return text;
}

TEST(Fixes, SayTheWordsOfComposeInTheSpecs) {
  const std::string image = "registry.example/x@sha256:" + std::string(64, '0');
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n"
      "  db: { image: " +
      image +
      ", port: 5432 }\n"
      "  web:\n    image: " +
      image + "\n    port: 8080\n";
  EXPECT_EQ(with_keys_mended(head + "    environment:\n"
                                    "      - A=b\n"
                                    "      - GREETING=it's here\n"
                                    "    depends_on: { db: { condition: service_healthy } }\n"
                                    "    healthcheck:\n"
                                    "      test: [CMD, curl, -f, \"http://localhost:8080/\"]\n"
                                    "      interval: 1m30s\n"
                                    "      retries: 5\n"
                                    "      start_period: 40s\n"
                                    "    tmpfs: /scratch\n"
                                    "    mem_limit: 256m\n"
                                    "    cpus: 0.5\n"
                                    "    pids_limit: 512\n"
                                    "    ulimits: { nofile: { soft: 65536, hard: 65536 } }\n"
                                    "    deploy: { replicas: 2 }\n"),
            head +
                "    env: { A: 'b', GREETING: 'it''s here' }\n"
                "    needs: [db]\n"
                "    health: { command: [curl, -f, \"http://localhost:8080/\"], interval: 90s, "
                "retries: 5, start: 40s }\n"
                "    writable: [/scratch]\n"
                "    resources: { memory: 256Mi, cpu: 0.5 }\n"
                "    limits: { processes: 512, files: 65536 }\n"
                "    replicas: 2\n");
  EXPECT_EQ(with_keys_mended(head + "    environment: { A: b }\n"
                                    "    links: [db]\n"
                                    "    livenessProbe: { httpGet: { path: /healthz, port: 8080 }, "
                                    "periodSeconds: 5, failureThreshold: 2 }\n"
                                    "    args: [serve, --quiet]\n"
                                    "    shm_size: 1gb\n"),
            head +
                "    env: { A: b }\n"
                "    needs: [db]\n"
                "    health: { path: /healthz, interval: 5s, retries: 2 }\n"
                "    command: [serve, --quiet]\n"
                "    writable: [{ path: /dev/shm, size: 1Gi }]\n");
}

TEST(Fixes, DoNotSayWhatTheSpecHasNoWordFor) {
  const auto offered_for = [](const std::string& line) {
    const auto titles = mend_text(
        "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n"
        "  db: { image: 'registry.example/x@sha256:" +
        std::string(64, '0') + "', " + line + " }\n");
    const auto offered = titles.find("E0101");
    return offered == titles.end() ? std::set<std::string>{} : offered->second;
  };
  const std::set<std::string> removal{"remove 'environment'"};
  EXPECT_EQ(offered_for("environment: [FROM_OUTSIDE]"), removal);
  EXPECT_EQ(offered_for("depends_on: { db: { condition: service_completed_successfully } }"),
            std::set<std::string>{"remove 'depends_on'"});
  EXPECT_EQ(offered_for("healthcheck: { test: [NONE] }"),
            std::set<std::string>{"remove 'healthcheck'"});
  EXPECT_EQ(offered_for("mem_limit: lots"), std::set<std::string>{"remove 'mem_limit'"});
  // Everything that a probe says besides the path.
  for (const std::string asked :
       {"path: /h, port: 9999", "path: /h, port: admin", "path: /h, scheme: HTTPS",
        "path: /h, host: other", "path: /h, httpHeaders: [{ name: Host, value: x }]"}) {
    for (const std::string probe : {"livenessProbe", "readinessProbe"})
      EXPECT_EQ(offered_for("port: 8080, " + probe + ": { httpGet: { " + asked + " } }"),
                std::set<std::string>{"remove '" + probe + "'"})
          << asked;
  }
  EXPECT_EQ(offered_for("livenessProbe: { httpGet: { path: /h, port: 8080 } }"),
            std::set<std::string>{"remove 'livenessProbe'"})
      << "the service has no port";
  EXPECT_EQ(offered_for("livenessProbe: { exec: { command: [x], user: y } }"),
            std::set<std::string>{"remove 'livenessProbe'"});
  for (const std::string more : {"restart: true", "required: false"})
    EXPECT_EQ(offered_for("depends_on: { db: { condition: service_started, " + more + " } }"),
              std::set<std::string>{"remove 'depends_on'"});
  EXPECT_EQ(offered_for("ulimits: { nofile: { soft: 1024, hard: 65536 } }"),
            std::set<std::string>{"remove 'ulimits'"});
  // Compose reads one dollar, Kubernetes a variable.
  EXPECT_EQ(offered_for("environment: { PRICE: '5$$' }"), removal);
  EXPECT_EQ(offered_for("args: [serve, '$(PORT)']"), std::set<std::string>{"remove 'args'"});
}

TEST(Fixes, SayAValueOfOtherWordsWholly) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n  db:\n    image: "
      "registry.example/x@sha256:" +
      std::string(64, '0') + "\n    port: 8080\n";
  // What a block takes as it is has to be quoted in brackets.
  EXPECT_EQ(with_keys_mended(head + "    livenessProbe:\n"
                                    "      exec:\n"
                                    "        command:\n"
                                    "          - /bin/is-it\n"
                                    "          - a, b\n"
                                    "          - \"back\\\\slash\"\n"
                                    "          - >-\n"
                                    "            one\n"
                                    "            two\n"),
            head +
                "    health: { command: [/bin/is-it, 'a, b', \"back\\\\slash\", "
                "\"one two\"] }\n");
  EXPECT_EQ(with_keys_mended(head + "    livenessProbe: { httpGet: { path: '/h?a=[b]', port: 8080, "
                                    "scheme: HTTP } }\n"),
            head + "    health: { path: \"/h?a=[b]\" }\n");
  // A line of a shell stays one.
  EXPECT_EQ(with_keys_mended(head + "    healthcheck: { test: exit 0 }\n"),
            head + "    health: { command: [/bin/sh, -c, 'exit 0'] }\n");
  EXPECT_EQ(with_keys_mended(head + "    environment:\n"
                                    "      - \"A=it's \\\"x\\\"\"\n"
                                    "      - 'B=one, two'\n"),
            head + "    env: { A: 'it''s \"x\"', B: 'one, two' }\n");
  // A comment has no place in one line; a key alone can be renamed around it.
  EXPECT_EQ(with_keys_mended(head + "    environment:\n"
                                    "      # of Europe\n"
                                    "      A: b  # why\n"),
            head +
                "    env:\n"
                "      # of Europe\n"
                "      A: b  # why\n");
  const auto commented = with_keys_mended(head +
                                          "    environment:\n"
                                          "      # of Europe\n"
                                          "      - A=b\n");
  EXPECT_EQ(commented.find("env:"), std::string::npos) << commented;
}

TEST(Fixes, SayBoundsOfKubernetesAndItsPort) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nservices:\n  db:\n    image: "
      "registry.example/x@sha256:" +
      std::string(64, '0') + "\n";
  EXPECT_EQ(with_keys_mended(head + "    containerPort: 8080\n"
                                    "    resources:\n"
                                    "      requests: { cpu: 100m, memory: 64Mi }\n"
                                    "      limits: { cpu: 500m, memory: 64Mi }\n"),
            head + "    port: 8080\n    resources: { cpu: 100m..500m, memory: 64Mi }\n");
  EXPECT_EQ(with_keys_mended(head + "    resources: { limits: { memory: 256Mi } }\n"),
            head + "    resources: { memory: 256Mi }\n");
  // What has no limit has no word, nor has a comment a place.
  for (const std::string more : {"{ requests: { cpu: 100m }, limits: { memory: 1Gi } }",
                                 "\n      # ours\n      limits: { memory: 256Mi }"}) {
    auto titles = mend_text(head + "    resources: " + more + "\n");
    EXPECT_FALSE(titles["E0101"].empty()) << more;
    for (const auto& title : titles["E0101"]) EXPECT_TRUE(title.starts_with("remove ")) << title;
  }
}

TEST(Fixes, KeepTheCommentsOfWhatStandsBesideWhatGoes) {
  const std::string head =
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\ntiers:\n  free: { isolation: row, "
      "limits: {\n";
  const auto without = [&](const std::string& limits) {
    const std::string text = head + limits;
    const std::string uri = "file:///work/deployment.yaml";
    Workspace workspace(surroundings_for(text));
    workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
    OpenSpec& spec = *workspace.member(uri)->spec;
    const auto all = workspace.analysis(spec).diagnostics;
    const auto wrong = std::ranges::find(all, "E0101", &source::Diagnostic::code);
    if (wrong == all.end()) return std::string("nothing is wrong");
    for (const Fix& fix : fixes_for(workspace.project(spec), all, *wrong, [&](const auto& edits) {
           return workspace.after(spec, edits);
         }))
      if (fix.title == "remove 'xyzzy'") return editor::apply(text, fix.edits).substr(head.size());
    return std::string("nothing is offered");
  };
  EXPECT_EQ(without("    requests: 5/s, # of one\n    xyzzy: 2, # wrong\n    # of all\n"
                    "    storage: 1Gi # of disks\n  } }\n"),
            "    requests: 5/s, # of one\n    # of all\n    storage: 1Gi # of disks\n  } }\n");
  EXPECT_EQ(without("    requests: 5/s, # of one\n    xyzzy: 2 } }\n"),
            "    requests: 5/s, # of one\n     } }\n");
  EXPECT_EQ(without("    xyzzy: 2, requests: 5/s, # of one\n    storage: 1Gi } }\n"),
            "    requests: 5/s, # of one\n    storage: 1Gi } }\n");
}

TEST(Fixes, OfThePortOfALocalCommandStartAShell) {
  const auto titles = mend(folder / "variable-in-command.yaml")["W0205"];
  EXPECT_TRUE(titles.contains("let a shell read PORT"));
}

TEST(Fixes, OfMailWithoutAServerAddOne) {
  const auto titles = mend_text(
      "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n"
      "observability: { alerts: { to: [{ email: sre@acme.example }] } }\n");
  ASSERT_TRUE(titles.contains("W0206"));
  EXPECT_TRUE(titles.at("W0206").contains("add 'smtp: { host: mail.acme.example:587 }'"));
  EXPECT_FALSE(titles.contains("preferred W0206")) << "only people know the server";
}

TEST(Fixes, OfAVariableWriteItsDefault) {
  const auto titles = mend(folder / "variable-in-value.yaml")["W0205"];
  EXPECT_TRUE(titles.contains("replace with 'eu'"));
  for (const auto& title : titles)
    EXPECT_TRUE(title == "replace with 'eu'" || title.starts_with("waive ")) << title;
}

}  // namespace
}  // namespace caisson::editor
