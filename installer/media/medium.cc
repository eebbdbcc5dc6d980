#include "installer/media/medium.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "installer/format/path.h"
#include "installer/media/layout.h"
#include "installer/media/parts.h"
#include "installer/media/transport.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;

/// How many names at the top of a directory are looked at, to find parts among them.
constexpr std::size_t kMostNames = 10'000;

/// A name in a directory.
struct Name {
  std::string text;
  bool directory = false;
};

/// Calls `each` with every name in the directory, until it says false.
Checked<void> each_name(const Descriptor& directory, const std::string& shown,
                        const std::function<bool(Name)>& each) {
  const int copy = openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return unreadable("open", shown, errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(copy), closedir);
  if (!entries) return unreadable("read", shown, errno);
  errno = 0;
  while (const dirent* entry = readdir(entries.get())) {
    Name name{.text = entry->d_name};
    if (name.text != "." && name.text != "..") {
      struct stat status{};
      if (fstatat(copy, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return unreadable("examine", shown + "/" + printable(name.text), errno);
      }
      name.directory = S_ISDIR(status.st_mode);
      if (!each(std::move(name))) return {};
    }
    errno = 0;
  }
  if (errno != 0) return unreadable("read", shown, errno);
  return {};
}

/// Whether the directory has the name in a case that nobody has given it: it tells none apart.
bool finds_in_any_case(const Descriptor& directory, const Name& name) {
  constexpr char kOtherCase = 'a' ^ 'A';
  auto strange = name.text;
  strange.front() = static_cast<char>(strange.front() ^ kOtherCase);
  struct stat status{};
  return fstatat(directory.get(), strange.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// A bundle as files in a directory.
class Directory final : public Medium {
 public:
  Directory(Descriptor root, std::string shown)
      : Medium(Form::directory, std::move(shown)), root_(std::move(root)) {}

  Checked<std::unique_ptr<Source>> open(std::string_view path) const override {
    const auto place = shown() + "/" + std::string(path);
    if (const auto fault = fault_of_path(path); !fault.empty()) {
      return refuse(Code::text_path, printable(place) + ": " + std::string(fault));
    }
    const auto slash = path.rfind('/');
    const auto parent = path.substr(0, slash == std::string_view::npos ? 0 : slash);
    auto directory = open_directory(parent);
    if (!directory) return tl::unexpected(directory.error());
    if (!*directory) return refuse(Code::missing_file, place + " is not there");
    return open_file(*directory, std::string(path.substr(slash + 1)), place);
  }

  Checked<void> list(const std::function<void(std::string_view)>& each) const override {
    return list("", each);
  }

 private:
  /// No descriptor when it is not there.
  Checked<Descriptor> open_directory(std::string_view path) const {
    auto directory = open_below(root_, path, shown(), nullptr);
    if (directory) return *std::move(directory);
    // Without a number it is a link or a file that stands in a directory's place.
    const bool odd = directory.error().error == 0;
    return refuse(
        odd ? Code::not_a_regular_file : Code::unreadable_medium,
        odd ? shown() + "/" + std::string(path) + " is not a directory" : directory.error().what);
  }

  Checked<void> list(const std::string& directory,
                     const std::function<void(std::string_view)>& each) const {
    const auto opened = open_directory(directory);
    if (!opened) return tl::unexpected(opened.error());
    if (!*opened) return {};
    std::vector<std::string> below;
    const auto place = directory.empty() ? shown() : shown() + "/" + directory;
    auto listed = each_name(*opened, place, [&](const Name& name) {
      auto path = directory.empty() ? name.text : directory + "/" + name.text;
      if (auto meant = path_in_its_case(path); meant != path && finds_in_any_case(*opened, name)) {
        path = std::move(meant);
      }
      if (!name.directory) {
        each(path);
      } else if (is_directory_of_a_bundle(path)) {
        below.push_back(std::move(path));
      } else {
        each(path + "/");
      }
      return true;
    });
    for (const auto& path : below) {
      if (listed) listed = list(path, each);
    }
    return listed;
  }

  Descriptor root_;
};

/// What stands at the top of a directory, as far as it tells what kind of medium that is.
struct Top {
  bool sums = false;        ///< there is a SHA256SUMS
  std::string like_sums;    ///< a file's name that may have been SHA256SUMS once
  std::vector<Name> names;  ///< all of them
};

Checked<Top> look_at(const Descriptor& directory, const std::string& shown) {
  Top top;
  auto seen = each_name(directory, shown, [&](Name name) {
    auto upper = name.text;
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (name.text == kSums) {
      top.sums = true;
    }
    if (!name.directory && upper.starts_with("SHA256") && !name.text.starts_with(kSums)) {
      top.like_sums = printable(name.text);
    }
    if (top.names.size() < kMostNames) top.names.push_back(std::move(name));
    return true;
  });
  if (!seen) return tl::unexpected(seen.error());
  return top;
}

bool is_part(const Source& file) {
  std::string mark(kPartMark.size(), '\0');
  return file.size() >= kPartHeader && file.read(0, mark) && mark == kPartMark;
}

/// Whatever lies beside the parts and does not begin as one does is passed over.
Checked<std::unique_ptr<Medium>> open_parts(const Descriptor& directory, const std::string& shown,
                                            const Top& top) {
  std::vector<std::unique_ptr<Source>> files;
  for (const auto& name : top.names) {
    if (name.directory) continue;
    auto file = open_file(directory, name.text, shown + "/" + printable(name.text));
    if (!file && file.error().code == Code::not_a_regular_file) continue;
    if (!file) return tl::unexpected(file.error());
    if (!is_part(**file)) continue;
    files.push_back(*std::move(file));
    if (files.size() > kMostParts + 10) {
      return refuse(Code::too_many, shown + " holds more parts than a bundle may have");
    }
  }
  if (files.empty() && !top.like_sums.empty()) {
    return refuse(Code::lost_names, shown + " holds '" + top.like_sums + "' and no SHA256SUMS");
  }
  if (files.empty()) {
    return refuse(Code::missing_file, shown + " holds no SHA256SUMS and no part of a bundle");
  }
  auto parts = join_parts(std::move(files), shown);
  if (!parts) return tl::unexpected(parts.error());
  return open_transport(std::move(parts->transport), parts->manifest);
}

Checked<std::unique_ptr<Medium>> open_directory(Descriptor directory, const std::string& shown) {
  const auto top = look_at(directory, shown);
  if (!top) return tl::unexpected(top.error());
  if (top->sums) return std::make_unique<Directory>(std::move(directory), shown);
  return open_parts(directory, shown, *top);
}

}  // namespace

Checked<std::unique_ptr<Medium>> open_medium(const fs::path& path) {
  const auto shown = path.string();
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  if (Descriptor directory(open(path.c_str(), kFlags)); directory) {
    return open_directory(std::move(directory), shown);
  }
  if (errno == ENOENT) return refuse(Code::missing_file, shown + " is not there");
  if (errno != ENOTDIR) return unreadable("open", shown, errno);
  const auto parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Descriptor directory(open(parent.c_str(), kFlags));
  if (!directory) return unreadable("open", parent.string(), errno);
  auto file = open_file(directory, path.filename().string(), shown);
  if (!file) return tl::unexpected(file.error());
  if (!is_part(**file)) return open_transport(*std::move(file), std::nullopt);
  const auto top = look_at(directory, parent.string());
  if (!top) return tl::unexpected(top.error());
  return open_parts(directory, parent.string(), *top);
}

Checked<std::string> read_text(const Medium& medium, std::string_view path, std::size_t limit) {
  const auto source = medium.open(path);
  if (!source) return tl::unexpected(source.error());
  return read_all(**source, limit);
}

}  // namespace caisson::installer
