#pragma once

#include <optional>
#include <string>
#include <vector>

#include "installer/site/premises.h"

namespace caisson::installer {

/// What there is of a product beside a release: data, secrets and roots, each with what it is. The
/// next uninstall removes it.
[[nodiscard]] Checked<std::vector<std::string>> left_on(const Premises& premises);

/// Why nothing can be renamed here: a directory below the product's is a file system of its own
/// (`Code::own_mount`).
[[nodiscard]] std::optional<Refusal> fault_of_mounts(const Premises& premises);

/// The mount points below the directories of a product.
[[nodiscard]] Checked<std::vector<std::string>> own_mounts(Host& host, std::string_view product);

}  // namespace caisson::installer
