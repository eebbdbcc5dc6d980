#include "installer/site/roots.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/hex.h"
#include "installer/format/lines.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfKeptRoot = std::size_t{64} * 1024;

std::string root_path(std::string_view directory, std::uint64_t version) {
  return (directory.empty() ? "" : std::string(directory) + "/") + "root." +
         std::to_string(version);
}

}  // namespace

Checked<std::vector<std::string>> kept_texts(const Disk& disk, std::string_view path) {
  std::vector<std::string> texts;
  if (!path.empty()) {
    const auto there = disk.status(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return texts;
  }
  const auto names = disk.list(path);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::uint64_t> numbers;
  for (const auto& name : *names) {
    if (!name.starts_with("root.")) continue;
    if (const auto number = number_of(std::string_view(name).substr(5))) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  for (const auto number : numbers) {
    auto text = read_file(disk, root_path(path, number), kMostOfKeptRoot);
    if (!text) return tl::unexpected(text.error());
    texts.push_back(*std::move(text));
  }
  return texts;
}

Checked<std::optional<TrustedRoot>> load_roots(const Disk& disk, std::string_view path) {
  const auto texts = kept_texts(disk, path);
  if (!texts) return tl::unexpected(texts.error());
  if (texts->empty()) return std::nullopt;
  auto root = kept_roots(*texts);
  if (!root) return tl::unexpected(root.error());
  return *std::move(root);
}

Checked<void> keep_root(Disk& disk, std::string_view path, const TrustedRoot& root) {
  if (!path.empty()) {
    if (auto made = ensure_directory(disk, path, 0755); !made) return made;
  }
  const auto file = root_path(path, root.root().version);
  const auto there = disk.status(file);
  if (!there) return tl::unexpected(there.error());
  return *there ? Checked<void>{} : replace_file(disk, file, root.text(), 0644);
}

Checked<TrustedRoot> take_roots(Disk& disk, std::string_view path, std::span<const RootFile> files,
                                std::string_view product, const std::optional<Digest>& expected) {
  const auto texts = kept_texts(disk, path);
  if (!texts) return tl::unexpected(texts.error());
  auto trusted = !texts->empty() ? kept_roots(*texts)
                 : expected      ? expected_root(files, *expected)
                                 : refuse(Code::root_not_trusted,
                                          "this site trusts nobody yet: say whom, with --expect-root");
  if (!trusted) return trusted;
  if (!product.empty() && trusted->root().product != product) {
    return refuse(Code::other_product, "the root is of '" + trusted->root().product +
                                           "', and not of '" + std::string(product) + "'");
  }
  if (!texts->empty() && expected &&
      std::ranges::none_of(*texts, [&](const auto& text) { return sha256(text) == *expected; })) {
    return refuse(Code::root_not_trusted,
                  "this site trusts root " + std::to_string(trusted->root().version) +
                      ", and no root that it keeps has the fingerprint " + hex(*expected));
  }
  if (texts->empty()) {
    if (auto kept = keep_root(disk, path, *trusted); !kept) return tl::unexpected(kept.error());
  }
  std::optional<Refusal> unkept;
  auto newest = follow_chain(*std::move(trusted), files, [&](const TrustedRoot& next) {
    if (unkept) return;
    if (auto kept = keep_root(disk, path, next); !kept) unkept = kept.error();
  });
  if (unkept) return tl::unexpected(*unkept);
  return newest;
}

}  // namespace caisson::installer
