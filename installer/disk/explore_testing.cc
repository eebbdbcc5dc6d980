#include "installer/disk/explore_testing.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace caisson::installer::testing {
namespace {

constexpr std::size_t kMostFaults = 10;

/// A machine just before a call.
struct Moment {
  std::string call;
  Machine machine;
};

/// Runs `what` on the machine; the machine before each call, and at the end.
std::vector<Moment> moments_of(const std::function<void(Machine&)>& what, Machine machine) {
  std::vector<Moment> moments;
  machine.mend();
  machine.watch([&](const std::string& call) { moments.push_back({call, machine}); });
  what(machine);
  moments.push_back({"the end", machine});
  return moments;
}

const char* to_text(Left left) {
  switch (left) {
    case Left::lost:
      return "lost";
    case Left::whole:
      return "whole";
    case Left::cut:
      return "cut";
    case Left::zeros:
      return "zeros";
  }
  return "";
}

std::string describe(const std::string& call, std::span<const Unsure> unsure,
                     std::span<const Left> left) {
  auto text = "crash before: " + call + "\n";
  for (std::size_t i = 0; i < left.size(); ++i) {
    text += "  " + std::string(to_text(left[i])) + ": " + unsure[i].says + "\n";
  }
  return text;
}

class Explorer {
 public:
  Explorer(const Scenario& scenario, const Bounds& bounds) : scenario_(scenario), bounds_(bounds) {}

  Explored all(const Machine& begin) {
    const auto moments = moments_of(scenario_.run, begin);
    explored_.calls = moments.size() - 1;
    for (std::size_t i = 0; i < moments.size(); ++i) crash(moments[i], i);
    fail_calls(scenario_.run, begin, "run");
    const auto failing = std::min(bounds_.failing, plain_.size());
    for (std::size_t i = 0; i < failing; ++i) {
      const auto& [machine, story] = plain_[i * plain_.size() / failing];
      fail_calls(scenario_.recover, machine, story + "then, in the recovery");
    }
    return std::move(explored_);
  }

 private:
  /// Crashes at a moment of the run.
  void crash(const Moment& moment, std::size_t number) {
    const auto unsure = moment.machine.unsure();
    std::size_t way = 0;
    for (const auto& left : survivors(unsure, bounds_.crashes, number)) {
      const auto after = moment.machine.crash(left);
      const auto story = describe(moment.call, unsure, left);
      ++explored_.crashes;
      recover(after, story);
      ++way;
      if (number % bounds_.stride != 0) continue;
      if (way > bounds_.recoveries || !crashed_.insert(after.digest()).second) continue;
      // The first two are everything and nothing.
      if (way <= 2) plain_.emplace_back(after, story);
      const auto again = moments_of(scenario_.recover, after);
      for (std::size_t i = 0; i < again.size(); ++i) {
        crash_again(again[i], bounds_.crashes_again, i, story + "then, in the recovery, ");
      }
    }
  }

  void crash_again(const Moment& moment, std::size_t most, std::size_t salt,
                   const std::string& story) {
    const auto unsure = moment.machine.unsure();
    for (const auto& left : survivors(unsure, most, salt)) {
      ++explored_.again;
      recover(moment.machine.crash(left), story + describe(moment.call, unsure, left));
    }
  }

  /// Lets each call of `what` fail.
  void fail_calls(const std::function<void(Machine&)>& what, const Machine& begin,
                  const std::string& story) {
    for (const int error : {ENOSPC, EIO}) {
      for (const bool forever : {false, true}) {
        for (std::size_t call = 0;; ++call) {
          auto machine = begin;
          machine.fail({.call = call, .error = error, .forever = forever});
          what(machine);
          const auto calls = machine.calls();
          const auto struck = machine.struck();
          machine.mend();
          if (!struck.empty()) {
            ++explored_.failures;
            const auto now = story + ": call " + std::to_string(call) + ", " + struck +
                             ", fails with " + (error == EIO ? "EIO" : "ENOSPC") +
                             (forever ? " for ever\n" : "\n");
            for (const auto& left : survivors(machine.unsure(), bounds_.crashes_failed, call)) {
              ++explored_.failures;
              recover(machine.crash(left), now + describe("the end", machine.unsure(), left));
            }
            if (!machine.shut_down()) verify(std::move(machine), now);
          }
          if (call >= calls) break;
        }
      }
    }
  }

  /// Recovers a disk as a crash left it, unless one like it has been recovered before.
  void recover(const Machine& after, const std::string& story) {
    if (!recovered_.insert(after.digest()).second) return;
    ++explored_.different;
    verify(after, story);
  }

  void verify(Machine machine, const std::string& story) {
    scenario_.recover(machine);
    machine.mend();
    auto fault = scenario_.fault(machine);
    const auto once = machine.digest();
    scenario_.recover(machine);
    if (fault.empty() && machine.digest() != once) fault = "a second recovery changes something";
    if (fault.empty()) return;
    ++explored_.wrong;
    if (explored_.faults.size() < kMostFaults && faults_.insert(fault).second) {
      explored_.faults.push_back(story + fault);
    }
  }

  const Scenario& scenario_;
  const Bounds& bounds_;
  Explored explored_;
  std::vector<std::pair<Machine, std::string>> plain_;
  std::set<std::string> faults_;
  std::set<Digest> recovered_;
  std::set<Digest> crashed_;  ///< disks whose recovery has crashed at each call
};

}  // namespace

std::string Explored::text() const {
  const auto number = [](std::size_t value) { return std::to_string(value); };
  auto text = number(states()) + " states: " + number(crashes) + " crashes at " + number(calls) +
              " calls, " + number(again) + " at calls of recoveries, " + number(failures) +
              " with a call that failed; " + number(different) + " different disks";
  if (wrong > 0) text += "; wrong: " + number(wrong);
  for (const auto& fault : faults) text += "\n" + fault;
  return text;
}

std::vector<std::vector<Left>> survivors(std::span<const Unsure> unsure, std::size_t most,
                                         std::size_t salt) {
  std::vector<std::vector<Left>> all;
  std::size_t possible = 1;
  for (const auto& each : unsure) possible = std::min(possible * each.ways.size(), most + 1);
  const std::vector<Left> none(unsure.size(), Left::lost);
  const std::vector<Left> every(unsure.size(), Left::whole);
  if (possible <= most) {
    all.push_back(every);
    std::vector<std::size_t> digits(unsure.size(), 0);
    for (std::size_t i = 0; i < possible; ++i) {
      auto left = none;
      for (std::size_t k = 0; k < left.size(); ++k) left[k] = unsure[k].ways[digits[k]];
      if (left != every) all.push_back(std::move(left));
      for (std::size_t k = 0; k < digits.size() && ++digits[k] == unsure[k].ways.size(); ++k) {
        digits[k] = 0;
      }
    }
    return all;
  }
  all = {every, none};
  for (const bool names : {true, false}) {
    auto left = none;
    for (std::size_t k = 0; k < left.size(); ++k) {
      if (unsure[k].name == names) left[k] = Left::whole;
    }
    all.push_back(std::move(left));
  }
  std::vector<std::vector<Left>> more;
  for (std::size_t k = 0; k < unsure.size(); ++k) {
    auto before = none;
    std::fill_n(before.begin(), k, Left::whole);
    if (k > 1) more.push_back(std::move(before));
    auto alone = none;
    alone[k] = Left::whole;
    more.push_back(std::move(alone));
    for (const auto way : unsure[k].ways) {
      auto without = every;
      without[k] = way;
      if (way != Left::whole) more.push_back(std::move(without));
    }
  }
  if (more.size() + all.size() < most) {
    for (std::size_t i = 0; i < unsure.size(); ++i) {
      for (std::size_t k = i + 1; k < unsure.size(); ++k) {
        auto left = every;
        left[i] = left[k] = Left::lost;
        more.push_back(std::move(left));
      }
    }
  }
  // Evenly, and others at the next call.
  const auto room = std::min(most > all.size() ? most - all.size() : 0, more.size());
  for (std::size_t i = 0; i < room; ++i) {
    all.push_back(more[(i * more.size() / room + salt) % more.size()]);
  }
  return all;
}

Explored explore(const Machine& begin, const Scenario& scenario, const Bounds& bounds) {
  return Explorer(scenario, bounds).all(begin);
}

}  // namespace caisson::installer::testing
