#include "installer/media/layout.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hex.h"
#include "installer/format/sums.h"

namespace caisson::installer {
namespace {

constexpr std::array kFirst = {kSums, kSignature, kSecondSignature, kManifest};

constexpr std::string_view kRoot = "keys/root.";

bool is_between(char c, char first, char last) { return first <= c && c <= last; }

auto rank_of(std::string_view path) { return std::ranges::find(kFirst, path) - kFirst.begin(); }

}  // namespace

std::string blob_path(const Digest& digest) { return std::string(kBlobs) + hex(digest); }

std::optional<Digest> digest_of_blob(std::string_view path) {
  if (!path.starts_with(kBlobs)) return std::nullopt;
  return digest_of(path.substr(kBlobs.size()));
}

std::optional<RootName> root_of_path(std::string_view path) {
  if (!path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  const auto dot = std::min(path.find('.'), path.size());
  const auto number = number_of(path.substr(0, dot));
  if (!number || *number == 0) return std::nullopt;
  path.remove_prefix(dot);
  if (path.empty()) return RootName{.number = *number, .signature = false};
  if (path.size() != 21 || !is_hex(path.substr(1, 16)) || !path.ends_with(".gpg")) {
    return std::nullopt;
  }
  return RootName{.number = *number, .signature = true};
}

bool is_of_a_bundle(std::string_view path) {
  if (path.find('/') == std::string_view::npos) return !is_directory_of_a_bundle(path);
  return path == kRing || root_of_path(path) || digest_of_blob(path);
}

bool is_directory_of_a_bundle(std::string_view path) {
  return path == "keys" || path == "blobs" || path == "blobs/sha256";
}

std::string path_in_its_case(std::string_view path) {
  std::string small(path);
  std::string capital(path);
  for (auto& c : small) c = is_between(c, 'A', 'Z') ? static_cast<char>(c + ('a' - 'A')) : c;
  for (auto& c : capital) c = is_between(c, 'a', 'z') ? static_cast<char>(c - ('a' - 'A')) : c;
  if (is_directory_of_a_bundle(small) || small == kRing || root_of_path(small)) return small;
  return capital == kManifest || capital == "README" ? capital : std::string(path);
}

bool stands_before(std::string_view left, std::string_view right) {
  return std::pair(rank_of(left), left) < std::pair(rank_of(right), right);
}

}  // namespace caisson::installer
