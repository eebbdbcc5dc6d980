#pragma once

#include <string>

#include "base/result.h"
#include "generator/render/blueprints.h"

namespace CLI {
class App;
}

namespace caisson::cli {

/// --blueprints WHERE.
void add_blueprints(CLI::App& app, std::string& where);

/// The shipped blueprints with replacements in their place. `where` is a directory, or
/// "git+file:///REPOSITORY@COMMIT#DIRECTORY": the directory (without one: all) of a full commit id
/// of a local git repository. What could be something else tomorrow (a branch, a tag, an
/// abbreviated id) fails, and the remedy has the id that it stands for today.
[[nodiscard]] Result<render::Blueprints> load_blueprints(const std::string& where);

}  // namespace caisson::cli
