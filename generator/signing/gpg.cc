#include "generator/signing/gpg.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/files.h"
#include "base/hex.h"
#include "base/printable.h"
#include "base/time.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/packet.h"

extern char** environ;

namespace caisson::signing {
namespace {

namespace fs = std::filesystem;

constexpr auto kWhichKeys =
    "it has to be a primary key of Ed25519 or NIST P-256 that signs and never expires: `gpg "
    "--faked-system-time 20200101T000000 --quick-generate-key NAME ed25519 sign never`";
constexpr std::size_t kMostOfExport = std::size_t{1} << 20U;

/// A private directory for what gpg reads and writes, removed with all in it.
class Workspace {
 public:
  static Result<Workspace> make() {
    auto name = (fs::temp_directory_path() / "caisson-gpg-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return cannot("create", name, errno);
    return Workspace(name);
  }
  Workspace(Workspace&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Workspace& operator=(Workspace&&) = delete;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    if (!path_.empty()) (void)remove_tree(path_);
  }
  [[nodiscard]] fs::path file(std::string_view name) const { return path_ / name; }

 private:
  explicit Workspace(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// Runs gpg to its end and gives what it wrote to `out`. Nothing secret is among the words. There
/// is no deadline: somebody may be looking for a card.
Result<std::string> run_gpg(const Workspace& work, std::vector<std::string> words) {
  const auto out = work.file("out").string();
  const auto errors = work.file("errors").string();
  words.insert(words.begin(), {"gpg", "--batch", "--no-tty", "--no-options", "--no-auto-key-locate",
                               "--no-armor", "--output", out});
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, "gpg", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail("cannot start gpg: " + system_words(error), "install GnuPG 2.2 or later");
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return fail("cannot wait for gpg: " + system_words(errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return read_file(out, kMostOfExport);
  const auto said = read_file(errors, kMostOfExport);
  auto last = said ? said->substr(0, said->find_last_not_of('\n') + 1) : std::string();
  last = last.substr(last.rfind('\n') + 1).substr(0, 300);
  return fail("gpg failed: " + (last.empty() ? "it said nothing" : printable(last)),
              "run `gpg --list-secret-keys` to see whether it has the key");
}

/// The form that gpg's --faked-system-time takes.
std::string gpg_time(std::uint32_t date) {
  auto text = rfc3339_seconds(date);
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'Z'; });
  return text;
}

/// What gpg's packets are called here.
enum Kind : unsigned { kSignature = 2, kPublicKey = 6, kUserId = 13, kSubkey = 14 };

bool is_revocation(std::string_view signature) {
  if (signature.size() < 2) return false;
  const auto type = static_cast<unsigned char>(signature[1]);
  return type == 0x20 || type == 0x30;
}

}  // namespace

Result<installer::RingKey> from_export(std::string_view name, std::string_view bytes) {
  const auto refused = [&](const std::string& why) {
    return fail(std::string(name) + ": " + why, kWhichKeys);
  };
  std::string_view key;
  std::string_view user_id;
  std::optional<installer::RingKey> taken;
  std::string fault = "it holds no key with a name";
  while (!bytes.empty()) {
    const auto whole = bytes;
    const auto packet = installer::take_packet(name, bytes);
    if (!packet) return fail(packet.error().what, kWhichKeys);
    const auto all = whole.substr(0, whole.size() - bytes.size());
    if (packet->tag == kSubkey) break;
    if (packet->tag == kPublicKey) {
      if (!key.empty()) return refused("it holds more than one key");
      key = all;
    } else if (packet->tag == kUserId) {
      user_id = all;
    } else if (packet->tag == kSignature) {
      if (is_revocation(packet->body)) return refused("the key or a name of it is revoked");
      if (key.empty() || user_id.empty() || taken) continue;
      auto ring = installer::read_ring(name, std::string(key).append(user_id).append(all));
      if (ring) {
        taken = std::move(ring->front());
      } else {
        fault = ring.error().what.substr(std::min(ring.error().what.size(), name.size() + 2));
      }
    } else {
      return refused("it holds an OpenPGP packet of kind " + std::to_string(packet->tag));
    }
  }
  if (!taken) return refused(fault);
  return *std::move(taken);
}

Result<installer::RingKey> export_from_gpg(const std::string& fingerprint) {
  auto digits = fingerprint;
  std::ranges::transform(digits, digits.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (digits.size() != 40 || !is_hex(digits)) {
    return fail(
        "'" + printable(fingerprint.substr(0, 60)) + "' is no fingerprint of 40 hexadecimal digits",
        "`gpg --list-secret-keys` prints them");
  }
  const auto work = Workspace::make();
  if (!work) return tl::unexpected(work.error());
  const auto bytes = run_gpg(
      *work, {"--export-options", "export-minimal,no-export-attributes", "--export", digits});
  if (!bytes) return tl::unexpected(bytes.error());
  auto key = from_export("gpg key " + digits, *bytes);
  if (key && hex(installer::fingerprint(key->key)) != digits) {
    return fail("gpg key " + digits + " is a subkey", kWhichKeys);
  }
  return key;
}

Result<std::string> sign_with_gpg(const installer::Key& key, std::string_view document,
                                  std::uint32_t date) {
  const auto work = Workspace::make();
  if (!work) return tl::unexpected(work.error());
  const auto in = work->file("document");
  if (auto written = write_file(in, document); !written) return tl::unexpected(written.error());
  // "!" is the very key, not a subkey of it; after the time, that the time stands still.
  return run_gpg(*work, {"--faked-system-time", gpg_time(date) + "!", "--local-user",
                         hex(installer::fingerprint(key)) + "!", "--digest-algo",
                         key.hash == installer::Hash::sha512 ? "SHA512" : "SHA256", "--detach-sign",
                         in.string()});
}

}  // namespace caisson::signing
