#include "installer/format/journal.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace caisson::installer {
namespace {

Journal sample() {
  const auto old = release_name({.epoch = 1, .sequence = 1'000'000}, sha256("old"));
  const auto now = release_name({.epoch = 1, .sequence = 1'000'001}, sha256("now"));
  return {
      .product = "shop",
      .root = 2,
      .floor = Floor{.release = {.epoch = 1, .sequence = 1'000'000}, .manifest = sha256("old")},
      .installed = old,
      .previous = release_name({.epoch = 1, .sequence = 3}, sha256("first")),
      .staged = release_name({.epoch = 1, .sequence = 1'000'002}, sha256("staged")),
      .refused = {{now, "B0417"}},
      .flight = Flight{.change = Change::update, .step = Step::quiesced, .from = old, .to = now}};
}

Code code_of(std::string_view text) {
  const auto read = read_journal(text);
  EXPECT_FALSE(read.has_value()) << text;
  return read ? Code::host_write : read.error().code;
}

TEST(AJournal, IsReadAsItWasWritten) {
  auto journal = sample();
  const auto text = write_journal(journal);
  const auto read = read_journal(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(write_journal(*read), text);
  EXPECT_EQ(read->flight->step, Step::quiesced);
  EXPECT_EQ(read->floor->manifest, sha256("old"));

  journal.flight = Flight{.change = Change::uninstall,
                          .step = Step::committed,
                          .from = journal.installed,
                          .to = {},
                          .keep_data = true};
  const auto uninstalls = read_journal(write_journal(journal));
  ASSERT_TRUE(uninstalls) << uninstalls.error().what;
  EXPECT_TRUE(uninstalls->flight->keep_data);

  journal.flight->from.clear();
  EXPECT_TRUE(read_journal(write_journal(journal))) << "what was kept is removed later";

  const auto first = read_journal(write_journal({.product = "shop"}));
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_TRUE(first->installed.empty());
  EXPECT_FALSE(first->flight);
}

TEST(AJournal, SaysTheFormWhereItIsNotSystemd) {
  auto journal = sample();
  EXPECT_EQ(write_journal(journal).find("form "), std::string::npos);
  journal.form = Form::compose;
  const auto text = write_journal(journal);
  EXPECT_NE(text.find("product shop\nform compose\nroot 2\n"), std::string::npos) << text;
  const auto read = read_journal(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->form, Form::compose);
  EXPECT_EQ(code_of("format 1\nproduct shop\nform systemd\nroot 0\n"), Code::text_line);
  EXPECT_EQ(code_of("format 1\nproduct shop\nform kayak\nroot 0\n"), Code::text_line);
}

TEST(AJournal, NamesTheAccountsOfReleasesThatAreGone) {
  auto journal = sample();
  journal.made = {{.name = "shop", .instance = {}},
                  {.name = "shop-a-name-that-was-c-0123abcd", .instance = "a-name-that-was-cut"},
                  {.name = "till-edge", .instance = "edge"}};
  const auto text = write_journal(journal);
  EXPECT_NE(
      text.find("account shop-a-name-that-was-c-0123abcd a-name-that-was-cut\naccount till-edge "
                "edge\ngroup shop\nchange "),
      std::string::npos)
      << text;
  const auto read = read_journal(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(write_journal(*read), text);
  EXPECT_EQ(read->made.size(), 3U);
  const std::string begin = "format 1\nproduct shop\nroot 1\n";
  EXPECT_EQ(code_of(begin + "account shop-edge\n"), Code::text_line);
  EXPECT_EQ(code_of(begin + "account shop:edge edge\n"), Code::text_line);
  EXPECT_EQ(code_of(begin + "group shop\ngroup shop\n"), Code::text_order);
  EXPECT_EQ(code_of(begin + "group shop\naccount shop-edge edge\n"), Code::text_key);
  journal.made.clear();
  for (std::size_t i = 0; i <= kMostMade; ++i) {
    journal.made.push_back({.name = "shop-" + std::to_string(i), .instance = "a"});
  }
  EXPECT_EQ(code_of(write_journal(journal)), Code::too_many);
}

TEST(AJournal, NamesTheClusterAndWhatWasMadeThere) {
  auto journal = sample();
  journal.form = Form::helm;
  journal.cluster = ClusterSite{.id = "0b6c2f44-6a6b",
                                .space = "shop",
                                .registry = "registry.example:5000/shop",
                                .revision = 4,
                                .previous = 2,
                                .made = {"shop", "shop-umbrella"},
                                .used = {"shop-globex"}};
  journal.flight->making = {"shop-initech"};
  const auto text = write_journal(journal);
  const auto read = read_journal(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(write_journal(*read), text);
  EXPECT_EQ(read->cluster->revision, 4U);
  EXPECT_EQ(read->cluster->used, std::vector<std::string>{"shop-globex"});
  EXPECT_EQ(read->flight->making, std::vector<std::string>{"shop-initech"});
  auto twice = journal;
  twice.cluster->made.emplace_back("shop");
  EXPECT_EQ(code_of(write_journal(twice)), Code::text_order);
  twice.cluster->made = {"--all"};
  EXPECT_EQ(code_of(write_journal(twice)), Code::text_line);
}

TEST(AJournal, WritesEveryStepAndChange) {
  for (int change = 0; change <= static_cast<int>(Change::update); ++change) {
    for (int step = 0; step <= static_cast<int>(Step::undone); ++step) {
      auto journal = sample();
      auto& flight = *journal.flight;
      flight.change = static_cast<Change>(change);
      flight.step = static_cast<Step>(step);
      if (flight.change == Change::install) flight.from.clear();
      if (flight.change == Change::uninstall) flight.to.clear();
      const auto text = write_journal(journal);
      const auto read = read_journal(text);
      ASSERT_TRUE(read) << text << read.error().what;
      EXPECT_EQ(write_journal(*read), text);
    }
  }
}

TEST(AJournal, OfTheFirstVersionIsReadAndRemovesNothing) {
  const auto read = read_journal(
      "format 1\nproduct shop\nroot 1\nchange install verified\nto 1.1000000-0011223344556677\n");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->flight->keep_data);
}

TEST(AJournal, RefusesWhatCannotBe) {
  const auto text = write_journal(sample());
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto copy = text;
    copy.replace(copy.find(from), from.size(), to);
    return copy;
  };
  EXPECT_EQ(code_of(""), Code::text_encoding);
  EXPECT_EQ(code_of(text + "more 1\n"), Code::text_key);
  EXPECT_EQ(code_of(text + text.substr(text.find("change "))), Code::text_key);
  EXPECT_EQ(code_of(changed("format 1", "format 2")), Code::future_format);
  EXPECT_EQ(code_of(changed("update quiesced", "update asleep")), Code::text_line);
  EXPECT_EQ(code_of(changed("update quiesced", "install quiesced")), Code::text_line);
  EXPECT_EQ(code_of(changed("B0417", "B9999")), Code::text_line);
  EXPECT_EQ(code_of(changed("floor 1/", "floor 1-")), Code::text_number);
  EXPECT_EQ(code_of(changed("installed 1.", "installed ../1.")), Code::text_line);
  auto staged = sample();
  staged.staged = staged.installed;
  EXPECT_EQ(code_of(write_journal(staged)), Code::text_line);
  for (std::size_t end = 0; end < text.size(); ++end) {
    // Cut anywhere it is either another journal that is whole, or none.
    if (const auto read = read_journal(text.substr(0, end))) {
      EXPECT_EQ(write_journal(*read), text.substr(0, end));
    }
  }
}

TEST(AReleaseName, IsEpochSequenceAndDigest) {
  EXPECT_TRUE(is_release_name("1.1000000-0011223344556677"));
  for (const auto* text :
       {"", "1", "1.2", "1.2-", "1.2-0011", "1.2-001122334455667g", "01.2-0011223344556677",
        "1/2-0011223344556677", "..-0011223344556677", "1.2-00112233445566778",
        "1-2.0011223344556677", "1.2-0011223344556677/.."}) {
    EXPECT_FALSE(is_release_name(text)) << text;
  }
}

}  // namespace
}  // namespace caisson::installer
