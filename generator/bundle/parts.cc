#include "generator/bundle/parts.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <boost/json.hpp>
#include <elf.h>

#include "base/percent.h"
#include "generator/bundle/unpack.h"

namespace caisson::bundle {
namespace {

namespace json = boost::json;

/// The most text of a section.
constexpr std::size_t kMostOfParts = std::size_t{64} << 20U;

template <class T>
bool read_at(std::string_view bytes, std::uint64_t offset, T& into) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(&into, bytes.data() + offset, sizeof(T));
  return true;
}

/// The content of a section of a 64-bit program; empty when it has none of that name.
std::string_view section(std::string_view program, std::string_view name) {
  Elf64_Ehdr header{};
  Elf64_Shdr names{};
  if (!read_at(program, 0, header) ||
      !read_at(program, header.e_shoff + std::uint64_t{header.e_shstrndx} * sizeof(names), names)) {
    return {};
  }
  const auto bytes = [&](const Elf64_Shdr& of) -> std::string_view {
    if (of.sh_offset > program.size() || program.size() - of.sh_offset < of.sh_size) return {};
    return program.substr(of.sh_offset, of.sh_size);
  };
  const auto all = bytes(names);
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr each{};
    if (!read_at(program, header.e_shoff + i * sizeof(each), each)) return {};
    const auto own = all.substr(std::min<std::size_t>(each.sh_name, all.size()));
    if (own.substr(0, own.find('\0')) == name) return bytes(each);
  }
  return {};
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

/// ID=debian and VERSION_ID="12" of os-release.
std::string os_field(std::string_view os_release, std::string_view key) {
  const auto start = std::string(key) + "=";
  for (std::size_t at = 0; at < os_release.size();) {
    const auto end = std::min(os_release.find('\n', at), os_release.size());
    auto line = os_release.substr(at, end - at);
    if (line.starts_with(start)) {
      line.remove_prefix(start.size());
      if (line.size() > 1 && line.front() == '"') line = line.substr(1, line.size() - 2);
      return std::string(line);
    }
    at = end + 1;
  }
  return {};
}

using Fields = std::map<std::string, std::string, std::less<>>;

std::string field(const Fields& fields, std::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::string() : found->second;
}

/// Calls `take` with each paragraph of lines "Key: value" or "K:value".
template <class Take>
void each_paragraph(std::string_view text, const Take& take) {
  Fields fields;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    const auto colon = line.find(':');
    if (line.empty()) {
      if (!fields.empty()) take(fields);
      fields.clear();
    } else if (line[0] != ' ' && colon != std::string_view::npos) {
      auto value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      fields.emplace(line.substr(0, colon), value);
    }
    at = end + 1;
  }
  if (!fields.empty()) take(fields);
}

Part package(const std::string& type, const std::string& fallback, std::string_view os_release,
             std::string name, std::string version, const std::string& arch) {
  const auto id = os_field(os_release, "ID");
  const auto release = os_field(os_release, "VERSION_ID");
  const auto distribution = id.empty() ? fallback : id;
  auto purl = "pkg:" + type + "/" + distribution + "/" + percent_encoded(name) + "@" +
              percent_encoded(version);
  if (!arch.empty()) purl += "?arch=" + percent_encoded(arch);
  if (!release.empty()) {
    purl += (arch.empty() ? "?" : "&");
    purl += "distro=" + distribution + "-" + percent_encoded(release);
  }
  return {.name = std::move(name), .version = std::move(version), .purl = std::move(purl)};
}

}  // namespace

Result<std::vector<Part>> parts_of(std::string_view program) {
  const auto bytes = section(program, kPartsSection);
  std::vector<Part> parts;
  if (bytes.empty()) return parts;
  const auto damaged = fail(
      "the section " + std::string(kPartsSection) + " of the program is damaged", "build it again");
  std::string text;
  const auto take = [&](std::string_view piece) -> installer::Checked<void> {
    if (piece.size() > kMostOfParts - text.size()) {
      return installer::refuse(installer::Code::layer_too_large, "the section is too large");
    }
    text += piece;
    return {};
  };
  const auto ignored = [](std::string_view) -> Result<void> { return {}; };
  if (!unpack(Source(std::string(bytes)), ignored, take)) return damaged;
  boost::system::error_code error;
  const auto document = json::parse(text, error);
  const auto* list = error ? nullptr : document.if_array();
  if (list == nullptr) return damaged;
  for (const auto& each : *list) {
    const auto* object = each.if_object();
    if (object == nullptr) continue;
    parts.push_back({.name = text_of(*object, "name"),
                     .version = text_of(*object, "version"),
                     .purl = text_of(*object, "purl"),
                     .licence = text_of(*object, "licence"),
                     .text = text_of(*object, "text")});
  }
  return parts;
}

std::vector<Part> dpkg_parts(std::string_view status, std::string_view os_release) {
  std::vector<Part> parts;
  each_paragraph(status, [&](const Fields& fields) {
    const auto state = field(fields, "Status");
    // Images without dpkg have paragraphs without a state: all of them are there.
    if (!state.empty() && !state.ends_with(" installed")) return;
    const auto name = field(fields, "Package");
    const auto version = field(fields, "Version");
    if (name.empty() || version.empty()) return;
    parts.push_back(
        package("deb", "debian", os_release, name, version, field(fields, "Architecture")));
  });
  return parts;
}

std::vector<Part> apk_parts(std::string_view installed, std::string_view os_release) {
  std::vector<Part> parts;
  each_paragraph(installed, [&](const Fields& fields) {
    const auto name = field(fields, "P");
    const auto version = field(fields, "V");
    if (name.empty() || version.empty()) return;
    parts.push_back(package("apk", "alpine", os_release, name, version, field(fields, "A")));
    parts.back().licence = field(fields, "L");
  });
  return parts;
}

}  // namespace caisson::bundle
