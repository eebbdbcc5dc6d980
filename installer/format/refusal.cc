#include "installer/format/refusal.h"

#include <algorithm>

namespace caisson::installer {
namespace {

constexpr std::string_view kFetchAgain =
    "Copy the bundle from its source again and compare SHA256SUMS; do not use this one.";
constexpr std::string_view kAskVendor =
    "Ask the vendor for a bundle that `caisson bundle verify` accepts; do not use this one.";

constexpr std::string_view kSignAgain =
    "Accepted is one version 4 signature of a binary document, by Ed25519 or NIST P-256 with "
    "SHA-256 or SHA-512. Ask the vendor to sign again with `caisson bundle sign`.";

constexpr std::string_view kImageAgain =
    "Get the image again, byte for byte, and compare its digest.";
constexpr std::string_view kMakeImage =
    "No builder of images writes this. Find out where the image comes from, and build it again; do "
    "not use this one.";

constexpr Entry kTable[] = {
    {Code::no_signature, "B0101", "the signature is missing", kFetchAgain},
    {Code::not_a_signature, "B0102", "the file is not a detached OpenPGP signature", kFetchAgain},
    {Code::signature_truncated, "B0103", "the signature ends early", kFetchAgain},
    {Code::signature_trailing, "B0104", "something follows the signature", kFetchAgain},
    {Code::signature_version, "B0105", "the signature is not of version 4", kSignAgain},
    {Code::signature_type, "B0106", "the signature is not one of a binary document", kSignAgain},
    {Code::signature_algorithm, "B0107", "the signature's algorithm or hash is not accepted",
     kSignAgain},
    {Code::signature_subpacket, "B0108", "the signature says something that is not accepted",
     kSignAgain},
    {Code::signature_number, "B0109", "a number of the signature has another form", kSignAgain},
    {Code::unknown_key, "B0110", "the signature is by a key that may not sign this",
     "Compare the key with what the vendor published. If the vendor has a newer root, take it with "
     "`caisson-install trust update`."},
    {Code::revoked_key, "B0111", "the signature is by a key that was revoked",
     "Ask the vendor for a bundle that is signed by a key of the newest root; do not use this "
     "one."},
    {Code::key_mismatch, "B0112", "the signature uses another algorithm or hash than its key",
     kSignAgain},
    {Code::wrong_signature, "B0113", "the signature does not fit what it signs", kFetchAgain},
    {Code::signature_time, "B0114", "the signature is older than its key", kSignAgain},
    {Code::bad_key, "B0115", "the key cannot be used", kAskVendor},
    {Code::bad_ring, "B0116", "the key ring does not hold what the root says", kAskVendor},
    {Code::bad_root, "B0120", "the root does not say who may sign", kAskVendor},
    {Code::root_gap, "B0121", "a root is missing in the chain",
     "A chain names every root from the one that this site trusts. Ask the vendor for a bundle "
     "with all of them, or update in steps with `caisson-install trust update`."},
    {Code::root_rollback, "B0122", "the root is older than the one that this site trusts",
     "Use a bundle that carries the newest root."},
    {Code::root_epoch, "B0123", "the root's epoch is lower than that of the root before it",
     kAskVendor},
    {Code::root_threshold, "B0124", "too few of its own keys have signed the root", kAskVendor},
    {Code::root_predecessor, "B0125", "too few keys of the root before have signed the root",
     kAskVendor},
    {Code::root_not_trusted, "B0126", "the root is not the one that was expected",
     "Compare the fingerprint with what the vendor told you by another channel than this medium."},
    {Code::text_too_large, "B0201", "the text is too large", kAskVendor},
    {Code::text_encoding, "B0202", "the text is not plain UTF-8", kAskVendor},
    {Code::text_line, "B0203", "the line has another form", kAskVendor},
    {Code::text_number, "B0204", "the number cannot be used", kAskVendor},
    {Code::text_digest, "B0205", "that is no digest", kAskVendor},
    {Code::text_key, "B0206", "another key was expected", kAskVendor},
    {Code::text_order, "B0207", "the lines are not sorted, or one stands twice", kAskVendor},
    {Code::text_path, "B0208", "the path cannot be used", kAskVendor},
    {Code::path_conflict, "B0209", "one path is the directory of another", kAskVendor},
    {Code::future_format, "B0210", "the bundle is of a newer format",
     "Verify the bundle with gpgv and sha256sum, then run the caisson-install that it carries."},
    {Code::bad_envelope, "B0211", "MANIFEST does not begin with the envelope", kAskVendor},
    {Code::too_many, "B0212", "there are more of them than a bundle may have", kAskVendor},
    {Code::missing_file, "B0301", "a file is missing", kFetchAgain},
    {Code::unlisted_file, "B0302", "there is a file that nothing names",
     "Remove the file if it was left by the system that wrote the medium."},
    {Code::wrong_content, "B0303", "the content is not what was signed", kFetchAgain},
    {Code::wrong_size, "B0304", "the file has another size", kFetchAgain},
    {Code::bad_chunk, "B0305", "the chunk does not hold what was signed", kFetchAgain},
    {Code::not_a_regular_file, "B0306", "it is not a regular file", kFetchAgain},
    {Code::bad_archive, "B0307", "the archive has another form", kFetchAgain},
    {Code::bad_part, "B0308", "the part does not belong to this bundle",
     "Copy all parts of one bundle again, and no other ones."},
    {Code::unreadable_medium, "B0309", "the medium cannot be read",
     "Look at the kernel's log (`dmesg`), and copy the bundle to another medium."},
    {Code::foreign_part, "B0310", "the part is of another bundle",
     "Put the parts of each bundle into a directory of its own."},
    {Code::missing_part, "B0311", "a part is missing",
     "Copy all parts into one directory, in any order."},
    {Code::doubled_part, "B0312", "a part is there twice", "Remove one of the two."},
    {Code::cut_short, "B0313", "the file ends too early",
     "The copy was cut. FAT32 holds no file of 4 GiB or more: cut the bundle with `caisson bundle "
     "split`, or take another file system; then copy it again."},
    {Code::chunk_size, "B0314", "the chunk holds another number of bytes than was signed",
     kFetchAgain},
    {Code::chunk_window, "B0315", "the chunk needs more memory than a chunk may", kAskVendor},
    {Code::lost_names, "B0316", "the medium has changed the names of files",
     "Plain ISO 9660 and short names of FAT lose names. Burn with Joliet or Rock Ridge, or carry "
     "the bundle as a transport file."},
    {Code::bad_layout, "B0317", "SHA256SUMS and MANIFEST do not agree", kAskVendor},
    {Code::other_product, "B0401", "the bundle is of another product", "Take the right bundle."},
    {Code::other_arch, "B0402", "the bundle is for another processor",
     "Take the bundle for this host's processor (`uname -m`)."},
    {Code::older_release, "B0403", "the release is older than the one that was installed here",
     "Use a newer bundle. `caisson-install rollback` goes back to the release before."},
    {Code::changed_release, "B0404", "the release was installed here with other content",
     "One release has one content. Ask the vendor which of the two is the right one."},
    {Code::no_path_to_release, "B0405", "the installed version cannot be updated to this one",
     "Update to the version in between first."},
    {Code::wrong_base, "B0406", "the bundle needs another release as its base",
     "Use the full bundle. `verify` is told the release that a delta stands on with --base, as "
     "/opt/PRODUCT/current."},
    {Code::other_epoch, "B0407", "the release is of an epoch that the root does not allow",
     "A newer root ended the epoch of this release, or the bundle lacks its root. Use a newer "
     "bundle."},
    {Code::refused_release, "B0408", "the release was tried here and rolled back",
     "Ask the vendor for a newer release. `--again` tries this one once more."},
    {Code::wrong_form, "B0409", "the release cannot be installed in this form",
     "Choose another of the bundle's forms with `--form`, or ask the vendor for one with this form "
     "in `targets.bundle.for`."},
    {Code::with_programs, "B0410", "the release has services whose programs no bundle carries",
     "Ask the vendor to leave `local.command` out of them, so that their images run."},
    {Code::other_place, "B0411", "the release is made for other directories",
     "Ask the vendor for a bundle whose `targets.systemd` has neither `prefix` nor `data`."},
    {Code::edited_twice, "B0412", "a file was changed here, and by the release as well",
     "Make the file either what it was when it was installed or what the release makes of it, "
     "and repeat; change it again afterwards."},
    {Code::older_reader, "B0413", "the release cannot read the data as they are now",
     "Stay with the newer release, or restore a backup that is as old as the other one."},
    {Code::no_previous, "B0414", "there is no release to go back to",
     "`caisson-install status` tells which releases are on this host."},
    {Code::missing_secret, "B0415", "a secret that the release reads is not there",
     "Put it into a file of its name, and name the directory with --secrets."},
    {Code::not_migrated, "B0416", "the release could not take over the data",
     "Nothing was changed. Send the vendor what the message says."},
    {Code::not_well, "B0417", "the release did not become well",
     "Look into its journal (`journalctl --namespace NAME`), and send the vendor what it says."},
    {Code::leaking, "B0418", "the release does not keep its tenants apart",
     "Send the vendor the name of the probe. `--again` tries this release once more."},
    {Code::missing_answer, "B0419", "a question of the release has no answer",
     "Write NAME=ANSWER into a file, a line each, and name it with --answers. `caisson-install "
     "inspect` lists the questions; on a terminal they are asked."},
    {Code::wrong_answer, "B0420", "an answer is not what its question asks for",
     "Mend the line that the message names, and repeat. Nothing was changed."},
    {Code::other_waiver, "B0421", "the waiver is for another release",
     "Ask the vendor for a waiver of the release that `caisson-install status` names."},
    {Code::other_form, "B0422", "the product is installed here in another form",
     "A form is chosen by the first install and keeps its data to itself. To change it, take the "
     "product's own backup, uninstall, install with `--form`, and restore."},
    {Code::no_way_back, "B0425", "the release would change data that nothing brings back",
     "The volumes of a cluster are not copied. Back up everything and upgrade by hand, as "
     "'Upgrade' of the chart's RUNBOOK.md says."},
    {Code::data_move, "B0426", "the release looks for data in another place than where they are",
     "Take the data along, as 'Data that move' of the guide says, or give them up, and name each "
     "with --accept-move. Nothing was changed."},
    {Code::host_write, "B0501", "this host cannot write",
     "Mend what the message says, and repeat."},
    {Code::host_full, "B0502", "there is no space left on this host",
     "Free as much space as the message says, and repeat."},
    {Code::host_in_the_way, "B0503", "something stands where a file or directory belongs",
     "Move it away. Symbolic links are never followed, and nothing that exists is overwritten."},
    {Code::host_read, "B0504", "this host cannot read its own files",
     "Mend what the message says, and repeat."},
    {Code::host_confine, "B0505", "the program cannot give up the network",
     "It needs seccomp filters (CONFIG_SECCOMP_FILTER), which every kernel of a distribution has; "
     "a container may forbid them."},
    {Code::host_memory, "B0506", "this host has too little memory",
     "Verifying needs 64 MiB and a few open files."},
    {Code::host_root, "B0507", "only root may do this", "Repeat it with sudo, or as root."},
    {Code::host_command, "B0508", "a command of this host failed",
     "Mend what the message says, and repeat."},
    {Code::host_lacks, "B0509", "this host lacks what the release needs",
     "Mend what the table says, and repeat. Nothing was written."},
    {Code::not_installed, "B0510", "nothing is installed here",
     "`caisson-install install BUNDLE` installs a release."},
    {Code::installed_already, "B0511", "a release is installed already",
     "`caisson-install update BUNDLE` brings it up to date."},
    {Code::host_busy, "B0512", "another caisson-install is at work here",
     "Wait for it; `caisson-install status` tells what it does."},
    {Code::unfinished, "B0513", "a change was interrupted",
     "`caisson-install recover` finishes or undoes it."},
    {Code::damaged, "B0514", "an installed file is not what was installed",
     "Compare with `sha256sum -c INSTALLED`, and install a release again."},
    {Code::port_taken, "B0515", "a port that the release needs is taken",
     "Stop what listens there (`ss -ltnp`), and repeat."},
    {Code::not_well_before, "B0516", "the installed release is not well",
     "Start it, mend what its journal says (`journalctl --namespace NAME`), and repeat. Nothing "
     "was changed."},
    {Code::own_mount, "B0517", "a directory of the product is a file system of its own",
     "Mount it at /opt/NAME or /var/lib/NAME, above all that the product keeps there: directories "
     "are renamed into each other's place, which no system does across file systems."},
    {Code::foreign_name, "B0518", "something else on this host has a name or number of the product",
     "Remove it if it is left from this product (`docker compose --project-name NAME down` ends a "
     "project and keeps its volumes); else ask the vendor for a release with another name. An "
     "account whose number it is gets another one, with `usermod --uid` or `groupmod --gid`; one "
     "of a directory of the site keeps it, and the vendor gives the service another `user`. "
     "Nothing of it was changed."},
    {Code::not_staged, "B0519", "no release was staged here",
     "`caisson-install update --stage BUNDLE` stages one."},
    {Code::not_held, "B0520", "no change waits for a decision here",
     "`caisson-install status` tells what is in work."},
    {Code::in_archive, "B0521", "a secret would have left this host",
     "Nothing was written. Tell the vendor what the message names, and leave that exhibit out with "
     "--without."},
    {Code::nothing_to_try, "B0522", "there is nothing here to try",
     "A release is tried that has its spec and the programs `caisson` and `caisson-runtime`; any "
     "other is installed, on a host that can spare it. `try --end` takes the directory of a "
     "trial."},
    {Code::no_client, "B0530", "a program that talks to the cluster is not there",
     "Install helm (3.13 or newer) and kubectl, and name their directory in PATH."},
    {Code::no_cluster, "B0531", "the cluster does not answer",
     "Mend what the message says: `kubectl version` has to tell of the server, with the same "
     "KUBECONFIG."},
    {Code::other_cluster, "B0532",
     "this is another cluster or namespace than the one it was installed in",
     "Set KUBECONFIG or the context of the cluster that `caisson-install status` names; a product "
     "stays in its namespace."},
    {Code::cluster_lacks, "B0533", "the cluster lacks what the release needs",
     "Mend what the message says, and repeat; `--dry-run` prints the whole table. Nothing of the "
     "cluster was changed."},
    {Code::helm_failed, "B0534", "helm did not bring the release to its end",
     "Look at the pods and events of its namespace (`kubectl get pods,events`), mend what the "
     "message says, and repeat."},
    {Code::same_release, "B0535", "the release is installed already, and otherwise",
     "Give --values and --registry with the next release, or `uninstall --keep-data` and `install` "
     "this one with them."},
    {Code::registry_unreachable, "B0601", "the registry cannot be reached",
     "Mend what the message says, and repeat: what the registry has is not sent again."},
    {Code::registry_certificate, "B0602", "the registry's certificate is not believed",
     "Name the authority of the site with --ca FILE. A registry without TLS needs --plain-http."},
    {Code::registry_login, "B0603", "the registry wants to know who pushes",
     "Give --user NAME and --password-file FILE of somebody who may push to the repository."},
    {Code::registry_refused, "B0604", "the registry did not take an image",
     "Look into the registry's log; then repeat: what the registry has is not sent again."},
    {Code::image_names, "B0605", "registries cannot tell the images apart",
     "Ask the vendor for a bundle whose images have other names."},
    {Code::serving_port, "B0606", "the port on which images would be served cannot be used",
     "End what listens there, or choose another with --port where the command has it."},
    {Code::engine_refused, "B0607", "the container engine did not take an image",
     "Mend what the message says, and repeat: what the engine has is not fetched again. To `images "
     "import`, --address names an engine that listens elsewhere, --program a client elsewhere."},
    {Code::bad_layer, "B0701", "the layer of an image cannot be read", kImageAgain},
    {Code::layer_path, "B0702", "a layer names a file outside of its image", kMakeImage},
    {Code::layer_link, "B0703", "a link of a layer leads to nothing in its image", kMakeImage},
    {Code::layer_kind, "B0704", "a layer has a device, a pipe or a socket", kMakeImage},
    {Code::layer_sparse, "B0705", "a layer has a sparse file", kMakeImage},
    {Code::layer_too_large, "B0706", "the layers hold more than a root may", kMakeImage},
    {Code::layer_in_the_way, "B0707", "a layer has something below a file", kMakeImage},
    {Code::other_layer, "B0708", "the layer is not the one of the image", kImageAgain},
    {Code::image_program, "B0709", "the image lacks the program that it runs",
     "Run it with a container engine to see what it says; then build it with an ENTRYPOINT that is "
     "in it."},
};

}  // namespace

std::span<const Entry> refusals() { return kTable; }

const Entry& entry_of(Code code) {
  return *std::ranges::find(kTable, code, &Entry::code);  // the test asks for every code
}

bool is_of_the_host(Code code) {
  const auto number = entry_of(code).number;
  return code == Code::unreadable_medium || number.starts_with("B05") ||
         (number.starts_with("B06") && code != Code::image_names);
}

}  // namespace caisson::installer
