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

struct Options {
  std::string directory;
  std::string key;
  std::string passphrase_file;
};

int run(const Options& options, Console& console) {
  const auto signer = signing::open_signer(options.key, passphrase_from(options.passphrase_file));
  const auto signed_file = signer ? signing::sign_bundle(options.directory, **signer)
                                  : Result<std::string>(tl::unexpected(signer.error()));
  if (!signed_file) return fail_with(signed_file.error(), console);
  console.print(*signed_file + "\n");
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
  app->add_option("DIR", options->directory, "the bundle")->type_name("DIR")->required();
  app->add_option("--key", options->key, "the private key, a file or gpg:FINGERPRINT")
      ->type_name("KEY")
      ->required();
  app->add_option("--passphrase-file", options->passphrase_file,
                  "its first line opens the key (default: ask on the terminal)")
      ->type_name("FILE");
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return run(*options, console); }};
}

}  // namespace caisson::cli
