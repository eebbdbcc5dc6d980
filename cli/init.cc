#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <CLI/App.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/files.h"
#include "base/shell.h"
#include "cli/command.h"
#include "generator/spec/reserved.h"
#include "generator/spec/spec.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kNotes =
    R"(The spec is named after its directory. An existing spec is never touched.

examples:
  caisson init                 write ./deployment.yaml
  caisson init shop            write shop/deployment.yaml; makes the directory

exit codes:
  0  the spec was written
  2  the command line makes no sense
  3  there is a deployment.yaml already, or it cannot be written
)";

constexpr std::string_view kFileName = "deployment.yaml";

struct Options {
  std::string directory = ".";
};

/// A name for the deployment from the name of its directory, within the bounds of a slug.
std::string deployment_name(const fs::path& directory) {
  constexpr std::size_t kLongest = 40;
  std::error_code error;
  std::string name;
  for (const char c : fs::weakly_canonical(directory, error).filename().string()) {
    if (name.size() == kLongest) break;
    const auto lower = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      name += lower;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  if (name.empty()) return "my-product";
  // What no host takes as the name of an account or of units.
  const bool taken = spec::is_one_of(name, spec::own_names_of_systemd) ||
                     spec::is_one_of(name, spec::accounts_of_systems) || name.front() <= '9';
  return taken ? "my-" + name.substr(0, kLongest - 3) : name;
}

Result<void> write_new(const fs::path& path, const std::string& text) {
  const auto shown = "'" + path.string() + "'";
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) {
    return fail("cannot create '" + path.parent_path().string() + "': " + error.message());
  }
  // O_EXCL refuses links and races too.
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file && errno == EEXIST) {
    return fail(shown + " exists already", "edit it, or name another directory");
  }
  const bool written =
      file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (written) return {};
  error.assign(errno, std::generic_category());
  if (file) unlink(path.c_str());
  return fail("cannot write " + shown + ": " + error.message());
}

int run(const Options& options, Console& console) {
  const auto path = (fs::path(options.directory) / kFileName).lexically_normal();
  if (const auto written = write_new(path, spec::starter(deployment_name(options.directory)));
      !written) {
    return fail_with(written.error(), console);
  }
  console.remark("wrote " + path.string() + "\nnext: caisson validate " +
                 typed_word(path.string()));
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command init_command(CLI::App& root) {
  auto* app = root.add_subcommand("init", "write a commented starter spec")->group("spec");
  auto options = std::make_shared<Options>();
  app->add_option("DIR", options->directory, "where deployment.yaml goes (default: here)")
      ->type_name("DIR");
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli
