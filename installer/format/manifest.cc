#include "installer/format/manifest.h"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "installer/format/answers.h"
#include "installer/format/manifest_words.h"
#include "installer/format/path.h"
#include "installer/format/sums.h"

namespace caisson::installer {
namespace {

/// Adds up sizes; more than a file system can count is refused.
void add(Lines& lines, std::uint64_t& sum, std::uint64_t size) {
  if (size > kLargestNumber - sum)
    return lines.refuse(Code::text_number, "the sizes add up to more than 2^63 - 1");
  sum += size;
}

Version read_version(Lines& lines) {
  const auto word = lines.word();
  const auto version = version_of(word);
  if (!version) lines.refuse(Code::text_number, "a version is three numbers, as 1.4.0");
  return version.value_or(Version{});
}

Release read_release(Lines& lines) {
  Release release;
  const auto word = lines.word();
  const auto slash = std::min(word.find('/'), word.size());
  const auto epoch = number_of(word.substr(0, slash));
  const auto sequence = number_of(word.substr(std::min(slash + 1, word.size())));
  if (!epoch || !sequence) {
    lines.refuse(Code::text_number, "a release is two numbers, as 1/1004000");
    return release;
  }
  return Release{.epoch = *epoch, .sequence = *sequence};
}

std::string_view first_lines(std::string_view text, int count) {
  std::size_t size = 0;
  while (count-- > 0 && size < text.size())
    size = std::min(text.find('\n', size), text.size() - 1) + 1;
  return text.substr(0, size);
}

Envelope read_envelope(Lines& lines) {
  Envelope envelope;
  lines.take("format");
  envelope.format = lines.number();
  lines.take("product");
  envelope.product = read_slug(lines);
  lines.take("arch");
  envelope.arch = read_one_of<std::string_view>(lines, kArches);
  lines.take("release");
  envelope.release = read_release(lines);
  lines.take("installer");
  envelope.installer = lines.digest();
  lines.end();
  return envelope;
}

void read_release_lines(Lines& lines, Manifest& manifest) {
  lines.take("version");
  manifest.version = read_version(lines);
  lines.take("from");
  manifest.from = read_version(lines);
  if (lines.at("via") && lines.take("via")) manifest.via = read_version(lines);
  lines.take("data");
  manifest.data = lines.number();
  lines.take("reads");
  manifest.reads = lines.number();
  if (manifest.reads > manifest.data) {
    lines.refuse(Code::text_number, "the release does not read the data that it writes");
  }
  if (manifest.from > manifest.version) {
    lines.refuse(Code::text_number, "a release updates versions that are older than it");
  }
  if (manifest.via && (*manifest.via < manifest.from || *manifest.via >= manifest.version)) {
    lines.refuse(Code::text_number, "'via' is a version that this one can be reached from");
  }
  lines.take("date");
  manifest.date = lines.number();
  lines.take("forms");
  do {
    auto form = std::string(read_one_of<std::string_view>(lines, kForms));
    if (!manifest.forms.empty() && form <= manifest.forms.back()) {
      lines.refuse(Code::text_order, "the forms are not sorted, or one stands twice");
    }
    manifest.forms.push_back(std::move(form));
  } while (lines.more());
  lines.take("unpacked");
  manifest.unpacked = lines.number();
  if (lines.at("base") && lines.take("base")) {
    manifest.base.emplace();
    manifest.base->manifest = lines.digest();
    manifest.base->version = read_version(lines);
  }
}

Place read_place(Lines& lines, const std::vector<std::string>& forms) {
  Place place;
  lines.take("place");
  place.form = std::string(read_one_of<std::string_view>(lines, kForms));
  if (std::ranges::find(forms, place.form) == forms.end()) {
    lines.refuse(Code::text_line, "the release has no form '" + place.form + "'");
  }
  place.what = std::string(lines.word());
  const auto slash = std::min(place.what.find('/'), place.what.size());
  const auto kind = std::string_view(place.what).substr(0, slash);
  if ((kind != "service" && kind != "tenant" && kind != "volume") ||
      slash + 1 >= place.what.size()) {
    lines.refuse(Code::text_line, "expected tenant/NAME, volume/NAME or service/NAME");
  }
  place.where = std::string(lines.text());
  return place;
}

Question read_question(Lines& lines) {
  Question question;
  lines.take("answer");
  question.name = read_slug(lines);
  question.type = read_one_of<AnswerType>(lines, kAnswerTypes);
  if (lines.at("default") && lines.take("default")) {
    question.preset = std::string(lines.text());
    if (question.type == AnswerType::secret) {
      lines.refuse(Code::text_line, "a secret has no default");
    }
  }
  while (lines.at("choice") && lines.take("choice")) {
    auto choice = std::string(lines.word());
    if (!question.choices.empty() && choice <= question.choices.back()) {
      lines.refuse(Code::text_order, "the choices are not sorted, or one stands twice");
    }
    question.choices.push_back(std::move(choice));
    if (question.choices.size() > kMostChoices) {
      lines.refuse(Code::too_many, "more than 256 choices");
    }
  }
  if ((question.type == AnswerType::word) != (question.choices.size() > 1)) {
    lines.refuse(Code::text_line, "a word, and nothing else, has two or more choices");
  }
  for (const auto& choice : question.choices) {
    if (const auto fault = fault_of_answer(question, choice); !fault.empty()) {
      lines.refuse(Code::text_line, "the choice " + fault);
    }
  }
  if (question.preset) {
    if (const auto fault = fault_of_answer(question, *question.preset); !fault.empty()) {
      lines.refuse(Code::text_line, "the default " + fault);
    }
  }
  lines.take("text");
  question.text = std::string(lines.text());
  return question;
}

Chunk read_chunk(Lines& lines) {
  Chunk chunk;
  chunk.digest = lines.digest();
  chunk.stored = lines.number();
  chunk.size = lines.number();
  return chunk;
}

/// What a zstd frame of this size needs at the most (ZSTD_compressBound, rounded up).
std::uint64_t most_stored(std::uint64_t size) { return size + size / 128 + 1024; }

void check_stored(Lines& lines, const Chunk& chunk, std::uint64_t most) {
  if (chunk.size > most) {
    lines.refuse(Code::text_number, "it holds more than " + std::to_string(most) + " bytes");
  } else if (chunk.stored == 0 || chunk.stored > most_stored(chunk.size)) {
    lines.refuse(Code::text_number, "no frame of that size holds so many bytes");
  }
}

File read_file(Lines& lines) {
  File file;
  lines.take("file");
  file.size = lines.number();
  file.executable = read_one_of<bool>(lines, kModes);
  file.digest = lines.digest();
  file.path = lines.path();
  return file;
}

/// Where the content of the pack comes from, up to its first file.
void read_source(Lines& lines, Pack& pack) {
  if (lines.at("same")) {
    lines.take("same");
    pack.from = Pack::From::base;
  } else if (lines.at("patch")) {
    lines.take("patch");
    pack.from = Pack::From::patch;
    pack.chunks.push_back(read_chunk(lines));
    pack.base = lines.digest();
    check_stored(lines, pack.chunks.back(), kMostOfPatched);
    if (pack.chunks.back().stored > kMostOfPatch) {
      lines.refuse(Code::text_number, "a patch is stored in 8 MiB at the most");
    }
  } else {
    while (lines.at("chunk") || pack.chunks.empty()) {
      if (!lines.take("chunk")) return;
      pack.chunks.push_back(read_chunk(lines));
      check_stored(lines, pack.chunks.back(), kMostOfChunk);
    }
  }
}

Pack read_pack(Lines& lines, std::size_t& files) {
  Pack pack;
  read_source(lines, pack);
  std::uint64_t held = 0;
  for (const auto& chunk : pack.chunks) add(lines, held, chunk.size);
  std::uint64_t named = 0;
  while (!lines.done() && (lines.at("file") || pack.files.empty())) {
    auto file = read_file(lines);
    if (++files > kMostFiles) lines.refuse(Code::too_many, "more than 100,000 files");
    add(lines, named, file.size);
    if (!pack.files.empty() && file.path <= pack.files.back().path) {
      lines.refuse(Code::text_order, "the files of a pack are not sorted, or one stands twice");
    }
    pack.files.push_back(std::move(file));
  }
  if (pack.files.empty()) lines.take("file");
  const bool many = pack.from == Pack::From::chunks && pack.chunks.size() == 1;
  if (pack.files.size() > 1 && !many) {
    lines.refuse(Code::text_line, "only one chunk may hold several files");
  }
  if (pack.from != Pack::From::base && held != named) {
    lines.refuse(Code::text_number, "the files need " + std::to_string(named) +
                                        " bytes, and the content has " + std::to_string(held));
  }
  return pack;
}

Blob read_blob(Lines& lines) {
  Blob blob;
  blob.digest = lines.digest();
  blob.size = lines.number();
  if (blob.size == 0) lines.refuse(Code::text_number, "a blob of an image is not empty");
  return blob;
}

Document read_document(Lines& lines, std::span<const Word<MediaType>> types) {
  const auto blob = read_blob(lines);
  return {.digest = blob.digest, .size = blob.size, .type = read_one_of(lines, types)};
}

void read_user(Lines& lines, Image& image) {
  lines.take("user");
  const auto word = lines.word();
  const auto colon = std::min(word.find(':'), word.size());
  const auto uid = number_of(word.substr(0, colon));
  const auto gid = number_of(word.substr(std::min(colon + 1, word.size())));
  // 2^32 - 1 means "no change" to chown(2).
  constexpr std::uint64_t kMostOfUser = (std::uint64_t{1} << 32) - 2;
  if (!uid || !gid || *uid > kMostOfUser || *gid > kMostOfUser) {
    return lines.refuse(Code::text_number, "a user is two numbers, as 65532:65532");
  }
  image.uid = static_cast<std::uint32_t>(*uid);
  image.gid = static_cast<std::uint32_t>(*gid);
}

/// Entrypoint, command and environment. `texts` counts those of all images.
void read_process(Lines& lines, Image& image, std::size_t& texts) {
  const auto count = [&] {
    if (++texts > kMostProcessTexts) {
      lines.refuse(Code::too_many, "the images have more than 32,768 words and variables together");
    }
  };
  const auto words = [&](std::string_view key, std::vector<std::string>& into) {
    if (!lines.at(key) || !lines.take(key)) return;
    do {
      into.push_back(lines.decoded());
      count();
      if (into.size() > kMostWords) lines.refuse(Code::too_many, "more than 256 words");
    } while (lines.more());
  };
  words("entrypoint", image.entrypoint);
  if (image.entrypoint.empty() && !lines.at("command")) lines.take("entrypoint");
  words("command", image.command);
  while (lines.at("env") && lines.take("env")) {
    image.environment.push_back(lines.decoded());
    count();
    if (image.environment.back().find('=') + 1 <= 1) {
      lines.refuse(Code::text_line, "an environment variable is NAME=VALUE");
    }
    if (image.environment.size() > kMostVariables) {
      lines.refuse(Code::too_many, "the image has more than 1,024 variables");
    }
  }
}

Image read_image(Lines& lines, std::string_view arch, std::size_t& texts) {
  Image image;
  lines.take("image");
  image.platform = std::string(lines.word());
  if (image.platform != "linux/" + std::string(arch)) {
    lines.refuse(Code::other_arch, "the image is for another processor than the bundle");
  }
  image.reference = std::string(lines.text());
  if (lines.at("index") && lines.take("index")) {
    image.index = read_document(lines, kIndexTypes);
  }
  lines.take("manifest");
  image.manifest = read_document(lines, kManifestTypes);
  lines.take("config");
  image.config = read_blob(lines);
  do {
    lines.take("layer");
    Layer layer{.blob = read_blob(lines)};
    layer.diff = lines.digest();
    layer.unpacked = lines.number();
    image.layers.push_back(layer);
    if (image.layers.size() > kMostLayers) lines.refuse(Code::too_many, "more than 128 layers");
  } while (lines.at("layer"));
  read_process(lines, image, texts);
  lines.take("workdir");
  image.workdir = lines.decoded();
  if (!image.workdir.starts_with('/')) lines.refuse(Code::text_path, "the path is not absolute");
  read_user(lines, image);
  return image;
}

/// What only the whole tells.
void check_whole(Lines& lines, const Manifest& manifest) {
  std::vector<std::string_view> paths;
  for (const auto& pack : manifest.packs) {
    if (!manifest.base && pack.from != Pack::From::chunks) {
      return lines.refuse(Code::text_line, "the release has no base, and '" +
                                               pack.files.front().path + "' comes from it");
    }
    for (const auto& file : pack.files) paths.push_back(file.path);
  }
  if (auto conflict = conflict_of(kManifest, std::move(paths)))
    lines.refuse(conflict->code, conflict->what);
}

}  // namespace

std::string to_text(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch);
}

std::string_view to_text(MediaType type) {
  const auto is_index = type == MediaType::oci_index || type == MediaType::docker_index;
  return word_of(is_index ? kIndexTypes : kManifestTypes, type);
}

std::optional<Version> version_of(std::string_view text) {
  std::array<std::uint64_t, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto end = i + 1 < numbers.size() ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto number = number_of(text.substr(0, end));
    if (!number) return std::nullopt;
    numbers[i] = *number;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Version{.major = numbers[0], .minor = numbers[1], .patch = numbers[2]};
}

Checked<Envelope> read_envelope(std::string_view text) {
  // What follows the envelope belongs to a format that may be another one.
  Lines lines(kManifest, first_lines(text, 6));
  auto envelope = read_envelope(lines);
  if (lines.refusal()) return refuse(Code::bad_envelope, lines.refusal()->what);
  return envelope;
}

Checked<Manifest> read_manifest(std::string_view text) {
  auto envelope = read_envelope(text);
  if (!envelope) return tl::unexpected(envelope.error());
  if (envelope->format != kFormat) {
    return refuse(Code::future_format, "MANIFEST: the bundle has format " +
                                           std::to_string(envelope->format) +
                                           ", and this reads format " + std::to_string(kFormat));
  }
  Lines lines(kManifest, text);
  Manifest manifest;
  manifest.envelope = read_envelope(lines);
  read_release_lines(lines, manifest);
  while (lines.at("place")) {
    auto place = read_place(lines, manifest.forms);
    const auto key = [](const Place& each) { return std::tie(each.form, each.what); };
    if (!manifest.places.empty() && key(place) <= key(manifest.places.back())) {
      lines.refuse(Code::text_order, "the places are not sorted, or one stands twice");
    }
    manifest.places.push_back(std::move(place));
    if (manifest.places.size() > kMostPlaces)
      lines.refuse(Code::too_many, "more than 200,000 places");
  }
  while (lines.at("answer")) {
    auto question = read_question(lines);
    if (!manifest.questions.empty() && question.name <= manifest.questions.back().name) {
      lines.refuse(Code::text_order, "the answers are not sorted, or one stands twice");
    }
    manifest.questions.push_back(std::move(question));
    if (manifest.questions.size() > kMostQuestions)
      lines.refuse(Code::too_many, "more than 64 answers");
  }
  std::size_t files = 0;
  while (!lines.done() && !lines.at("image")) {
    auto pack = read_pack(lines, files);
    if (!manifest.packs.empty() && !pack.files.empty() &&
        pack.files.front().path <= manifest.packs.back().files.front().path) {
      lines.refuse(Code::text_order, "the packs are not sorted by their first file");
    }
    manifest.packs.push_back(std::move(pack));
  }
  std::size_t texts = 0;
  while (!lines.done()) {
    auto image = read_image(lines, manifest.envelope.arch, texts);
    if (!manifest.images.empty() && image.reference <= manifest.images.back().reference) {
      lines.refuse(Code::text_order, "the images are not sorted, or one stands twice");
    }
    manifest.images.push_back(std::move(image));
    if (manifest.images.size() > kMostImages) lines.refuse(Code::too_many, "more than 256 images");
  }
  lines.end();
  check_whole(lines, manifest);
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return manifest;
}

std::uint64_t installed_bytes(const Manifest& manifest) {
  std::uint64_t sum = 0;
  for (const auto& pack : manifest.packs) {
    for (const auto& file : pack.files) sum += file.size;
  }
  return sum;
}

}  // namespace caisson::installer
