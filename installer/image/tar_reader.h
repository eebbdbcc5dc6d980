#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// An entry of an archive, as its headers say.
struct ArchiveEntry {
  enum class Kind : std::uint8_t { file, hard_link, link, directory, other };
  Kind kind = Kind::file;
  std::string path;    ///< without "./" and '/' at its ends; "" is the root
  std::string target;  ///< of a link
  std::uint64_t size = 0;
  std::uint64_t offset = 0;  ///< where in the archive its content begins
  unsigned mode = 0;         ///< the permission bits, with set-uid, set-gid and sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// Reads a tar archive that comes in pieces: ustar, pax (IEEE Std 1003.1) and the long names and
/// large numbers of GNU, as image layers have them. Checks every header; sparse files are
/// `Code::layer_sparse`, everything else that it cannot read `Code::bad_layer`. Bounded: a name has
/// at most 64 KiB.
class TarReader {
 public:
  /// Is called for each header, and tells whether the content is wanted.
  using Entry = std::function<Checked<bool>(const ArchiveEntry&)>;
  /// Gets the pieces of it then.
  using Content = std::function<Checked<void>(const ArchiveEntry&, std::string_view)>;

  TarReader(Entry entry, Content content)
      : entry_(std::move(entry)), content_(std::move(content)) {}

  [[nodiscard]] Checked<void> feed(std::string_view bytes);
  /// Nothing may be missing.
  [[nodiscard]] Checked<void> finish() const;

 private:
  enum class State : std::uint8_t { header, extension, content, padding, end };

  [[nodiscard]] Checked<void> header();
  [[nodiscard]] Checked<void> extension();
  [[nodiscard]] Checked<void> pax(std::string_view records, bool global);

  Entry entry_;
  Content content_;
  State state_ = State::header;
  std::string block_;          ///< the header, or an extension of it, as far as it is there
  std::uint64_t left_ = 0;     ///< of the content
  std::uint64_t padding_ = 0;  ///< after it
  std::uint64_t offset_ = 0;
  char extension_ = '\0';
  bool wanted_ = false;
  ArchiveEntry current_;
  std::string long_path_;
  std::string long_target_;
  std::string pax_size_;
  std::string pax_uid_;
  std::string pax_gid_;
};

}  // namespace caisson::installer
