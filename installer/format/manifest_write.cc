#include <algorithm>

#include "base/hex.h"
#include "installer/format/manifest.h"
#include "installer/format/manifest_words.h"

namespace caisson::installer {
namespace {

/// Writes lines of words.
class Writer {
 public:
  template <class... Words>
  void line(std::string_view key, const Words&... words) {
    text_ += key;
    (word(words), ...);
    text_ += '\n';
  }
  template <class Range>
  void list(std::string_view key, const Range& words) {
    text_ += key;
    for (const auto& each : words) word(each);
    text_ += '\n';
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void word(std::string_view text) { text_.append(" ").append(text); }
  void word(std::uint64_t number) { word(std::to_string(number)); }
  void word(const Digest& digest) { word(hex(digest)); }
  void word(const Version& version) { word(to_text(version)); }

  std::string text_;
};

void write(Writer& out, const Pack& pack) {
  for (const auto& chunk : pack.chunks) {
    if (pack.from == Pack::From::patch) {
      out.line("patch", chunk.digest, chunk.stored, chunk.size, pack.base);
    } else {
      out.line("chunk", chunk.digest, chunk.stored, chunk.size);
    }
  }
  if (pack.from == Pack::From::base) out.line("same");
  for (const auto& file : pack.files) {
    out.line("file", file.size, word_of(kModes, file.executable), file.digest, file.path);
  }
}

void write(Writer& out, std::string_view key, const Document& document) {
  out.line(key, document.digest, document.size, to_text(document.type));
}

void write(Writer& out, const Image& image) {
  out.line("image", image.platform, image.reference);
  if (image.index) write(out, "index", *image.index);
  write(out, "manifest", image.manifest);
  out.line("config", image.config.digest, image.config.size);
  for (const auto& layer : image.layers) {
    out.line("layer", layer.blob.digest, layer.blob.size, layer.diff, layer.unpacked);
  }
  const auto words = [&](std::string_view key, const std::vector<std::string>& from) {
    std::vector<std::string> list;
    list.reserve(from.size());
    for (const auto& each : from) list.push_back(encoded(each));
    if (!list.empty()) out.list(key, list);
  };
  words("entrypoint", image.entrypoint);
  words("command", image.command);
  for (const auto& variable : image.environment) out.line("env", encoded(variable));
  out.line("workdir", encoded(image.workdir));
  out.line("user", std::to_string(image.uid) + ":" + std::to_string(image.gid));
}

}  // namespace

std::string write_manifest(const Manifest& manifest) {
  Writer out;
  out.line("format", manifest.envelope.format);
  out.line("product", manifest.envelope.product);
  out.line("arch", manifest.envelope.arch);
  out.line("release", std::to_string(manifest.envelope.release.epoch) + "/" +
                          std::to_string(manifest.envelope.release.sequence));
  out.line("installer", manifest.envelope.installer);
  out.line("version", manifest.version);
  out.line("from", manifest.from);
  if (manifest.via) out.line("via", *manifest.via);
  out.line("data", manifest.data);
  out.line("reads", manifest.reads);
  out.line("date", manifest.date);
  out.list("forms", manifest.forms);
  out.line("unpacked", manifest.unpacked);
  if (manifest.base) out.line("base", manifest.base->manifest, manifest.base->version);
  for (const auto& place : manifest.places) {
    out.line("place", place.form, place.what, place.where);
  }
  for (const auto& question : manifest.questions) {
    out.line("answer", question.name, word_of(kAnswerTypes, question.type));
    if (question.preset) out.line("default", *question.preset);
    for (const auto& choice : question.choices) out.line("choice", choice);
    out.line("text", question.text);
  }
  for (const auto& pack : manifest.packs) write(out, pack);
  for (const auto& image : manifest.images) write(out, image);
  return out.take();
}

}  // namespace caisson::installer
