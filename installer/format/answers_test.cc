#include "installer/format/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

using ::testing::HasSubstr;

Question question(AnswerType type) {
  Question asked{.name = "it", .type = type, .text = "What is it?"};
  if (type == AnswerType::word) asked.choices = {"files", "internal"};
  return asked;
}

struct Case {
  AnswerType type;
  std::vector<std::string> taken;
  std::vector<std::string> refused;
};

// What would end a value, begin another one or be replaced, in any file that something reads.
const std::vector<std::string> kHostile = {"a\nb",
                                           "a\rb",
                                           "a b",
                                           "\"a\"",
                                           "'a'",
                                           "`a`",
                                           "a\\b",
                                           "$a",
                                           "${a}",
                                           "%n",
                                           "%%",
                                           "{env.X}",
                                           "a{b}",
                                           "a#b",
                                           "a;b",
                                           "a|b",
                                           "$(id)",
                                           "a&b",
                                           "<a>",
                                           "a\tb",
                                           "a,b",
                                           "a=b",
                                           "a*",
                                           "~",
                                           "\x1b[m",
                                           "\u202ea",
                                           "\u200b",
                                           "\xff",
                                           "",
                                           std::string("a\0b", 3),
                                           std::string(2'000, 'a')};

TEST(AnAnswer, IsOfItsType) {
  const Case cases[] = {
      {AnswerType::domain,
       {"acme.example.com", "a", "xn--bcher-kva.example", "1a.b-c"},
       {"Acme.example", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "10.0.0.1", "a:80", "*.a", "a/b",
        "a_b", std::string(64, 'a'), "https://a"}},
      {AnswerType::address,
       {"10.0.0.53", "::1", "fd00::53"},
       {"10.0.0", "010.0.0.1", "10.0.0.0/8", "fe80::1%eth0", "[::1]", "a.example", "10.0.0.1:53"}},
      {AnswerType::port, {"1", "443", "65535"}, {"0", "65536", "080", "+80", "80.0", "0x50", "-1"}},
      {AnswerType::path,
       {"/srv/backups", "/a", "/mnt/b_1/.c+d"},
       {"/", "srv", "/a/", "//a", "/a/../b", "/a/./b", "/..", "/-rf", "/a:b", "/a/b/..",
        "/" + std::string(256, 'a')}},
      {AnswerType::email,
       {"ops@acme.example", "a.b+c_d@e.f"},
       {"ops", "@acme", "ops@", "ops@10.0.0.1", "a@b@c", ".a@b.c", "a.@b.c", "a..b@c.d",
        "a@B.example", "!a@b.c", std::string(65, 'a') + "@b.c"}},
      {AnswerType::word, {"files", "internal"}, {"file", "Files", "files internal"}}};
  for (const auto& each : cases) {
    const auto asked = question(each.type);
    for (const auto& answer : each.taken) EXPECT_EQ(fault_of_answer(asked, answer), "") << answer;
    for (const auto& answer : each.refused) EXPECT_NE(fault_of_answer(asked, answer), "") << answer;
    for (const auto& answer : kHostile) {
      EXPECT_NE(fault_of_answer(asked, answer), "") << answer;
      // Not only alone: beside what would be taken, too.
      if (!answer.empty()) {
        EXPECT_NE(fault_of_answer(asked, each.taken.front() + answer), "") << answer;
      }
    }
  }
}

TEST(AnAnswer, OfASecretIsOneLine) {
  const auto asked = question(AnswerType::secret);
  EXPECT_EQ(fault_of_answer(asked, "p\"a's$s %w`o\\rd"), "");
  for (const auto* answer : {"", "a\nb", "a\rb", " a", "a ", "\x1b[m", "\xff"}) {
    EXPECT_NE(fault_of_answer(asked, answer), "") << answer;
  }
  EXPECT_NE(fault_of_answer(asked, std::string("a\0b", 3)), "");
  // A message says nothing of it.
  EXPECT_THAT(fault_of_answer(asked, "hidden\n"), Not(HasSubstr("hidden")));
}

TEST(Answers, AreReadAsTheyAreWritten) {
  const Answers answers{{"domain", "acme.example.com"}, {"key", "a = b # c"}};
  EXPECT_EQ(*read_answers("file", write_answers(answers)), answers);
  EXPECT_EQ(*read_answers("file", "# what we say\r\n\r\ndomain=acme.example.com\r\nkey=a = b # c"),
            answers);
}

TEST(Answers, AreRefusedWithTheLineAndWithoutWhatItSays) {
  const std::pair<std::string, std::string> cases[] = {
      {"a=1\nsecret", "file:2: a line is NAME=ANSWER"},
      {"a =1", "file:1: a line is NAME=ANSWER"},
      {"=1", "file:1: "},
      {"A=1", "file:1: "},
      {"\xef\xbb\xbf"
       "a=1",
       "file:1: "},
      {"a=1\nb=2\na=3", "file:3: a is answered twice"}};
  for (const auto& [text, what] : cases) {
    const auto read = read_answers("file", text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::wrong_answer);
    EXPECT_THAT(read.error().what, HasSubstr(what));
    EXPECT_THAT(read.error().what, Not(HasSubstr("secret")));
  }
  std::string many;
  for (int i = 0; i < 65; ++i) many += "a" + std::to_string(i) + "=1\n";
  EXPECT_FALSE(read_answers("file", many));
  EXPECT_FALSE(read_answers("file", std::string(kMostOfAnswers + 1, '#')));
}

TEST(Filled, PutsAnswersIntoTheirPlaces) {
  const Answers answers{{"a", "1"}, {"b", "${answer:a}"}};
  EXPECT_EQ(*filled("f", "x ${answer:a}${answer:a} $ ${ {answer:a}\n", answers),
            "x 11 $ ${ {answer:a}\n");
  // An answer is no text that is looked at once more.
  EXPECT_EQ(*filled("f", "${answer:b}", answers), "${answer:a}");
  EXPECT_EQ(*filled("f", placeholder_of("a"), answers), "1");
  for (const auto* text :
       {"${answer:c}", "${answer:", "${answer:a", "${answer:}", "${answer:a\n}"}) {
    const auto done = filled("f", text, answers);
    ASSERT_FALSE(done) << text;
    EXPECT_EQ(done.error().code, Code::text_key);
  }
}

}  // namespace
}  // namespace caisson::installer
