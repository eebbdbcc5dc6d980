#include "generator/bundle/image_root.h"

#include <algorithm>
#include <charconv>

namespace caisson::bundle {
namespace {

constexpr std::string_view kPasswd = "etc/passwd";
constexpr std::string_view kGroup = "etc/group";
constexpr std::string_view kDpkg = "var/lib/dpkg/status";
constexpr std::string_view kDpkgParts = "var/lib/dpkg/status.d/";  // of images without dpkg
constexpr std::string_view kApk = "lib/apk/db/installed";
constexpr std::string_view kApkMerged = "usr/lib/apk/db/installed";
/// The most bytes of one of these files.
constexpr std::size_t kMostOfFile = std::size_t{32} << 20U;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty() || (path.size() > directory.size() && path.starts_with(directory) &&
                               path[directory.size()] == '/');
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; at <= line.size();) {
    const auto end = std::min(line.find(':', at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // 2^32 - 1 is nobody's.
  if (error != std::errc{} || stop != text.data() + text.size() || value == 0xffffffff)
    return std::nullopt;
  return value;
}

/// The first line of a table whose field `at` is `value`.
std::vector<std::string_view> line_of(const std::string* table, std::size_t at,
                                      std::string_view value) {
  if (table == nullptr) return {};
  const std::string_view text(*table);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    auto fields = fields_of(text.substr(begin, end - begin));
    if (fields.size() > std::max<std::size_t>(at, 2) && fields[at] == value) return fields;
    begin = end + 1;
  }
  return {};
}

}  // namespace

bool is_telling(std::string_view path) {
  return path == kPasswd || path == kGroup || path == kDpkg || path == kApk || path == kApkMerged ||
         path == "etc/os-release" || path == "usr/lib/os-release" ||
         (path.starts_with(kDpkgParts) && !path.ends_with(".md5sums"));
}

bool LayerFacts::entry(const ArchiveEntry& entry) {
  constexpr std::uint64_t block = 4096;
  const auto slash = entry.path.rfind('/');
  const auto begin = slash == std::string::npos ? 0 : slash + 1;
  const auto name = std::string_view(entry.path).substr(begin);
  const auto directory = entry.path.substr(0, begin == 0 ? 0 : begin - 1);
  if (name == kOpaque) {
    emptied_.push_back(directory);
    return false;
  }
  if (name.starts_with(kWhiteout)) {
    removed_.push_back(entry.path.substr(0, begin) + std::string(name.substr(kWhiteout.size())));
    return false;
  }
  if (entry.kind != ArchiveEntry::Kind::hard_link) {
    unpacked_ += std::max<std::uint64_t>(1, (entry.size + block - 1) / block) * block;
  }
  if (entry.kind != ArchiveEntry::Kind::directory) {
    // What was a directory before is none any more.
    removed_.push_back(entry.path);
  }
  if (!is_telling(entry.path)) return false;
  const bool file = entry.kind == ArchiveEntry::Kind::file && entry.size <= kMostOfFile;
  if (file) {
    files_[entry.path] = std::string();
  } else if (entry.kind != ArchiveEntry::Kind::directory) {
    files_[entry.path] = std::nullopt;
  }
  return file;
}

void LayerFacts::content(const ArchiveEntry& entry, std::string_view bytes) {
  files_[entry.path]->append(bytes);
}

void ImageRoot::add(const LayerFacts& layer) {
  std::erase_if(files_, [&](const auto& file) {
    const auto gone = [&](const std::string& path) {
      return file.first == path || is_below(file.first, path);
    };
    return std::ranges::any_of(layer.removed_, gone) ||
           std::ranges::any_of(layer.emptied_,
                               [&](const auto& path) { return is_below(file.first, path); });
  });
  for (const auto& [path, bytes] : layer.files_) files_[path] = bytes;
}

const std::string* ImageRoot::file(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() || !found->second ? nullptr : &*found->second;
}

std::vector<std::pair<std::string, const std::string*>> ImageRoot::below(
    std::string_view directory) const {
  std::vector<std::pair<std::string, const std::string*>> files;
  for (const auto& [path, bytes] : files_) {
    if (is_below(path, directory) && bytes) files.emplace_back(path, &*bytes);
  }
  return files;
}

Result<std::pair<std::uint32_t, std::uint32_t>> ImageRoot::user(std::string_view name) const {
  const auto colon = std::min(name.find(':'), name.size());
  auto user = name.substr(0, colon);
  const auto group = name.substr(std::min(colon + 1, name.size()));
  if (user.empty()) user = "0";
  const auto* passwd = file(kPasswd);
  auto uid = number(user);
  auto line = uid ? line_of(passwd, 2, user) : line_of(passwd, 0, user);
  if (!uid) {
    if (line.size() >= 4) uid = number(line[2]);
    if (!uid) {
      return fail("the image's /etc/passwd has no user '" + std::string(user) + "'",
                  "give the image a user by number");
    }
  }
  std::optional<std::uint32_t> gid = group.empty() ? 0 : number(group);
  if (group.empty() && line.size() >= 4) {
    gid = number(line[3]);
  } else if (!gid) {
    const auto found = line_of(file(kGroup), 0, group);
    if (found.size() >= 3) gid = number(found[2]);
  }
  if (!gid) {
    return fail("the image's /etc/group has no group '" + std::string(group) + "'",
                "give the image a group by number");
  }
  return std::pair{*uid, *gid};
}

}  // namespace caisson::bundle
