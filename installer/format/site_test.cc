#include "installer/format/site.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

std::string sample() {
  std::ifstream in(CAISSON_SOURCE_DIR "/installer/format/corpus/site");
  return {std::istreambuf_iterator<char>(in), {}};
}

Code code_of(std::string_view from, std::string_view to) {
  auto text = sample();
  text.replace(text.find(from), from.size(), to);
  const auto read = read_site_needs(text);
  EXPECT_FALSE(read.has_value()) << text;
  return read ? Code::host_write : read.error().code;
}

TEST(SiteNeeds, AreReadAsTheyAreWritten) {
  const auto needs = read_site_needs(sample());
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(write_site_needs(*needs), sample());
  EXPECT_EQ(needs->ports, (std::vector<std::uint16_t>{80, 443}));
  ASSERT_EQ(needs->secrets.size(), 2U);
  EXPECT_EQ(needs->secrets[0].bytes, 32U);
  EXPECT_EQ(needs->secrets[1].reference, "secrets/sso.pem");
  ASSERT_EQ(needs->runtimes.size(), 1U);
  EXPECT_EQ(needs->runtimes[0].settings, "runtime.json");
  ASSERT_EQ(needs->images.size(), 1U);
  EXPECT_EQ(needs->images[0].name, "app");
  EXPECT_EQ(needs->images[0].account, "shop-app");
  EXPECT_EQ(needs->images[0].reference, "registry.example/app:1");
  EXPECT_EQ(needs->programs, std::vector<std::string>{"shop-own.service"});
}

TEST(SiteNeeds, NameWhatTheSiteAnswers) {
  std::ifstream in(CAISSON_SOURCE_DIR "/installer/format/corpus/site_answers");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto needs = read_site_needs(text);
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(write_site_needs(*needs), text);
  EXPECT_EQ(needs->ports, std::vector<std::uint16_t>{80});
  EXPECT_EQ(needs->answered_ports, std::vector<std::string>{"https"});
  EXPECT_EQ(needs->secrets[2].answer, "certificates");
  EXPECT_EQ(needs->secrets[2].word, "files");
  EXPECT_EQ(needs->secrets[2].reference, "tls/site.key");
  EXPECT_EQ(code_of("runtime.json\n", "answers.env\n"), Code::path_conflict);
}

TEST(SiteNeeds, NameSecretsThatContainersReadAsVariables) {
  std::ifstream in(CAISSON_SOURCE_DIR "/installer/format/corpus/site_compose");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto needs = read_site_needs(text);
  ASSERT_TRUE(needs) << needs.error().what;
  EXPECT_EQ(write_site_needs(*needs), text);
  ASSERT_EQ(needs->variables.size(), 1U);
  EXPECT_EQ(needs->variables[0].name, "MAIL_PASSWORD");
  EXPECT_EQ(needs->variables[0].secret, "mail-password");
  text.replace(text.rfind("mail-password"), 13, "sign-password");
  EXPECT_EQ(read_site_needs(text).error().code, Code::text_line);
}

TEST(SiteNeeds, RefusesWhatLeadsElsewhere) {
  EXPECT_EQ(code_of("prefix /opt/shop", "prefix opt/shop"), Code::text_path);
  EXPECT_EQ(code_of("data /var/lib/shop", "data /var/lib/../shop"), Code::text_path);
  EXPECT_EQ(code_of("store edge", "store a/b"), Code::text_path);
  EXPECT_EQ(code_of("store edge", "store .."), Code::text_path);
  EXPECT_EQ(code_of("image app", "image ../app"), Code::text_path);
  EXPECT_EQ(code_of("program", "image app shop-app other:1\nprogram"), Code::text_order);
  EXPECT_EQ(code_of("root dashboard.json", "root ../dashboard.json"), Code::text_path);
  EXPECT_EQ(code_of("root dashboard.json", "root runtime.json"), Code::text_order);
  EXPECT_EQ(code_of("tenants/runtime\n", "runtime.json\n"), Code::text_order);
  EXPECT_EQ(code_of("port 80", "port 0"), Code::text_number);
  EXPECT_EQ(code_of("token 32", "token 0"), Code::text_number);
  EXPECT_EQ(code_of("generated", "guessed"), Code::text_line);
  EXPECT_EQ(code_of("0644 root", "0777 root"), Code::text_line);
  EXPECT_EQ(code_of("copied sso-key secrets/sso.pem", "generated operator-token 32"),
            Code::text_order);
  EXPECT_EQ(code_of("shop-runtime runtime.json\nfile", "shop-runtime other.json\nfile"),
            Code::text_line);
  EXPECT_EQ(code_of("store runtime\n", "mount runtime\n"), Code::text_key);
}

}  // namespace
}  // namespace caisson::installer
