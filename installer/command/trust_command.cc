#include "installer/command/trust_command.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <new>

#include "base/hex.h"
#include "base/json_text.h"
#include "installer/command/cluster_place.h"
#include "installer/command/open_site.h"
#include "installer/host/system_host.h"
#include "installer/media/layout.h"
#include "installer/site/roots.h"
#include "installer/site/store.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOfRoot = std::size_t{64} * 1024;

template <class Run>
Said guarded(const TrustRequest& request, const Run& run) {
  try {
    Checked<Said> said = run();
    return said ? *std::move(said) : say(said.error(), request.json);
  } catch (const std::bad_alloc&) {
    return say({Code::host_memory, "there is too little memory, or too many files are open"},
               request.json);
  }
}

/// Where the roots are that a request means.
struct Place {
  std::optional<OpenSite> site;
  std::optional<ClusterPlace> cluster;
  std::unique_ptr<Disk> directory;

  [[nodiscard]] Disk& disk() const {
    return site ? site->disks().site : cluster ? *cluster->disk : *directory;
  }
  [[nodiscard]] std::string_view path() const { return directory ? "" : kRoots; }
};

Checked<Place> place_of(const TrustRequest& request, bool made) {
  Place place;
  if (request.product.empty()) {
    auto disk = open_disk(request.roots);
    if (!disk) return tl::unexpected(disk.error());
    place.directory = *std::move(disk);
    return place;
  }
  if (is_in_cluster(request.product)) {
    auto opened = open_cluster_place(request.product, false);
    if (!opened) return tl::unexpected(opened.error());
    place.cluster = *std::move(opened);
    return place;
  }
  if (made) {
    if (!system_host()->is_root()) {
      return refuse(Code::host_root, "this changes what root alone may change");
    }
    auto site = OpenSite::make(request.product);
    if (!site) return tl::unexpected(site.error());
    place.site.emplace(*std::move(site));
    return place;
  }
  auto site = OpenSite::open(request.product, false);
  if (!site) return tl::unexpected(site.error());
  if (!*site) return refuse(Code::not_installed, "there is no /opt/" + request.product);
  place.site.emplace(**std::move(site));
  return place;
}

/// A root as a file on this host, with the signatures of it that stand beside it.
Checked<RootFile> read_root_file(const std::string& path) {
  const fs::path file(path);
  const auto name = file.filename().string();
  const auto is_root = root_of_path(std::string(kKeys) + name);
  if (!is_root || is_root->signature) {
    return refuse(Code::bad_root, path + ": the name of a root is root.N");
  }
  const auto disk = open_disk(file.has_parent_path() ? file.parent_path() : fs::path("."));
  if (!disk) return refuse(Code::host_read, disk.error().what);
  auto text = read_file(**disk, name, kMostOfRoot);
  if (!text) return tl::unexpected(text.error());
  RootFile root{.number = is_root->number, .text = *std::move(text)};
  const auto names = (*disk)->list("");
  if (!names) return tl::unexpected(names.error());
  for (const auto& each : *names) {
    const auto beside = root_of_path(std::string(kKeys) + each);
    if (!beside || !beside->signature || beside->number != root.number) continue;
    if (root.signatures.size() > 2 * kMostKeys) {
      return refuse(Code::too_many, path + ": more than 32 signatures");
    }
    auto bytes = read_file(**disk, each, kMostOfSignature);
    if (!bytes) return tl::unexpected(bytes.error());
    root.signatures.push_back({.name = each, .bytes = *std::move(bytes)});
  }
  return root;
}

std::string key_text(const Key& key) {
  return (key.algorithm == Algorithm::ed25519 ? "Ed25519" : "P-256") + std::string(" key ") +
         key_id(key);
}

std::string keys_json(const std::vector<Key>& keys) {
  std::string json = "[";
  for (const auto& key : keys) json += (json.size() > 1 ? ",\"" : "\"") + key_id(key) + '"';
  return json + "]";
}

Said told(const TrustRequest& request, const TrustedRoot& trusted,
          const std::vector<std::string>& texts) {
  const auto& root = trusted.root();
  if (request.json) {
    std::string kept = "[";
    for (const auto& text : texts)
      kept += (kept.size() > 1 ? ",\"" : "\"") + hex(sha256(text)) + '"';
    return {.out = R"({"result":"ok","product":)" + json_string(root.product) + R"(,"root":)" +
                   std::to_string(root.version) + R"(,"digest":")" + hex(trusted.digest()) +
                   R"(","epoch":)" + std::to_string(root.epoch) + R"(,"threshold":)" +
                   std::to_string(root.threshold) + R"(,"root-keys":)" + keys_json(root.keys) +
                   R"(,"release-keys":)" + keys_json(root.releases) + R"(,"revoked":)" +
                   keys_json(trusted.revoked()) + R"(,"kept":)" + kept + "]}\n"};
  }
  std::string out = root.product + " is trusted by root " + std::to_string(root.version) + ", " +
                    hex(trusted.digest()) + "\n";
  const auto line = [&out](std::string_view name, const std::string& value) {
    out.append("  ").append(name).append(10 - name.size(), ' ').append(value).append("\n");
  };
  line("epoch", std::to_string(root.epoch));
  line("next", "a root that " + std::to_string(root.threshold) + " of the " +
                   std::to_string(root.keys.size()) + " root keys have signed");
  for (const auto& key : root.keys) line("root", key_text(key));
  for (const auto& key : root.releases) line("release", key_text(key));
  for (const auto& key : trusted.revoked()) line("revoked", key_text(key));
  line("kept", std::to_string(texts.size()) + (texts.size() == 1 ? " root" : " roots"));
  return {.out = std::move(out)};
}

Checked<Said> tell(const TrustRequest& request, const Place& place) {
  const auto texts = kept_texts(place.disk(), place.path());
  if (!texts) return tl::unexpected(texts.error());
  const auto trusted = kept_roots(*texts);
  if (!trusted) return tl::unexpected(trusted.error());
  return told(request, *trusted, *texts);
}

}  // namespace

Said show_trust(const TrustRequest& request) {
  return guarded(request, [&]() -> Checked<Said> {
    const auto place = place_of(request, false);
    if (!place) return tl::unexpected(place.error());
    return tell(request, *place);
  });
}

Said update_trust(const TrustRequest& request) {
  return guarded(request, [&]() -> Checked<Said> {
    std::vector<RootFile> files;
    for (const auto& path : request.files) {
      auto file = read_root_file(path);
      if (!file) return tl::unexpected(file.error());
      files.push_back(*std::move(file));
    }
    const auto place = place_of(request, true);
    if (!place) return tl::unexpected(place.error());
    const auto root =
        take_roots(place->disk(), place->path(), files, request.product, request.expected_root);
    if (!root) return tl::unexpected(root.error());
    if (!place->directory) {
      const auto journal = load_journal(place->disk());
      if (!journal) return tl::unexpected(journal.error());
      if (*journal && (*journal)->root < root->root().version) {
        auto now = **journal;
        now.root = root->root().version;
        if (auto saved = save_journal(place->disk(), now); !saved) {
          return tl::unexpected(saved.error());
        }
      }
    }
    return tell(request, *place);
  });
}

}  // namespace caisson::installer
