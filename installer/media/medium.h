#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "installer/media/source.h"

namespace caisson::installer {

/// What a bundle lies on. Nothing that it says is believed: it answers what stands where, and
/// whoever asks compares that with what was signed. Any number of threads may ask at once.
class Medium {
 public:
  virtual ~Medium() = default;
  Medium(const Medium&) = delete;
  Medium& operator=(const Medium&) = delete;

  enum class Form { directory, transport, parts };

  [[nodiscard]] Form form() const { return form_; }
  /// What messages call it.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  /// The MANIFEST that parts say they belong to.
  [[nodiscard]] virtual std::optional<Digest> bound_to() const { return std::nullopt; }

  /// Opens a file of the bundle; `Code::missing_file` when it is not there. This has to outlive
  /// what it gives.
  [[nodiscard]] virtual Checked<std::unique_ptr<Source>> open(std::string_view path) const = 0;

  /// Calls `each` with the path of everything that is there, in no order. A directory that is none
  /// of a bundle's is one path, with a '/' at its end. Paths are as foreign as the medium.
  [[nodiscard]] virtual Checked<void> list(
      const std::function<void(std::string_view path)>& each) const = 0;

 protected:
  Medium(Form form, std::string shown) : form_(form), shown_(std::move(shown)) {}

 private:
  Form form_;
  std::string shown_;
};

/// Opens a bundle: its directory, its transport, one of its parts or the directory with all of
/// them. Reads the headers of a transport and of its parts, and nothing else of the bundle.
[[nodiscard]] Checked<std::unique_ptr<Medium>> open_medium(const std::filesystem::path& path);

/// All of a file of the bundle, at most `limit` bytes.
[[nodiscard]] Checked<std::string> read_text(const Medium& medium, std::string_view path,
                                             std::size_t limit);

}  // namespace caisson::installer
