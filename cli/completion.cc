#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/completion_script.h"
#include "cli/options.h"
#include "generator/render/blueprints.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes = R"(examples:
  source <(caisson completion bash)                                      for this shell
  caisson completion bash > /etc/bash_completion.d/caisson               for everybody
  caisson completion zsh > "${fpath[1]}/_caisson"
  caisson completion fish > ~/.config/fish/completions/caisson.fish

exit codes:
  0  the script was printed
  2  the command line makes no sense
)";

}  // namespace

Command completion_command(CLI::App& root) {
  auto* app = root.add_subcommand("completion", "print a completion script for a shell")
                  ->group("reference");
  auto shell = std::make_shared<std::string>();
  add_choice(*app, "SHELL", *shell, "bash|zsh|fish", "the shell")->required();
  app->footer(kNotes);
  return {.app = app, .run = [&root, shell](Console& console) {
            console.print(completion_script(
                root, *shell,
                {{"explain", explain_subjects()}, {"blueprints", render::Blueprints().names()}}));
            return static_cast<int>(Exit::ok);
          }};
}

}  // namespace caisson::cli
