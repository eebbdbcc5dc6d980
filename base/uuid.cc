#include "base/uuid.h"

#include <cstring>
#include <span>

#include "base/hex.h"
#include "base/random.h"

namespace caisson {
namespace {

constexpr bool dash_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int lower_value(char c) { return c >= 'A' && c <= 'F' ? -1 : hex_value(c); }

/// Version and variant (RFC 9562, section 4), the time and random bits.
Uuid fresh(std::int64_t unix_ms) {
  Uuid id;
  fill_random(std::span(id.bytes).subspan(6));
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
  }
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | (id.bytes[6] & 0x0fU));
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3fU));
  return id;
}

/// Adds one to the 74 free bits, so that the next id of this thread and millisecond is larger.
bool increment(Uuid& id) {
  for (std::size_t i = 16; i-- > 6;) {
    const std::uint8_t free_bits = i == 6 ? 0x0f : i == 8 ? 0x3f : 0xff;
    const auto next = static_cast<std::uint8_t>((id.bytes[i] + 1U) & free_bits);
    id.bytes[i] = static_cast<std::uint8_t>((id.bytes[i] & ~free_bits) | next);
    if (next != 0) return true;
  }
  return false;
}

}  // namespace

Uuid Uuid::make(std::int64_t unix_ms) {
  thread_local Uuid last;
  Uuid id = fresh(unix_ms);
  id.bytes[6] &= 0x77U;  // room to count up
  if (id <= last && id.unix_ms() == last.unix_ms()) {
    // Count on from the last id, with fresh low bits, so that ids stay hard to guess.
    Uuid next = last;
    std::memcpy(next.bytes.data() + 10, id.bytes.data() + 10, 6);
    Uuid high = last;
    std::memset(high.bytes.data() + 10, 0xff, 6);
    if (increment(high)) {
      std::memcpy(next.bytes.data(), high.bytes.data(), 10);
      id = next;
    }
  }
  last = id;
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t out = 0;
  for (std::size_t i = 0; i < 36;) {
    if (dash_at(i)) {
      if (text[i] != '-') return std::nullopt;
      ++i;
      continue;
    }
    const int high = lower_value(text[i]);
    const int low = lower_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[out++] = static_cast<std::uint8_t>(high * 16 + low);
    i += 2;
  }
  return id;
}

std::string Uuid::text() const {
  std::string text(36, '-');
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    if (dash_at(at)) ++at;
    text[at++] = hex_digits[byte >> 4U];
    text[at++] = hex_digits[byte & 0x0fU];
  }
  return text;
}

std::int64_t Uuid::unix_ms() const {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = (ms << 8) | bytes[i];
  return ms;
}

std::string new_uuid(std::int64_t unix_ms) { return fresh(unix_ms).text(); }

bool is_uuid(std::string_view text) {
  const auto id = Uuid::parse(text);
  return id && id->bytes[6] >> 4U == 7 && id->bytes[8] >> 6U == 2;
}

}  // namespace caisson
