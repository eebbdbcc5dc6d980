#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "installer/disk/disk.h"
#include "installer/trust/chain.h"

namespace caisson::installer {

// Whom a site trusts: a directory with root.1, root.2 and so on, from the first that it was told
// on. `path` is that directory below a disk, "" for the disk's root.

/// The texts of all roots that were kept, the oldest first; none where there is no directory.
[[nodiscard]] Checked<std::vector<std::string>> kept_texts(const Disk& disk, std::string_view path);

/// The newest root that was kept; nothing where there is none.
[[nodiscard]] Checked<std::optional<TrustedRoot>> load_roots(const Disk& disk,
                                                             std::string_view path);

/// Keeps a root that has verified, durably. One that is kept already stays.
[[nodiscard]] Checked<void> keep_root(Disk& disk, std::string_view path, const TrustedRoot& root);

/// Follows the chain of `files` from the newest root that was kept, and keeps each root as soon as
/// it has verified; the newest of them. Where none was kept, the first is the one of the digest
/// `expected`; where some were, and a digest is given, it has to be of one of them
/// (`Code::root_not_trusted`). The first has to be of `product`, unless that is "".
[[nodiscard]] Checked<TrustedRoot> take_roots(Disk& disk, std::string_view path,
                                              std::span<const RootFile> files,
                                              std::string_view product,
                                              const std::optional<Digest>& expected);

}  // namespace caisson::installer
