#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "installer/site/change.h"

namespace caisson::installer {

/// Carries a change from the step that the journal says to its end, or back: which step is next and
/// what the journal says of it. What is done at each step is for those who derive from it.
class Course {
 public:
  Course(const Course&) = delete;
  Course& operator=(const Course&) = delete;
  virtual ~Course() = default;

  /// Does every step that is not done yet. When one fails before `committed`, the change is undone.
  [[nodiscard]] Checked<Outcome> fly();
  /// Finishes what is committed, and undoes everything else.
  [[nodiscard]] Checked<Outcome> land();
  /// Does every step that is not done yet, and undoes none.
  [[nodiscard]] Checked<Outcome> go_on();
  /// Undoes a change that is not committed, since somebody wants it.
  [[nodiscard]] Checked<Outcome> turn_back() { return go_back(std::nullopt); }

 protected:
  struct Leg {
    Step step;
    std::function<Checked<void>()> fly;
  };

  /// `journal` has a flight. The premises outlive this.
  Course(const Premises& premises, Journal journal)
      : journal_(std::move(journal)), premises_(premises) {}

  /// The steps of the change, in their order.
  [[nodiscard]] virtual std::vector<Leg> legs() = 0;
  /// Takes back every step that was done; again as well, after it was interrupted.
  [[nodiscard]] virtual Checked<void> undo() = 0;
  /// Leaves nothing of the change but what it was for, and says what became of it.
  [[nodiscard]] virtual Checked<Outcome> ended(Outcome::Kind kind,
                                               const std::optional<Refusal>& why) = 0;

  /// A step is done, durably.
  [[nodiscard]] Checked<void> reach(Step step);
  /// Writes the journal, which says only what is durable.
  [[nodiscard]] Checked<void> save();
  /// In the journal, the release that comes is the installed one from here on; after an uninstall,
  /// none. `release` is the number of the one that comes.
  [[nodiscard]] Checked<void> adopt(const std::optional<Release>& release);
  [[nodiscard]] Flight& flight() { return *journal_.flight; }

  Journal journal_;
  Isolation isolation_;
  std::optional<Refusal>
      leaking_;  ///< the old release does not keep its tenants apart, nor the new

 private:
  [[nodiscard]] Checked<Outcome> go_back(const std::optional<Refusal>& why);
  [[nodiscard]] Checked<Outcome> hold();
  [[nodiscard]] Checked<void> sync_disks();

  const Premises& premises_;
};

}  // namespace caisson::installer
