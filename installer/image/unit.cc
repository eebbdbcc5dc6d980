#include "installer/image/unit.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "base/printable.h"

namespace caisson::installer {
namespace {

/// Where programs are when an image says nothing (Docker and containerd do the same).
constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The longest line that systemd reads is 1 MiB.
constexpr std::size_t kMostOfUnitLine = 1'000'000;

template <class Each>
void for_pieces(std::string_view text, char end, const Each& each) {
  while (!text.empty()) {
    const auto length = std::min(text.find(end), text.size());
    each(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

/// A word of a line (systemd.syntax(7)): systemd gives out exactly the text. `special` are the
/// characters that it would expand.
std::string word(std::string_view text, std::string_view special) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("\\x") += digits[byte >> 4U];
      out += digits[byte & 15U];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (special.find(c) != std::string_view::npos) out += c;
  }
  return out + '"';
}

/// The words of a line as Caisson writes it: bare, or in double quotes, with nothing to expand.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  bool within = false;
  bool open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' && !within) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    const char next = i + 1 < line.size() ? line[i + 1] : '\0';
    if (c == '"') {
      within = !within;
    } else if (c == '\\') {
      words.back() += next == 'n' ? '\n' : next == 't' ? '\t' : next;
      ++i;
    } else {
      words.back() += c;
      if ((c == '%' || c == '$') && next == c) ++i;
    }
  }
  return words;
}

/// The names of variables that a unit file sets, and the words behind its program.
struct Said {
  std::set<std::string_view> variables;
  std::vector<std::string> arguments;
};

Said said_by(std::string_view unit) {
  Said said;
  for_pieces(unit, '\n', [&](std::string_view line) {
    constexpr std::string_view variable = "Environment=";
    constexpr std::string_view command = "ExecStart=";
    if (line.starts_with(variable)) {
      line.remove_prefix(variable.size());
      if (line.starts_with('"')) line.remove_prefix(1);
      said.variables.insert(line.substr(0, line.find('=')));
    } else if (line.starts_with(command)) {
      said.arguments = words_of(line.substr(command.size()));
      if (!said.arguments.empty()) said.arguments.erase(said.arguments.begin());
    }
  });
  return said;
}

/// Whether a path leads to a file in the image that may be run.
Checked<bool> is_program(const RootDirectory& root, std::string_view path) {
  const auto place = root.find(path);
  if (!place) return tl::unexpected(place.error());
  if (!*place || (*place)->empty()) return false;
  const auto status = root.disk().status(root.on_disk(**place));
  if (!status) return tl::unexpected(status.error());
  return *status && (*status)->kind == Status::Kind::file && ((*status)->mode & 0111U) != 0;
}

/// A path within the image of which only the last name may be a link, as programs go by it.
Checked<std::string> normal(const RootDirectory& root, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto place = root.find(path.substr(0, slash));
  if (!place) return tl::unexpected(place.error());
  return "/" + below(place->value_or(""), path.substr(slash + 1));
}

/// The absolute path, within the image, of a program.
Checked<std::string> program_at(const Image& image, const RootDirectory& root,
                                const std::string& name) {
  std::vector<std::string> candidates;
  if (name.starts_with('/')) {
    candidates.push_back(name);
  } else if (name.find('/') != std::string::npos) {
    candidates.push_back(image.workdir + "/" + name);
  } else if (!name.empty()) {
    std::string_view path = kUsualPath;
    for (const auto& variable : image.environment) {
      if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
    }
    for_pieces(path, ':', [&](std::string_view directory) {
      if (directory.starts_with('/')) candidates.push_back(std::string(directory) + "/" + name);
    });
  }
  for (const auto& each : candidates) {
    const auto found = is_program(root, each);
    if (!found) return tl::unexpected(found.error());
    if (*found) return normal(root, each);
  }
  return refuse(Code::image_program, "image " + printable(image.reference) +
                                         ": it has no program '" + printable(name) + "'");
}

/// Whether a line holds a path as it is: of these no words are made, and a control character would
/// end the line.
bool is_plain(std::string_view path) {
  return !path.ends_with(' ') && !path.ends_with('\\') &&
         std::ranges::none_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Checked<std::string> unit_of_image(const Image& image, NewOwner owner, const RootDirectory& root,
                                   std::string_view place, std::string_view unit) {
  const auto shown = printable(image.reference);
  const auto said = said_by(unit);
  auto words = image.entrypoint;
  const auto& rest = said.arguments.empty() ? image.command : said.arguments;
  words.insert(words.end(), rest.begin(), rest.end());
  if (words.empty()) {
    return refuse(Code::image_program, "image " + shown + ": it does not say what it runs");
  }
  auto program = program_at(image, root, words.front());
  if (!program) return program;
  const auto workdir = root.find(image.workdir);
  if (!workdir) return tl::unexpected(workdir.error());
  // A program may ask by which name it was called; of names with a '$' nobody knows what becomes.
  const bool named = words.front().find('$') == std::string::npos && !words.front().empty();
  auto command = word((named ? "@" : "") + *program, "%");
  for (std::size_t i = named ? 0 : 1; i < words.size(); ++i) {
    command += " " + word(words[i], "%$");
  }
  std::string text = "# Written by Caisson: image sha256:" + hex(image.manifest.digest) + " for " +
                     std::to_string(owner.uid) + ":" + std::to_string(owner.gid) +
                     "\n\n[Service]\nExecStart=\nExecStart=" + command + "\n";
  for (const auto& [directive, path] :
       {std::pair<std::string_view, std::string>{"RootDirectory", std::string(place)},
        std::pair<std::string_view, std::string>{"WorkingDirectory",
                                                 "/" + workdir->value_or("")}}) {
    if (!is_plain(path)) {
      return refuse(Code::image_program,
                    "image " + shown + ": no unit has the directory '" + printable(path) + "'");
    }
    text.append(directive).append("=");
    for (const char c : path) text.append(c == '%' ? 2 : 1, c);
    text += '\n';
  }
  bool fits = command.size() < kMostOfUnitLine;
  for (const auto& variable : image.environment) {
    if (said.variables.contains(std::string_view(variable).substr(0, variable.find('=')))) continue;
    const auto assignment = word(variable, "%");
    fits = fits && assignment.size() < kMostOfUnitLine;
    text += "Environment=" + assignment + "\n";
  }
  if (!fits) {
    return refuse(Code::image_program,
                  "image " + shown + ": a word of it is longer than systemd reads");
  }
  return text;
}

Checked<void> install_image(const Image& image, const Installing& how, const ReadBlob& read,
                            Disk& disk) {
  if (auto made = disk.make_directory(how.directory, 0755); !made) return made;
  const auto root = unpack_image(image, how.owner, read, disk, below(how.directory, kImageRoot));
  if (!root) return tl::unexpected(root.error());
  const auto text = unit_of_image(image, how.owner, *root, below(how.place, kImageRoot), how.unit);
  if (!text) return tl::unexpected(text.error());
  const auto file = disk.create(below(how.directory, kImageUnit), 0644);
  if (!file) return tl::unexpected(file.error());
  return (*file)->append(*text);
}

}  // namespace caisson::installer
