#include "installer/command/ask.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/scratch.h"

namespace caisson::installer {
namespace {

using ::testing::HasSubstr;

const std::vector<Question> kQuestions = {
    {"domain", AnswerType::domain, std::nullopt, {}, "Under which name?"},
    {"https", AnswerType::port, "443", {}, "On which port?"},
    {"key", AnswerType::secret, std::nullopt, {}, "Which key?"},
    {"tls", AnswerType::word, "internal", {"files", "internal"}, "From where?"}};

std::vector<Reply> replies() {
  std::vector<Reply> all;
  for (const auto& question : kQuestions) {
    all.push_back({.question = &question,
                   .kind = question.preset ? Reply::Kind::preset : Reply::Kind::missing,
                   .answer = question.preset.value_or(""),
                   .fault = ""});
  }
  return all;
}

/// What is said to whoever types this.
std::pair<Checked<Answers>, std::string> typed(const std::string& text) {
  const Scratch scratch;
  scratch.write("in", text);
  const Descriptor in(open((scratch / "in").c_str(), O_RDONLY | O_CLOEXEC));
  const Descriptor out(open((scratch / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  auto answers = ask(replies(), in.get(), out.get());
  return {std::move(answers), scratch.read("out")};
}

TEST(Asking, TakesDefaultsAndAsksAgain) {
  const auto [answers, said] = typed("Acme Inc\nacme.example\n\nk e y\nfile\nfiles\n");
  ASSERT_TRUE(answers) << answers.error().what;
  EXPECT_EQ(
      *answers,
      (Answers{{"domain", "acme.example"}, {"https", "443"}, {"key", "k e y"}, {"tls", "files"}}));
  EXPECT_THAT(said, HasSubstr("Under which name?\n  a host name as acme.example.com\ndomain: "));
  EXPECT_THAT(said, HasSubstr("that is not a host name"));
  EXPECT_THAT(said, HasSubstr("https [443]: "));
  EXPECT_THAT(said, HasSubstr("  files, internal\ntls [internal]: that is none of: files"));
}

TEST(Asking, EndsWithTheInput) {
  const auto [answers, said] = typed("acme.example\n\n");
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code, Code::missing_answer);
  EXPECT_EQ(answers.error().what, "key: Which key?");
}

TEST(Asking, ShowsNothingOfASecret) {
  const Descriptor terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal && grantpt(terminal.get()) == 0 && unlockpt(terminal.get()) == 0);
  const Descriptor side(open(ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(side);
  Checked<Answers> answers;
  std::thread asking([&] { answers = ask(replies(), side.get(), side.get()); });
  std::string seen;
  const auto wait_for = [&](const std::string& text) {
    while (seen.find(text) == std::string::npos) {
      char bytes[256];
      const auto count = read(terminal.get(), bytes, sizeof bytes);
      ASSERT_GT(count, 0);
      seen.append(bytes, static_cast<std::size_t>(count));
    }
  };
  const auto type = [&](const std::string& text) {
    ASSERT_EQ(write(terminal.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  wait_for("domain: ");
  type("acme.example\n");
  wait_for("https [443]: ");
  type("\n");
  // What is typed before its prompt is dropped, and shown to nobody.
  wait_for("key: ");
  type("hidden-from-view\n");
  wait_for("tls [internal]: ");
  type("files\n");
  asking.join();
  ASSERT_TRUE(answers) << answers.error().what;
  EXPECT_EQ(answers->at("key"), "hidden-from-view");
  EXPECT_THAT(seen, HasSubstr("acme.example"));
  EXPECT_THAT(seen, Not(HasSubstr("hidden")));
}

TEST(AFileOfAnswers, WithASecretIsItsOwnersAlone) {
  const Scratch scratch;
  scratch.write("answers", "domain=acme.example\nkey=hidden\n");
  std::filesystem::permissions(scratch / "answers", std::filesystem::perms(0640));
  const auto open_to_others = read_answers_file(scratch / "answers", kQuestions);
  ASSERT_FALSE(open_to_others);
  EXPECT_THAT(open_to_others.error().what, HasSubstr("has the secret 'key' and is open to others"));
  std::filesystem::permissions(scratch / "answers", std::filesystem::perms(0600));
  EXPECT_EQ(read_answers_file(scratch / "answers", kQuestions)->at("key"), "hidden");
  EXPECT_EQ(read_answers_file(scratch / "nowhere", kQuestions).error().code, Code::host_read);
  EXPECT_EQ(read_answers_file("/dev/null", kQuestions).error().code, Code::host_read);
}

}  // namespace
}  // namespace caisson::installer
