#include "installer/format/root.h"

#include <algorithm>

#include "base/hex.h"
#include "installer/format/lines.h"
#include "installer/format/words.h"

namespace caisson::installer {
namespace {

constexpr Word<Algorithm> kAlgorithms[] = {{"ed25519", Algorithm::ed25519},
                                           {"p256", Algorithm::p256}};
constexpr Word<Hash> kHashes[] = {{"sha256", Hash::sha256}, {"sha512", Hash::sha512}};

Key read_key(Lines& lines) {
  Key key;
  key.algorithm = read_one_of<Algorithm>(lines, kAlgorithms);
  key.hash = read_one_of<Hash>(lines, kHashes);
  const auto created = lines.number();
  if (created > UINT32_MAX) lines.refuse(Code::text_number, "a key's time has 32 bits");
  key.created = static_cast<std::uint32_t>(created);
  key.point = lines.bytes(point_size(key.algorithm));
  lines.end();
  return key;
}

std::vector<Key> read_keys(Lines& lines, std::string_view name) {
  std::vector<Key> keys;
  do {
    lines.take(name);
    keys.push_back(read_key(lines));
    if (keys.size() > 1 && keys.back() <= keys[keys.size() - 2]) {
      lines.refuse(Code::text_order, "the keys are not sorted, or one stands twice");
    }
    if (keys.size() > kMostKeys) lines.refuse(Code::too_many, "more than 16 keys");
  } while (lines.at(name));
  return keys;
}

/// No key may stand twice under another hash or time: it would be counted twice.
void check_material(Lines& lines, const Root& root) {
  std::vector<std::vector<unsigned char>> points;
  points.reserve(root.keys.size() + root.releases.size());
  for (const auto& key : root.keys) points.push_back(key.point);
  for (const auto& key : root.releases) points.push_back(key.point);
  std::ranges::sort(points);
  if (std::ranges::adjacent_find(points) != points.end()) {
    lines.refuse(Code::bad_root, "one key stands twice");
  }
}

void write_keys(std::string& text, std::string_view name, std::vector<Key> keys) {
  std::ranges::sort(keys);
  for (const auto& key : keys) {
    text.append(name).append(" ");
    text.append(word_of(kAlgorithms, key.algorithm)).append(" ");
    text.append(word_of(kHashes, key.hash)).append(" ");
    text.append(std::to_string(key.created)).append(" ");
    text.append(hex(key.point)).append("\n");
  }
}

}  // namespace

std::size_t point_size(Algorithm algorithm) { return algorithm == Algorithm::ed25519 ? 32 : 65; }

Checked<Root> read_root(std::string_view name, std::string_view text) {
  Lines lines(name, text);
  Root root;
  lines.take("format");
  if (const auto format = lines.number(); format != kFormat && !lines.refusal()) {
    lines.refuse(Code::future_format, "this installer reads format 1");
  }
  lines.take("product");
  root.product = read_slug(lines);
  lines.take("version");
  root.version = lines.number();
  lines.take("epoch");
  root.epoch = lines.number();
  lines.take("threshold");
  root.threshold = lines.number();
  root.keys = read_keys(lines, "root");
  root.releases = read_keys(lines, "release");
  if (root.version == 0 || root.epoch == 0) {
    lines.refuse(Code::bad_root, "versions and epochs begin with 1");
  }
  if (root.threshold == 0 || root.threshold > root.keys.size()) {
    lines.refuse(Code::bad_root, "the threshold is 0, or larger than the number of keys");
  }
  check_material(lines, root);
  if (!lines.done()) lines.take("release");
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return root;
}

std::string write_root(Root root) {
  std::string text = "format " + std::to_string(kFormat) + "\nproduct " + root.product +
                     "\nversion " + std::to_string(root.version) + "\nepoch " +
                     std::to_string(root.epoch) + "\nthreshold " + std::to_string(root.threshold) +
                     "\n";
  write_keys(text, "root", std::move(root.keys));
  write_keys(text, "release", std::move(root.releases));
  return text;
}

}  // namespace caisson::installer
