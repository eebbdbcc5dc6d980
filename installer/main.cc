#include <algorithm>
#include <cstdio>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include "installer/command/cluster_command.h"
#include "installer/command/cluster_place.h"
#include "installer/command/command.h"
#include "installer/command/diagnose_command.h"
#include "installer/command/doctor_command.h"
#include "installer/command/hand_over.h"
#include "installer/command/images.h"
#include "installer/command/options.h"
#include "installer/command/site_command.h"
#include "installer/command/trust_command.h"
#include "installer/command/try_command.h"
#include "installer/confine/network.h"
#include "installer/registry/engine.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {
namespace {

constexpr std::string_view kHelp =
    R"(caisson-install reads the bundle of a product, and installs it, on the site

usage: caisson-install COMMAND [ARGUMENT...]

  verify BUNDLE        check signature, hashes and content; nothing is written
  inspect BUNDLE       check signature and texts, then list images and files
  install BUNDLE       install a release as units of systemd, as containers, or in a cluster
  update BUNDLE        replace the installed release by a newer one
  rollback             go back to the release before: programs and configuration, not data
  recover              finish or undo what was interrupted; each boot does the same
  status               tell what is installed, and what is in work
  doctor               look at all that was installed and at this host; each fault with a remedy
  diagnose             write what the vendor needs to see into one text, searched for secrets
  try BUNDLE           run a release on loopback, without root, with nothing outside of one directory
  try --end            stop that, and remove the directory
  uninstall            remove units, programs, configuration, data and secrets
  trust show           tell which root the site trusts, and which keys hold
  trust update ROOT... take roots without a bundle: root.N, its signatures beside it
  images serve BUNDLE  serve the images on 127.0.0.1, to engines that have no other registry
  images import BUNDLE let Docker, podman or containerd of this host pull the images
  images push BUNDLE   push the images to a registry of the site
  explain [CODE]       tell what a code such as B0303 means, and what to do

BUNDLE is the bundle's directory, its transport file, one of its parts or the directory of the parts.

options:
  --expect-root FINGERPRINT  the SHA-256 of a root that the vendor has told by another channel
  --roots DIR                the roots that this site trusts: DIR/root.1 and so on. Where the product
                             was installed, `install` and `update` trust the roots that were kept,
                             and keep new ones; `verify` and the others keep none
  --strict                   refuse files that nothing lists
  --base DIR                 verify: the installed release that a delta stands on, as
                             /opt/PRODUCT/current
  --sums                     verify: check what gpgv and sha256sum check, and decode nothing
  --product NAME             rollback, recover, status, doctor, diagnose, uninstall, trust: of which
                             product
  --secrets DIR              install, update: take secrets that nobody generates from DIR/NAME
  --answers FILE             install, update, try: answer the questions of the release, a line NAME=ANSWER
                             each; without it they are asked on a terminal, or the defaults hold
  --form FORM                install, update: systemd, compose or helm; the journal remembers it, and an
                             update has the form of what is installed
  --registry HOST[:PORT][/PREFIX]  install, update, form helm: push the images there, and let the
                             cluster pull them by their digests; without it the nodes have them
  --namespace NAME           install, form helm: of the release (default: the one of the chart)
  --values FILE              install, update, form helm: lay it over the values of the chart
  --dry-run                  install, update: tell what is needed and what is there, and stop;
                             rollback, uninstall: tell what would be done, and stop;
                             diagnose: print what would be written
  --accept-move WHAT,...     update, rollback: these data are taken along to where the release looks for
                             them, or given up: tenant/NAME, volume/NAME or service/NAME
  --again                    update: also to a release that was rolled back here
  --stage                    update: put the release on the disk and stop; nothing that runs is touched
  --apply                    update: to the release that was staged; with --product, without a bundle
  --waiver FILE              recover: open an update that is held, as FILE and FILE.gpg allow
  --out FILE                 diagnose: the file to write, for root alone
  --dir DIRECTORY            try: where everything of the trial is; it must not be there yet
  --without EXHIBIT,...      diagnose: leave these out, by the names of their headings
  --keep-data                uninstall: leave data, secrets and roots where they are
  --boot                     recover: start nothing, for the boot does that afterwards
  --port NUMBER              images serve, import: listen there; 0 takes a free port (default: 5005)
  --to ENGINE                images import: docker, podman or containerd
  --address ADDRESS          images import: where the engine listens (default: its client's own)
  --program FILE             images import: the engine's client (default: the one of the system)
  --to HOST[:PORT][/PREFIX]  images push: the registry, and what stands before every repository
  --plain-http               images push, --registry: the registry has no TLS
  --ca FILE                  images push, --registry: believe these authorities (PEM), not those of the system
  --user NAME                images push, --registry: who pushes
  --password-file FILE       images push, --registry: the first line of the file is the password
  --json                     write the result as JSON
  --version                  print the version and exit
  -h, --help                 print this help and exit

The form helm has neither doctor nor diagnose, and no --secrets, --answers, --stage, --apply, --waiver
and --boot; --plain-http, --ca, --user and --password-file of `install` and `update` are its own.

Nothing connects to anything: the program gives up the network before it opens a bundle. Only
`images serve` and `images import`, on 127.0.0.1, and `images push`, to the registry that is named,
keep it; so do the form compose, for the engine of this host, and the form helm, for helm, kubectl and
--registry; `try` opens the bundle without it, and then starts the release on 127.0.0.1.

exit codes:
  0  it is as it should be
  1  the bundle is refused, or was rolled back; the code says why
  2  the command line makes no sense
  3  a medium, this host or a registry does not do its part
)";

int finish(const Said& said) {
  std::fwrite(said.out.data(), 1, said.out.size(), stdout);
  std::fwrite(said.error.data(), 1, said.error.size(), stderr);
  // 0 has to mean that the reader has got everything.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("caisson-install: cannot write the result\n", stderr);
    return static_cast<int>(Exit::host);
  }
  return static_cast<int>(said.exit);
}

Said misused(const std::string& what) {
  return {.error = "caisson-install: " + what + "\nsee `caisson-install --help`\n",
          .exit = Exit::usage};
}

const std::vector<std::string_view> kOfBundles = {"verify", "inspect", "images serve",
                                                  "images import", "images push"};

/// A command that changes or examines this host.
struct SiteCommand {
  std::string_view name;
  bool takes_bundle;
  bool needs_product;
  Said (*run)(const SiteRequest& request);
  Said (*run_in_cluster)(const ClusterRequest& request) = nullptr;  ///< null: it is for hosts alone
};

constexpr SiteCommand kOfSites[] = {
    {"install", true, false, install_bundle, install_in_cluster},
    {"update", true, false, update_from_bundle, update_in_cluster},
    {"rollback", false, true, roll_back_site, roll_back_in_cluster},
    {"recover", false, true, recover_site, recover_in_cluster},
    {"status", false, false, tell_status},
    {"uninstall", false, true, uninstall_site, uninstall_in_cluster},
    {"doctor", false, true, examine_site},
    {"diagnose", false, true, diagnose_site}};

/// An option that says nothing to a product in a cluster, and what does there what it is for.
struct Instead {
  std::string_view option;
  std::string_view instead;
};

constexpr Instead kOfHosts[] = {
    {"--secrets", "put them into Secrets of the cluster; --dry-run tells which"},
    {"--answers", "--values takes what the site decides"},
    {"--stage", "`images push` brings the images ahead of an update"},
    {"--apply", "`images push` brings the images ahead of an update"},
    {"--waiver", "nothing is held there"},
    {"--boot", "nothing of it is recovered at boot"}};

constexpr std::string_view kOfClusters[] = {
    "--registry", "--namespace", "--values", "--plain-http", "--ca", "--user", "--password-file"};

/// Cuts the command line; what is wrong with it is said.
std::optional<Said> read_words(const std::vector<std::string>& arguments, Words& read) {
  std::vector<const Option*> given;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto& word = arguments[i];
    if (!word.starts_with("-") || word == "-") {
      read.words.push_back(word);
      continue;
    }
    const auto option = std::ranges::find(options(), word, &Option::name);
    if (option == options().end()) return misused("unknown option '" + word + "'");
    if (option->has_value && i + 1 == arguments.size()) return misused(word + " needs a value");
    const auto wrong = option->take(read, option->has_value ? arguments[++i] : "");
    if (!wrong.empty()) return misused(wrong);
    given.push_back(&*option);
    read.options.push_back(option->name);
  }
  if (read.words.empty()) return Said{.error = std::string(kHelp), .exit = Exit::usage};
  const auto take_word = [&read] {
    auto word = read.words.front();
    read.words.erase(read.words.begin());
    return word;
  };
  read.command = take_word();
  if ((read.command == "images" || read.command == "trust") && !read.words.empty()) {
    read.command += " " + take_word();
  }
  for (const auto* option : given) {
    if (std::ranges::find(option->commands, read.command) == option->commands.end()) {
      return misused("'" + read.command + "' has no option " + std::string(option->name));
    }
  }
  return std::nullopt;
}

/// What a command that reads a bundle needs.
std::optional<Said> fault_of_bundle(Words& words) {
  auto& request = words.request;
  if (words.words.size() != 1) return misused(words.command + " takes one bundle");
  if (request.expected_root.has_value() == !request.roots.empty()) {
    return misused("say whom to trust, with either --expect-root or --roots");
  }
  if (words.command == "images import" && !engine_of(words.import.engine)) {
    return misused("say which engine, with --to docker, --to podman or --to containerd");
  }
  if (words.command == "images push") {
    if (words.push.to.empty())
      return misused("say where to push to, with --to HOST[:PORT][/PREFIX]");
    if (words.push.user.empty() != words.push.password_file.empty()) {
      return misused("--user and --password-file stand together");
    }
  }
  request.bundle = words.words.front();
  request.arch = std::string(host_arch());
  hand_over(request, Trust::as_named, words.line);
  return std::nullopt;
}

/// What a process without a network finds out about a bundle; nothing of one that is refused.
/// `install` and `update` keep the network only for one that this has verified.
std::optional<Form> look_confined(const std::function<std::optional<Form>()>& look) {
  constexpr int kNone = 100;
  const auto found = run_without_network([&] {
    const auto form = look();
    return form ? static_cast<int>(*form) : kNone;
  });
  if (!found || *found > static_cast<int>(Form::helm)) return std::nullopt;
  return static_cast<Form>(*found);
}

/// The form that a command is for: as it asks, as the journal says, or as the bundle does. Nothing
/// where none of them says it.
std::optional<Form> form_for(const SiteRequest& site, const SiteCommand& known) {
  if (site.form == Form::helm || known.run == tell_status) return site.form;
  if (!site.product.empty()) {
    if (!site.form && is_in_cluster(site.product)) return Form::helm;
    if (!site.apply) return form_on_host(site.product);
  }
  const bool update = known.run == update_from_bundle;
  return look_confined([&] { return form_of_bundle(site, update); });
}

/// Runs a command on a product in a cluster.
Said run_in_cluster(const Words& words, const SiteCommand& known) {
  if (known.run_in_cluster == nullptr) {
    return misused("'" + words.command +
                   "' is not for the form helm: RUNBOOK.md of the chart tells what to look at");
  }
  for (const auto& [option, instead] : kOfHosts) {
    if (std::ranges::find(words.options, option) == words.options.end()) continue;
    return misused("the form helm has no " + std::string(option) + ": " + std::string(instead));
  }
  if (words.push.user.empty() != words.push.password_file.empty()) {
    return misused("--user and --password-file stand together");
  }
  const ClusterRequest request{
      .site = words.site, .registry = words.push, .space = words.space, .values = words.values};
  const bool update = known.run == update_from_bundle;
  if (known.takes_bundle && !look_confined([&] { return form_in_cluster(request, update); })) {
    // It says itself why it refuses the bundle.
    if (auto confined = give_up_network(); !confined) {
      return say(confined.error(), words.site.bundle.json);
    }
  }
  return known.run_in_cluster(request);
}

/// Runs a command on this host; `known` is one of the table.
Said run_on_site(Words& words, const SiteCommand& known) {
  auto& site = words.site;
  site.bundle = words.request;
  if (site.stage && site.apply) return misused("--stage and --apply do not stand together");
  const bool takes_bundle = known.takes_bundle && !site.apply;
  if (words.words.size() != (takes_bundle ? 1U : 0U)) {
    return misused(words.command + (site.apply     ? " --apply takes no bundle"
                                    : takes_bundle ? " takes one bundle"
                                                   : " takes no argument"));
  }
  if (takes_bundle && !site.product.empty()) {
    return misused("the bundle says of which product it is; --product is for --apply");
  }
  if ((known.needs_product || site.apply) && site.product.empty()) {
    return misused("say of which product, with --product");
  }
  if (site.bundle.expected_root && !site.bundle.roots.empty()) {
    return misused("say whom to trust, with either --expect-root or --roots");
  }
  if (known.run == diagnose_site && site.out.empty() == !site.dry_run) {
    return misused("say where to write it, with --out FILE, or look at it first, with --dry-run");
  }
  if (takes_bundle) {
    site.bundle.bundle = words.words.front();
    hand_over(site.bundle, Trust::as_kept, words.line);
  }
  const auto form = form_for(site, known);
  if (form == Form::helm) return run_in_cluster(words, known);
  for (const auto option : kOfClusters) {
    if (std::ranges::find(words.options, option) == words.options.end()) continue;
    return misused(std::string(option) + " is for the form helm");
  }
  // Images are served to the engine, and its containers are asked for their health, at addresses.
  if (form != Form::compose) {
    if (auto confined = give_up_network(); !confined) {
      return say(confined.error(), site.bundle.json);
    }
  }
  return known.run(site);
}

/// Tells or changes whom the site trusts.
Said run_trust(const Words& words) {
  const bool update = words.command == "trust update";
  const auto& request = words.request;
  if (update == words.words.empty()) {
    return misused(words.command + (update ? " takes one root or more" : " takes no argument"));
  }
  if (words.site.product.empty() == request.roots.empty()) {
    return misused("say whose roots, with either --product or --roots");
  }
  if (request.expected_root && !update) return misused("'trust show' has no option --expect-root");
  if (auto confined = give_up_network(); !confined) return say(confined.error(), request.json);
  const TrustRequest trust{.product = words.site.product,
                           .roots = request.roots,
                           .files = words.words,
                           .expected_root = request.expected_root,
                           .json = request.json};
  return update ? update_trust(trust) : show_trust(trust);
}

/// Starts or ends a trial.
Said run_trial(Words& words) {
  auto& request = words.request;
  if (words.trial.empty()) return misused("say where, with --dir DIRECTORY");
  if (words.end_trial) {
    if (!words.words.empty()) return misused("'try --end' takes no bundle");
    return end_trial({.bundle = request, .directory = words.trial, .answers = {}});
  }
  if (auto wrong = fault_of_bundle(words)) return *wrong;
  request.progress = !request.json;
  return start_trial({.bundle = request, .directory = words.trial, .answers = words.site.answers});
}

void announce(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Said run(const std::vector<std::string>& arguments) {
  for (const auto& word : arguments) {
    if (word == "-h" || word == "--help") return {.out = std::string(kHelp)};
    if (word == "--version") return {.out = "caisson-install " CAISSON_VERSION "\n"};
  }
  Words words{.line = arguments};
  if (auto wrong = read_words(arguments, words)) return *wrong;
  if (words.command == "explain") {
    if (words.words.size() > 1) return misused("unexpected argument '" + words.words[1] + "'");
    return explain_code(words.words.empty() ? "" : words.words[0], words.request.json);
  }
  const auto* const on_site = std::ranges::find(kOfSites, words.command, &SiteCommand::name);
  if (on_site != std::end(kOfSites)) return run_on_site(words, *on_site);
  if (words.command == "try") return run_trial(words);
  if (words.command == "trust show" || words.command == "trust update") return run_trust(words);
  if (std::ranges::find(kOfBundles, words.command) == kOfBundles.end()) {
    return misused("unknown command '" + words.command + "'");
  }
  if (auto wrong = fault_of_bundle(words)) return *wrong;
  const auto& request = words.request;
  if (words.command == "images serve") return serve_images(request, words.port, announce);
  if (words.command == "images import") {
    return import_images(request, words.port, words.import);
  }
  if (words.command == "images push") return push_images(request, words.push);
  if (auto confined = give_up_network(); !confined) return say(confined.error(), request.json);
  words.request.progress = !request.json;
  return words.command == "verify" ? verify_bundle(request) : inspect_bundle(request);
}

}  // namespace
}  // namespace caisson::installer

int main(int count, char** arguments) {
  // Large buffers go back to the system when they are freed, and do not add up.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  return caisson::installer::finish(
      caisson::installer::run(std::vector<std::string>(arguments + 1, arguments + count)));
}
