#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/options.h"
#include "generator/transport/transport.h"
#include "installer/command/command.h"
#include "installer/media/medium.h"

namespace caisson::cli {
namespace {

constexpr auto kVerifyNotes =
    R"(Checks what `caisson-install verify` checks at a site, by the same code, but takes bundles for any processor:
roots, signature, MANIFEST, and the hash and the content of every file. Nothing is written. A bundle is a
directory, a transport file, one of its parts or the directory of the parts.

examples:
  caisson bundle verify agentik-1.1.0-amd64 --roots keys
  caisson bundle verify agentik.tar --expect-root 4f0c...   as a site does for the first time

exit codes:
  0  it is as it should be
  1  the bundle is refused; the code says why
  2  the command line makes no sense
  3  a medium or this host cannot be read
)";

constexpr auto kInspectNotes =
    R"(Lists the images and files of a bundle with their sizes, after roots, signature and MANIFEST were checked.

examples:
  caisson bundle inspect agentik-1.1.0-amd64 --roots keys
  caisson bundle inspect /media/stick/AGENTIK.001 --roots keys --json

exit codes:
  0  it was listed
  1  the bundle is refused; the code says why
  2  the command line makes no sense
  3  a medium or this host cannot be read
)";

constexpr auto kSplitNotes =
    R"(Writes a bundle in parts, for media and file systems that hold no large files. A site reads the parts as they
are, in any order and by any name. What SHA256SUMS does not list stays behind; the hash of everything else is
checked while it is copied, signatures are not.

examples:
  caisson bundle split agentik-1.1.0-amd64 --part-size 4095 --out /media/stick
  caisson bundle split agentik.tar --part-size 650 --out parts

exit codes:
  0  the parts were written
  1  the bundle is refused
  2  the command line makes no sense
  3  something cannot be read or written; nothing was left behind
)";

constexpr auto kJoinNotes =
    R"(Writes a bundle as one transport file, from its directory or from its parts. What SHA256SUMS does not list
stays behind; the hash of everything else is checked while it is copied, signatures are not.

examples:
  caisson bundle join parts --out agentik.tar
  caisson bundle join agentik-1.1.0-amd64 --out agentik.tar

exit codes:
  0  the transport was written
  1  the bundle is refused
  2  the command line makes no sense
  3  something cannot be read or written; nothing was left behind
)";

int finish(const installer::Said& said, Console& console) {
  console.print(said.out);
  if (!said.error.empty()) console.error(said.error);
  return static_cast<int>(said.exit);
}

CLI::Option* add_bundle(CLI::App& app, std::string& bundle) {
  return app.add_option("BUNDLE", bundle, "a bundle: its directory, its transport or its parts")
      ->type_name("BUNDLE")
      ->required();
}

/// `verify` and `inspect`.
Command checking(CLI::App& app, const char* notes,
                 installer::Said (*check)(const installer::Request&), bool sums) {
  struct Options {
    installer::Request request;
    std::string root;
  };
  auto options = std::make_shared<Options>();
  add_bundle(app, options->request.bundle);
  app.add_option("--roots", options->request.roots,
                 "the roots that are trusted: DIR/root.1 and so on")
      ->type_name("DIR");
  app.add_option("--expect-root", options->root, "or the SHA-256 of a root")
      ->type_name("FINGERPRINT");
  app.add_flag("--strict", options->request.strict, "refuse files that nothing lists");
  if (sums) {
    app.add_flag("--sums", options->request.sums_only,
                 "check what gpgv and sha256sum check, and decode nothing");
  }
  app.add_flag("--json", options->request.json, "write the result as JSON");
  app.footer(notes);
  const auto name = "caisson bundle " + app.get_name();
  return {.app = &app, .run = [options, check, name](Console& console) {
            auto& request = options->request;
            if (request.roots.empty() == options->root.empty()) {
              console.error(name + ": say whom to trust, with either --roots or --expect-root\n");
              return static_cast<int>(Exit::usage);
            }
            if (!options->root.empty()) {
              request.expected_root = installer::fingerprint_of(options->root);
              if (!request.expected_root) {
                console.error(name + ": --expect-root takes 64 hexadecimal digits\n");
                return static_cast<int>(Exit::usage);
              }
            }
            return finish(check(request), console);
          }};
}

int say(const installer::Checked<std::vector<transport::Written>>& written, Console& console) {
  if (!written) return finish(installer::say(written.error(), false), console);
  for (const auto& file : *written) {
    console.print(file.name + "  " + std::to_string(file.size) + "\n");
  }
  return static_cast<int>(Exit::ok);
}

Command split_command(CLI::App& group) {
  struct Options {
    std::string bundle;
    std::string out;
    std::uint64_t megabytes = 4095;
  };
  auto* app = group.add_subcommand("split", "write a bundle in parts")->group("commands");
  auto options = std::make_shared<Options>();
  add_bundle(*app, options->bundle);
  app->add_option("--part-size", options->megabytes,
                  "bytes of a part at the most, in units of 2^20: 1 to 4095 (default: 4095)")
      ->type_name("N");
  app->add_option("--out", options->out, "the directory of the parts; has to be there")
      ->type_name("DIR")
      ->required();
  app->footer(kSplitNotes);
  return {.app = app, .run = [options](Console& console) {
            if (options->megabytes < 1 || options->megabytes > 4095) {
              console.error("caisson bundle split: --part-size is 1 to 4095\n");
              return static_cast<int>(Exit::usage);
            }
            const auto medium = installer::open_medium(options->bundle);
            if (!medium) return say(tl::unexpected(medium.error()), console);
            return say(transport::split(**medium, options->megabytes << 20, options->out), console);
          }};
}

Command join_command(CLI::App& group) {
  struct Options {
    std::string bundle;
    std::string out;
  };
  auto* app = group.add_subcommand("join", "write a bundle as one file")->group("commands");
  auto options = std::make_shared<Options>();
  add_bundle(*app, options->bundle);
  app->add_option("--out", options->out, "the transport; must not be there")
      ->type_name("FILE")
      ->required();
  app->footer(kJoinNotes);
  return {.app = app, .run = [options](Console& console) {
            const auto medium = installer::open_medium(options->bundle);
            if (!medium) return say(tl::unexpected(medium.error()), console);
            const auto written = transport::join(**medium, options->out);
            if (!written) return say(tl::unexpected(written.error()), console);
            return say(std::vector<transport::Written>{*written}, console);
          }};
}

}  // namespace

std::vector<Command> bundle_check_commands(CLI::App& root) {
  auto& group = bundle_group(root);
  return {
      checking(
          *group.add_subcommand("verify", "check everything that a site checks")->group("commands"),
          kVerifyNotes, installer::verify_bundle, true),
      checking(*group.add_subcommand("inspect", "list the images and files of a bundle")
                    ->group("commands"),
               kInspectNotes, installer::inspect_bundle, false),
      split_command(group), join_command(group)};
}

}  // namespace caisson::cli
