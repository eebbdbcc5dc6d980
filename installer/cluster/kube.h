#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "installer/host/host.h"

namespace caisson::installer {

/// One revision of a release, as Helm keeps it.
struct Revision {
  std::uint64_t number = 0;
  std::string status;  ///< "deployed", "superseded", "failed", "pending-upgrade"

  /// Helm was killed while it worked on it, or works on it now.
  [[nodiscard]] bool pending() const { return status.starts_with("pending-"); }
};

/// The version of a program or a cluster; zeros where it says none.
struct ToolVersion {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::string shown;  ///< "v1.32.2"
};

/// A chart, and what it is installed with. Paths are absolute.
struct ChartCall {
  std::string chart;
  std::vector<std::string> values;  ///< files, the last one counts most
  bool shut = false;                ///< nobody is served
};

/// A product's release in a cluster, by the helm and kubectl of whoever called this program, with
/// the cluster and the account that they choose. What a cluster does not answer is
/// `Code::no_cluster`, what helm does not do `Code::helm_failed`.
class Kube {
 public:
  /// Refuses a host without one of the two programs (`Code::no_client`).
  [[nodiscard]] static Checked<Kube> find(Host& host, std::string product);

  /// The namespace of the release, and of what names none.
  [[nodiscard]] const std::string& space() const { return space_; }
  void set_space(std::string space) { space_ = std::move(space); }

  /// What kubectl says on standard output; `space` is empty for the release's namespace.
  [[nodiscard]] Checked<std::string> ask(std::string_view space,
                                         std::vector<std::string> words) const;
  /// The same, as lines.
  [[nodiscard]] Checked<std::vector<std::string>> ask_lines(std::string_view space,
                                                            std::vector<std::string> words) const;
  /// A kubectl that runs beside others until what it gives goes; it has said so many lines.
  [[nodiscard]] Checked<std::unique_ptr<Companion>> beside(std::string_view space,
                                                           std::vector<std::string> words,
                                                           std::size_t lines) const;

  /// The UID of kube-system: no two clusters have one.
  [[nodiscard]] Checked<std::string> cluster() const;
  [[nodiscard]] Checked<ToolVersion> kubernetes() const;
  [[nodiscard]] Checked<ToolVersion> helm() const;
  [[nodiscard]] Checked<bool> has(std::string_view space, std::string_view resource) const;

  /// All revisions of the release, the oldest first.
  [[nodiscard]] Checked<std::vector<Revision>> revisions() const;
  /// What a chart would become: helm's whole text, checked by the cluster.
  [[nodiscard]] Checked<Ended> render(const ChartCall& call, bool upgrade) const;
  /// Installs a chart or upgrades to it, and waits until everything of it is ready.
  [[nodiscard]] Checked<void> apply(const ChartCall& call) const;
  [[nodiscard]] Checked<void> roll_back(std::uint64_t revision) const;
  /// Removes the release and waits until what it had is gone; nothing there is fine.
  [[nodiscard]] Checked<void> remove() const;

 private:
  Kube(Host& host, std::string product) : host_(&host), product_(std::move(product)) {}

  [[nodiscard]] Checked<Ended> run_helm(std::vector<std::string> words,
                                        std::size_t most = 4096) const;
  [[nodiscard]] Checked<void> done_by_helm(std::vector<std::string> words) const;
  [[nodiscard]] Command command(const std::string& program, std::string_view space,
                                std::vector<std::string> words) const;

  Host* host_;
  std::string product_;
  std::string space_;
  std::string helm_;
  std::string kubectl_;
};

}  // namespace caisson::installer
