#pragma once

#include <string>

#include "base/result.h"
#include "generator/signing/private_key.h"

namespace caisson::cli {

/// Asks for the passphrases of private keys: takes the first line of `file` where that is not
/// empty, and asks on the terminal otherwise.
[[nodiscard]] signing::AskPassphrase passphrase_from(std::string file);

/// Asks on the terminal for a new passphrase, twice.
[[nodiscard]] Result<std::string> new_passphrase();

/// The first line of a file.
[[nodiscard]] Result<std::string> passphrase_in(const std::string& file);

}  // namespace caisson::cli
