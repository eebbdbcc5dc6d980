#pragma once

#include <optional>
#include <string>

#include "installer/cluster/premises.h"
#include "installer/format/journal.h"
#include "installer/site/tree.h"

namespace caisson::installer {

/// Carries a change in a cluster from the step that the journal says to its end, or back.
class ClusterPilot {
 public:
  /// `journal` has a flight and a cluster. `delivery` is null for a change that needs no bundle any
  /// more.
  ClusterPilot(ClusterPremises& premises, Journal journal, const ClusterDelivery* delivery)
      : premises_(premises), journal_(std::move(journal)), delivery_(delivery) {}

  /// Does every step that is not done yet. When one fails before `committed`, the change is undone.
  [[nodiscard]] Checked<Outcome> fly();
  /// Finishes what is committed, and undoes everything else.
  [[nodiscard]] Checked<Outcome> land();

 private:
  struct Leg {
    Step step;
    Checked<void> (ClusterPilot::*fly)();
  };

  [[nodiscard]] Checked<Outcome> go_on();
  [[nodiscard]] Checked<Outcome> go_back(const std::optional<Refusal>& why);
  [[nodiscard]] Checked<Outcome> ended(Outcome::Kind kind, const std::optional<Refusal>& why);
  [[nodiscard]] Checked<void> reach(Step step);
  [[nodiscard]] Checked<void> save();

  // The steps.
  [[nodiscard]] Checked<void> stage();
  [[nodiscard]] Checked<void> prepare();
  [[nodiscard]] Checked<void> examine();
  [[nodiscard]] Checked<void> check_old();
  [[nodiscard]] Checked<void> bring_images();
  [[nodiscard]] Checked<void> switch_over();
  [[nodiscard]] Checked<void> switch_back();
  [[nodiscard]] Checked<void> try_out();
  [[nodiscard]] Checked<void> commit();
  [[nodiscard]] Checked<void> open();
  [[nodiscard]] Checked<void> remove_everything();

  // How they are taken back.
  [[nodiscard]] Checked<void> undo_install();
  [[nodiscard]] Checked<void> undo_switch();
  [[nodiscard]] Checked<void> remove_spaces(const std::vector<std::string>& spaces);

  [[nodiscard]] Checked<void> choose_space(const ChartRelease& release);
  [[nodiscard]] Checked<void> make_spaces();
  [[nodiscard]] Checked<std::uint64_t> deployed();
  [[nodiscard]] Checked<void> clean_up();
  [[nodiscard]] Checked<const ChartRelease*> release(std::string_view name);
  [[nodiscard]] std::string directory(std::string_view name) const;
  [[nodiscard]] Flight& flight() { return *journal_.flight; }
  [[nodiscard]] ClusterSite& cluster() { return *journal_.cluster; }

  ClusterPremises& premises_;
  Journal journal_;
  const ClusterDelivery* delivery_;
  std::optional<ChartRelease> old_;
  std::optional<ChartRelease> new_;
  Totals totals_;
  TreeSum installed_;
  Isolation isolation_;
};

}  // namespace caisson::installer
