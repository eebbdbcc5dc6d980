#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/deployment.h"
#include "generator/spec/document.h"
#include "generator/spec/spec.h"

namespace caisson::spec {

/// The files that a spec names and that lie beside it. Each is read once, however many environments
/// name it.
class SideFiles {
 public:
  SideFiles(const LoadOptions& options, source::SourceSet& sources)
      : options_(options), sources_(sources) {}

  /// Puts the rows of a tenant list in the place of `tenants: { file: ... }`, so that everything
  /// after it sees one list whose places lie in that file. A map that is not just that is left to
  /// be refused by whoever decodes it.
  void read_tenant_list(Node& spec, source::Diagnostics& diagnostics);

  /// Reads the manifest of every service that names one under `module`.
  void read_manifests(Deployment& deployment, const Node& document,
                      source::Diagnostics& diagnostics);

 private:
  /// The number of the source that `path` names; empty after a report.
  [[nodiscard]] std::optional<std::uint32_t> open(const Node& path,
                                                  source::Diagnostics& diagnostics);

  const LoadOptions& options_;
  source::SourceSet& sources_;
  std::map<std::string, std::uint32_t> opened_;
};

}  // namespace caisson::spec
