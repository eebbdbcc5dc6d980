#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/checks.h"
#include "generator/spec/deployment.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// What every check reads and reports through. Places are pointers into the merged spec; they are
/// looked up only when there is something to report.
class Checker {
 public:
  Checker(const Deployment& deployment, const Node& document, const source::SourceSet& sources,
          const CheckOptions& options, source::Diagnostics& diagnostics,
          std::set<std::size_t>& used_waivers)
      : deployment_(deployment),
        options_(options),
        document_(document),
        sources_(sources),
        diagnostics_(diagnostics),
        used_waivers_(used_waivers) {}

  [[nodiscard]] const Deployment& deployment() const { return deployment_; }
  [[nodiscard]] const CheckOptions& options() const { return options_; }
  /// The merged spec as it is written.
  [[nodiscard]] const Node& document() const { return document_; }

  /// The value at the pointer, or what comes nearest to it.
  [[nodiscard]] source::Span value(std::string_view pointer) const;
  /// The key at the end of the pointer, or what comes nearest to it.
  [[nodiscard]] source::Span key(std::string_view pointer) const;
  [[nodiscard]] bool written(std::string_view pointer) const;
  /// Whether any value outside `secrets` names the secret, also one that was of no use.
  [[nodiscard]] bool mentioned(std::string_view secret) const;
  /// "line 6", with the file's name when it is another file than `from`.
  [[nodiscard]] std::string line(source::Span of, source::Span from) const;

  void refuse(std::string_view code, source::Span where, std::string message,
              std::string remedy = {}, std::vector<source::Span> related = {}) const;
  /// A warning about a field ("services.web.image"), unless the spec waives it there.
  void warn(std::string_view code, source::Span where, std::string_view field, std::string message,
            std::string remedy = {}, bool error_when_strict = false) const;

 private:
  /// Notes every waiver that accepts the warning.
  [[nodiscard]] bool waived(std::string_view code, std::string_view field) const;

  const Deployment& deployment_;
  const CheckOptions& options_;
  const Node& document_;
  const source::SourceSet& sources_;
  source::Diagnostics& diagnostics_;
  std::set<std::size_t>& used_waivers_;
};

/// Whether the tenant's tier gives it a deployment of its own.
[[nodiscard]] bool has_own_deployment(const Deployment& deployment, const Tenant& tenant);

// One function for each subject.
void check_tenancy(const Checker& checker);
void check_workloads(const Checker& checker);
void check_secrets(const Checker& checker);
void check_mounts(const Checker& checker);
void check_host(const Checker& checker);     ///< of target `systemd`
void check_cluster(const Checker& checker);  ///< of target `helm`
void check_network(const Checker& checker);
void check_operations(const Checker& checker);

}  // namespace caisson::spec
