// What a site answers, from the install to the update after it, on real directories.

#include "installer/site/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/site/change.h"
#include "installer/site/doctor.h"
#include "installer/site/settings.h"
#include "installer/site/site_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Maker;
using testing::ModelHost;
using ::testing::Not;

class ASiteThatAnswers : public ::testing::Test {
 protected:
  ASiteThatAnswers() {
    for (const auto* name : {"etc/systemd", "etc/sysusers.d", "etc/tmpfiles.d"}) {
      fs::create_directories(top_ / name);
    }
    put_release("1.0.0", 1'000'000);
    put_release("1.1.0", 1'001'000);
  }

  void put_release(const std::string& version, std::uint64_t sequence) {
    testing::add_release(maker_, version, sequence, 1, "questions");
    maker_.put_directory(top_ / version);
  }

  Checked<Outcome> bring(const std::string& version, const Answers& answers) {
    const auto bundle = testing::verified(top_ / version, maker_.root_text, testing::site());
    if (!bundle) return tl::unexpected(bundle.error());
    const Reading reading{.threads = 1};
    const Delivery delivery{.bundle = *bundle, .reading = reading, .answers = answers};
    const auto journal = load_journal(*opt_);
    return journal && *journal && !(*journal)->installed.empty() ? update(premises_, delivery)
                                                                 : install(premises_, delivery);
  }

  void expect_refused(const Checked<Outcome>& outcome, Code code, const std::string& what) {
    ASSERT_TRUE(outcome) << outcome.error().what;
    ASSERT_EQ(outcome->kind, Outcome::Kind::rolled_back);
    EXPECT_EQ(outcome->why->code, code) << outcome->why->what;
    EXPECT_THAT(outcome->why->what, HasSubstr(what));
  }

  std::string read(const std::string& path) const { return top_.read(path); }
  unsigned mode(const std::string& path) const { return (**opt_->status(path)).mode; }

  fs::path make(const std::string& name) {
    fs::create_directories(top_ / name);
    return top_ / name;
  }

  const Answers first_{{"domain", "acme.example"}, {"mail-password", "pa$$ \"word\""}};
  Scratch top_;
  Maker maker_;
  std::unique_ptr<Disk> opt_ = *open_disk(make("opt"));
  std::unique_ptr<Disk> data_ = *open_disk(make("data"));
  std::unique_ptr<Disk> etc_ = *open_disk(make("etc"));
  std::unique_ptr<Disk> system_ = *open_disk(top_ / "");
  Disks disks_{*opt_, *data_, *etc_, *system_};
  ModelHost host_{disks_};
  Premises premises_{.product = "shop", .disks = disks_, .host = host_};
};

TEST_F(ASiteThatAnswers, HasItsAnswersInItsConfigurationAndItsSecretsBesideIt) {
  const auto outcome = bring("1.0.0", first_);
  ASSERT_TRUE(outcome && outcome->kind == Outcome::Kind::done)
      << (outcome ? outcome->why->what : outcome.error().what);
  EXPECT_EQ(read("opt/etc/runtime.json"), "runtime of 1.0.0\nlimit 1\ndomain acme.example\n");
  EXPECT_EQ(read("opt/etc/site.json"), "port 443\n");
  EXPECT_EQ(read("opt/etc/answers.env"), "certificates=internal\ndomain=acme.example\nhttps=443\n");
  EXPECT_EQ(mode(release_path(outcome->release) + "/etc/answers.env"), 0644U);
  EXPECT_EQ(read("opt/secrets/mail-password"), "pa$$ \"word\"");
  EXPECT_EQ(mode("secrets/mail-password"), 0600U);
  // Its own authority certifies: the file that units name is there, and empty.
  EXPECT_EQ(read("opt/secrets/edge-certificate"), "");
  // What came off the medium is as it was signed.
  EXPECT_THAT(read("opt/current/tree/systemd/config/runtime.json"), HasSubstr("${answer:domain}"));
  EXPECT_THAT(read("opt/current/install-report.txt"), Not(HasSubstr("pa$$")));
}

TEST_F(ASiteThatAnswers, NamesAllThatIsMissing) {
  expect_refused(bring("1.0.0", {}), Code::missing_answer,
                 "domain: Under which name?; mail-password: Which password?");
  EXPECT_FALSE(fs::exists(top_ / "opt/secrets/operator-token"));
}

TEST_F(ASiteThatAnswers, RefusesWhatIsNoAnswer) {
  auto answers = first_;
  answers["domain"] = "acme.example\nadmin off";
  expect_refused(bring("1.0.0", answers), Code::wrong_answer, "'domain' is not a host name");
  answers = first_;
  answers["certificates"] = "acme";
  expect_refused(bring("1.0.0", answers), Code::wrong_answer, "is none of: files, internal");
  answers = first_;
  answers["domian"] = "acme.example";
  expect_refused(bring("1.0.0", answers), Code::wrong_answer,
                 "does not ask for 'domian'; it asks for certificates, domain");
  answers = first_;
  answers["https"] = "80";
  expect_refused(bring("1.0.0", answers), Code::wrong_answer, "which the release uses");
  host_.taken = {8443};
  answers["https"] = "8443";
  expect_refused(bring("1.0.0", answers), Code::port_taken, "8443");
}

TEST_F(ASiteThatAnswers, KeepsItsAnswersWhenItIsUpdated) {
  auto answers = first_;
  answers["https"] = "8443";
  ASSERT_TRUE(bring("1.0.0", answers));
  const auto outcome = bring("1.1.0", {});
  ASSERT_TRUE(outcome && outcome->kind == Outcome::Kind::done)
      << (outcome ? outcome->why->what : outcome.error().what);
  EXPECT_EQ(read("opt/etc/runtime.json"), "runtime of 1.1.0\nlimit 1\ndomain acme.example\n");
  EXPECT_EQ(read("opt/etc/site.json"), "port 8443\n");
  // The way back has the answers of its own time.
  put_release("1.2.0", 1'002'000);
  ASSERT_EQ(bring("1.2.0", {{"https", "9443"}})->kind, Outcome::Kind::done);
  EXPECT_EQ(read("opt/etc/site.json"), "port 9443\n");
  EXPECT_THAT(read("opt/etc/answers.env"), HasSubstr("domain=acme.example\nhttps=9443\n"));
  ASSERT_EQ(roll_back(premises_)->kind, Outcome::Kind::done);
  EXPECT_EQ(read("opt/etc/site.json"), "port 8443\n");
  EXPECT_THAT(read("opt/etc/answers.env"), HasSubstr("https=8443\n"));
}

TEST_F(ASiteThatAnswers, TellsAnAnswerFromWhatSomebodyHasEdited) {
  ASSERT_TRUE(bring("1.0.0", first_));
  // The release brings the same again: the edit stays.
  top_.write("opt/current/etc/site.json", "port 443\nmine\n");
  ASSERT_EQ(bring("1.1.0", {})->kind, Outcome::Kind::done);
  EXPECT_EQ(read("opt/etc/site.json"), "port 443\nmine\n");
  // Another answer is a change of the release, and both have changed the file.
  put_release("1.2.0", 1'002'000);
  expect_refused(bring("1.2.0", {{"https", "8443"}}), Code::edited_twice, "+ port 8443");
}

TEST_F(ASiteThatAnswers, TakesTheFilesThatAnAnswerNeeds) {
  ASSERT_TRUE(bring("1.0.0", first_));
  expect_refused(bring("1.1.0", {{"certificates", "files"}}), Code::missing_secret,
                 "edge-certificate");
  top_.write("handed/edge-certificate", "PEM");
  const auto handed = open_disk(top_ / "handed");
  premises_.secrets = handed->get();
  ASSERT_EQ(bring("1.1.0", {{"certificates", "files"}})->kind, Outcome::Kind::done);
  EXPECT_EQ(read("opt/secrets/edge-certificate"), "PEM");
  EXPECT_EQ(mode("secrets/edge-certificate"), 0600U);
}

TEST_F(ASiteThatAnswers, KeepsASecretAndSaysSoWhenAnotherIsGiven) {
  ASSERT_TRUE(bring("1.0.0", first_));
  expect_refused(bring("1.1.0", {{"mail-password", "another"}}), Code::wrong_answer,
                 "'mail-password' is another secret than the one that is kept");
  EXPECT_EQ(read("opt/secrets/mail-password"), first_.at("mail-password"));
  // The same file of answers may be given again.
  EXPECT_EQ(bring("1.1.0", first_)->kind, Outcome::Kind::done);
}

TEST_F(ASiteThatAnswers, KeepsItsAnswersWithItsDataWhenItIsUninstalled) {
  auto answers = first_;
  answers["https"] = "8443";
  ASSERT_TRUE(bring("1.0.0", answers));
  const auto outcome = uninstall(premises_, true);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_THAT(outcome->kept, Contains("/opt/shop/answers.env: what was answered"));
  EXPECT_EQ(read("opt/answers.env"), "certificates=internal\ndomain=acme.example\nhttps=8443\n");
  EXPECT_FALSE(fs::exists(top_ / "opt/releases"));
  // Nobody has to answer again, and somebody may.
  ASSERT_EQ(bring("1.1.0", {{"domain", "other.example"}})->kind, Outcome::Kind::done);
  EXPECT_EQ(read("opt/etc/answers.env"),
            "certificates=internal\ndomain=other.example\nhttps=8443\n");
  EXPECT_FALSE(fs::exists(top_ / "opt/answers.env"));
  ASSERT_TRUE(uninstall(premises_, true));
  ASSERT_TRUE(uninstall(premises_, false));
  EXPECT_FALSE(fs::exists(top_ / "opt/answers.env"));
  expect_refused(bring("1.1.0", {}), Code::missing_answer, "domain: Under which name?");
}

TEST_F(ASiteThatAnswers, IsExaminedWithItsAnswersInTheirPlaces) {
  ASSERT_TRUE(bring("1.0.0", first_));
  const auto notes = [&] {
    std::string all;
    for (const auto& finding : examine(premises_)) {
      if (finding.what.starts_with("configuration")) all += finding.is + "\n";
    }
    return all;
  };
  EXPECT_EQ(notes(), "");
  top_.write("opt/current/etc/site.json", "port 444\n");
  EXPECT_THAT(notes(), HasSubstr("site.json was changed here"));
  EXPECT_THAT(notes(), Not(HasSubstr("runtime.json")));
}

TEST_F(ASiteThatAnswers, IsAskedAgainWhereTheReleaseOffersOtherWords) {
  auto answers = first_;
  answers["certificates"] = "internal";
  ASSERT_TRUE(bring("1.0.0", answers));
  testing::add_release(maker_, "1.2.0", 1'002'000, 1, "questions");
  maker_.manifest.questions.front().choices = {"files", "own"};
  maker_.manifest.questions.front().preset = "own";
  maker_.seal();
  maker_.put_directory(top_ / "1.2.0");
  expect_refused(bring("1.2.0", {}), Code::missing_answer,
                 "certificates: From where? (the answer that is kept is none of: files, own)");
  EXPECT_EQ(bring("1.2.0", {{"certificates", "own"}})->kind, Outcome::Kind::done);
}

}  // namespace
}  // namespace caisson::installer
