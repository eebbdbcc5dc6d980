#pragma once

#include "cli/command.h"

namespace caisson::cli {

[[nodiscard]] Command lsp_command(CLI::App& root);

}  // namespace caisson::cli
