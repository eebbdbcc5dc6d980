#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <elf.h>
#include <zlib.h>

#include "base/digest.h"
#include "generator/image/tar.h"
#include "generator/image/testing.h"

namespace caisson::bundle::testing {

/// The least that is a static program for a machine, and something to tell it by.
inline std::string program(std::string_view mark = {}, std::uint16_t machine = EM_X86_64) {
  return image::testing::program(machine).append(mark);
}

inline std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct TestImage {
  std::string name;  ///< as the layout calls it
  std::string user;
  std::vector<std::string> layers;  ///< tar archives
  bool gzip = true;
  std::string arch = "amd64";
};

/// An OCI layout of images, as other tools write them.
class TestLayout {
 public:
  explicit TestLayout(std::filesystem::path directory) : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_ / "blobs/sha256");
  }

  /// The digest of the image's manifest.
  std::string add(const TestImage& image) {
    std::string diffs;
    std::string layers;
    for (const auto& layer : image.layers) {
      diffs += (diffs.empty() ? "\"sha256:" : ",\"sha256:") + sha256_hex(layer) + "\"";
      const auto stored = image.gzip ? gzipped(layer) : layer;
      layers += (layers.empty() ? "" : ",") +
                descriptor(image.gzip ? "application/vnd.oci.image.layer.v1.tar+gzip"
                                      : "application/vnd.oci.image.layer.v1.tar",
                           stored);
      blob(stored);
    }
    const auto config =
        R"({"architecture":")" + image.arch + R"(","os":"linux","config":{"User":")" + image.user +
        R"(","Env":["PATH=/bin","A=b c"],"Entrypoint":["/bin/app"],"Cmd":["serve"]},)" +
        R"("rootfs":{"type":"layers","diff_ids":[)" + diffs + "]}}";
    blob(config);
    const auto manifest =
        R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
        descriptor("application/vnd.oci.image.config.v1+json", config) + R"(,"layers":[)" + layers +
        "]}";
    blob(manifest);
    auto entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
    entry.pop_back();
    entry += R"(,"annotations":{"org.opencontainers.image.ref.name":")" + image.name + "\"}}";
    entries_ += (entries_.empty() ? "" : ",") + entry;
    write("index.json", R"({"schemaVersion":2,"manifests":[)" + entries_ + "]}");
    write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    return "sha256:" + sha256_hex(manifest);
  }

  void blob(const std::string& bytes) { write("blobs/sha256/" + sha256_hex(bytes), bytes); }
  [[nodiscard]] static std::string descriptor(const std::string& type, const std::string& bytes) {
    return R"({"mediaType":")" + type + R"(","digest":"sha256:)" + sha256_hex(bytes) +
           R"(","size":)" + std::to_string(bytes.size()) + "}";
  }

 private:
  void write(const std::string& path, const std::string& bytes) {
    std::ofstream(directory_ / path, std::ios::binary) << bytes;
  }

  std::filesystem::path directory_;
  std::string entries_;
};

/// A layer of files.
inline std::string layer(const std::vector<image::TarEntry>& entries) {
  return image::to_tar(entries, 0);
}

}  // namespace caisson::bundle::testing
