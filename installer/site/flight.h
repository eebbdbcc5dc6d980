#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/site/change.h"
#include "installer/site/course.h"
#include "installer/site/tree.h"

namespace caisson::installer {

// Below the data of a product, while it is changed:
inline constexpr std::string_view kCopies = ".before";    ///< what was there
inline constexpr std::string_view kDropped = ".dropped";  ///< what an undone change made of it

/// Carries a change of a host.
class Pilot final : public Course {
 public:
  /// `journal` has a flight. `delivery` is null for a change that needs no bundle any more.
  Pilot(const Premises& premises, Journal journal, const Delivery* delivery);

 private:
  [[nodiscard]] std::vector<Leg> legs() override;
  [[nodiscard]] Checked<void> undo() override;
  [[nodiscard]] Checked<Outcome> ended(Outcome::Kind kind,
                                       const std::optional<Refusal>& why) override;

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
  /// Releases go, and with them what says which accounts they have made.
  [[nodiscard]] Checked<void> note_accounts(const std::vector<std::string>& going,
                                            const std::vector<std::string>& staying);
  [[nodiscard]] Checked<const StagedRelease*> old_release();
  [[nodiscard]] Checked<const StagedRelease*> new_release();
  [[nodiscard]] Checked<std::vector<const StagedRelease*>> on_disk();

  const Premises& premises_;
  const Delivery* delivery_;
  std::optional<StagedRelease> old_;
  std::optional<StagedRelease> new_;
  Totals totals_;
  TreeSum installed_;
  std::string in_engine_;       ///< what an uninstall could not remove from the engine
  bool leaked_before_ = false;  ///< the installed release does not keep its tenants apart
};

/// Writes a release off its medium to its directory.
[[nodiscard]] Checked<Totals> stage_release(const Premises& premises, const Delivery& delivery,
                                            const std::string& release);

}  // namespace caisson::installer
