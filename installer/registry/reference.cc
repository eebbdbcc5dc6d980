#include "installer/registry/reference.h"

#include <algorithm>

#include "base/hex.h"
#include "installer/format/lines.h"

namespace caisson::installer {
namespace {

constexpr std::string_view kSha256 = "sha256:";

bool is_small(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_word(char c) { return is_small(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
bool is_component(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    const auto begin = at;
    while (at < text.size() && is_small(text[at])) ++at;
    if (at == begin) return false;
    if (at == text.size()) return true;
    const auto separator = at;
    while (at < text.size() && !is_small(text[at])) ++at;
    const auto between = text.substr(separator, at - separator);
    const bool dashes = between.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && between != "." && between != "_" && between != "__") return false;
  }
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

/// The first component names a registry when it could not be a repository's.
bool is_registry(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

bool is_repository(std::string_view name) {
  if (name.size() > 255) return false;
  while (true) {
    const auto slash = std::min(name.find('/'), name.size());
    if (!is_component(name.substr(0, slash))) return false;
    if (slash == name.size()) return true;
    name.remove_prefix(slash + 1);
  }
}

std::optional<Digest> sha256_of(std::string_view text) {
  if (!text.starts_with(kSha256)) return std::nullopt;
  return digest_of(text.substr(kSha256.size()));
}

std::string to_text(const Digest& digest) { return std::string(kSha256) + hex(digest); }

std::optional<Reference> reference_of(std::string_view text) {
  Reference reference;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    reference.digest = sha256_of(text.substr(at + 1));
    if (!reference.digest) return std::nullopt;
    text = text.substr(0, at);
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && is_registry(text.substr(0, slash))) {
    reference.registry = std::string(text.substr(0, slash));
    text.remove_prefix(slash + 1);
  } else {
    reference.registry = "docker.io";
    if (slash == std::string_view::npos) reference.repository = "library/";
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    reference.tag = std::string(text.substr(colon + 1));
    if (!is_tag(reference.tag)) return std::nullopt;
    text = text.substr(0, colon);
  } else if (!reference.digest) {
    reference.tag = "latest";
  }
  reference.repository += text;
  if (!is_repository(reference.repository)) return std::nullopt;
  return reference;
}

}  // namespace caisson::installer
