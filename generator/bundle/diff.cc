#include "generator/bundle/diff.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

#include "base/files.h"
#include "base/hex.h"
#include "installer/format/form.h"
#include "installer/format/lines.h"
#include "installer/format/manifest_words.h"
#include "installer/format/moves.h"
#include "installer/format/sums.h"

namespace caisson::bundle {
namespace {

using installer::Manifest;

/// What stands for each name before and after.
template <class T>
using Sides = std::map<std::string, std::pair<const T*, const T*>>;

Sides<installer::File> files(const Manifest& before, const Manifest& after) {
  Sides<installer::File> sides;
  for (const auto& pack : before.packs) {
    for (const auto& file : pack.files) sides[file.path].first = &file;
  }
  for (const auto& pack : after.packs) {
    for (const auto& file : pack.files) sides[file.path].second = &file;
  }
  return sides;
}

/// An image goes by its name: another digest of the same name is another version of it.
std::string name_of(const installer::Image& image) {
  const auto name = image.reference.substr(0, image.reference.find('@'));
  const auto colon = name.find(':', name.rfind('/') + 1);
  return name.substr(0, colon);
}

std::string line(std::string_view what, const std::string& rest) {
  std::string text = "  ";
  text += what;
  text.resize(std::max<std::size_t>(text.size(), 11), ' ');
  return text + rest + "\n";
}

std::string shown(const installer::Question& question) {
  return question.name + " (" + std::string(word_of(installer::kAnswerTypes, question.type)) +
         (question.preset ? ", " + *question.preset + " if nothing is said" : "") + ")";
}

std::string answers(const Manifest& before, const Manifest& after) {
  Sides<installer::Question> sides;
  for (const auto& question : before.questions) sides[question.name].first = &question;
  for (const auto& question : after.questions) sides[question.name].second = &question;
  std::string text;
  for (const auto& [name, side] : sides) {
    const auto& [was, is] = side;
    if (was == nullptr) {
      text += line("asked", shown(*is));
    } else if (is == nullptr) {
      text += line("no longer", name);
    } else if (shown(*was) != shown(*is) || was->choices != is->choices) {
      text += line("changed", shown(*was) + " -> " + shown(*is));
    }
  }
  return text;
}

std::string changed_files(const Manifest& before, const Manifest& after) {
  std::string text;
  std::uint64_t same = 0;
  for (const auto& [path, side] : files(before, after)) {
    const auto& [was, is] = side;
    if (was == nullptr) {
      text += line("added", path + "  " + size_text(is->size));
    } else if (is == nullptr) {
      text += line("removed", path + "  " + size_text(was->size));
    } else if (was->digest != is->digest) {
      text += line("changed", path + "  " + size_text(was->size) + " -> " + size_text(is->size));
    } else if (was->executable != is->executable) {
      text += line("mode", path + (is->executable ? "  0644 -> 0755" : "  0755 -> 0644"));
    } else {
      ++same;
    }
  }
  return text + line("the same", std::to_string(same) + (same == 1 ? " file" : " files"));
}

std::string changed_images(const Manifest& before, const Manifest& after) {
  Sides<installer::Image> sides;
  for (const auto& image : before.images) sides[name_of(image)].first = &image;
  for (const auto& image : after.images) sides[name_of(image)].second = &image;
  std::set<Digest> had;
  for (const auto& image : before.images) {
    for (const auto& layer : image.layers) had.insert(layer.blob.digest);
  }
  std::string text;
  for (const auto& [name, side] : sides) {
    const auto& [was, is] = side;
    if (is == nullptr) {
      text += line("removed", was->reference);
      continue;
    }
    std::uint64_t fresh = 0;
    for (const auto& layer : is->layers) {
      if (!had.contains(layer.blob.digest)) fresh += layer.blob.size;
    }
    if (was == nullptr) {
      text += line("added", is->reference + "  " + size_text(fresh) + " of new layers");
    } else if (was->manifest.digest != is->manifest.digest || was->reference != is->reference) {
      text += line("changed", was->reference + " -> " + is->reference + "  " + size_text(fresh) +
                                  " of new layers");
      if (was->uid != is->uid || was->gid != is->gid) {
        text += line("", "  user " + std::to_string(was->uid) + ":" + std::to_string(was->gid) +
                             " -> " + std::to_string(is->uid) + ":" + std::to_string(is->gid));
      }
    }
  }
  return text;
}

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& word : all) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string section(const std::string& title, const std::string& lines) {
  return lines.empty() ? std::string() : "\n" + title + "\n" + lines;
}

}  // namespace

Result<Manifest> manifest_at(const std::filesystem::path& bundle) {
  const auto text = read_file(bundle / installer::kManifest, installer::kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto manifest = installer::read_manifest(*text);
  if (!manifest) {
    return fail("'" + bundle.string() +
                "' is no bundle that this version reads: " + manifest.error().what);
  }
  return *std::move(manifest);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text.data();
}

std::string moves_text(const Manifest& before, const Manifest& after) {
  std::string text;
  for (const auto& word : after.forms) {
    const auto form = installer::form_of(word);
    if (!form) continue;
    for (const auto& move : moves_of(before, after, *form)) {
      text += line(word, move.what + "  " + move.from + " -> " + move.to);
    }
  }
  return text;
}

std::string diff_text(const Manifest& before, const Manifest& after) {
  std::string text = before.envelope.product + " " + to_text(before.version) + " -> " +
                     after.envelope.product + " " + to_text(after.version) + "\n";
  if (after.version < after.from || before.version < after.from) {
    text += line("update", "not from " + to_text(before.version) + ": it has to be at least " +
                               to_text(after.from) +
                               (after.via ? ", by way of " + to_text(*after.via) : ""));
  }
  if (after.envelope.release <= before.envelope.release) {
    text += line("update", "not at all: the release number does not grow");
  }
  if (before.data != after.data) {
    text += line("data", "version " + std::to_string(before.data) + " -> " +
                             std::to_string(after.data) +
                             (before.reads <= after.data && after.data <= before.data
                                  ? ""
                                  : ": going back needs the backup"));
  }
  if (before.forms != after.forms) {
    text += line("forms", words(before.forms) + " -> " + words(after.forms));
  }
  text +=
      line("disk", size_text(installed_bytes(before)) + " -> " + size_text(installed_bytes(after)) +
                       " installed, " + size_text(before.unpacked) + " -> " +
                       size_text(after.unpacked) + " of unpacked images");
  return text + section("data that move", moves_text(before, after)) +
         section("answers", answers(before, after)) +
         section("files", changed_files(before, after)) +
         section("images", changed_images(before, after));
}

}  // namespace caisson::bundle
