#include "installer/site/settings.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/base64url.h"
#include "base/printable.h"
#include "installer/site/answers.h"
#include "installer/site/containers.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

/// The most bytes of one file of a configuration: 100,000 tenants.
constexpr std::size_t kMostOfSettings = std::size_t{64} << 20;
constexpr std::size_t kMostOfSecret = std::size_t{1} << 20;
constexpr std::size_t kMostShown = 40;

/// Where a release has its configuration. A project is one, but for what the installer reads.
std::string pristine_path(const StagedRelease& release, const std::string& path) {
  return tree_path(release.name, release.form) +
         (release.form == Form::systemd ? "/config/" : "/") + path;
}

Checked<std::optional<std::string>> text_at(const Disk& disk, const std::string& path) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) return std::nullopt;
  auto text = read_file(disk, path, kMostOfSettings);
  if (!text) return tl::unexpected(text.error());
  return *std::move(text);
}

/// The files below a directory, by relative path; links and others are refused.
Checked<void> files_below(const Disk& disk, const std::string& top, const std::string& inner,
                          std::vector<std::string>& found) {
  const auto names = disk.list(inner.empty() ? top : top + "/" + inner);
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    const auto path = below(inner, name);
    const auto status = disk.status(below(top, path));
    if (!status) return tl::unexpected(status.error());
    if (*status && (*status)->kind == Status::Kind::directory) {
      if (auto done = files_below(disk, top, path, found); !done) return done;
    } else if (*status && (*status)->kind == Status::Kind::file) {
      found.push_back(path);
    } else {
      return refuse(Code::host_in_the_way, below(top, path) + " is not a regular file");
    }
    if (found.size() > kMostSiteLines) {
      return refuse(Code::host_in_the_way, top + " has more than 10,000 files");
    }
  }
  return {};
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return lines;
}

/// What becomes of one file that both releases have.
Checked<std::string> merged(const std::string& path, const std::optional<std::string>& was,
                            const std::optional<std::string>& is, const std::string& comes) {
  if (!is || is == was || *is == comes) return comes;
  if (was == comes) return *is;
  return refuse(Code::edited_twice,
                "etc/" + path + ": what is there now (-), and what the release brings (+)\n" +
                    difference(*is, comes));
}

}  // namespace

Checked<std::optional<std::string>> pristine(const Disk& site, const StagedRelease& release,
                                             const std::string& path, const Answers& answers) {
  auto text = text_at(site, pristine_path(release, path));
  // Without questions it means what it says.
  if (!text || !*text || release.manifest.questions.empty()) return text;
  auto done = filled(path, **text, answers);
  if (!done) return tl::unexpected(done.error());
  return *std::move(done);
}

std::string difference(std::string_view first, std::string_view second) {
  auto left = lines_of(first);
  auto right = lines_of(second);
  // What is alike at both ends does not matter.
  const auto heads = std::ranges::mismatch(left, right);
  const auto head = heads.in1 - left.begin();
  left.erase(left.begin(), left.begin() + head);
  right.erase(right.begin(), right.begin() + head);
  while (!left.empty() && !right.empty() && left.back() == right.back()) {
    left.pop_back();
    right.pop_back();
  }
  std::string text = "    line " + std::to_string(head + 1) + "\n";
  for (const auto& [sign, lines] : {std::pair("  - ", left), std::pair("  + ", right)}) {
    std::size_t of_side = 0;
    for (const auto line : lines) {
      if (of_side++ == kMostShown / 2) {
        text += "    ...\n";
        break;
      }
      text += sign + printable(line.substr(0, 200)) + "\n";
    }
  }
  text.pop_back();
  return text;
}

Checked<std::map<std::string, std::string>> settings_of(const Disk& site, const StagedRelease* from,
                                                        const StagedRelease& to,
                                                        const Answers& answers) {
  std::map<std::string, std::string> files;
  for (const auto& file : to.needs.settings) {
    auto comes = pristine(site, to, file.path, answers);
    if (!comes) return tl::unexpected(comes.error());
    if (!*comes) {
      return refuse(Code::damaged, pristine_path(to, file.path) + " is not there");
    }
    files[file.path] = **std::move(comes);
  }
  if (from == nullptr) return files;
  const auto before = kept_answers(site, from);
  if (!before) return tl::unexpected(before.error());
  const auto top = release_path(from->name) + "/etc";
  std::vector<std::string> found;
  if (auto done = files_below(site, top, "", found); !done) return tl::unexpected(done.error());
  for (const auto& path : found) {
    if (path == kAnswersFile && !from->manifest.questions.empty()) continue;
    auto is = text_at(site, below(top, path));
    if (!is) return tl::unexpected(is.error());
    const bool was_made = std::ranges::find(from->needs.settings, path, &SettingsFile::path) !=
                          from->needs.settings.end();
    const auto comes = files.find(path);
    if (comes == files.end()) {
      // What the old release made goes with it; what somebody has added stays.
      if (!was_made) files[path] = **std::move(is);
      continue;
    }
    std::optional<std::string> was;
    if (was_made) {
      auto brought = pristine(site, *from, path, *before);
      if (!brought) return tl::unexpected(brought.error());
      was = *std::move(brought);
    }
    auto text = merged(path, was, *is, comes->second);
    if (!text) return tl::unexpected(text.error());
    comes->second = *std::move(text);
  }
  return files;
}

Checked<void> write_settings(const Premises& premises, const StagedRelease* from,
                             const StagedRelease& to, const Answers& answers) {
  auto& site = premises.disks.site;
  auto files = settings_of(site, from, to, answers);
  if (!files) return tl::unexpected(files.error());
  if (!to.manifest.questions.empty()) {
    (*files)[std::string(kAnswersFile)] = write_answers(answers);
  }
  const auto etc = release_path(to.name) + "/etc";
  if (auto removed = remove_tree(site, etc); !removed) return removed;
  if (auto made = site.make_directory(etc, 0755); !made) return made;
  std::set<std::string> made;
  for (const auto& [path, text] : *files) {
    for (auto slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      const auto directory = path.substr(0, slash);
      if (!made.insert(directory).second) continue;
      const auto known =
          std::ranges::find(to.needs.directories, directory, &SettingsDirectory::path);
      const bool shut = known != to.needs.directories.end();
      const auto place = below(etc, directory);
      if (auto done = site.make_directory(place, shut ? 0750 : 0755); !done) return done;
      if (!shut) continue;
      const auto group = premises.host.group(known->group);
      if (!group) return tl::unexpected(group.error());
      if (auto done = site.set_owner(place, 0, *group); !done) return done;
    }
    // What somebody has added is root's alone.
    unsigned mode = path == kAnswersFile && !to.manifest.questions.empty() ? 0644 : 0600;
    std::uint32_t gid = 0;
    const auto known = std::ranges::find(to.needs.settings, path, &SettingsFile::path);
    if (known != to.needs.settings.end()) {
      mode = known->mode;
      const auto group = premises.host.group(known->group);
      if (!group) return tl::unexpected(group.error());
      gid = *group;
    }
    const auto file = site.create(below(etc, path), mode);
    if (!file) return tl::unexpected(file.error());
    if (auto done = (*file)->append(text); !done) return done;
    if (gid == 0) continue;
    if (auto done = site.set_owner(below(etc, path), 0, gid); !done) return done;
  }
  return {};
}

Checked<void> make_secrets(const Premises& premises, const SiteNeeds& needs,
                           const SecretAnswers& answers) {
  auto& site = premises.disks.site;
  if (auto made = ensure_directory(site, kSecrets, 0700); !made) return made;
  std::map<std::string, std::string> texts;
  std::string missing;
  for (const auto& secret : needs.secrets) {
    const auto path = std::string(kSecrets) + "/" + secret.name;
    const auto there = site.status(path);
    if (!there) return tl::unexpected(there.error());
    const bool answered = secret.source == SiteSecret::Source::answered;
    if (*there && ((*there)->size > 0 || !answered)) continue;
    if (answered) {
      const auto answer = answers.others.find(secret.answer);
      if (answer == answers.others.end() || answer->second != secret.word) {
        // Units name the file, whether it is needed or not.
        if (!*there) texts[path] = "";
        continue;
      }
    }
    if (const auto answer = answers.secrets.find(secret.name); answer != answers.secrets.end()) {
      texts[path] = answer->second;
      continue;
    }
    if (secret.source == SiteSecret::Source::generated) {
      texts[path] = encode_base64url(premises.host.random(static_cast<std::size_t>(secret.bytes)));
      continue;
    }
    const auto given = premises.secrets ? premises.secrets->status(secret.name)
                                        : Checked<std::optional<Status>>(std::nullopt);
    if (!given) return tl::unexpected(given.error());
    if (!*given) {
      missing += (missing.empty() ? "" : ", ") + secret.name +
                 " (of the spec: " + printable(secret.reference) + ")";
      continue;
    }
    auto text = read_file(*premises.secrets, secret.name, kMostOfSecret);
    if (!text) return tl::unexpected(text.error());
    texts[path] = *std::move(text);
  }
  if (!missing.empty()) return refuse(Code::missing_secret, missing);
  for (const auto& [path, text] : texts) {
    // Containers read them as members of a group.
    const bool shared = premises.form == Form::compose;
    auto done = replace_file(site, path, text, shared ? 0440 : 0600, shared ? kContainerGroup : 0);
    if (!done) return done;
  }
  return {};
}

}  // namespace caisson::installer
