#include "installer/cluster/requirements.h"

#include <algorithm>
#include <set>

#include "installer/registry/reference.h"

namespace caisson::installer {
namespace {

/// The first that has `--dry-run=server`.
constexpr std::uint64_t kHelmMinor = 13;

using Rows = std::vector<Requirement>;

void add(Rows& rows, std::string what, std::string needs, std::string has, bool met) {
  rows.push_back({.what = std::move(what),
                  .needs = std::move(needs),
                  .has = std::move(has),
                  .met = met,
                  .code = Code::cluster_lacks});
}

std::string shown(const ToolVersion& version) {
  return version.shown.empty() ? "a version that it does not tell" : version.shown;
}

Checked<void> versions(const Kube& kube, const ChartNeeds& needs, Rows& rows) {
  const auto helm = kube.helm();
  if (!helm) return tl::unexpected(helm.error());
  add(rows, "helm", "3.13 or newer", shown(*helm),
      helm->major > 3 || (helm->major == 3 && helm->minor >= kHelmMinor));
  const auto kubernetes = kube.kubernetes();
  if (!kubernetes) return tl::unexpected(kubernetes.error());
  const bool new_enough =
      kubernetes->major > needs.oldest_major ||
      (kubernetes->major == needs.oldest_major && kubernetes->minor >= needs.oldest_minor);
  const auto oldest = std::to_string(needs.oldest_major) + "." + std::to_string(needs.oldest_minor);
  add(rows, "Kubernetes",
      needs.oldest_major == 0 ? "a version of the chart's" : oldest + " or newer",
      shown(*kubernetes), new_enough);
  return {};
}

Checked<void> spaces(const Kube& kube, const ChartNeeds& needs, Rows& rows) {
  const auto missing = missing_spaces(kube, needs);
  if (!missing) return tl::unexpected(missing.error());
  for (const auto& space : spaces_of(kube, needs)) {
    const bool there = std::ranges::find(*missing, space) == missing->end();
    add(rows, "namespace " + space, "there, or made", there ? "there" : "will be made", true);
  }
  return {};
}

Checked<void> secrets(const Kube& kube, const ChartNeeds& needs, const std::string& values,
                      Rows& rows) {
  using Source = ChartSecret::Source;
  for (const auto& secret : needs.secrets) {
    const bool stored = secret.source == Source::store;
    const auto kind = stored ? "clustersecretstore/" : "secret/";
    auto there = kube.has("", kind + secret.name);
    // Not every cluster knows such a kind.
    if (!there && stored) there = false;
    if (!there) return tl::unexpected(there.error());
    // Whoever gives values may give this one with them; the pods tell.
    const bool given = secret.source == Source::given && !values.empty();
    std::string has = *there ? "there" : given ? "perhaps in the site's values" : "missing";
    if (!*there && !given && secret.source == Source::given) {
      has += ": kubectl create secret generic " + secret.name + " --namespace " + kube.space() +
             " --from-file=" + secret.key + "=FILE";
    }
    add(rows, (stored ? "ClusterSecretStore " : "secret ") + secret.name, "there", std::move(has),
        *there || given);
  }
  return {};
}

/// What the rendered chart says behind a key, without quotes.
std::set<std::string> said_of(std::string_view manifest, std::string_view key) {
  std::set<std::string> found;
  while (!manifest.empty()) {
    auto line = manifest.substr(0, manifest.find('\n'));
    manifest.remove_prefix(std::min(line.size() + 1, manifest.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" -"), line.size()));
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \""), line.size()));
    line = line.substr(0, line.find('"'));
    if (!line.empty()) found.emplace(line);
  }
  return found;
}

Checked<void> classes(const Kube& kube, std::string_view manifest, Rows& rows) {
  for (const auto& name : said_of(manifest, "storageClassName:")) {
    const auto there = kube.has("", "storageclass/" + name);
    if (!there) return tl::unexpected(there.error());
    add(rows, "storage class " + name, "there", *there ? "there" : "missing", *there);
  }
  const bool claims = manifest.find("volumeClaimTemplates:") != std::string_view::npos ||
                      manifest.find("kind: PersistentVolumeClaim") != std::string_view::npos;
  if (!claims || manifest.find("storageClassName:") != std::string_view::npos) return {};
  const auto marks = kube.ask_lines(
      "",
      {"get", "storageclasses", "--output",
       R"(jsonpath={range .items[*]}{.metadata.annotations.storageclass\.kubernetes\.io/is-default-class}{"\n"}{end})"});
  if (!marks) return tl::unexpected(marks.error());
  const bool standard = std::ranges::find(*marks, "true") != marks->end();
  const auto volumes = kube.ask_lines("", {"get", "persistentvolumes", "--output", "name"});
  if (!volumes) return tl::unexpected(volumes.error());
  add(rows, "storage class", "a default one, or volumes",
      standard ? "a default one"
               : std::to_string(volumes->size()) + " volumes, and no default class",
      standard || !volumes->empty());
  return {};
}

/// Every image on every node, where no registry serves them.
Checked<void> nodes(const Kube& kube, std::string_view manifest, Rows& rows) {
  const auto lines = kube.ask_lines(
      "",
      {"get", "nodes", "--output",
       R"(jsonpath={range .items[*]}{.metadata.name}{range .status.images[*]}{range .names[*]} {@}{end}{end}{"\n"}{end})"});
  if (!lines) return tl::unexpected(lines.error());
  std::vector<std::string> wanted;
  for (const auto& image : said_of(manifest, "image:")) {
    const auto reference = reference_of(image);
    if (!reference) continue;
    wanted.push_back(
        reference->registry + "/" + reference->repository +
        (reference->digest ? "@" + to_text(*reference->digest) : ":" + reference->tag));
  }
  for (const auto& line : *lines) {
    std::string missing;
    for (const auto& image : wanted) {
      if ((line + " ").find(" " + image + " ") == std::string::npos) missing += " " + image;
    }
    add(rows, "images on " + line.substr(0, line.find(' ')),
        std::to_string(wanted.size()) + " images, by their digests",
        missing.empty() ? "all of them" : "not" + missing, missing.empty());
  }
  return {};
}

}  // namespace

std::vector<std::string> spaces_of(const Kube& kube, const ChartNeeds& needs) {
  std::vector<std::string> spaces{kube.space()};
  for (const auto& place : needs.places) {
    if (place != kube.space()) spaces.push_back(place);
  }
  return spaces;
}

Checked<std::vector<std::string>> missing_spaces(const Kube& kube, const ChartNeeds& needs) {
  std::vector<std::string> missing;
  for (const auto& space : spaces_of(kube, needs)) {
    const auto there = kube.has("", "namespace/" + space);
    if (!there) return tl::unexpected(there.error());
    if (!*there) missing.push_back(space);
  }
  return missing;
}

Checked<std::vector<Requirement>> requirements_in(const Kube& kube, const Candidate& candidate) {
  Rows rows;
  const auto& needs = candidate.release.needs;
  if (auto done = versions(kube, needs, rows); !done) return tl::unexpected(done.error());
  // An older helm does not know what it is asked next.
  if (!rows.front().met) return rows;
  if (auto done = spaces(kube, needs, rows); !done) return tl::unexpected(done.error());
  const auto call = chart_in(candidate.directory, needs.product, false);
  const auto rendered = kube.render(call, candidate.upgrade);
  if (!rendered) return tl::unexpected(rendered.error());
  const bool takes = rendered->status == 0;
  constexpr std::size_t most = 2000;
  add(rows, "the chart", "taken by the cluster", takes ? "taken" : rendered->output.substr(0, most),
      takes);
  const std::string manifest = takes ? rendered->output : std::string();
  if (auto done = classes(kube, manifest, rows); !done) return tl::unexpected(done.error());
  if (candidate.registry.empty()) {
    if (auto done = nodes(kube, manifest, rows); !done) {
      return tl::unexpected(done.error());
    }
  }
  if (auto done = secrets(kube, needs, candidate.values, rows); !done) {
    return tl::unexpected(done.error());
  }
  return rows;
}

}  // namespace caisson::installer
