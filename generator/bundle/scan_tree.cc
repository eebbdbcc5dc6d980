#include "generator/bundle/scan_tree.h"

#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "base/hex.h"
#include "generator/bundle/diff.h"
#include "generator/bundle/parallel.h"
#include "generator/bundle/source.h"
#include "generator/bundle/stage.h"
#include "generator/bundle/unpack.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;

/// Gives pieces to the scan with the end of the piece before.
class Window {
 public:
  Window(conformance::DisclosureScan& scan, std::string place)
      : scan_(scan), place_(std::move(place)) {}

  void see(std::string_view bytes) {
    held_ += bytes;
    if (held_.size() < 16 * conformance::DisclosureScan::overlap) return;
    end();
    held_.erase(0, held_.size() - conformance::DisclosureScan::overlap);
  }
  void end() {
    scan_.look(place_, held_, begins_);
    begins_ = false;
  }

 private:
  conformance::DisclosureScan& scan_;
  std::string place_;
  std::string held_;
  bool begins_ = true;
};

/// What is looked at as one text: a file, or a file of a bundle that lies in several chunks.
struct Unit {
  std::string place;
  std::vector<Source> pieces;
  bool packed = false;  ///< compressed for sure
};

/// The files below a directory, by path; links are left out.
Result<std::map<std::string, Source>> files_below(const fs::path& directory) {
  std::map<std::string, Source> files;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(directory, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_symlink(error) || !at->is_regular_file(error)) continue;
    auto source = Source::open(at->path());
    if (!source) return tl::unexpected(source.error());
    files.emplace(at->path().lexically_relative(directory).generic_string(), *std::move(source));
  }
  if (error) return cannot("read", directory, error.value());
  return files;
}

/// Takes the blobs that a bundle's manifest names out of the files.
std::vector<Unit> units_of(const installer::Manifest& manifest,
                           std::map<std::string, Source>& files) {
  std::vector<Unit> units;
  std::set<std::string> taken;
  const auto add = [&](Unit& unit, const Digest& digest) {
    const auto found = files.find(std::string(kBlobs) + hex(digest));
    if (found == files.end()) return;
    unit.pieces.push_back(found->second);
    taken.insert(found->first);
  };
  for (const auto& pack : manifest.packs) {
    // A patch is a difference, not a text.
    if (pack.from != installer::Pack::From::chunks) continue;
    Unit unit{.place = pack.files.front().path, .packed = true};
    for (const auto& chunk : pack.chunks) add(unit, chunk.digest);
    units.push_back(std::move(unit));
  }
  for (const auto& image : manifest.images) {
    for (const auto& layer : image.layers) {
      Unit unit{.place = "image " + image.reference, .packed = true};
      add(unit, layer.blob.digest);
      units.push_back(std::move(unit));
    }
  }
  for (const auto& path : taken) files.erase(path);
  return units;
}

}  // namespace

Result<std::vector<conformance::Disclosure>> scan_tree(
    const fs::path& directory, const std::vector<conformance::KnownSecret>& secrets,
    Progress& progress) {
  auto files = files_below(directory);
  if (!files) return tl::unexpected(files.error());
  std::uint64_t bytes = 0;
  for (const auto& [path, source] : *files) bytes += source.size();
  progress.begin("files", bytes);
  std::vector<Unit> units;
  if (const auto manifest = manifest_at(directory)) units = units_of(*manifest, *files);
  for (auto& [path, source] : *files) {
    if (source.size() > 0) units.push_back({.place = path, .pieces = {source}});
  }
  conformance::DisclosureScan scan(secrets);
  const auto done = in_parallel(units.size(), 0, [&](std::size_t i) -> Result<void> {
    const auto& unit = units[i];
    Window stored(scan, unit.place);
    Window inside(scan, unit.place);
    for (const auto& piece : unit.pieces) {
      const auto unpacked = unpack(
          piece,
          [&](std::string_view bytes_of_it) -> Result<void> {
            if (!unit.packed) stored.see(bytes_of_it);
            progress.advance(bytes_of_it.size());
            return {};
          },
          [&](std::string_view bytes_of_it) -> installer::Checked<void> {
            inside.see(bytes_of_it);
            return {};
          });
      // A file that only begins as if it were compressed was looked at as it is.
      if (!unpacked && unit.packed) return fail(unit.place + ": " + unpacked.error().what);
    }
    stored.end();
    inside.end();
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return scan.findings();
}

}  // namespace caisson::bundle
