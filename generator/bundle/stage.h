#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/files.h"
#include "base/result.h"
#include "installer/format/sums.h"

namespace caisson::bundle {

/// The directory of a blob in a bundle.
inline constexpr std::string_view kBlobs = "blobs/sha256/";

/// A bundle while it is being made, in a directory beside its place. What is not finished is
/// removed. Its files have mode 0644 or 0755 and its directories 0755, whatever the umask.
class Stage {
 public:
  /// Fails when there is something at `place` already.
  [[nodiscard]] static Result<std::unique_ptr<Stage>> open(const std::filesystem::path& place);

  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  /// Writes a file.
  [[nodiscard]] Result<void> put(const std::string& path, std::string_view bytes,
                                 bool executable = false);
  /// Writes a blob of these bytes, once however often it is given. Any thread may call it.
  [[nodiscard]] Result<Digest> blob(std::string_view bytes);

  /// A blob that is written piece by piece, of a digest that is known before.
  class Writer {
   public:
    [[nodiscard]] Result<void> append(std::string_view bytes);
    /// The blob is whole and its content checked.
    [[nodiscard]] Result<void> finish();

   private:
    friend class Stage;
    Writer(Stage& stage, const Digest& digest) : stage_(&stage), digest_(digest) {}
    Stage* stage_;
    Digest digest_;
    std::filesystem::path path_;
    Descriptor file_;
  };
  /// No two threads may write the same blob.
  [[nodiscard]] Result<Writer> writer(const Digest& digest);

  /// The digest of everything that was written, sorted by path.
  [[nodiscard]] std::vector<installer::Sum> sums();
  /// The bytes of everything that was written.
  [[nodiscard]] std::uint64_t bytes();

  /// Puts the bundle at its place.
  [[nodiscard]] Result<void> finish();

 private:
  explicit Stage(std::filesystem::path place);

  void note(const std::string& path, const Digest& digest, std::uint64_t size);

  std::filesystem::path place_;
  std::filesystem::path directory_;
  bool finished_ = false;
  std::mutex mutex_;
  struct Written {
    Digest digest{};
    std::uint64_t size = 0;
  };
  std::map<std::string, Written> written_;
};

}  // namespace caisson::bundle
