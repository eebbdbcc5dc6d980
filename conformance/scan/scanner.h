#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/scan/canary.h"

namespace caisson::conformance {

/// Where a canary was seen.
struct Sighting {
  std::size_t canary = 0;    ///< index into the scanner's canaries
  std::string form{};        ///< "raw", "base64", "gzip/raw", ...
  std::uint64_t offset = 0;  ///< of its last byte, in the stream (in the decompressed one for gzip)
};

/// One pass over bytes for every canary in every form (Aho-Corasick). Immutable; shared by all
/// probes.
class Scanner {
 public:
  explicit Scanner(std::vector<Canary> canaries);

  [[nodiscard]] const std::vector<Canary>& canaries() const { return canaries_; }

  /// What one text shows. Decompresses gzip members found inside.
  [[nodiscard]] std::vector<Sighting> scan(std::string_view bytes) const;

 private:
  friend class ScanStream;

  static constexpr std::uint32_t no_pattern = 0xffffffff;

  struct Pattern {
    std::uint32_t canary;
    std::string_view form;
  };

  void add(std::string_view bytes, std::uint32_t pattern);
  void link_failures();
  [[nodiscard]] std::uint32_t next(std::uint32_t state, unsigned char byte) const {
    return goto_[state * classes_ + class_of_[byte]];
  }

  std::vector<Canary> canaries_;
  std::vector<Pattern> patterns_;
  std::vector<std::uint16_t> class_of_;  ///< byte -> class; bytes in no pattern share class 0
  std::size_t classes_ = 1;
  std::vector<std::uint32_t> goto_;      ///< state x class -> state
  std::vector<std::uint32_t> ends_;      ///< state -> pattern that ends there
  std::vector<std::uint32_t> next_end_;  ///< state -> nearest suffix state with an end; 0: none
};

/// Scans a stream given in pieces of any size. Bounded: at most `max_inflated` bytes are
/// decompressed from all gzip members of a stream together, at most three deep; `complete()` tells
/// whether a bound was hit.
class ScanStream {
 public:
  static constexpr std::uint64_t max_inflated = 256ULL << 20;
  static constexpr std::size_t max_sightings = 1000;

  explicit ScanStream(const Scanner& scanner);
  ScanStream(ScanStream&&) noexcept;
  ScanStream& operator=(ScanStream&&) = delete;
  ScanStream(const ScanStream&) = delete;
  ScanStream& operator=(const ScanStream&) = delete;
  ~ScanStream();

  void feed(std::string_view bytes);
  [[nodiscard]] const std::vector<Sighting>& sightings() const { return sightings_; }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] std::uint64_t bytes() const { return offset_; }

 private:
  struct Member;  ///< a gzip member that is being decompressed

  ScanStream(const Scanner& scanner, int depth);
  void look_for_gzip(unsigned char byte, std::string_view rest);
  void inflate_into(Member& member, std::string_view bytes);

  const Scanner* scanner_;
  int depth_ = 0;
  std::uint32_t state_ = 0;
  std::uint32_t last_bytes_ = 0;  ///< the last three bytes, to see a gzip header across pieces
  std::uint64_t offset_ = 0;
  std::uint64_t inflated_ = 0;
  bool complete_ = true;
  std::vector<Sighting> sightings_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace caisson::conformance
