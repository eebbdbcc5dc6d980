// What a site shows its vendor, and what it keeps, on real directories.

#include "installer/site/diagnosis.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ADiagnosis : public testing::ASite {
 protected:
  void SetUp() override {
    const auto outcome = bring("1.0.0");
    ASSERT_TRUE(outcome && outcome->kind == Outcome::Kind::done);
  }

  std::string exhibit(const std::string& name) {
    for (const auto& each : gather(premises_, {})) {
      if (each.name == name) return each.text;
    }
    return "there is no " + name;
  }

  void logs(const std::string& text) { host_.said["/usr/bin/journalctl"] = text; }

  void expect_kept_back(const std::string& what) {
    const auto checked = check_exhibits(premises_, gather(premises_, {}));
    ASSERT_FALSE(checked) << what;
    EXPECT_EQ(checked.error().code, Code::in_archive);
    EXPECT_THAT(checked.error().what, AllOf(HasSubstr("'log' shows"), HasSubstr(what)));
  }
};

TEST_F(ADiagnosis, ShowsWhatAVendorAsksFor) {
  host_.said["/usr/bin/systemctl"] = "ActiveState=active";
  host_.said["/usr/bin/cat"] = "ID=debian";
  logs("the edge opens");
  const auto exhibits = gather(premises_, {});
  EXPECT_EQ(exhibits.size(), exhibit_names().size());
  EXPECT_TRUE(check_exhibits(premises_, exhibits));
  EXPECT_THAT(exhibit("journal"), HasSubstr("installed " + names_["1.0.0"]));
  EXPECT_THAT(exhibit("releases"), HasSubstr("version 1.0.0, data of version 1"));
  EXPECT_THAT(exhibit("doctor"), HasSubstr("unit shop-runtime.service"));
  EXPECT_THAT(exhibit("units"), HasSubstr("ActiveState=active"));
  EXPECT_THAT(exhibit("host"), HasSubstr("ID=debian"));
  EXPECT_THAT(exhibit("log"), HasSubstr("the edge opens"));
  EXPECT_THAT(exhibit("report"), Not(HasSubstr("there is no")));
  const auto text = to_text(premises_, exhibits);
  for (const auto& each : exhibits) {
    EXPECT_THAT(text, HasSubstr("\n== " + each.name + ": ")) << "a heading";
    EXPECT_NE(each.text, "") << each.name;
  }
}

TEST_F(ADiagnosis, IndentsWhatLooksLikeAHeading) {
  logs("== log: of somebody else");
  EXPECT_THAT(to_text(premises_, gather(premises_, {})), HasSubstr("\n  == log: of somebody else"));
}

TEST_F(ADiagnosis, LeavesOutWhatIsNamed) {
  const auto exhibits = gather(premises_, {"log", "host"});
  EXPECT_EQ(exhibits.size(), exhibit_names().size() - 2);
  for (const auto& each : exhibits) EXPECT_TRUE(each.name != "log" && each.name != "host");
}

TEST_F(ADiagnosis, LeavesOutCredentialsAndAddresses) {
  logs(
      "from ann.smith+x@acme.example, to <b@c.example>\n"
      "Authorization: Bearer abc.def.ghi, then\n"
      "GET /?token=xyzzy HTTP/1.1\n"
      "getty@tty1.service and @reboot and a@b stay");
  const auto text = exhibit("log");
  EXPECT_THAT(text, AllOf(HasSubstr("from (address), to <(address)>"),
                          HasSubstr("Bearer (left out), then"), HasSubstr("token=(left out) HTTP"),
                          HasSubstr("getty@tty1.service and @reboot and a@b stay")));
}

TEST_F(ADiagnosis, IsNotMadeOfASecretInWhateverForm) {
  const auto secret = read("opt/secrets/operator-token");
  ASSERT_GE(secret.size(), 32U);
  logs("it said " + secret.substr(0, secret.find('\n')));
  expect_kept_back("the value of the secret 'operator-token'");
  top_.write("opt/secrets/other", "0123456789abcdefXYZ\n");
  logs("in base64: MDEyMzQ1Njc4OWFiY2RlZlhZWg==");
  expect_kept_back("'other' (base64");
  // One that is short counts where it stands alone.
  top_.write("opt/secrets/short", "hunter2\n");
  logs("the password is \"hunter2\"");
  expect_kept_back("'short'");
  logs("hunter22 is no password of ours");
  EXPECT_TRUE(check_exhibits(premises_, gather(premises_, {})));
  logs(
      "-----BEGIN PRIVATE "
      "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8c\n");
  expect_kept_back("a private key");
  EXPECT_TRUE(check_exhibits(premises_, gather(premises_, {"log", "systemd"})));
}

TEST_F(ADiagnosis, IsNotMadeWhereTheSecretsCannotBeRead) {
  top_.write("opt/secrets/large", std::string((std::size_t{1} << 20) + 1, 'a'));
  const auto checked = check_exhibits(premises_, gather(premises_, {}));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::host_read);
}

TEST_F(ADiagnosis, IsBounded) {
  logs(std::string(3 << 20, 'a') + "\nthe end");
  const auto text = exhibit("log");
  EXPECT_LT(text.size(), std::size_t{2} << 20);
  EXPECT_THAT(text, AllOf(HasSubstr("(the beginning is left out)"), HasSubstr("the end")));
}

TEST_F(ADiagnosis, OfASiteThatCannotBeReadSaysSo) {
  top_.write("opt/journal", "format 7\n");
  EXPECT_THAT(exhibit("releases"), HasSubstr("no journal that can be read"));
  EXPECT_THAT(exhibit("doctor"), HasSubstr("journal"));
  EXPECT_THAT(exhibit("units"), HasSubstr("nothing is installed"));
}

}  // namespace
}  // namespace caisson::installer
