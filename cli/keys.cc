#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "base/files.h"
#include "base/hex.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/passphrase.h"
#include "generator/signing/gpg.h"
#include "generator/signing/roots.h"
#include "generator/signing/signer.h"
#include "installer/format/lines.h"
#include "installer/trust/key_packet.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using installer::Algorithm;
using installer::RingKey;

constexpr auto kGenerateNotes =
    R"(Writes a private key to FILE (PKCS#8 in PEM, mode 0600) and its public half to FILE.pub, an OpenPGP key that
gpg imports. Keys are created on 2020-01-01, whatever day it is: gpgv refuses keys from the future, and many
sites have no clock that is right. Keep root keys on media that are offline; docs/keys.md tells more.

examples:
  caisson keys generate root-anna --passphrase
  caisson keys generate release --name "agentik releases"
  caisson keys generate release-fips --algorithm p256          for sites in FIPS mode

exit codes:
  0  both files were written
  2  the command line makes no sense
  3  something cannot be written, or a file is there already; nothing was changed
)";

constexpr auto kImportNotes =
    R"(Writes the public half of a key that gpg looks after, in a file, on a card or in a module, as `keys root`
takes it. KEY is a fingerprint of 40 digits, or a file that `gpg --export` wrote. It has to be a primary key
of Ed25519 or NIST P-256 that signs and never expires. The private key stays where it is: name it
`gpg:FINGERPRINT` to sign with it.

examples:
  gpg --faked-system-time 20200101T000000 --quick-generate-key "agentik releases" ed25519 sign never
  caisson keys import 0123456789ABCDEF0123456789ABCDEF01234567 release.pub

exit codes:
  0  the file was written
  2  the command line makes no sense
  3  the key cannot be used, or gpg does not have it
)";

constexpr auto kRootNotes =
    R"(A root says who may sign: root keys sign the next root, release keys sign releases. The directory holds all
roots of a product with their signatures, and keyring.gpg, the release keys for gpgv. It goes into every
bundle and holds nothing secret.

With --root-key, --release-key, --threshold, --raise-epoch or --product this makes the next root: the one
before it with these changes. Without, it is about the newest root. --sign adds signatures; the root holds
when the threshold of its own root keys and that of the root before have signed. People sign one after the
other, each on a machine of their own, and hand the directory on. The signatures say SOURCE_DATE_EPOCH, or
now.

examples:
  caisson keys root keys --product agentik --threshold 2 --root-key anna.pub --root-key ben.pub \
      --root-key cleo.pub --release-key release.pub --sign anna
  caisson keys root keys --sign ben                       the second of two
  caisson keys root keys                                  what the newest root says, and what it lacks
  caisson keys root keys --release-key new.pub --sign anna --sign gpg:FINGERPRINT

exit codes:
  0  the newest root holds
  1  it lacks signatures
  2  the command line makes no sense
  3  something cannot be read, written or signed
)";

constexpr auto kRevokeNotes =
    R"(Makes the next root without a key: a root key or a release key, named by its public file or the last 16 or
more digits of its fingerprint. Give a key in its place where it was the last one, and --raise-epoch when
somebody else may have signed with it: then every new release is newer than all that the stolen key can sign.

A site refuses what the key signs as soon as it has seen the new root, and not before. Every bundle carries
the root; `caisson-install trust update` takes it without a bundle.

examples:
  caisson keys revoke keys release.pub --release-key new.pub --raise-epoch --sign anna --sign ben
  caisson keys revoke keys 0123456789abcdef --threshold 1 --sign anna

exit codes:
  0  the new root holds
  1  it lacks signatures
  2  the command line makes no sense
  3  something cannot be read, written or signed
)";

std::string described(const installer::Key& key) {
  return std::string(key.algorithm == Algorithm::ed25519 ? "ed25519" : "p256") + "  " +
         hex(installer::fingerprint(key));
}

struct Generate {
  std::string file;
  std::string algorithm = "ed25519";
  std::string name;
  std::string passphrase_file;
  bool passphrase = false;
};

Result<std::string> wanted_passphrase(const Generate& options) {
  if (!options.passphrase_file.empty()) return passphrase_in(options.passphrase_file);
  return options.passphrase ? new_passphrase() : std::string();
}

int generate(const Generate& options, Console& console) {
  const auto name =
      options.name.empty() ? fs::path(options.file).filename().string() : options.name;
  if (const auto fault = installer::fault_of_user_id(name); !fault.empty()) {
    console.error("caisson keys generate: --name: " + std::string(fault) + "\n");
    return static_cast<int>(Exit::usage);
  }
  const auto public_file = options.file + ".pub";
  const auto there = is_there(public_file);
  if (!there) return fail_with(there.error(), console);
  if (*there) {
    return fail_with({.what = public_file + " is there already", .remedy = "name a new file"},
                     console);
  }
  auto passphrase = wanted_passphrase(options);
  if (!passphrase) return fail_with(passphrase.error(), console);
  const auto key = signing::PrivateKey::generate(options.algorithm == "p256" ? Algorithm::p256
                                                                             : Algorithm::ed25519);
  const auto written = key.write(options.file, *passphrase);
  signing::wipe(*passphrase);
  if (!written) return fail_with(written.error(), console);
  if (auto done = write_file(public_file, signing::ring_key(key, name).bytes, 0644); !done) {
    return fail_with(done.error(), console);
  }
  console.print(described(key.key()) + "  " + public_file + "\n");
  return static_cast<int>(Exit::ok);
}

int import(const std::string& from, const std::string& to, Console& console) {
  const auto there = is_there(from);
  if (!there) return fail_with(there.error(), console);
  const auto key = [&]() -> Result<RingKey> {
    if (!*there) return signing::export_from_gpg(from);
    const auto bytes = read_file(from, installer::kMostOfRing, Links::follow);
    if (!bytes) return tl::unexpected(bytes.error());
    return signing::from_export(from, *bytes);
  }();
  if (!key) return fail_with(key.error(), console);
  if (auto done = write_file(to, key->bytes, 0644); !done) return fail_with(done.error(), console);
  console.print(described(key->key) + "  " + to + "\n");
  return static_cast<int>(Exit::ok);
}

/// What `root` and `revoke` have in common.
struct Next {
  std::string directory;
  std::string product;
  std::vector<std::string> root_keys;
  std::vector<std::string> release_keys;
  std::vector<std::string> signers;
  std::string without;
  std::optional<std::uint64_t> threshold;
  std::string passphrase_file;
  bool raise_epoch = false;

  [[nodiscard]] bool changes() const {
    return !product.empty() || !root_keys.empty() || !release_keys.empty() || !without.empty() ||
           threshold || raise_epoch;
  }
};

void add_next(CLI::App& app, Next& next) {
  app.add_option("DIR", next.directory, "the directory of the product's roots")
      ->type_name("DIR")
      ->required();
  app.add_option("--root-key", next.root_keys,
                 "the public file of a key that signs roots; repeated for several")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--release-key", next.release_keys,
                 "the public file of a key that signs releases; repeated for several")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--threshold", next.threshold,
                 "how many root keys have to sign a root (default: as before, or 1)")
      ->type_name("N");
  app.add_flag("--raise-epoch", next.raise_epoch,
               "make all new releases newer than all old ones, whatever their numbers");
  app.add_option("--sign", next.signers,
                 "sign with this private key, a file or gpg:FINGERPRINT; repeated for several")
      ->type_name("KEY")
      ->allow_extra_args(false);
  app.add_option("--passphrase-file", next.passphrase_file,
                 "its first line opens private keys (default: ask on the terminal)")
      ->type_name("FILE");
}

Result<std::vector<RingKey>> read_keys(const std::vector<std::string>& files) {
  std::vector<RingKey> keys;
  for (const auto& file : files) {
    auto key = signing::read_public_key(file);
    if (!key) return tl::unexpected(key.error());
    keys.push_back(*std::move(key));
  }
  return keys;
}

/// The end of a fingerprint that `word` is, or the fingerprint of the public key in that file.
Result<std::string> named_key(const std::string& word) {
  auto digits = word;
  std::ranges::transform(digits, digits.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (digits.size() >= 16 && digits.size() <= 40 && is_hex(digits)) return digits;
  const auto key = signing::read_public_key(word);
  if (!key) return tl::unexpected(key.error());
  return hex(installer::fingerprint(key->key));
}

/// When signatures say that they were made: SOURCE_DATE_EPOCH, or now.
Result<std::uint32_t> date_of_signatures() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  const bool given = text != nullptr && *text != '\0';
  const auto seconds =
      given ? installer::number_of(text) : static_cast<std::uint64_t>(unix_ms_now()) / 1000;
  if (seconds && *seconds <= UINT32_MAX) return static_cast<std::uint32_t>(*seconds);
  return fail("SOURCE_DATE_EPOCH is no number of seconds since 1970 that a signature can say");
}

Result<void> make_next(const Next& options) {
  signing::Change change{.product = options.product,
                         .threshold = options.threshold,
                         .raise_epoch = options.raise_epoch};
  auto roots = read_keys(options.root_keys);
  if (!roots) return tl::unexpected(roots.error());
  change.roots = *std::move(roots);
  auto releases = read_keys(options.release_keys);
  if (!releases) return tl::unexpected(releases.error());
  change.releases = *std::move(releases);
  if (!options.without.empty()) {
    auto end = named_key(options.without);
    if (!end) return tl::unexpected(end.error());
    change.without.push_back(*std::move(end));
  }
  return signing::write_next(options.directory, change);
}

void print_keys(Console& console, const char* role, const std::vector<installer::Key>& keys) {
  for (const auto& key : keys) {
    console.print("  " + std::string(role) + "  " + described(key) + "\n");
  }
}

/// What the newest root says, and what it lacks.
int show(const Next& options, Console& console) {
  const auto roots = signing::read_roots(options.directory);
  if (!roots) return fail_with(roots.error(), console);
  const auto progress = signing::progress(*roots);
  if (!progress) return fail_with(progress.error(), console);
  const auto& root = progress->root;
  console.print("root " + std::to_string(root.version) + " of " + root.product + ", epoch " +
                std::to_string(root.epoch) + ", threshold " + std::to_string(root.threshold) +
                "\n  sha256   " + progress->fingerprint + "\n");
  print_keys(console, "root   ", root.keys);
  print_keys(console, "release", root.releases);
  if (!progress->lacking) return static_cast<int>(Exit::ok);
  console.print("it lacks signatures: " + *progress->lacking + "; these may sign:\n");
  for (const auto& key : progress->may_sign) console.print("  " + described(key) + "\n");
  return static_cast<int>(Exit::findings);
}

int next_root(const Next& options, Console& console) {
  const auto date = date_of_signatures();
  if (!date) return fail_with(date.error(), console);
  // Keys that cannot be opened are found before anything is written.
  std::vector<std::unique_ptr<signing::Signer>> signers;
  for (const auto& name : options.signers) {
    auto signer = signing::open_signer(name, passphrase_from(options.passphrase_file));
    if (!signer) return fail_with(signer.error(), console);
    signers.push_back(*std::move(signer));
  }
  if (options.changes()) {
    if (auto made = make_next(options); !made) return fail_with(made.error(), console);
  }
  for (const auto& signer : signers) {
    if (auto done = signing::sign_newest(options.directory, *signer, *date); !done) {
      return fail_with(done.error(), console);
    }
  }
  return show(options, console);
}

int revoke(const Next& options, Console& console) {
  const int code = next_root(options, console);
  if (code == static_cast<int>(Exit::environment)) return code;
  console.remark(
      "a site refuses what the key signs once it has seen this root, and takes it until then:\n"
      "send the root to every site, in a bundle or for `caisson-install trust update`.\n" +
      std::string(options.raise_epoch
                      ? "sites that have seen it take no release of the old epoch any more.\n"
                      : "if somebody else may have signed with the key, raise the epoch too.\n"));
  return code;
}

Command generate_command_of(CLI::App& group) {
  auto* app = group.add_subcommand("generate", "make a key")->group("commands");
  auto options = std::make_shared<Generate>();
  app->add_option("FILE", options->file, "the private key; FILE.pub is the public one")
      ->type_name("FILE")
      ->required();
  add_choice(*app, "--algorithm", options->algorithm, "ed25519|p256", "kind of the key");
  app->add_option("--name", options->name, "name of the key for gpg (default: the file's name)")
      ->type_name("TEXT");
  auto* ask = app->add_flag("--passphrase", options->passphrase,
                            "ask on the terminal for a passphrase that opens the file");
  app->add_option("--passphrase-file", options->passphrase_file,
                  "take the passphrase from the first line of this file")
      ->type_name("FILE")
      ->excludes(ask);
  app->footer(kGenerateNotes);
  return {.app = app, .run = [options](Console& console) { return generate(*options, console); }};
}

Command import_command_of(CLI::App& group) {
  auto* app =
      group.add_subcommand("import", "take the public half of a key of gpg")->group("commands");
  auto from = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  app->add_option("KEY", *from, "its fingerprint, or a file of `gpg --export`")
      ->type_name("FILE")
      ->required();
  app->add_option("FILE", *to, "the public key to write")->type_name("FILE")->required();
  app->footer(kImportNotes);
  return {.app = app,
          .run = [from, to](Console& console) { return cli::import(*from, *to, console); }};
}

Command root_command_of(CLI::App& group) {
  auto* app = group.add_subcommand("root", "list the keys that may sign, and sign the list")
                  ->group("commands");
  auto options = std::make_shared<Next>();
  add_next(*app, *options);
  app->add_option("--product", options->product, "the product's name, for its first root")
      ->type_name("NAME");
  app->footer(kRootNotes);
  return {.app = app, .run = [options](Console& console) { return next_root(*options, console); }};
}

Command revoke_command_of(CLI::App& group) {
  auto* app = group.add_subcommand("revoke", "make the next root without a key")->group("commands");
  auto options = std::make_shared<Next>();
  add_next(*app, *options);
  app->add_option("KEY", options->without, "its public file, or the end of its fingerprint")
      ->type_name("FILE")
      ->required();
  app->footer(kRevokeNotes);
  return {.app = app, .run = [options](Console& console) { return revoke(*options, console); }};
}

}  // namespace

std::vector<Command> keys_commands(CLI::App& root) {
  auto* group = root.add_subcommand("keys", "make, replace and revoke the keys that sign releases")
                    ->group("releases");
  return {generate_command_of(*group), import_command_of(*group), root_command_of(*group),
          revoke_command_of(*group)};
}

}  // namespace caisson::cli
