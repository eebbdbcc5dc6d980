#include "generator/spec/answers.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::spec {
namespace {

using installer::AnswerType;
using installer::Question;
using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  std::optional<Loaded> loaded;
  std::string said;
};

Outcome load_with(const std::string& more, LoadOptions options) {
  source::SourceSet sources;
  source::Diagnostics found;
  options.today = "2026-06-01";
  Outcome outcome;
  outcome.loaded =
      load("deployment.yaml", "caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\n" + more,
           options, sources, found);
  outcome.said = source::render(found, sources, source::Format::text);
  return outcome;
}

constexpr auto kAsks =
    "answers:\n"
    "  domain: { type: domain, text: \"Under which name?\" }\n"
    "  https: { type: port, default: 443, text: \"Which port?\" }\n"
    "domain: \"${answer:domain}\"\n"
    "edge: { https: \"${answer:https}\" }\n"
    "runtime: { env: { URL: \"https://www.${answer:domain}:${answer:https}/${answer:domain}\" } "
    "}\n";

TEST(Answers, StandInThePlacesOfTheirPlaceholders) {
  const auto outcome = load_with(kAsks, {.answers = {{"domain", "a.example"}, {"https", "8443"}}});
  ASSERT_TRUE(outcome.loaded) << outcome.said;
  EXPECT_EQ(outcome.said, "");
  const auto& deployment = outcome.loaded->deployment;
  EXPECT_EQ(deployment.domain, "a.example");
  EXPECT_EQ(deployment.edge.https, 8443);
  EXPECT_EQ(deployment.runtime.env.front().second.text, "https://www.a.example:8443/a.example");
}

TEST(Answers, AreTheDefaultsWhereNobodyAnswers) {
  const auto outcome = load_with(kAsks, {.answers = {{"domain", "a.example"}}});
  ASSERT_TRUE(outcome.loaded) << outcome.said;
  EXPECT_EQ(outcome.loaded->deployment.edge.https, 443);
}

TEST(Answers, AreMissedOnceEachWithWhatToDo) {
  const auto outcome = load_with(kAsks, {});
  EXPECT_FALSE(outcome.loaded);
  EXPECT_THAT(outcome.said, HasSubstr("error[E0229]: nobody has answered 'domain' in domain"));
  EXPECT_THAT(outcome.said, HasSubstr("--answers FILE with a line domain=ANSWER"));
  EXPECT_EQ(outcome.said.find("E0229"), outcome.said.rfind("E0229"));
}

TEST(Answers, AreSamplesWhereTheyDoNotMatter) {
  const auto outcome = load_with(kAsks, {.sample_answers = true});
  ASSERT_TRUE(outcome.loaded) << outcome.said;
  EXPECT_EQ(outcome.loaded->deployment.domain, "domain.answers.example");
}

TEST(Answers, AreRefusedWhenTheyAreNotOfTheType) {
  const auto outcome = load_with(kAsks, {.answers = {{"domain", "a b"}, {"https", "0"}}});
  EXPECT_FALSE(outcome.loaded);
  EXPECT_THAT(outcome.said, HasSubstr("6:3: error[E0230]: the answer 'domain' is not a host name"));
  EXPECT_THAT(outcome.said, HasSubstr("7:3: error[E0230]: the answer 'https' is not a number"));
}

TEST(Answers, AreRefusedWhenNobodyAsksUnlessTheyAreSpare) {
  LoadOptions options{.answers = {{"domain", "a.example"}, {"htps", "1"}}};
  auto outcome = load_with(kAsks, options);
  EXPECT_FALSE(outcome.loaded);
  EXPECT_THAT(outcome.said, HasSubstr("error[E0230]: the spec does not ask for the answer 'htps'"));
  EXPECT_THAT(outcome.said, HasSubstr("did you mean 'https'?"));
  options.spare_answers = true;
  outcome = load_with(kAsks, options);
  EXPECT_TRUE(outcome.loaded) << outcome.said;
}

TEST(Answers, OfASecretFillTheSecretOfItsName) {
  const std::string asks =
      "answers: { password: { type: secret, text: \"Which?\" } }\n"
      "runtime: { env: { PASSWORD: \"${secret:password}\" } }\n";
  const auto given = LoadOptions{.answers = {{"password", "s3cret"}}};
  auto outcome = load_with(asks + "secrets: { password: { from: { env: { name: P } } } }\n", given);
  EXPECT_TRUE(outcome.loaded) << outcome.said;
  EXPECT_EQ(outcome.said, "");
  outcome = load_with(asks + "secrets: { passwort: { from: { env: { name: P } } } }\n", given);
  EXPECT_THAT(outcome.said, HasSubstr("error[E0228]: the answer 'password' fills no secret"));
  outcome = load_with(asks + "secrets: { password: { from: { generate: {} } } }\n", given);
  EXPECT_THAT(outcome.said, HasSubstr("error[E0231]"));
  EXPECT_THAT(outcome.said, Not(HasSubstr("s3cret")));
}

TEST(Answers, AreAskedForInEveryEnvironment) {
  const auto outcome = load_with(
      "answers: { name: { type: domain, text: \"Which?\" } }\n"
      "environments: { demo: { domain: \"${answer:name}\" } }\n",
      {.environment = "demo", .answers = {{"name", "demo.example"}}});
  ASSERT_TRUE(outcome.loaded) << outcome.said;
  EXPECT_EQ(outcome.loaded->deployment.domain, "demo.example");
  EXPECT_EQ(outcome.said, "");
}

TEST(Answers, HaveSamplesThatTheirQuestionTakesAndThatTellThemApart) {
  std::set<std::string> all;
  std::size_t count = 0;
  for (std::size_t index : {0U, 63U}) {
    for (const auto type : {AnswerType::address, AnswerType::domain, AnswerType::email,
                            AnswerType::path, AnswerType::port, AnswerType::word}) {
      Question question{.name = "name-" + std::to_string(index), .type = type};
      if (type == AnswerType::word) question.choices = {"a" + question.name, "b" + question.name};
      const auto samples = sample_answers(question, index);
      EXPECT_GE(samples.size(), 2U);
      for (const auto& sample : samples) {
        EXPECT_EQ(fault_of_answer(question, sample), "") << sample;
        all.insert(sample);
        ++count;
      }
    }
  }
  EXPECT_EQ(all.size(), count);
  EXPECT_TRUE(sample_answers({.name = "s", .type = AnswerType::secret}, 0).empty());
}

}  // namespace
}  // namespace caisson::spec
