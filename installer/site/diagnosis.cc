#include "installer/site/diagnosis.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/printable.h"
#include "base/time.h"
#include "conformance/scan/disclosure.h"
#include "installer/site/answers.h"
#include "installer/site/doctor.h"
#include "installer/site/store.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfExhibit = std::size_t{1} << 20;
constexpr std::size_t kMostOfSecret = std::size_t{1} << 20;

/// Lines of a log that are shown.
constexpr auto kLogLines = "5000";

/// What was asked of the host, as its owner would read it there.
std::string said_by(const Premises& premises, const std::string& program,
                    std::vector<std::string> arguments) {
  const auto ended = premises.host.run({.program = program,
                                        .arguments = std::move(arguments),
                                        .account = {},
                                        .most_output = kMostOfExhibit});
  if (!ended) return ended.error().what + "\n";
  auto text = ended->output.empty() ? std::string("nothing\n") : ended->output + "\n";
  if (ended->status != 0) text += "(it ended with " + std::to_string(ended->status) + ")\n";
  return text;
}

/// A file as lines that steer no terminal.
std::string text_of(const Checked<std::string>& bytes) {
  if (!bytes) return bytes.error().what + "\n";
  std::string text;
  for (std::size_t at = 0; at < bytes->size();) {
    const auto end = std::min(bytes->find('\n', at), bytes->size());
    text += printable(std::string_view(*bytes).substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return text;
}

std::optional<Journal> journal_of(const Premises& premises) {
  auto journal = load_journal(premises.disks.site);
  return journal ? *std::move(journal) : std::nullopt;
}

Checked<StagedRelease> installed_release(const Premises& premises) {
  const auto journal = journal_of(premises);
  if (!journal || journal->installed.empty()) {
    return refuse(Code::not_installed, "nothing is installed");
  }
  return load_release(premises, journal->installed);
}

std::string releases(const Premises& premises) {
  const auto journal = journal_of(premises);
  if (!journal) return "there is no journal that can be read\n";
  std::string text;
  for (const auto& [role, name] :
       {std::pair("installed", journal->installed), std::pair("previous", journal->previous),
        std::pair("staged", journal->staged)}) {
    if (name.empty()) continue;
    text += std::string(role) + " " + name + ": ";
    const auto release = load_release(premises, name);
    text += release ? "version " + to_text(release->manifest.version) + ", data of version " +
                          std::to_string(release->manifest.data) + "\n"
                    : release.error().what + "\n";
  }
  return text.empty() ? "none\n" : text;
}

std::string report(const Premises& premises) {
  const auto journal = journal_of(premises);
  if (!journal || journal->installed.empty()) return "nothing is installed\n";
  return text_of(read_file(premises.disks.site,
                           release_path(journal->installed) + "/install-report.txt",
                           kMostOfExhibit));
}

std::string answers(const Premises& premises) {
  const auto release = installed_release(premises);
  if (!release) return release.error().what + "\n";
  const auto kept = kept_answers(premises.disks.site, &*release);
  if (!kept) return kept.error().what + "\n";
  std::string text;
  for (const auto& question : release->manifest.questions) {
    const auto answer = kept->find(question.name);
    text += question.name + "=";
    if (question.type == AnswerType::secret) {
      text += "(secret)";
    } else {
      text += answer == kept->end() ? "(none)" : printable(answer->second);
    }
    text += "\n";
  }
  return text.empty() ? "the release asks nothing\n" : text;
}

std::string units(const Premises& premises) {
  const auto release = installed_release(premises);
  if (!release) return release.error().what + "\n";
  constexpr auto kProperties =
      "--property=Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,ExecMainStatus,"
      "ActiveEnterTimestamp,MemoryCurrent,MemoryPeak,TasksCurrent,DropInPaths";
  std::vector<std::string> words{"show", kProperties, "--", release->needs.target,
                                 recover_unit(premises.product)};
  if (!release->needs.edge.empty()) words.push_back(release->needs.edge);
  words.insert(words.end(), release->needs.services.begin(), release->needs.services.end());
  return said_by(premises, "/usr/bin/systemctl", std::move(words));
}

std::string host(const Premises& premises) {
  std::string text = said_by(premises, "/usr/bin/uname", {"-srvm"});
  for (const auto* file : {"/etc/os-release", "/proc/meminfo", "/proc/loadavg", "/proc/mounts",
                           "/proc/sys/crypto/fips_enabled"}) {
    text += std::string(file) + ":\n" + said_by(premises, "/usr/bin/cat", {file});
  }
  return text + "df:\n" +
         said_by(premises, "/usr/bin/df", {"-P", premises.prefix(), premises.data()});
}

std::string log(const Premises& premises) {
  return said_by(premises, "/usr/bin/journalctl",
                 {"--namespace", premises.product, "--no-pager", "--output", "short-iso-precise",
                  "--lines", kLogLines});
}

std::string system_log(const Premises& premises) {
  return said_by(premises, "/usr/bin/journalctl",
                 {"--no-pager", "--output", "short-iso-precise", "--lines", kLogLines, "--unit",
                  premises.product + "*"});
}

std::string doctor(const Premises& premises) { return findings_text(examine(premises)); }

std::string journal(const Premises& premises) {
  return text_of(read_file(premises.disks.site, kJournal, kMostOfExhibit));
}

struct Kind {
  std::string_view name;
  std::string_view about;
  std::string (*gather)(const Premises& premises);
};

constexpr std::array kKinds = {
    Kind{"doctor", "what `caisson-install doctor` says", doctor},
    Kind{"journal", "what was installed, and what is in work", journal},
    Kind{"releases", "their versions", releases},
    Kind{"report", "what was checked when the release was installed", report},
    Kind{"answers", "what this site has answered; secrets are left out", answers},
    Kind{"units", "what systemd says of the product's units", units},
    Kind{"host", "kernel, system, memory, disks and mounts of this host", host},
    Kind{"log", "the product's own log; names of tenants are in it", log},
    Kind{"systemd", "what systemd has logged of its units", system_log}};

bool ends_word(char c) {
  return c == ' ' || c == '\n' || c == ',' || c == ';' || c == '"' || c == '\'' || c == ')' ||
         c == '>' || c == ']';
}

/// The text with what follows each `mark`, up to the end of the word, left out.
std::string without_credentials(std::string text, std::string_view mark) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    const auto end = static_cast<std::size_t>(
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), ends_word) -
        text.begin());
    text.replace(at, end - at, "(left out)");
  }
  return text;
}

bool is_of_address(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == '+' || c == '%';
}

/// The text without e-mail addresses. `getty@tty1.service` of systemd is none: its right side ends
/// in the name of a kind of unit.
std::string without_addresses(std::string_view text) {
  constexpr std::array<std::string_view, 7> kUnits = {".service", ".socket", ".target", ".timer",
                                                      ".mount",   ".slice",  ".device"};
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    std::size_t from = at;
    while (from > copied && is_of_address(text[from - 1])) --from;
    std::size_t to = at + 1;
    while (to < text.size() && is_of_address(text[to])) ++to;
    const auto domain = text.substr(at + 1, to - at - 1);
    const bool unit =
        std::ranges::any_of(kUnits, [&](std::string_view each) { return domain.ends_with(each); });
    if (from == at || unit || domain.find('.') == std::string_view::npos) continue;
    out.append(text.substr(copied, from - copied)).append("(address)");
    copied = to;
    at = to - 1;
  }
  return out.append(text.substr(copied));
}

std::string redacted(std::string text) {
  for (const auto* mark : {"Bearer ", "bearer ", "Basic ", "api_key=", "token=", "password="}) {
    text = without_credentials(std::move(text), mark);
  }
  return without_addresses(text);
}

/// The end of a text, from the beginning of a line on.
std::string end_of(std::string text) {
  if (text.size() <= kMostOfExhibit) return text;
  const auto line = text.find('\n', text.size() - kMostOfExhibit);
  return "(the beginning is left out)\n" + text.substr(line + 1);
}

/// What the site keeps secret, by the names of the files.
Checked<std::vector<conformance::KnownSecret>> secrets_of(const Premises& premises) {
  std::vector<conformance::KnownSecret> known;
  const auto there = premises.disks.site.status(kSecrets);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return known;
  const auto names = premises.disks.site.list(kSecrets);
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    auto value = read_file(premises.disks.site, below(kSecrets, name), kMostOfSecret);
    if (!value) return tl::unexpected(value.error());
    known.push_back({.name = name, .value = *std::move(value)});
  }
  return known;
}

/// Whether a secret that is too short for the search stands in a text as a word of its own.
bool shows_word(std::string_view text, std::string_view secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) {
    secret.remove_suffix(1);
  }
  // A word of less is everywhere.
  if (secret.size() < 6 || !conformance::needle_of(secret).empty()) return false;
  for (std::size_t at = 0; (at = text.find(secret, at)) != std::string_view::npos; ++at) {
    const auto end = at + secret.size();
    const bool begins = at == 0 || !is_of_address(text[at - 1]);
    if (begins && (end == text.size() || !is_of_address(text[end]))) return true;
  }
  return false;
}

tl::unexpected<Refusal> shown(const std::string& exhibit, const std::string& what) {
  return refuse(Code::in_archive, "'" + exhibit + "' shows " + what);
}

}  // namespace

std::vector<std::string_view> exhibit_names() {
  std::vector<std::string_view> names;
  names.reserve(kKinds.size());
  for (const auto& kind : kKinds) names.push_back(kind.name);
  return names;
}

std::vector<Exhibit> gather(const Premises& premises, const std::vector<std::string>& without) {
  std::vector<Exhibit> exhibits;
  for (const auto& kind : kKinds) {
    if (std::ranges::find(without, kind.name) != without.end()) continue;
    exhibits.push_back({.name = std::string(kind.name),
                        .about = std::string(kind.about),
                        .text = end_of(redacted(kind.gather(premises)))});
  }
  return exhibits;
}

Checked<void> check_exhibits(const Premises& premises, const std::vector<Exhibit>& exhibits) {
  const auto secrets = secrets_of(premises);
  if (!secrets) return tl::unexpected(secrets.error());
  conformance::DisclosureScan scan(*secrets);
  for (const auto& exhibit : exhibits) {
    scan.look(exhibit.name, exhibit.text);
    for (const auto& secret : *secrets) {
      if (shows_word(exhibit.text, secret.value)) {
        return shown(exhibit.name, "the value of the secret '" + secret.name + "'");
      }
    }
  }
  const auto found = scan.findings();
  if (found.empty()) return {};
  return shown(found.front().place, found.front().what);
}

std::string to_text(const Premises& premises, const std::vector<Exhibit>& exhibits) {
  std::string text =
      "Diagnosis of " + premises.product + " at " +
      rfc3339_seconds(static_cast<std::int64_t>(premises.host.now())) +
      "\n\nIt was searched for the secrets of this site, for private keys and for data of "
      "isolation "
      "probes.\nRead it before you send it: names of hosts, tenants and files are in it.\n";
  for (const auto& exhibit : exhibits) {
    text += "\n== " + exhibit.name + ": " + exhibit.about + "\n";
    for (std::size_t at = 0; at < exhibit.text.size();) {
      const auto end = std::min(exhibit.text.find('\n', at), exhibit.text.size());
      text += "  " + exhibit.text.substr(at, end - at) + "\n";
      at = end + 1;
    }
  }
  return text;
}

}  // namespace caisson::installer
