#include "generator/bundle/texts.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/time.h"
#include "generator/bundle/diff.h"
#include "installer/format/answers.h"

namespace caisson::bundle {
namespace {

std::string forms_of(const installer::Manifest& manifest) {
  std::string forms;
  for (const auto& form : manifest.forms) forms += (forms.empty() ? "" : ", ") + form;
  return forms;
}

bool has_form(const installer::Manifest& manifest, std::string_view form) {
  return std::ranges::find(manifest.forms, form) != manifest.forms.end();
}

/// Whether caisson-install brings it to what runs, rather than only its images.
bool installs(const installer::Manifest& manifest) {
  return has_form(manifest, "systemd") || has_form(manifest, "compose");
}

/// A text as a cell of a table in Markdown, in which it can end nothing.
std::string in_table(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '`' || c == '\\' || c == '<' || c == '[' || c == '*' || c == '_')
      cell += '\\';
    cell += c;
  }
  return cell;
}

/// What somebody types, below a heading.
void add_block(std::string& text, std::string_view title, std::string_view words,
               const std::vector<std::string>& commands) {
  text.append("\n## ").append(title).append("\n\n").append(words).append("\n\n```sh\n");
  for (const auto& command : commands) text.append(command).append("\n");
  text.append("```\n");
}

/// What somebody does with it who administers a cluster.
void add_cluster(std::string& text, const std::string& product) {
  const std::string run = "/usr/local/sbin/caisson-install ";
  const auto install = run +
                       "install \"$MEDIUM\" --form helm --registry \"$REGISTRY\" "
                       "--expect-root \"$ROOT\"";
  const auto update = run + "update \"$MEDIUM\"";
  const auto of_product = " --product " + product;
  add_block(text, "Install in a cluster",
            "From a machine with helm (3.13 or newer) and kubectl that reach the cluster; root is "
            "not needed. The first command\nprints what the cluster has to have, the secrets too "
            "that have to be there before, and changes nothing.\n`--values FILE` is laid over the "
            "chart's values.",
            {install + " --dry-run", install});
  add_block(text, "Update in a cluster",
            "Registry and values stay. A release that does not hold its tenants apart, or is not "
            "well, is taken back before anybody\noutside is served.",
            {update + " --dry-run", update});
  add_block(text, "Go back in a cluster",
            "To the release before, without its data. The first command says what would be done.",
            {run + "rollback" + of_product + " --dry-run", run + "rollback" + of_product});
  add_block(text, "After an interruption",
            "What was cut off in a cluster is finished or undone by this, any number of times:",
            {run + "recover" + of_product});
  add_block(text, "Remove it from a cluster",
            "Claims, secrets and namespaces stay with `--keep-data`, and go without it.",
            {run + "uninstall" + of_product + " --keep-data --dry-run",
             run + "uninstall" + of_product + " --keep-data"});
}

}  // namespace

std::string readme(const installer::Manifest& manifest) {
  const auto& envelope = manifest.envelope;
  const auto name = envelope.product + " " + to_text(manifest.version);
  const auto forms = forms_of(manifest);
  std::size_t files = 0;
  for (const auto& pack : manifest.packs) files += pack.files.size();
  return name + " for " + envelope.arch + ", release " + std::to_string(envelope.release.epoch) +
         "/" + std::to_string(envelope.release.sequence) + " of " +
         rfc3339_seconds(static_cast<std::int64_t>(manifest.date)) +
         "\n\n"
         "Check it before anything of it runs. site.gpg is the key ring of the vendor from your "
         "own\n"
         "safe, never the one on the medium. In this directory:\n\n"
         "    gpgv --weak-digest SHA1 --ignore-time-conflict --keyring ./site.gpg SHA256SUMS.gpg "
         "SHA256SUMS\n"
         "    sha256sum -c --strict --quiet SHA256SUMS\n"
         "    find . -type f | sort\n\n"
         "gpgv has to say 'Good signature', and sha256sum nothing. sha256sum notices no file that "
         "is\n"
         "not in its list: compare what find prints with SHA256SUMS, which names every file but\n"
         "itself and its signatures. A host in FIPS mode checks SHA256SUMS.p256.gpg instead. The\n"
         "sha256sum of busybox knows -c alone, and says OK for each file.\n"
         "For the first bundle of this vendor TRUST.txt says whom you trust. INSTALL.md goes on "
         "from\n"
         "here, with all commands.\n\n"
         "Then copy caisson-install off the medium, which may not run programs, and let it check "
         "the\n"
         "bundle once more:\n\n"
         "    install -m 0755 caisson-install /usr/local/sbin/caisson-install\n"
         "    caisson-install verify . --expect-root FINGERPRINT\n\n"
         "FINGERPRINT is the SHA-256 of the first root, which the vendor has told you by another\n"
         "channel than this medium.\n\n" +
         std::string(installs(manifest)
                         ? "It installs as root, and updates what is installed:\n\n"
                           "    caisson-install install . --expect-root FINGERPRINT\n"
                           "    caisson-install update .\n\n"
                         : "") +
         "Holds " + std::to_string(files) + " files of " +
         std::to_string(installed_bytes(manifest)) + " bytes and " +
         std::to_string(manifest.images.size()) + " container images.\nInstalls as: " + forms +
         ".\n"
         "MANIFEST lists them. One file is checked by hand from its chunks:\n\n"
         "    zstd -dc blobs/sha256/DIGEST... | sha256sum\n\n"
         "sbom.cdx.json says what it is made of, LICENSES.txt under which licences, and\n"
         "provenance.intoto.jsonl from what.\n";
}

std::string install_text(const installer::Manifest& manifest) {
  const auto& product = manifest.envelope.product;
  const auto version = to_text(manifest.version);
  const auto name = product + "-" + version + "-" + manifest.envelope.arch;
  const bool has_chart = has_form(manifest, "helm");
  const bool asks = !manifest.questions.empty();
  const auto installed = "/opt/" + product + "/caisson-install";
  std::string text =
      "# " + product + " " + version +
      " at a site without a network\n\n"
      "The commands are for a shell of root. They want to know where things are:\n\n"
      "```\n"
      "MEDIUM=/media/stick/" +
      name +
      "    # the directory of this file\n"
      "RING=/root/site.gpg    # the vendor's key ring, from your own safe and never from the "
      "medium\n"
      "ROOT=...    # the SHA-256 of the vendor's first root, told by another way than the "
      "medium\n" +
      (asks ? "ANSWERS=/root/answers.env    # what this site answers, see below\n" : "") +
      (has_chart ? "REGISTRY=registry.site.example:5000/" + product +
                       "    # HOST[:PORT][/PREFIX] of your registry, which gets the images\n"
                 : "") +
      "```\n\n"
      "## Check it\n\n"
      "With tools of your own system, before anything of it runs:\n\n"
      "```sh\n"
      "cd \"$MEDIUM\"\n"
      "gpgv --weak-digest SHA1 --ignore-time-conflict --keyring \"$RING\" SHA256SUMS.gpg "
      "SHA256SUMS\n"
      "sha256sum -c --strict --quiet SHA256SUMS\n"
      "find . -type f | sort\n"
      "```\n\n"
      "gpgv says 'Good signature', sha256sum says nothing, and find names no file that SHA256SUMS "
      "does "
      "not list, but for\nSHA256SUMS itself and its signatures. README and TRUST.txt say more.\n\n"
      "Media may not run programs, so the installer is copied. It checks the same again, and "
      "more:\n\n"
      "```sh\n"
      "install -D -m 0755 \"$MEDIUM/caisson-install\" /usr/local/sbin/caisson-install\n"
      "/usr/local/sbin/caisson-install verify \"$MEDIUM\" --expect-root \"$ROOT\"\n"
      "/usr/local/sbin/caisson-install inspect \"$MEDIUM\" --expect-root \"$ROOT\"\n"
      "```\n\n"
      "## What is in it\n\n" +
      size_text(installed_bytes(manifest)) + " of installed files, " +
      std::to_string(manifest.images.size()) + " container images of " +
      size_text(manifest.unpacked) + " unpacked, for " + manifest.envelope.arch + ".\n";
  if (asks) {
    text +=
        "\n## What you are asked\n\n"
        "| name | what it is | without an answer | |\n|---|---|---|---|\n";
    for (const auto& question : manifest.questions) {
      std::string kind(form_of(question.type));
      if (!question.choices.empty()) {
        kind = "one of";
        for (const auto& choice : question.choices) kind += " `" + choice + "`";
      }
      text += "| `" + question.name + "` | " + kind + " | " +
              (question.preset ? "`" + *question.preset + "`" : "has to be answered") + " | " +
              in_table(question.text) + " |\n";
    }
    text +=
        "\nThe file of answers has a line `NAME=ANSWER` for each. Without `--answers` they are "
        "asked "
        "for on the terminal.\nA file with a secret is mode 0600. An update keeps answers.\n";
  }
  if (has_chart) add_cluster(text, product);
  if (!installs(manifest) && has_chart) return text;
  if (!installs(manifest)) {
    return text +
           "\n## Bring it to what runs it\n\n"
           "It comes as " +
           forms_of(manifest) +
           ". `caisson-install images` brings its images into an engine or a registry of "
           "yours, by their digests.\n";
  }
  const std::string answers = asks ? " --answers \"$ANSWERS\"" : "";
  const auto block = [&text](std::string_view title, std::string_view words,
                             const std::vector<std::string>& commands) {
    add_block(text, title, words, commands);
  };
  const auto install =
      "/usr/local/sbin/caisson-install install \"$MEDIUM\" --expect-root \"$ROOT\"";
  std::string words =
      "The first command says what the host has to have and what is missing, secrets too "
      "(`--secrets DIR` has a file for\neach), and changes nothing.";
  if (has_form(manifest, "compose")) {
    words += has_form(manifest, "systemd")
                 ? " With `--form compose` it runs as containers of this host's Docker engine, "
                   "without it as\nunits of systemd alone; it stays in the form in which it was "
                   "installed first."
                 : " It runs as containers of this host's Docker engine, with its compose plugin; "
                   "images come off\nthe medium, by their digests, and from nowhere else.";
  }
  block("Install", words, {install + answers + " --dry-run", install + answers});
  block("Update",
        "From " + to_text(manifest.from) + " and later" +
            (manifest.via ? ", by way of " + to_text(*manifest.via) : "") +
            ". The installer of the release that runs does it. A release that does not hold its\n"
            "tenants apart, or is not well, is taken back before anybody is served.",
        {installed + " update \"$MEDIUM\"" + answers + " --dry-run",
         installed + " update \"$MEDIUM\"" + answers});
  block("Look after it",
        "The second command looks at all that was installed and at the host, and ends with 3 when "
        "something is wrong.",
        {installed + " status", installed + " doctor --product " + product});
  if (has_form(manifest, "compose")) {
    block(
        "Look into its containers",
        "Where it runs as containers, the project is in `/etc/" + product +
            "`, with its README.md and RUNBOOK.md, which\nsays how to back up, restore and rotate "
            "secrets here. `docker compose` (2.24 or newer) has to know what is\nlaid over it "
            "there. Units run the containers: `systemctl stop " +
            product + ".target` stops all of them.",
        {"cd /etc/" + product,
         "export COMPOSE_PROJECT_NAME=" + product +
             " COMPOSE_FILE=compose.yaml:site.yaml COMPOSE_ENV_FILES=/opt/" + product +
             "/current/compose.env",
         "docker compose ps --all", "docker compose logs --since 10m"});
  }
  block("Go back",
        "To the release before, without its data. The first command says what would be done.",
        {installed + " rollback --product " + product + " --dry-run",
         installed + " rollback --product " + product});
  block("After a power cut",
        "The next boot finishes or undoes what was interrupted, and so does this, any number of "
        "times:",
        {installed + " recover --product " + product});
  block("Remove it",
        "Data, secrets and answers stay with `--keep-data`, and go without it: all of "
        "`/var/lib/" +
            product + "`, which `--dry-run` lists.",
        {installed + " uninstall --product " + product + " --keep-data --dry-run",
         installed + " uninstall --product " + product + " --keep-data"});
  return text;
}

std::string trust_text(const installer::Manifest& manifest, const PublicKeys& keys) {
  const auto& product = manifest.envelope.product;
  if (keys.files.empty()) {
    return "This bundle of " + product +
           " was made without keys and cannot be signed: it is for tests alone.\n";
  }
  std::string text =
      "Who signs " + product +
      ".\n\n"
      "A site that has never installed it has no reason to trust anybody yet. Ask the\n"
      "vendor, by another way than this medium, for the SHA-256 of the first root, and\n"
      "compare. Later roots are signed by the roots before them.\n\n";
  for (const auto& [name, bytes] : keys.files) {
    if (!name.starts_with("root.") || name.ends_with(".gpg")) continue;
    text += sha256_hex(bytes) + "  keys/" + name + "\n";
  }
  text += "\n`sha256sum keys/root.1` prints the same.\n";
  return text;
}

}  // namespace caisson::bundle
