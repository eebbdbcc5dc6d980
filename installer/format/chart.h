#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/lines.h"

namespace caisson::installer {

/// A secret that has to be there before a chart is installed.
struct ChartSecret {
  enum class Source {
    given,     ///< a Secret of this name in the release's namespace, unless the values give it
    existing,  ///< a Secret of this name in every namespace that reads it
    store,     ///< a ClusterSecretStore of this name has it
  };
  Source source = Source::given;
  std::string name;
  std::string key;
};

/// Something that runs, as kubectl names it.
struct ChartWorkload {
  std::string place;     ///< its namespace; empty for the release's
  std::string resource;  ///< "statefulset/runtime"

  friend bool operator==(const ChartWorkload&, const ChartWorkload&) = default;
};

/// A runtime of a chart, and how it is asked.
struct ChartRuntime {
  ChartWorkload workload;
  std::string name;  ///< instance of the spec
  std::uint16_t data = 0;
  std::uint16_t operator_api = 0;
  std::string token;      ///< the Secret with the token of its operator API
  std::string token_key;  ///< and the key in it
};

/// What a release in its helm form needs of a cluster: the text SITE of its chart.
struct ChartNeeds {
  std::string product;
  std::string space;               ///< the namespace that it is made for; a site may choose another
  std::string environment;         ///< of the spec; empty for none
  std::uint64_t oldest_major = 0;  ///< of Kubernetes; 0 where the chart alone can tell
  std::uint64_t oldest_minor = 0;
  std::vector<std::string> places;  ///< namespaces that the chart makes
  std::vector<ChartSecret> secrets;
  std::vector<ChartWorkload> workloads;
  std::vector<ChartRuntime> runtimes;
};

/// The chart of a product among the files of a release, and its SITE.
[[nodiscard]] std::string chart_path(std::string_view product);
[[nodiscard]] std::string chart_needs_path(std::string_view product);

/// Whether this may be a namespace of Kubernetes (a label of RFC 1123).
[[nodiscard]] bool is_namespace(std::string_view text);

/// Reads it, and checks what can be told from it alone.
[[nodiscard]] Checked<ChartNeeds> read_chart_needs(std::string_view text);

/// Writes what `read_chart_needs` reads, in its one form.
[[nodiscard]] std::string write_chart_needs(const ChartNeeds& needs);

}  // namespace caisson::installer
