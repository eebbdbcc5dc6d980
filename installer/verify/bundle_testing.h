#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zstd.h>

#include "base/hex.h"
#include "generator/signing/signer.h"
#include "installer/format/root.h"
#include "installer/media/layout.h"
#include "installer/media/parts.h"
#include "installer/media/testing.h"
#include "installer/trust/key_packet.h"
#include "installer/verify/bundle.h"

namespace caisson::installer::testing {

inline constexpr std::uint32_t kDate = 1'735'689'600;

inline std::string frame_of(std::string_view content, std::string_view base = {}) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                        ZSTD_freeCCtx);
  if (!base.empty()) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 23);
    ZSTD_CCtx_refPrefix(context.get(), base.data(), base.size());
  }
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  const auto size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), content.data(), content.size());
  if (ZSTD_isError(size) != 0) std::abort();
  frame.resize(size);
  return frame;
}

/// Bytes that do not repeat.
inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(seed >> 56);
  }
  return bytes;
}

/// Makes a bundle, and lets a test change it before and after it is signed.
class Maker {
 public:
  Maker() {
    auto root_key = signing::PrivateKey::generate(Algorithm::ed25519);
    auto release_key = signing::PrivateKey::generate(Algorithm::ed25519);
    root_text = write_root({.product = "shop",
                            .version = 1,
                            .epoch = 1,
                            .threshold = 1,
                            .keys = {root_key.key()},
                            .releases = {release_key.key()}});
    files["keys/root.1"] = root_text;
    files["keys/keyring.gpg"] = signing::ring_key(release_key, "shop releases").bytes;
    const auto signature = "keys/root.1." + key_id(root_key.key()) + ".gpg";
    files[signature] = signing::signer_of(std::move(root_key))->sign(root_text, kDate).value();
    signer_ = signing::signer_of(std::move(release_key));
    manifest.envelope = {.format = 1,
                         .product = "shop",
                         .arch = std::string(host_arch()),
                         .release = {.epoch = 1, .sequence = 1'000'000}};
    manifest.version = {.major = 1};
    manifest.from = {.major = 1};
    manifest.data = 1;
    manifest.reads = 1;
    manifest.date = kDate;
    manifest.forms = {"systemd"};
    files["README"] = "read me\n";
    files["caisson-install"] = "the program";
    manifest.envelope.installer = sha256(files["caisson-install"]);
  }

  /// Files that one chunk holds.
  Pack& add(const std::vector<Content>& contents) {
    std::string bytes;
    Pack pack;
    for (const auto& [path, content] : contents) {
      bytes += content;
      pack.files.push_back({.size = content.size(), .digest = sha256(content), .path = path});
    }
    pack.chunks.push_back(store(frame_of(bytes), bytes.size()));
    manifest.packs.push_back(std::move(pack));
    return manifest.packs.back();
  }

  /// A file in chunks of 8 MiB.
  Pack& add_large(const std::string& path, std::string_view content) {
    Pack pack;
    for (std::size_t at = 0; at < content.size(); at += kMostOfChunk) {
      const auto piece = content.substr(at, kMostOfChunk);
      pack.chunks.push_back(store(frame_of(piece), piece.size()));
    }
    pack.files.push_back(
        {.size = content.size(), .executable = true, .digest = sha256(content), .path = path});
    manifest.packs.push_back(std::move(pack));
    return manifest.packs.back();
  }

  Chunk store(const std::string& frame, std::uint64_t size) {
    const Chunk chunk{.digest = sha256(frame), .stored = frame.size(), .size = size};
    files[blob_path(chunk.digest)] = frame;
    return chunk;
  }

  Blob store_blob(const std::string& bytes) {
    const Blob blob{.digest = sha256(bytes), .size = bytes.size()};
    files[blob_path(blob.digest)] = bytes;
    return blob;
  }

  void add_image(const std::string& reference, const std::string& layer) {
    Image image{.platform = "linux/" + manifest.envelope.arch, .reference = reference};
    const auto stored = store_blob("{manifest of " + reference + "}");
    image.manifest = {.digest = stored.digest, .size = stored.size};
    image.config = store_blob("{config of " + reference + "}");
    image.layers.push_back(
        {.blob = store_blob(layer), .diff = sha256(layer), .unpacked = layer.size()});
    image.entrypoint = {"/app"};
    image.workdir = "/";
    manifest.images.push_back(std::move(image));
  }

  /// A bundle with a bit of everything.
  void add_sample() {
    add_large("bin/server", noise(9'000'000, 1));
    add({{"etc/a", "a\n"}, {"etc/empty", ""}, {"etc/z", std::string(5000, 'z')}});
    add_image("registry.example/app:1", noise(300'000, 2));
  }

  /// Writes INSTALLED, MANIFEST and SHA256SUMS, and signs.
  void seal() {
    std::ranges::sort(manifest.packs, {}, [](const Pack& pack) { return pack.files.front().path; });
    files["MANIFEST"] = write_manifest(manifest);
    std::vector<Sum> installed;
    for (const auto& pack : manifest.packs) {
      for (const auto& file : pack.files) installed.push_back({file.digest, file.path});
    }
    files["INSTALLED"] = write_sums(std::move(installed), {});
    seal_sums();
  }

  /// Lists the files as they are, and signs.
  void seal_sums() {
    files.erase(std::string(kSums));
    files.erase(std::string(kSignature));
    std::vector<Sum> sums;
    for (const auto& [path, bytes] : files) sums.push_back({sha256(bytes), path});
    sign_sums(write_sums(std::move(sums), kManifest));
  }

  void sign_sums(const std::string& sums) {
    files[std::string(kSums)] = sums;
    files[std::string(kSignature)] = sign(sums);
  }

  [[nodiscard]] std::string sign(std::string_view text) const {
    return signer_->sign(text, kDate).value();
  }

  void put_directory(const std::filesystem::path& directory) const {
    for (const auto& [path, bytes] : files) put(directory / path, bytes);
  }

  [[nodiscard]] std::string transport() const {
    std::vector<Content> members(files.begin(), files.end());
    std::ranges::sort(members, stands_before, &Content::first);
    return transport_of(members);
  }

  /// The transport in parts of `size` bytes.
  void put_parts(const std::filesystem::path& directory, std::size_t size) const {
    const auto archive = transport();
    const auto parts = (archive.size() + size - 1) / size;
    for (std::size_t i = 0; i < parts; ++i) {
      const auto bytes = std::string_view(archive).substr(i * size, size);
      put(directory / part_name("shop", i + 1),
          write_part_header({.manifest = sha256(files.at("MANIFEST")),
                             .number = i + 1,
                             .parts = parts,
                             .offset = i * size,
                             .length = bytes.size(),
                             .total = archive.size()}) +
              std::string(bytes));
    }
  }

  Manifest manifest;
  std::map<std::string, std::string> files;
  std::string root_text;

 private:
  std::shared_ptr<signing::Signer> signer_;
};

/// The bundle at a path, as far as it verifies for a site that was told the root's digest.
inline Checked<VerifiedBundle> verified(const std::filesystem::path& path,
                                        const std::string& root_text, const Site& site) {
  auto medium = open_medium(path);
  if (!medium) return tl::unexpected(medium.error());
  UnverifiedBundle bundle(*std::move(medium));
  const auto roots = bundle.roots();
  if (!roots) return tl::unexpected(roots.error());
  auto root = expected_root(*roots, sha256(root_text));
  if (!root) return tl::unexpected(root.error());
  auto with_signature =
      SignedBundle::verify(std::move(bundle), *std::move(root), [](const TrustedRoot&) {});
  if (!with_signature) return tl::unexpected(with_signature.error());
  return VerifiedBundle::verify(*std::move(with_signature), site);
}

inline Site site() { return {.arch = std::string(host_arch())}; }

}  // namespace caisson::installer::testing
