#include <functional>
#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/passphrase.h"
#include "generator/signing/bundle_signature.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Signs SHA256SUMS with a release key: SHA256SUMS.gpg, or SHA256SUMS.p256.gpg with a key of P-256, for sites in
FIPS mode. The signature says the source date of the bundle, so that the same Ed25519 key gives the same bytes
on any day, here and in gpg. It is written only where a site would take it: the roots hold, the newest one
names the key, the ring fits, and `keys/` is what SHA256SUMS lists. Other files are not read again;
`caisson bundle verify` reads them.

examples:
  caisson bundle sign agentik-1.1.0-amd64 --key release
  caisson bundle sign agentik-1.1.0-amd64 --key gpg:0123456789ABCDEF0123456789ABCDEF01234567

exit codes:
  0  it is signed
  2  the command line makes no sense
  3  something cannot be read or signed; nothing was changed
)";

constexpr auto kWaiveNotes =
    R"(An update whose release leaks between tenants, and whose site leaked before as well, is held: nobody is served
until somebody decides (docs/installer.md). A waiver is the vendor's decision that this one release may run.
Writes FILE, a text of four lines that says so, and its signature FILE.gpg. Send both; the site says
`caisson-install recover --product NAME --waiver FILE`. It counts for this release alone. The bundle and the
key are asked what `caisson bundle sign` asks.

examples:
  caisson bundle waive agentik-1.1.0-amd64 waiver --key release --reason "mends a worse leak of 1.0.0"

exit codes:
  0  both files were written
  2  the command line makes no sense
  3  something cannot be read or signed; nothing was changed
)";

/// What signing something of a bundle has in common.
struct Options {
  std::string directory;
  std::string key;
  std::string passphrase_file;
};

void add_options(CLI::App& app, Options& options) {
  app.add_option("DIR", options.directory, "the bundle")->type_name("DIR")->required();
  app.add_option("--key", options.key, "the private key, a file or gpg:FINGERPRINT")
      ->type_name("KEY")
      ->required();
  app.add_option("--passphrase-file", options.passphrase_file,
                 "its first line opens the key (default: ask on the terminal)")
      ->type_name("FILE");
}

Result<std::unique_ptr<signing::Signer>> signer_of(const Options& options) {
  return signing::open_signer(options.key, passphrase_from(options.passphrase_file));
}

int run(const Options& options, Console& console) {
  const auto signer = signer_of(options);
  const auto signed_file = signer ? signing::sign_bundle(options.directory, **signer)
                                  : Result<std::string>(tl::unexpected(signer.error()));
  if (!signed_file) return fail_with(signed_file.error(), console);
  console.print(*signed_file + "\n");
  return static_cast<int>(Exit::ok);
}

struct Waive : Options {
  std::string reason;
  std::string file;
};

int waive(const Waive& options, Console& console) {
  const auto signer = signer_of(options);
  const auto release =
      signer ? signing::waive_bundle(options.directory, options.reason, **signer, options.file)
             : Result<std::string>(tl::unexpected(signer.error()));
  if (!release) return fail_with(release.error(), console);
  console.print(*release + "  " + options.file + "  " + options.file + ".gpg\n");
  return static_cast<int>(Exit::ok);
}

}  // namespace

CLI::App& bundle_group(CLI::App& root) {
  for (auto* app : root.get_subcommands(std::function<bool(CLI::App*)>())) {
    if (app->get_name() == "bundle") return *app;
  }
  return *root.add_subcommand("bundle", "make releases for sites without a network")
              ->group("releases");
}

Command bundle_sign_command(CLI::App& root) {
  auto* app = bundle_group(root)
                  .add_subcommand("sign", "sign a bundle with a release key")
                  ->group("commands");
  auto options = std::make_shared<Options>();
  add_options(*app, *options);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return run(*options, console); }};
}

Command bundle_waive_command(CLI::App& root) {
  auto* app = bundle_group(root)
                  .add_subcommand("waive", "let a site open a release that is held")
                  ->group("commands");
  auto options = std::make_shared<Waive>();
  add_options(*app, *options);
  app->add_option("FILE", options->file, "the waiver; FILE.gpg is its signature")
      ->type_name("FILE")
      ->required();
  app->add_option("--reason", options->reason, "why it may run: a line for people")
      ->type_name("TEXT")
      ->required();
  app->footer(kWaiveNotes);
  return {.app = app, .run = [options](Console& console) { return waive(*options, console); }};
}

}  // namespace caisson::cli
