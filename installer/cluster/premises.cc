#include "installer/cluster/premises.h"

#include "base/json_text.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfValues = std::size_t{1} << 20;

}  // namespace

Checked<ChartRelease> load_chart_in(const Premises& premises, std::string_view directory) {
  const auto& disk = premises.disks.site;
  const auto text = read_file(disk, below(directory, "MANIFEST"), kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto manifest = read_manifest(*text);
  if (!manifest) return tl::unexpected(manifest.error());
  if (auto fault = fault_of_form(*manifest, Form::helm)) return tl::unexpected(*fault);
  const auto path = chart_needs_path(premises.product);
  const auto site = read_file(disk, below(directory, "tree/" + path), kMostOfText);
  if (!site) return refuse(Code::wrong_form, "the release has no " + path);
  auto needs = read_chart_needs(*site);
  if (!needs) return tl::unexpected(needs.error());
  if (needs->product != premises.product || manifest->envelope.product != premises.product) {
    return refuse(Code::damaged, std::string(directory) + " is of another product");
  }
  return ChartRelease{.name = release_name(manifest->envelope.release, sha256(*text)),
                      .manifest = *std::move(manifest),
                      .needs = *std::move(needs)};
}

Checked<ChartRelease> load_chart(const Premises& premises, std::string_view name) {
  auto release = load_chart_in(premises, release_path(name));
  if (release && release->name != name) {
    return refuse(Code::damaged, release_path(name) + "/MANIFEST is of another release");
  }
  return release;
}

ChartCall chart_in(const std::string& directory, std::string_view product, bool shut) {
  return {
      .chart = directory + "/tree/" + chart_path(product),
      .values = {directory + "/" + std::string(kSiteValues), directory + "/" + std::string(kPins)},
      .shut = shut};
}

Checked<void> write_values(Disk& site, std::string_view directory,
                           const std::map<std::string, std::string>& pins,
                           const std::string& values) {
  // What is JSON is YAML as well.
  std::string json = R"({"pinnedImages":{)";
  for (const auto& [name, reference] : pins) {
    json += (json.ends_with('{') ? "" : ",") + json_string(name) + ":" + json_string(reference);
  }
  if (auto done = replace_file(site, below(directory, kPins), json + "}}\n", 0600); !done) {
    return done;
  }
  return replace_file(site, below(directory, kSiteValues), values, 0600);
}

Checked<std::string> values_of(const Disk& site, std::string_view release) {
  if (release.empty()) return std::string();
  return read_file(site, below(release_path(release), kSiteValues), kMostOfValues);
}

}  // namespace caisson::installer
