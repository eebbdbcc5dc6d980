#include "runtime/observe/budget.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace caisson::observe {
namespace {

/// Takes as much as it is given, by the hundred.
std::size_t fill(Charge& charge) {
  while (charge.resize(charge.bytes() + 100)) {
  }
  return charge.bytes();
}

TEST(Share, IsHalfOfWhatItLeavesFree) {
  const auto budget = std::make_shared<Budget>(90'000);
  Charge first(std::make_shared<Share>(budget));
  EXPECT_EQ(fill(first), 30'000U) << "alone: a third";
  EXPECT_TRUE(first.share()->full());
  Charge second(std::make_shared<Share>(budget));
  EXPECT_EQ(fill(second), 20'000U);
  EXPECT_EQ(budget->used(), 50'000U);
  EXPECT_EQ(budget->used(Use::request), 50'000U);
  EXPECT_EQ(budget->refused(Use::request), 2U);
  first.set(0);
  EXPECT_FALSE(second.share()->full());
}

TEST(Share, LeavesRoomHoweverManyAreGreedy) {
  const auto budget = std::make_shared<Budget>(std::size_t{1} << 20);
  std::vector<Charge> charges;
  for (int i = 0; i < 8; ++i) {
    charges.emplace_back(std::make_shared<Share>(budget));
    fill(charges.back());
  }
  for (Charge& charge : charges) fill(charge);
  EXPECT_GE(budget->limit() - budget->used(), budget->limit() / 200);
  Charge quiet(std::make_shared<Share>(budget));
  EXPECT_TRUE(quiet.resize(4000));
}

TEST(Share, FitsOneWhateverItsSize) {
  const auto budget = std::make_shared<Budget>(1000);
  Charge one(std::make_shared<Share>(budget));
  EXPECT_TRUE(one.resize(1000));
  EXPECT_FALSE(one.resize(1001));
  EXPECT_EQ(one.bytes(), 1000U) << "a refusal changes nothing";
  one.set(5000);
  EXPECT_EQ(budget->used(), 5000U) << "what is there already is counted";
}

TEST(Share, OfManyLeavesAThird) {
  const auto budget = std::make_shared<Budget>(900);
  Charge proxy(std::make_shared<Share>(budget, Share::Bound::many));
  ASSERT_TRUE(proxy.resize(1));
  EXPECT_FALSE(proxy.resize(601));
  EXPECT_TRUE(proxy.resize(600));
  Charge tenant(std::make_shared<Share>(budget));
  EXPECT_TRUE(tenant.resize(100));
}

TEST(Charge, IsGivenBackOnce) {
  const auto budget = std::make_shared<Budget>(1000);
  {
    Charge one(std::make_shared<Share>(budget), Use::answer);
    ASSERT_TRUE(one.resize(10));
    Charge two = std::move(one);
    Charge three(std::make_shared<Share>(budget));
    three.set(5);
    three = std::move(two);
    EXPECT_EQ(budget->used(Use::answer), 10U);
  }
  EXPECT_EQ(budget->used(), 0U);
  Charge nobody;
  EXPECT_TRUE(nobody.resize(std::size_t{1} << 40)) << "without a share everything fits";
}

TEST(Share, CountsExactlyFromManyThreads) {
  const auto budget = std::make_shared<Budget>(100'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget, t] {
      const auto share = std::make_shared<Share>(budget);
      for (std::size_t i = 0; i < 20'000; ++i) {
        Charge charge(share, t % 2 == 0 ? Use::request : Use::answer);
        static_cast<void>(charge.resize(i % 997));
        charge.set(i % 13);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget->used(), 0U);
  EXPECT_EQ(budget->used(Use::request), 0U);
  EXPECT_EQ(budget->used(Use::answer), 0U);
}

}  // namespace
}  // namespace caisson::observe
