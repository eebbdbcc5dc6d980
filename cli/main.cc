#include <algorithm>
#include <clocale>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/help.h"
#include "cli/hint.h"
#include "cli/lsp.h"
#include "cli/options.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes = R"(a first stack, from nothing:
  caisson init shop                             write shop/deployment.yaml, commented
  caisson validate shop/deployment.yaml         every mistake of the spec in one run
  caisson plan shop/deployment.yaml             what would run, and where each value comes from
  caisson generate shop/deployment.yaml         write the artifacts, the same bytes every time
  caisson up shop/deployment.yaml               start the stack here, without containers
  caisson conform shop/deployment.yaml          attack it, and see which walls held
  caisson down shop/deployment.yaml             stop it and leave nothing behind
  caisson explain runtime.replicas              what a field means

exit codes:
  0  it is as it should be
  1  the spec has errors, the output is stale, or the two sides differ
  2  the command line makes no sense
  3  a file, a repository or a process was in the way
for conform and prove 1 is a leak, 2 is inconclusive, and 3 is everything else that is not a pass.
`caisson COMMAND --help` tells more about each command, with examples.
)";

/// The program's parser, its commands, and the options that every command has.
class Program {
 public:
  Program() : root_("validates, generates and attacks multi-tenant deployments of one YAML spec") {
    root_.name("caisson");
    root_.set_version_flag("--version", std::string("caisson ") + CAISSON_VERSION)
        ->description("print the version and exit");
    commands_ = {
        init_command(root_),        validate_command(root_),    explain_command(root_),
        plan_command(root_),        generate_command(root_),    diff_command(root_),
        image_command(root_),       up_command(root_),          down_command(root_),
        conform_command(root_),     prove_command(root_),       sweep_command(root_),
        blueprints_command(root_),  schema_command(root_),      completion_command(root_),
        lsp_command(root_),         bundle_sign_command(root_), bundle_create_command(root_),
        bundle_scan_command(root_), bundle_diff_command(root_), bundle_unpack_command(root_),
        bundle_waive_command(root_)};
    for (auto& command : bundle_check_commands(root_)) commands_.push_back(std::move(command));
    for (auto& command : keys_commands(root_)) commands_.push_back(std::move(command));
    // Last: commands that were added after it would take it over.
    root_.footer(kNotes);
    describe(root_);
    for (const auto& command : commands_) {
      describe(*command.app);
      auto* group = command.app->get_parent();
      if (group != &root_) group->require_subcommand(0, 1);
    }
    for (auto* app : root_.get_subcommands(std::function<bool(CLI::App*)>())) {
      if (is_group(*app)) describe_group(*app);
    }
    root_.require_subcommand(0, 1);
  }

  int run(int count, const char* const* arguments) {
    try {
      root_.parse(count, arguments);
    } catch (const CLI::CallForHelp&) {
      console_.print(help_of(chosen()));
      return finish(0);
    } catch (const CLI::CallForVersion& version) {
      console_.print(std::string(version.what()) + "\n");
      return finish(0);
    } catch (const CLI::ParseError& error) {
      return misused(error.what());
    }
    if (const auto unknown = root_.remaining(true); !unknown.empty())
      return misused(about(unknown[0]));
    console_.set_quiet(quiet_);
    console_.set_colour(colour_ == "always"  ? Colour::always
                        : colour_ == "never" ? Colour::never
                                             : Colour::automatic);
    if (const auto* command = chosen_command()) return finish(command->run(console_));
    console_.error(help_of(chosen()));
    return static_cast<int>(Exit::usage);
  }

 private:
  void describe(CLI::App& app) {
    app.set_help_flag("-h,--help", "print this help and exit");
    // Unknown words are ours to explain.
    app.allow_extras();
    if (app.get_parent() == nullptr) return;
    app.add_flag("-q,--quiet", quiet_, "print results and errors only");
    add_choice(app, "--color", colour_, "auto|always|never", "colour the text");
  }

  /// A command that is nothing but a name for others.
  static void describe_group(CLI::App& app) {
    app.set_help_flag("-h,--help", "print this help and exit");
    app.allow_extras();
  }

  /// The command being parsed, the group of commands, or the program itself.
  [[nodiscard]] const CLI::App& chosen() const {
    if (const auto* command = chosen_command()) return *command->app;
    for (const auto* app : root_.get_subcommands(std::function<bool(const CLI::App*)>())) {
      if (is_group(*app) && app->parsed()) return *app;
    }
    return root_;
  }

  [[nodiscard]] const Command* chosen_command() const {
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [](const Command& command) { return command.app->parsed(); });
    return found == commands_.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::string about(const std::string& word) const {
    const auto& app = chosen();
    if (word.starts_with("-"))
      return "unknown option '" + word + "'" + hint(word, option_names(app));
    if (&app != &root_ && !is_group(app)) return "unexpected argument '" + word + "'";
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands(std::function<bool(const CLI::App*)>())) {
      names.push_back(sub->get_name());
    }
    return "unknown command '" + word + "'" + hint(word, names);
  }

  static std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

  int misused(const std::string& what) {
    const auto& app = chosen();
    const auto name = called(app);
    console_.error(name + ": " + what + "\nsee `" + name + " --help`\n");
    const auto* command = chosen_command();
    return static_cast<int>(command == nullptr ? Exit::usage : command->misuse);
  }

  int finish(int code) { return console_.finish() ? code : static_cast<int>(Exit::environment); }

  CLI::App root_;
  Console console_;
  std::vector<Command> commands_;
  bool quiet_ = false;
  std::string colour_ = "auto";
};

}  // namespace
}  // namespace caisson::cli

int main(int count, char** arguments) {
  try {
    return caisson::cli::Program().run(count, arguments);
  } catch (const std::exception& error) {
    caisson::cli::Console().error(std::string("caisson: this is a bug: ") + error.what() + "\n");
    return static_cast<int>(caisson::cli::Exit::environment);
  }
}
