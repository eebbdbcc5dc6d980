#include "installer/format/journal.h"

#include <algorithm>
#include <cctype>

#include "base/hex.h"
#include "installer/format/chart.h"
#include "installer/format/words.h"

namespace caisson::installer {
namespace {

constexpr Word<Change> kChanges[] = {{"install", Change::install},
                                     {"rollback", Change::rollback},
                                     {"uninstall", Change::uninstall},
                                     {"update", Change::update}};

constexpr Word<Step> kSteps[] = {
    {"begun", Step::begun},       {"staged", Step::staged},       {"verified", Step::verified},
    {"baseline", Step::baseline}, {"quiesced", Step::quiesced},   {"backed-up", Step::backed_up},
    {"migrated", Step::migrated}, {"switched", Step::switched},   {"probation", Step::probation},
    {"held", Step::held},         {"committed", Step::committed}, {"opened", Step::opened},
    {"undone", Step::undone}};

constexpr Word<bool> kData[] = {{"keep-data", true}, {"remove-data", false}};

constexpr std::size_t kDigits = 16;

/// A release makes one, and one for each tenant with a deployment of its own: as many as a chart
/// may name.
constexpr std::size_t kMostNamespaces = 10'000;

constexpr std::size_t kLongestAccount = 255;

std::string read_release(Lines& lines) {
  const auto word = lines.word();
  if (!is_release_name(word)) lines.refuse(Code::text_line, "that names no release");
  return std::string(word);
}

/// The release that a line of this key names, or none where there is no such line.
std::string read_optional_release(Lines& lines, std::string_view key) {
  if (!lines.at(key) || !lines.take(key)) return {};
  return read_release(lines);
}

Floor read_floor(Lines& lines) {
  Floor floor;
  const auto word = lines.word();
  const auto slash = std::min(word.find('/'), word.size());
  const auto epoch = number_of(word.substr(0, slash));
  const auto sequence = number_of(word.substr(std::min(slash + 1, word.size())));
  if (!epoch || !sequence) lines.refuse(Code::text_number, "the floor is not EPOCH/SEQUENCE");
  floor.release = {.epoch = epoch.value_or(0), .sequence = sequence.value_or(0)};
  floor.manifest = lines.digest();
  return floor;
}

/// The namespaces that lines of this key name.
std::vector<std::string> read_namespaces(Lines& lines, std::string_view key) {
  std::vector<std::string> names;
  while (lines.at(key) && lines.take(key)) {
    const auto word = lines.word();
    if (!is_namespace(word)) lines.refuse(Code::text_line, "that is no namespace");
    if (std::ranges::find(names, word) != names.end()) {
      lines.refuse(Code::text_order, "a namespace stands twice");
    }
    if (names.size() == kMostNamespaces) lines.refuse(Code::too_many, "too many namespaces");
    names.emplace_back(word);
  }
  return names;
}

std::string read_account(Lines& lines) {
  const auto word = lines.word();
  if (!is_account(word)) lines.refuse(Code::text_line, "that names no account");
  return std::string(word);
}

/// What lines "account NAME INSTANCE" and "group NAME" name.
std::vector<MadeAccount> read_made(Lines& lines) {
  std::vector<MadeAccount> made;
  for (const auto* key : {"account", "group"}) {
    while (lines.at(key) && lines.take(key)) {
      MadeAccount account{.name = read_account(lines), .instance = {}};
      if (key == std::string_view("account")) account.instance = read_account(lines);
      if (std::ranges::find(made, account) != made.end()) {
        lines.refuse(Code::text_order, "it stands twice");
      }
      if (made.size() == kMostMade) lines.refuse(Code::too_many, "too many accounts");
      made.push_back(std::move(account));
    }
  }
  return made;
}

std::uint64_t read_revision(Lines& lines, std::string_view key) {
  if (!lines.at(key) || !lines.take(key)) return 0;
  const auto revision = lines.number();
  if (revision == 0) lines.refuse(Code::text_number, "revisions begin with 1");
  return revision;
}

ClusterSite read_cluster(Lines& lines) {
  ClusterSite cluster;
  cluster.id = lines.word();
  const bool fits =
      std::ranges::all_of(cluster.id, [](char c) { return c == '-' || is_hex({&c, 1}); });
  if (cluster.id.empty() || !fits) lines.refuse(Code::text_line, "that is no UID");
  cluster.space = lines.word();
  if (!is_namespace(cluster.space)) lines.refuse(Code::text_line, "that is no namespace");
  if (lines.at("registry") && lines.take("registry")) cluster.registry = lines.text();
  cluster.revision = read_revision(lines, "revision");
  cluster.previous = read_revision(lines, "previous-revision");
  cluster.made = read_namespaces(lines, "made");
  cluster.used = read_namespaces(lines, "used");
  return cluster;
}

Flight read_flight(Lines& lines) {
  Flight flight;
  flight.change = read_one_of<Change>(lines, kChanges);
  flight.step = read_one_of<Step>(lines, kSteps);
  const bool removes = flight.change == Change::uninstall;
  if (removes) flight.keep_data = read_one_of<bool>(lines, kData);
  if (flight.change == Change::install) {
    // Without a word nothing is removed: older programs write none.
    flight.keep_data = !lines.more();
    if (lines.more() && lines.word() != word_of(kData, false)) {
      lines.refuse(Code::text_line, "expected remove-data, or nothing");
    }
  }
  flight.from = read_optional_release(lines, "from");
  flight.to = read_optional_release(lines, "to");
  flight.making = read_namespaces(lines, "making");
  // What an uninstall has kept can be removed later, when no release is left.
  if ((flight.from.empty() != (flight.change == Change::install) && !removes) ||
      flight.to.empty() != removes || (!flight.from.empty() && flight.from == flight.to)) {
    lines.refuse(Code::text_line, "the change does not go from one release to another");
  }
  return flight;
}

}  // namespace

std::string release_name(const Release& release, const Digest& manifest) {
  return std::to_string(release.epoch) + "." + std::to_string(release.sequence) + "-" +
         hex(manifest).substr(0, kDigits);
}

bool is_release_name(std::string_view text) {
  const auto dot = text.find('.');
  const auto dash = text.find('-');
  if (dot == std::string_view::npos || dash == std::string_view::npos || dash < dot) return false;
  const auto digits = text.substr(dash + 1);
  return number_of(text.substr(0, dot)) && number_of(text.substr(dot + 1, dash - dot - 1)) &&
         digits.size() == kDigits && is_hex(digits);
}

bool is_account(std::string_view text) {
  return !text.empty() && text.size() <= kLongestAccount &&
         std::ranges::all_of(text, [](unsigned char c) {
           return (c < 0x80 && std::isalnum(c) != 0) || c == '-' || c == '_' || c == '.';
         });
}

std::string_view to_text(Change change) { return word_of(kChanges, change); }

std::string_view to_text(Step step) { return word_of(kSteps, step); }

Checked<Journal> read_journal(std::string_view text) {
  Lines lines("journal", text);
  Journal journal;
  if (lines.take("format") && lines.number() != kFormat) {
    lines.refuse(Code::future_format, "a newer caisson-install has written it");
  }
  if (lines.take("product")) journal.product = read_slug(lines);
  if (lines.at("form") && lines.take("form")) {
    const auto form = form_of(lines.word());
    // What every journal has meant that does not say it.
    if (!form || *form == Form::systemd) lines.refuse(Code::text_line, "expected compose or helm");
    journal.form = form.value_or(Form::systemd);
  }
  if (lines.take("root")) journal.root = lines.number();
  if (lines.at("floor") && lines.take("floor")) journal.floor = read_floor(lines);
  journal.installed = read_optional_release(lines, "installed");
  journal.previous = read_optional_release(lines, "previous");
  journal.staged = read_optional_release(lines, "staged");
  while (lines.at("refused") && lines.take("refused")) {
    auto release = read_release(lines);
    const auto code = lines.word();
    if (std::ranges::none_of(refusals(),
                             [&](const Entry& entry) { return entry.number == code; })) {
      lines.refuse(Code::text_line, "that is no code");
    }
    if (std::ranges::find(journal.refused, release, &RefusedRelease::release) !=
        journal.refused.end()) {
      lines.refuse(Code::text_order, "a release is refused twice");
    }
    journal.refused.push_back({std::move(release), std::string(code)});
    if (journal.refused.size() > kMostRefused) {
      lines.refuse(Code::too_many, "more than 32 refused releases");
    }
  }
  journal.made = read_made(lines);
  if (lines.at("cluster") && lines.take("cluster")) journal.cluster = read_cluster(lines);
  if (lines.at("change") && lines.take("change")) journal.flight = read_flight(lines);
  lines.end();
  if (!lines.done()) lines.refuse(Code::text_key, "nothing may follow");
  if (!lines.refusal() && !journal.previous.empty() &&
      (journal.installed.empty() || journal.installed == journal.previous)) {
    lines.refuse(Code::text_line, "there is a previous release, and none that followed it");
  }
  if (!lines.refusal() && !journal.staged.empty() &&
      (journal.installed.empty() || journal.installed == journal.staged)) {
    lines.refuse(Code::text_line, "there is a staged release, and none that it could replace");
  }
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return journal;
}

std::string write_journal(const Journal& journal) {
  std::string text = "format " + std::to_string(kFormat) + "\n";
  const auto line = [&text](std::string_view key, std::string_view value) {
    if (!value.empty()) text.append(key).append(" ").append(value).append("\n");
  };
  line("product", journal.product);
  if (journal.form != Form::systemd) line("form", to_text(journal.form));
  line("root", std::to_string(journal.root));
  if (journal.floor) {
    line("floor", std::to_string(journal.floor->release.epoch) + "/" +
                      std::to_string(journal.floor->release.sequence) + " " +
                      hex(journal.floor->manifest));
  }
  line("installed", journal.installed);
  line("previous", journal.previous);
  line("staged", journal.staged);
  for (const auto& refused : journal.refused) {
    line("refused", refused.release + " " + refused.code);
  }
  for (const auto& account : journal.made) {
    if (!account.instance.empty()) line("account", account.name + " " + account.instance);
  }
  for (const auto& group : journal.made) {
    if (group.instance.empty()) line("group", group.name);
  }
  if (const auto& cluster = journal.cluster) {
    line("cluster", cluster->id + " " + cluster->space);
    line("registry", cluster->registry);
    if (cluster->revision > 0) line("revision", std::to_string(cluster->revision));
    if (cluster->previous > 0) line("previous-revision", std::to_string(cluster->previous));
    for (const auto& space : cluster->made) line("made", space);
    for (const auto& space : cluster->used) line("used", space);
  }
  if (const auto& flight = journal.flight) {
    auto words = std::string(to_text(flight->change)) + " " + std::string(to_text(flight->step));
    if (flight->change == Change::uninstall ||
        (flight->change == Change::install && !flight->keep_data)) {
      words.append(" ").append(word_of(kData, flight->keep_data));
    }
    line("change", words);
    line("from", flight->from);
    line("to", flight->to);
    for (const auto& space : flight->making) line("making", space);
  }
  return text;
}

}  // namespace caisson::installer
