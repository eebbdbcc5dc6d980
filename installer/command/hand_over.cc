#include "installer/command/hand_over.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/files.h"
#include "installer/command/cluster_place.h"
#include "installer/command/verify_site.h"
#include "installer/confine/network.h"
#include "installer/format/manifest.h"
#include "installer/media/medium.h"
#include "installer/site/premises.h"
#include "installer/site/roots.h"
#include "installer/site/store.h"

namespace caisson::installer {
namespace {

constexpr const char* kHandedOver = "CAISSON_INSTALL_HANDED_OVER";

/// What the site has kept of a product: root in /opt, and whoever is not root where his clusters
/// are told of. Empty where nothing is.
Checked<std::vector<KnownSite>> kept_of(const std::string& product) {
  std::vector<KnownSite> all;
  for (const auto& place : std::set{"/opt/" + product, cluster_place(product)}) {
    if (place.empty()) continue;
    const auto there = is_there(place);
    if (!there) return refuse(Code::host_read, there.error().what);
    if (!*there) continue;
    const auto disk = open_disk(place);
    if (!disk) return tl::unexpected(disk.error());
    KnownSite known;
    auto root = load_roots(**disk, kRoots);
    if (!root) return tl::unexpected(root.error());
    known.root = *std::move(root);
    // One that cannot be read is of a newer caisson-install, which was handed over to before.
    const auto journal = load_journal(**disk);
    if (!journal) return tl::unexpected(journal.error());
    if (*journal) known.floor = (*journal)->floor;
    all.push_back(std::move(known));
  }
  return all;
}

/// The program of a bundle, if the bundle is of a newer format, and `known` may have it. What the
/// medium says before its signature was checked is `said`, and has to be what was signed.
Checked<std::string> program_for(const Request& request, const KnownSite& known,
                                 const Envelope& said) {
  auto medium = open_medium(request.bundle);
  if (!medium) return tl::unexpected(medium.error());
  UnverifiedBundle bundle(*std::move(medium));
  auto root = trusted_root(request, known, bundle);
  if (!root) return tl::unexpected(root.error());
  const auto with_signature =
      SignedBundle::verify(std::move(bundle), *std::move(root), [](const TrustedRoot&) {});
  if (!with_signature) return tl::unexpected(with_signature.error());
  const auto envelope = with_signature->envelope();
  if (!envelope) return tl::unexpected(envelope.error());
  if (envelope->product != said.product || envelope->format <= kFormat) {
    return refuse(Code::wrong_content, "MANIFEST is not what it was");
  }
  Site site{.arch = std::string(host_arch())};
  if (known.floor) site.floor = known.floor->release;
  return with_signature->installer(site);
}

/// The program of a bundle that only it can read; nothing where this one reads the bundle.
Checked<std::optional<std::string>> successor_of(const Request& request, Trust trust) {
  const auto medium = open_medium(request.bundle);
  if (!medium) return tl::unexpected(medium.error());
  const auto text = read_text(**medium, kManifest, kMostOfText);
  if (!text) return tl::unexpected(text.error());
  const auto said = read_envelope(*text);
  if (!said) return tl::unexpected(said.error());
  if (said->format <= kFormat) return std::nullopt;
  auto known = trust == Trust::as_kept ? kept_of(said->product) : std::vector<KnownSite>();
  if (!known) return tl::unexpected(known.error());
  if (known->empty()) known->emplace_back();
  std::optional<std::string> program;
  for (const auto& each : *known) {
    auto found = program_for(request, each, *said);
    if (!found) return tl::unexpected(found.error());
    program = *std::move(found);
  }
  return program;
}

/// A file in memory that may be run; hosts may allow none (vm.memfd_noexec).
Descriptor file_in_memory() {
  constexpr unsigned kMayRun = 0x10;  // MFD_EXEC, which headers of before Linux 6.3 do not have
  constexpr unsigned kSealed = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  Descriptor file(memfd_create("caisson-install", kSealed | kMayRun));
  // Before Linux 6.3 every one may be.
  return file || errno != EINVAL ? std::move(file)
                                 : Descriptor(memfd_create("caisson-install", kSealed));
}

/// Puts the program into `file`, in a process without a network; false where there is none.
bool fetch_confined(const Request& request, Trust trust, int file) {
  return run_without_network([&] {
           bool fetched = false;
           (void)guarded(true, [&]() -> Checked<Said> {
             const auto program = successor_of(request, trust);
             fetched = program && *program && write_all(file, **program) == 0;
             return Said{};
           });
           return fetched ? 0 : 1;
         }) == 0;
}

}  // namespace

void hand_over(const Request& request, Trust trust, const std::vector<std::string>& arguments) {
  if (std::getenv(kHandedOver) != nullptr) return;
  const auto program = file_in_memory();
  if (!program || !fetch_confined(request, trust, program.get())) return;
  constexpr int kForGood = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(program.get(), F_ADD_SEALS, kForGood) != 0) return;
  std::string name = "caisson-install";
  auto words = arguments;
  std::vector<char*> line{name.data()};
  for (auto& word : words) line.push_back(word.data());
  line.push_back(nullptr);
  if (setenv(kHandedOver, "1", 1) != 0) return;
  std::fputs("the bundle is of a newer format: the caisson-install that it brings goes on\n",
             stderr);
  fexecve(program.get(), line.data(), environ);
  std::fputs("it does not: this host runs nothing from memory\n", stderr);
}

}  // namespace caisson::installer
