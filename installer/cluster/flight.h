#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "installer/cluster/premises.h"
#include "installer/format/journal.h"
#include "installer/site/course.h"
#include "installer/site/tree.h"

namespace caisson::installer {

/// Carries a change in a cluster.
class ClusterPilot final : public Course {
 public:
  /// `journal` has a flight and a cluster. `delivery` is null for a change that needs no bundle any
  /// more.
  ClusterPilot(ClusterPremises& premises, Journal journal, const ClusterDelivery* delivery)
      : Course(premises.site, std::move(journal)), premises_(premises), delivery_(delivery) {}

 private:
  [[nodiscard]] std::vector<Leg> legs() override;
  [[nodiscard]] Checked<void> undo() override;
  [[nodiscard]] Checked<Outcome> ended(Outcome::Kind kind,
                                       const std::optional<Refusal>& why) override;

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
  [[nodiscard]] ClusterSite& cluster() { return *journal_.cluster; }

  ClusterPremises& premises_;
  const ClusterDelivery* delivery_;
  std::optional<ChartRelease> old_;
  std::optional<ChartRelease> new_;
  Totals totals_;
  TreeSum installed_;
};

}  // namespace caisson::installer
