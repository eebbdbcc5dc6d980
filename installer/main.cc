#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <malloc.h>

#include "base/files.h"
#include "installer/command/cluster_command.h"
#include "installer/command/cluster_place.h"
#include "installer/command/command.h"
#include "installer/command/diagnose_command.h"
#include "installer/command/doctor_command.h"
#include "installer/command/images.h"
#include "installer/command/site_command.h"
#include "installer/command/trust_command.h"
#include "installer/command/try_command.h"
#include "installer/confine/network.h"
#include "installer/format/chart.h"
#include "installer/format/lines.h"
#include "installer/media/layout.h"
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
keep it, and so does the form helm, for helm, kubectl and --registry; `try` opens the bundle without it, and then starts the release on 127.0.0.1.

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

/// The command line, cut into words and options.
struct Words {
  std::vector<std::string> words;
  std::string command;  ///< "verify", "images push"
  std::vector<std::string_view> options;
  Request request;
  PushRequest push;
  SiteRequest site;  ///< but for what `request` says
  ImportRequest import;
  std::string space;   ///< of a chart
  std::string values;  ///< a file that is laid over those of a chart
  std::string trial;   ///< the directory of `try`
  bool end_trial = false;
  std::uint16_t port = 5005;
};

/// An option, and the commands that take it.
struct Option {
  std::string_view name;
  std::vector<std::string_view> commands;
  bool has_value;
  /// Takes the value; says what is wrong with it, if anything is.
  std::string (*take)(Words& words, const std::string& value);
};

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

const std::vector<std::string_view> kTrusting = {"verify",        "inspect",      "images serve",
                                                 "images import", "images push",  "install",
                                                 "trust show",    "trust update", "try"};

const std::vector<Option>& options() {
  static const std::vector<Option> table = {
      {"--expect-root", kTrusting, true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.expected_root = fingerprint_of(value);
         return words.request.expected_root ? "" : "--expect-root takes 64 hexadecimal digits";
       }},
      {"--roots", kTrusting, true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.roots = value;
         return {};
       }},
      {"--strict",
       {"verify", "install", "update", "try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.strict = true;
         return {};
       }},
      {"--sums",
       {"verify"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.sums_only = true;
         return {};
       }},
      {"--base",
       {"verify"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.base = value;
         return value.empty() ? "--base takes a directory" : "";
       }},
      {"--json",
       {"verify", "inspect", "explain", "images serve", "images import", "images push", "install",
        "update", "rollback", "recover", "status", "uninstall", "doctor", "diagnose", "trust show",
        "trust update", "try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.json = true;
         return {};
       }},
      {"--product",
       {"update", "rollback", "recover", "status", "uninstall", "doctor", "diagnose", "trust show",
        "trust update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.product = value;
         return is_file_name(value) ? "" : "--product takes a product's name";
       }},
      {"--secrets",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.secrets = value;
         return value.empty() ? "--secrets takes a directory" : "";
       }},
      {"--answers",
       {"install", "update", "try"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.answers = value;
         return value.empty() ? "--answers takes a file" : "";
       }},
      {"--form",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.form = form_of(value);
         return words.site.form ? "" : "--form takes systemd, compose or helm";
       }},
      {"--registry",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.to = value;
         return value.empty() ? "--registry takes HOST[:PORT][/PREFIX]" : "";
       }},
      {"--namespace",
       {"install"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.space = value;
         return is_namespace(value) ? "" : "--namespace takes a namespace of Kubernetes";
       }},
      {"--values",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.values = value;
         return value.empty() ? "--values takes a file" : "";
       }},
      {"--dry-run",
       {"install", "update", "rollback", "uninstall", "diagnose"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.dry_run = true;
         return {};
       }},
      {"--accept-move",
       {"update", "rollback"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         std::istringstream list(value);
         for (std::string what; std::getline(list, what, ',');) words.site.moves.insert(what);
         return words.site.moves.contains("") || value.empty() ? "--accept-move takes WHAT,..."
                                                               : "";
       }},
      {"--again",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.again = true;
         return {};
       }},
      {"--stage",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.stage = true;
         return {};
       }},
      {"--apply",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.apply = true;
         return {};
       }},
      {"--waiver",
       {"recover"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.waiver = value;
         return value.empty() ? "--waiver takes a file" : "";
       }},
      {"--dir",
       {"try"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.trial = value;
         return value.empty() ? "--dir takes a directory" : "";
       }},
      {"--end",
       {"try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.end_trial = true;
         return {};
       }},
      {"--out",
       {"diagnose"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.out = value;
         return value.empty() ? "--out takes a file" : "";
       }},
      {"--without",
       {"diagnose"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         return read_exhibits(value, words.site.without);
       }},
      {"--keep-data",
       {"uninstall"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.keep_data = true;
         return {};
       }},
      {"--boot",
       {"recover"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.booting = true;
         return {};
       }},
      {"--port",
       {"images serve", "images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         const auto port = number_of(value);
         words.port = static_cast<std::uint16_t>(port.value_or(0));
         return port && *port <= 65535 ? "" : "--port takes a number from 0 to 65535";
       }},
      {"--to",
       {"images import", "images push"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.to = value;
         words.import.engine = value;
         return {};
       }},
      {"--program",
       {"images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.import.program = value;
         return value.starts_with('/') ? "" : "--program takes an absolute path";
       }},
      {"--address",
       {"images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.import.address = value;
         return {};
       }},
      {"--plain-http",
       {"images push", "install", "update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.push.plain_http = true;
         return {};
       }},
      {"--ca",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.ca_file = value;
         return {};
       }},
      {"--user",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.user = value;
         return value.empty() || value.find(':') != std::string::npos
                    ? "--user takes a name without a colon"
                    : "";
       }},
      {"--password-file",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.password_file = value;
         return {};
       }},
  };
  return table;
}

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
  return std::nullopt;
}

/// Whether a command is for a product in a cluster: as it asks, or as the journal says. Of which
/// product an install or an update is, the bundle alone says.
bool is_for_cluster(const SiteRequest& site, const SiteCommand& known) {
  if (site.form) return *site.form == Form::helm;
  if (!site.product.empty()) return is_in_cluster(site.product);
  if (!known.takes_bundle || !is_in_cluster("")) return false;
  const auto medium = open_medium(site.bundle.bundle);
  const auto product = medium ? product_of(**medium) : Checked<std::string>(std::string());
  return product && !product->empty() && is_in_cluster(*product);
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
  return known.run_in_cluster(
      {.site = words.site, .registry = words.push, .space = words.space, .values = words.values});
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
  if (takes_bundle) site.bundle.bundle = words.words.front();
  if (known.run != tell_status && is_for_cluster(site, known)) return run_in_cluster(words, known);
  for (const auto option : kOfClusters) {
    if (std::ranges::find(words.options, option) == words.options.end()) continue;
    return misused(std::string(option) + " is for the form helm");
  }
  if (auto confined = give_up_network(); !confined) {
    return say(confined.error(), site.bundle.json);
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
  Words words;
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
