#include "generator/bundle/answers.h"

#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/format/site.h"

namespace caisson::bundle {
namespace {

using installer::Answers;
using installer::AnswerType;
using installer::Question;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<Question> kQuestions{
    {"domain", AnswerType::domain, std::nullopt, {}, "Which name?"},
    {"https", AnswerType::port, "443", {}, "Which port?"},
    {"level", AnswerType::word, std::nullopt, {"debug", "info", "warn"}, "Which level?"},
    {"password", AnswerType::secret, std::nullopt, {}, "Which password?"}};

std::string site_text(const Answers& answers) {
  return "format 1\nproduct shop\nprefix /opt/shop\ndata /var/lib/shop\ntarget shop.target\n"
         "edge shop-edge.service edge_door\nport 80\nport " +
         answers.at("https") + "\nfile 0644 root app.json\n";
}

using Files = std::map<std::string, std::function<std::string(const Answers&)>>;

/// What a spec is that has these files, and SITE.
auto placed(const Files& files) {
  std::vector<Trial> trials;
  for (auto& answers : trial_answers(kQuestions)) {
    render::Artifacts artifacts;
    for (const auto& [path, write] : files) {
      auto bytes = write(answers);
      if (bytes != "(none)") artifacts.push_back({.path = path, .bytes = std::move(bytes)});
    }
    artifacts.push_back({.path = "systemd/SITE", .bytes = site_text(answers)});
    trials.push_back({.answers = std::move(answers), .artifacts = std::move(artifacts)});
  }
  return with_placeholders(kQuestions, trials);
}

std::string bytes_of(const render::Artifacts& artifacts, std::string_view path) {
  for (const auto& artifact : artifacts) {
    if (artifact.path == path) return artifact.bytes;
  }
  return "(none)";
}

/// Where they may not stand: "domain compose/.env:2".
std::vector<std::string> refused(const Files& files) {
  const auto done = placed(files);
  std::vector<std::string> places;
  if (done) return places;
  for (const auto& each : done.error()) {
    auto place = each.question + " " + each.path + ":" + std::to_string(each.line);
    if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
  }
  return places;
}

TEST(AnswersOfABundle, BecomePlaceholdersOfTheConfiguration) {
  const auto done =
      placed({{"systemd/config/app.json",
               [](const Answers& a) {
                 return "{\"url\": \"https://" + a.at("domain") + ":" + a.at("https") +
                        "\", \"port\": " + a.at("https") + ", \"log\": \"" + a.at("level") +
                        "\", \"kinds\": \"debug info warn\"}";
               }},
              {"systemd/config/same.json", [](const Answers&) { return "47101 info"; }},
              {"systemd/system/shop.service", [](const Answers&) { return "[Unit]"; }},
              {"systemd/install.sh", [](const Answers&) { return "#!/bin/sh"; }}});
  ASSERT_TRUE(done) << done.error().front().path;
  EXPECT_EQ(bytes_of(*done, "systemd/config/app.json"),
            "{\"url\": \"https://${answer:domain}:${answer:https}\", \"port\": ${answer:https}, "
            "\"log\": \"${answer:level}\", \"kinds\": \"debug info warn\"}");
  EXPECT_EQ(bytes_of(*done, "systemd/config/same.json"), "47101 info");
  EXPECT_EQ(bytes_of(*done, "systemd/system/shop.service"), "[Unit]");
  EXPECT_EQ(bytes_of(*done, "systemd/install.sh"), "(none)");
  EXPECT_THAT(bytes_of(*done, "systemd/SITE"), HasSubstr("port 80\nanswered-port https\n"));
}

TEST(AnswersOfABundle, MoveWhatIsReadBesideTheConfigurationIntoIt) {
  const auto done = placed({{"systemd/README.md", [](const Answers& a) { return a.at("domain"); }},
                            {"systemd/RUNBOOK.md", [](const Answers&) { return "runbook"; }},
                            {"systemd/site.json", [](const Answers& a) { return a.at("https"); }}});
  ASSERT_TRUE(done);
  EXPECT_EQ(bytes_of(*done, "systemd/config/README.md"), "${answer:domain}");
  EXPECT_EQ(bytes_of(*done, "systemd/README.md"), "(none)");
  EXPECT_EQ(bytes_of(*done, "systemd/RUNBOOK.md"), "runbook");
  EXPECT_EQ(bytes_of(*done, "systemd/config/site.json"), "${answer:https}");
  const auto needs = installer::read_site_needs(bytes_of(*done, "systemd/SITE"));
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(needs->settings.size(), 3U);
  EXPECT_THAT(needs->answered_ports, ElementsAre("https"));
  EXPECT_THAT(bytes_of(*done, "systemd/SITE"), HasSubstr("file 0644 root site.json\n"));
}

TEST(AnswersOfABundle, ChangeNothingElse) {
  const auto with = [](std::string_view path, std::function<std::string(const Answers&)> write) {
    return refused({{std::string(path), std::move(write)}});
  };
  EXPECT_THAT(with("compose/.env", [](const Answers& a) { return "A=1\nB=" + a.at("domain"); }),
              ElementsAre("domain compose/.env:2"));
  EXPECT_THAT(with("systemd/system/shop.socket",
                   [](const Answers& a) { return "ListenStream=" + a.at("https"); }),
              ElementsAre("https systemd/system/shop.socket:1"));
  // What follows from an answer is not the answer.
  EXPECT_THAT(with("systemd/config/app.json",
                   [](const Answers& a) { return std::to_string(a.at("domain").size()); }),
              ElementsAre("domain systemd/config/app.json:1"));
  EXPECT_THAT(with("systemd/config/app.json",
                   [](const Answers& a) {
                     return a.at("level") == "debug" ? "on" : "off\n" + a.at("level");
                   }),
              ElementsAre("level systemd/config/app.json:1"));
  EXPECT_THAT(with("systemd/config/app.json",
                   [](const Answers& a) {
                     return a.at("domain").ends_with(".localhost") ? "internal" : a.at("domain");
                   }),
              ElementsAre("domain systemd/config/app.json:1"));
  EXPECT_THAT(with("systemd/config/more.json",
                   [](const Answers& a) { return a.at("level") == "warn" ? "{}" : "(none)"; }),
              ElementsAre("level systemd/config/more.json:0"));
  // Only together they tell.
  EXPECT_THAT(with("systemd/config/app.json",
                   [](const Answers& a) {
                     return a.at("level") == "info" && a.at("https") != "47102" ? "both" : "one";
                   }),
              ElementsAre(" systemd/config/app.json:0"));
  // A site would take it for a placeholder.
  EXPECT_THAT(with("systemd/config/app.json", [](const Answers&) { return "\n${answer:x}"; }),
              ElementsAre(" systemd/config/app.json:2"));
}

TEST(AnswersOfABundle, LeaveThePortsOfOthersAlone) {
  auto questions = kQuestions;
  questions.push_back({"metrics", AnswerType::port, std::nullopt, {}, "Which other?"});
  std::vector<Trial> trials;
  for (auto& answers : trial_answers(questions)) {
    trials.push_back(
        {.answers = answers, .artifacts = {{.path = "systemd/SITE", .bytes = site_text(answers)}}});
  }
  const auto done = with_placeholders(questions, trials);
  ASSERT_TRUE(done);
  EXPECT_THAT(done->front().bytes, HasSubstr("answered-port https\n"));
  EXPECT_THAT(done->front().bytes, Not(HasSubstr("metrics")));
}

TEST(AnswersOfABundle, ChangeNothingOfSiteButPorts) {
  std::vector<Trial> trials;
  for (auto& answers : trial_answers(kQuestions)) {
    auto text = site_text(answers) + "secret given key " + answers.at("domain") + "\n";
    trials.push_back(
        {.answers = answers, .artifacts = {{.path = "systemd/SITE", .bytes = std::move(text)}}});
  }
  const auto done = with_placeholders(kQuestions, trials);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().front().path, "systemd/SITE");
  EXPECT_EQ(done.error().front().question, "domain");
}

}  // namespace
}  // namespace caisson::bundle
