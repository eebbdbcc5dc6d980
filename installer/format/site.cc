#include "installer/format/site.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "installer/format/path.h"
#include "installer/format/words.h"

namespace caisson::installer {
namespace {

constexpr Word<unsigned> kSettingsModes[] = {{"0640", 0640U}, {"0644", 0644U}};

constexpr Word<SiteSecret::Source> kSources[] = {{"generated", SiteSecret::Source::generated},
                                                 {"copied", SiteSecret::Source::copied},
                                                 {"variable", SiteSecret::Source::variable},
                                                 {"given", SiteSecret::Source::given},
                                                 {"answered", SiteSecret::Source::answered}};

/// The most bytes of randomness of a secret.
constexpr std::uint64_t kMostOfSecret = 4096;

/// A name that is one component of a path: of a unit, account, secret or directory.
std::string read_name(Lines& lines) {
  const auto word = lines.word();
  const auto fault = fault_of_path(word);
  if (!fault.empty()) lines.refuse(Code::text_path, fault);
  if (word.find('/') != std::string_view::npos) lines.refuse(Code::text_path, "a name has no '/'");
  return std::string(word);
}

std::string read_place(Lines& lines) {
  const auto word = lines.word();
  if (!word.starts_with('/') ||
      !fault_of_path(word.substr(std::min<std::size_t>(1, word.size()))).empty()) {
    lines.refuse(Code::text_path, "that is no absolute path");
  }
  return std::string(word);
}

/// Whether another line of the key follows; too many of them are refused.
bool next(Lines& lines, std::string_view key, std::size_t count) {
  if (!lines.at(key)) return false;
  if (count >= kMostSiteLines) lines.refuse(Code::too_many, "more than 10,000 lines of one key");
  return lines.take(key);
}

SiteSecret read_secret(Lines& lines) {
  SiteSecret secret{.source = read_one_of<SiteSecret::Source>(lines, kSources),
                    .name = read_name(lines),
                    .reference = {},
                    .answer = {},
                    .word = {}};
  if (secret.source == SiteSecret::Source::generated) {
    secret.bytes = lines.number();
    if (secret.bytes == 0 || secret.bytes > kMostOfSecret) {
      lines.refuse(Code::text_number, "a secret has 1 to 4,096 bytes");
    }
  } else if (secret.source == SiteSecret::Source::answered) {
    secret.answer = read_slug(lines);
    secret.word = lines.word();
    secret.reference = lines.text();
  } else {
    secret.reference = lines.text();
  }
  return secret;
}

/// Nothing may be there twice.
void check(Lines& lines, const SiteNeeds& needs) {
  std::set<std::string_view> paths;
  for (const auto& file : needs.settings) {
    if (file.path == kAnswersFile) {
      lines.refuse(Code::path_conflict, "this program keeps what a site answers in that file");
    }
    if (!paths.insert(file.path).second) lines.refuse(Code::text_order, "a file stands twice");
  }
  std::vector<std::string_view> list(paths.begin(), paths.end());
  if (const auto conflict = conflict_of("SITE", std::move(list))) {
    lines.refuse(conflict->code, conflict->what);
  }
  for (const auto& directory : needs.directories) {
    if (!paths.insert(directory.path).second) {
      lines.refuse(Code::text_order, "a directory stands twice, or where a file does");
    }
  }
  std::set<std::string_view> secrets;
  for (const auto& secret : needs.secrets) {
    if (!secrets.insert(secret.name).second) {
      lines.refuse(Code::text_order, "a secret stands twice");
    }
  }
  for (const auto& variable : needs.variables) {
    if (!secrets.contains(variable.secret)) {
      lines.refuse(Code::text_line, "a variable's secret is not among the secrets");
    }
  }
  std::set<std::string_view> images;
  for (const auto& image : needs.images) {
    if (!images.insert(image.name).second) {
      lines.refuse(Code::text_order, "an image stands twice");
    }
  }
  for (const auto& runtime : needs.runtimes) {
    if (std::ranges::find(needs.settings, runtime.settings, &SettingsFile::path) ==
        needs.settings.end()) {
      lines.refuse(Code::text_line, "a runtime's configuration is not among the files");
    }
  }
}

}  // namespace

std::string image_variable(std::string_view image) {
  std::string name(kImageVariable);
  for (const char c : image) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string site_needs_of(Form form) { return std::string(to_text(form)) + "/SITE"; }

Checked<SiteNeeds> read_site_needs(std::string_view text) {
  Lines lines(kSiteNeeds, text);
  SiteNeeds needs;
  if (lines.take("format") && lines.number() != kFormat) {
    lines.refuse(Code::future_format, "only format 1 is known");
  }
  if (lines.take("product")) needs.product = read_slug(lines);
  if (lines.take("prefix")) needs.prefix = read_place(lines);
  if (lines.take("data")) needs.data = read_place(lines);
  if (lines.take("target")) needs.target = read_name(lines);
  if (lines.at("environment") && lines.take("environment")) needs.environment = lines.text();
  if (lines.at("edge") && lines.take("edge")) {
    needs.edge = read_name(lines);
    needs.door = read_name(lines);
  }
  while (next(lines, "port", needs.ports.size())) {
    const auto port = lines.number();
    if (port == 0 || port > 65'535) lines.refuse(Code::text_number, "that is no port");
    needs.ports.push_back(static_cast<std::uint16_t>(port));
  }
  while (next(lines, "answered-port", needs.answered_ports.size())) {
    needs.answered_ports.push_back(read_slug(lines));
  }
  while (next(lines, "directory", needs.directories.size())) {
    auto group = read_name(lines);
    needs.directories.push_back({.path = lines.path(), .group = std::move(group)});
  }
  while (next(lines, "file", needs.settings.size())) {
    const auto mode = read_one_of<unsigned>(lines, kSettingsModes);
    auto group = read_name(lines);
    needs.settings.push_back({.path = lines.path(), .mode = mode, .group = std::move(group)});
  }
  while (next(lines, "secret", needs.secrets.size())) needs.secrets.push_back(read_secret(lines));
  while (next(lines, "variable", needs.variables.size())) {
    SiteVariable variable{.name = read_name(lines), .secret = read_name(lines)};
    needs.variables.push_back(std::move(variable));
  }
  while (next(lines, "store", needs.stores.size())) needs.stores.push_back(read_name(lines));
  while (next(lines, "service", needs.services.size())) {
    needs.services.push_back(read_name(lines));
  }
  while (next(lines, "runtime", needs.runtimes.size())) {
    SiteRuntime runtime{.unit = read_name(lines), .account = read_name(lines), .settings = {}};
    runtime.settings = lines.path();
    needs.runtimes.push_back(std::move(runtime));
  }
  while (next(lines, "image", needs.images.size())) {
    SiteImage image{.name = read_name(lines), .account = read_name(lines), .reference = {}};
    image.reference = lines.text();
    needs.images.push_back(std::move(image));
  }
  while (next(lines, "program", needs.programs.size())) {
    needs.programs.push_back(read_name(lines));
  }
  lines.end();
  if (!lines.done()) lines.take("program");
  check(lines, needs);
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return needs;
}

std::string write_site_needs(const SiteNeeds& needs) {
  std::string text = "format " + std::to_string(kFormat) + "\n";
  const auto line = [&text](std::string_view key, const auto&... words) {
    text += key;
    ((text.append(" ").append(words)), ...);
    text += '\n';
  };
  line("product", needs.product);
  line("prefix", needs.prefix);
  line("data", needs.data);
  line("target", needs.target);
  if (!needs.environment.empty()) line("environment", needs.environment);
  if (!needs.edge.empty()) line("edge", needs.edge, needs.door);
  for (const auto port : needs.ports) line("port", std::to_string(port));
  for (const auto& each : needs.answered_ports) line("answered-port", each);
  for (const auto& each : needs.directories) line("directory", each.group, each.path);
  for (const auto& each : needs.settings) {
    line("file", word_of(kSettingsModes, each.mode), each.group, each.path);
  }
  for (const auto& each : needs.secrets) {
    auto rest = each.reference;
    if (each.source == SiteSecret::Source::generated) rest = std::to_string(each.bytes);
    if (each.source == SiteSecret::Source::answered) {
      rest = each.answer + " " + each.word + " " + each.reference;
    }
    line("secret", word_of(kSources, each.source), each.name, rest);
  }
  for (const auto& each : needs.variables) line("variable", each.name, each.secret);
  for (const auto& each : needs.stores) line("store", each);
  for (const auto& each : needs.services) line("service", each);
  for (const auto& each : needs.runtimes) line("runtime", each.unit, each.account, each.settings);
  for (const auto& each : needs.images) {
    line("image", each.name, each.account, each.reference);
  }
  for (const auto& each : needs.programs) line("program", each);
  return text;
}

}  // namespace caisson::installer
