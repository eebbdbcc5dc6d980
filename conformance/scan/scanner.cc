#include "conformance/scan/scanner.h"

#include <array>
#include <deque>
#include <fstream>

#include <zlib.h>

#include "conformance/scan/forms.h"

namespace caisson::conformance {

Scanner::Scanner(std::vector<Canary> canaries) : canaries_(std::move(canaries)), class_of_(256, 0) {
  std::vector<std::pair<std::string, std::uint32_t>> texts;
  for (std::uint32_t index = 0; index < canaries_.size(); ++index) {
    for (Form& form : forms_of(canaries_[index].needle)) {
      texts.emplace_back(std::move(form.bytes), static_cast<std::uint32_t>(patterns_.size()));
      patterns_.push_back({index, form.name});
    }
  }
  for (const auto& [bytes, pattern] : texts) {
    for (const char c : bytes) {
      std::uint16_t& known = class_of_[static_cast<unsigned char>(c)];
      if (known == 0) known = static_cast<std::uint16_t>(classes_++);
    }
  }
  goto_.assign(classes_, 0);
  ends_.assign(1, no_pattern);
  for (const auto& [bytes, pattern] : texts) add(bytes, pattern);
  link_failures();
}

void Scanner::add(std::string_view bytes, std::uint32_t pattern) {
  std::size_t state = 0;
  for (const char c : bytes) {
    const std::size_t slot = state * classes_ + class_of_[static_cast<unsigned char>(c)];
    if (goto_[slot] == 0) {
      goto_[slot] = static_cast<std::uint32_t>(ends_.size());
      ends_.push_back(no_pattern);
      goto_.resize(goto_.size() + classes_, 0);
    }
    state = goto_[slot];
  }
  if (ends_[state] == no_pattern) ends_[state] = pattern;
}

void Scanner::link_failures() {
  next_end_.assign(ends_.size(), 0);
  std::vector<std::uint32_t> fail(ends_.size(), 0);
  std::deque<std::uint32_t> queue{0};
  while (!queue.empty()) {
    const std::uint32_t state = queue.front();
    queue.pop_front();
    if (state != 0) {
      const std::uint32_t suffix = fail[state];
      next_end_[state] = ends_[suffix] != no_pattern ? suffix : next_end_[suffix];
    }
    for (std::size_t c = 0; c < classes_; ++c) {
      std::uint32_t& to = goto_[state * classes_ + c];
      const std::uint32_t fallback = state == 0 ? 0 : goto_[fail[state] * classes_ + c];
      if (to == 0) {
        to = fallback;
      } else {
        fail[to] = fallback;
        queue.push_back(to);
      }
    }
  }
}

std::vector<Sighting> Scanner::scan(std::string_view bytes) const {
  ScanStream stream(*this);
  stream.feed(bytes);
  return stream.sightings();
}

struct ScanStream::Member {
  Member(const Scanner& scanner, int depth) : inner(scanner, depth) {
    open = inflateInit2(&z, 15 + 16) == Z_OK;
  }
  ~Member() { inflateEnd(&z); }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  z_stream z{};
  bool open = false;
  ScanStream inner;
};

ScanStream::ScanStream(const Scanner& scanner) : ScanStream(scanner, 0) {}
ScanStream::ScanStream(const Scanner& scanner, int depth) : scanner_(&scanner), depth_(depth) {}
ScanStream::ScanStream(ScanStream&&) noexcept = default;
ScanStream::~ScanStream() = default;

void ScanStream::feed(std::string_view bytes) {
  for (const auto& member : members_) {
    if (member->open) inflate_into(*member, bytes);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    ++offset_;
    state_ = scanner_->next(state_, byte);
    std::uint32_t at =
        scanner_->ends_[state_] != Scanner::no_pattern ? state_ : scanner_->next_end_[state_];
    for (; at != 0; at = scanner_->next_end_[at]) {
      const auto& pattern = scanner_->patterns_[scanner_->ends_[at]];
      if (sightings_.size() < max_sightings) {
        sightings_.push_back({pattern.canary, std::string(pattern.form), offset_});
      }
    }
    look_for_gzip(byte, bytes.substr(i + 1));
  }
  std::erase_if(members_, [](const auto& member) { return !member->open; });
}

/// Opens a member at every gzip header (RFC 1952: ID1 ID2 CM); what is no gzip ends at its first
/// error.
void ScanStream::look_for_gzip(unsigned char byte, std::string_view rest) {
  static constexpr std::string_view header("\x1f\x8b\x08", 3);
  static constexpr std::size_t max_open = 4;
  last_bytes_ = ((last_bytes_ << 8) | byte) & 0xffffff;
  if (last_bytes_ != 0x1f8b08) return;
  std::erase_if(members_, [](const auto& member) { return !member->open; });
  if (depth_ == 3 || members_.size() == max_open) {
    complete_ = false;
    return;
  }
  members_.push_back(std::unique_ptr<Member>(new Member(*scanner_, depth_ + 1)));
  inflate_into(*members_.back(), header);
  if (members_.back()->open) inflate_into(*members_.back(), rest);
}

void ScanStream::inflate_into(Member& member, std::string_view bytes) {
  std::array<char, 16384> out;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by zlib
  member.z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  member.z.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  do {
    member.z.next_out = reinterpret_cast<Bytef*>(out.data());
    member.z.avail_out = out.size();
    status = inflate(&member.z, Z_NO_FLUSH);
    const std::size_t produced = out.size() - member.z.avail_out;
    inflated_ += produced;
    if (inflated_ > max_inflated) {
      complete_ = false;
      status = Z_DATA_ERROR;
    }
    const std::size_t before = member.inner.sightings_.size();
    member.inner.feed({out.data(), produced});
    for (std::size_t i = before; i < member.inner.sightings_.size(); ++i) {
      if (sightings_.size() == max_sightings) break;
      Sighting seen = member.inner.sightings_[i];
      seen.form.insert(0, "gzip/");
      sightings_.push_back(std::move(seen));
    }
    complete_ = complete_ && member.inner.complete_;
  } while (status == Z_OK && (member.z.avail_in > 0 || member.z.avail_out == 0));
  // Z_BUF_ERROR only says that the input of this piece is used up.
  if (status != Z_OK && status != Z_BUF_ERROR) member.open = false;
}

}  // namespace caisson::conformance
