#include "conformance/scan/disclosure.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "base/hex.h"
#include "conformance/scan/canary.h"
#include "conformance/scan/scanner.h"

namespace caisson::conformance {
namespace {

/// The least that the search tells from chance.
constexpr std::size_t kLeastOfSecret = 16;
/// Enough of a long secret to know it by.
constexpr std::size_t kMostOfSecret = 256;

constexpr std::string_view kArmour = "-----BEGIN ";
constexpr std::string_view kCanary = "CAISSON-";
/// Random digits at the end of a canary.
constexpr std::size_t kNonce = 32;

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/// Keys that everybody has: SHA-256 of the first long line of each. Those of the tests of Mbed TLS
/// lie in its library, and with it in `caisson`.
constexpr std::string_view kPublished[] = {
    "086daa2d17034d6aa058742c48153b9efc2a9f50d4bf79da12ef2f17f30e68cb",
    "0b36760832bc842a1b339766985a83efaf3652e30b26fa0620d413d472d7e2ee",
    "0e8caf39428b065c6f577bac6daac465bcda75c36a68dd366c03756638eb3a39",
    "152af81d8d1fe714c4316702a5beae24193f3d3615688cb8174802fe42856974",
    "29f4f8cbe25b7f3a113e4648c5508dd134e1a7d71e701a8e224f35040a846c52",
    "88c7b287228589a6e28a60d89b2bfafcf087ec210b5dbf681fe5148caed66d78"};

/// The label of a private key whose armour begins here and that has a body: programs which read
/// keys hold the first line alone.
std::optional<std::string_view> private_key(std::string_view text) {
  text.remove_prefix(kArmour.size());
  const auto end = text.substr(0, 64).find("-----");
  if (end == std::string_view::npos) return std::nullopt;
  const auto label = text.substr(0, end);
  if (label.find("PRIVATE KEY") == std::string_view::npos) return std::nullopt;
  text.remove_prefix(end + 5);
  // Written in JSON, a line ends with two characters.
  std::size_t digits = 0;
  std::size_t line = 0;
  std::string_view longest;
  for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 512); ++i) {
    if (is_base64(text[i])) {
      // "\n" of JSON is not the digit n.
      const bool escaped = i > 0 && text[i - 1] == '\\';
      line = escaped ? 0 : line + 1;
      if (line > digits) {
        digits = line;
        longest = text.substr(i + 1 - line, line);
      }
    } else if (text[i] == '\n' || text[i] == '\r' || text[i] == '\\' || text[i] == ':' ||
               text[i] == ' ' || text[i] == ',' || text[i] == '=' || text[i] == '-' ||
               text[i] == '\t') {
      line = 0;
    } else {
      break;
    }
  }
  if (digits < 32) return std::nullopt;
  const auto known = sha256_hex(longest);
  return std::ranges::find(kPublished, known) == std::end(kPublished) ? std::optional(label)
                                                                      : std::nullopt;
}

/// Whether these are the first bytes of an OpenPGP secret key: RFC 9580, a packet with tag 5 or 7
/// of version 4 to 6, with the header of either format.
bool is_secret_key_packet(std::string_view text) {
  if (text.size() < 16) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned first = byte(0);
  std::size_t version = 0;
  if (first == 0xc5 || first == 0xc7) {
    version = byte(1) < 192 ? 2 : byte(1) < 224 ? 3 : byte(1) == 255 ? 6 : 0;
  } else if ((first & 0xfcU) == 0x94 || (first & 0xfcU) == 0x9c) {
    const auto kind = first & 3U;
    version = kind == 3 ? 0 : std::size_t{1} + (std::size_t{1} << kind);
  }
  if (version == 0 || byte(version) < 4 || byte(version) > 6) return false;
  // The four bytes after it are when it was made: after 1990, whatever clock it was.
  const auto algorithm = byte(version + 5);
  const bool known = (algorithm >= 1 && algorithm <= 3) || (algorithm >= 16 && algorithm <= 28);
  return known && byte(version + 1) >= 0x25;
}

bool is_canary(std::string_view text) {
  // CAISSON-<run>-<tenant>-<sink>-<nonce>
  std::size_t dashes = 0;
  std::size_t digits = 0;
  for (const char c : text.substr(kCanary.size(), 256)) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    if (c == '-') {
      ++dashes;
      digits = 0;
    } else if (!word) {
      break;
    } else {
      digits = hex_value(c) >= 0 ? digits + 1 : 0;
    }
    if (dashes >= 3 && digits >= kNonce) return true;
  }
  return false;
}

/// Calls `at` for every place of `needle`.
template <class At>
void each(std::string_view text, std::string_view needle, const At& at) {
  // It looks for the first letter with memchr(3): faster here than searchers that skip.
  for (auto place = text.find(needle); place != std::string_view::npos;
       place = text.find(needle, place + needle.size())) {
    at(text.substr(place));
  }
}

}  // namespace

std::string needle_of(std::string_view value) {
  // A text of several lines may be broken elsewhere: its longest line is looked for.
  std::string_view longest;
  for (std::size_t at = 0; at <= value.size();) {
    const auto end = std::min(value.find('\n', at), value.size());
    auto line = value.substr(at, end - at);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.size() > longest.size() && !line.starts_with("-----")) longest = line;
    at = end + 1;
  }
  if (longest.size() < kLeastOfSecret) return {};
  return std::string(longest.substr(0, kMostOfSecret));
}

DisclosureScan::DisclosureScan(const std::vector<KnownSecret>& secrets) {
  std::vector<Canary> canaries;
  for (const auto& secret : secrets) {
    const auto needle = needle_of(secret.value);
    if (needle.empty()) continue;
    names_.push_back(secret.name);
    canaries.push_back(secret_canary({}, secret.name, needle));
  }
  if (!canaries.empty()) secrets_ = std::make_unique<Scanner>(std::move(canaries));
}

DisclosureScan::~DisclosureScan() = default;

void DisclosureScan::found(std::string_view place, std::string what) {
  const std::scoped_lock lock(mutex_);
  findings_.insert({.place = std::string(place), .what = std::move(what)});
}

void DisclosureScan::look(std::string_view place, std::string_view bytes, bool begins) {
  if (begins && is_secret_key_packet(bytes)) found(place, "a private key (OpenPGP)");
  each(bytes, kArmour, [&](std::string_view at) {
    if (const auto label = private_key(at)) {
      found(place, "a private key (" + std::string(*label) + ")");
    }
  });
  each(bytes, kCanary, [&](std::string_view at) {
    if (is_canary(at)) found(place, "a canary of `caisson conform`");
  });
  if (!secrets_) return;
  for (const auto& sighting : secrets_->scan(bytes)) {
    found(place,
          "the value of the secret '" + names_[sighting.canary] + "' (" + sighting.form + ")");
  }
}

std::vector<Disclosure> DisclosureScan::findings() {
  const std::scoped_lock lock(mutex_);
  return {findings_.begin(), findings_.end()};
}

}  // namespace caisson::conformance
