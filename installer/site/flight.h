#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/site/change.h"
#include "installer/site/tree.h"

namespace caisson::installer {

// Below the data of a product, while it is changed:
inline constexpr std::string_view kCopies = ".before";    ///< what was there
inline constexpr std::string_view kDropped = ".dropped";  ///< what an undone change made of it

/// Carries a change from the step that the journal says to its end, or back.
class Pilot {
 public:
  /// `journal` has a flight. `delivery` is null for a change that needs no bundle any more.
  Pilot(const Premises& premises, Journal journal, const Delivery* delivery);

  /// Does every step that is not done yet. When one fails before `committed`, the change is undone.
  [[nodiscard]] Checked<Outcome> fly();
  /// Finishes what is committed, and undoes everything else.
  [[nodiscard]] Checked<Outcome> land();
  /// Does every step that is not done yet, and undoes none.
  [[nodiscard]] Checked<Outcome> go_on();
  /// Undoes a change that is not committed, since somebody wants it.
  [[nodiscard]] Checked<Outcome> turn_back() { return go_back(std::nullopt); }

 private:
  struct Leg {
    Step step;
    Checked<void> (Pilot::*fly)();
  };

  [[nodiscard]] Checked<Outcome> hold();
  [[nodiscard]] Checked<Outcome> ended(Outcome::Kind kind, const std::optional<Refusal>& why);
  [[nodiscard]] Checked<Outcome> go_back(const std::optional<Refusal>& why);
  [[nodiscard]] Checked<void> reach(Step step);
  [[nodiscard]] Checked<void> save();
  [[nodiscard]] Checked<void> sync_disks();

  // The steps, in flight_steps.cc.
  [[nodiscard]] Checked<void> stage();
  [[nodiscard]] Checked<void> prepare();
  [[nodiscard]] Checked<void> check_old();
  [[nodiscard]] Checked<void> examine();
  [[nodiscard]] Checked<void> quiesce();
  [[nodiscard]] Checked<void> back_up();
  [[nodiscard]] Checked<void> convert();
  [[nodiscard]] Checked<void> switch_over();
  [[nodiscard]] Checked<void> try_out();
  [[nodiscard]] Checked<void> commit();
  [[nodiscard]] Checked<void> open();
  [[nodiscard]] Checked<void> clean_up();

  // How each is taken back, in flight_undo.cc.
  [[nodiscard]] Checked<void> restore_data();
  [[nodiscard]] Checked<void> remove_copies();
  [[nodiscard]] Checked<void> undo_install();
  [[nodiscard]] Checked<void> undo_switch();
  [[nodiscard]] Checked<void> run_old();
  [[nodiscard]] Checked<void> remove_everything();
  [[nodiscard]] Checked<void> remove_data();

  [[nodiscard]] Checked<void> close_door();
  [[nodiscard]] Checked<void> stop_all();
  [[nodiscard]] Checked<void> run_closed(const StagedRelease& release);
  [[nodiscard]] Checked<void> disable(std::string_view release);
  [[nodiscard]] Checked<void> open_with(const StagedRelease& release);
  [[nodiscard]] Checked<void> make_spare();
  [[nodiscard]] Checked<void> retire();
  [[nodiscard]] Checked<const StagedRelease*> old_release();
  [[nodiscard]] Checked<const StagedRelease*> new_release();
  [[nodiscard]] Checked<std::vector<const StagedRelease*>> on_disk();
  [[nodiscard]] Flight& flight() { return *journal_.flight; }

  const Premises& premises_;
  Journal journal_;
  const Delivery* delivery_;
  std::optional<StagedRelease> old_;
  std::optional<StagedRelease> new_;
  Totals totals_;
  TreeSum installed_;
  Isolation isolation_;
  bool leaked_before_ = false;      ///< the installed release does not keep its tenants apart
  std::optional<Refusal> leaking_;  ///< and the new one does not, either
};

/// Writes a release off its medium to its directory.
[[nodiscard]] Checked<Totals> stage_release(const Premises& premises, const Delivery& delivery,
                                            const std::string& release);

}  // namespace caisson::installer
