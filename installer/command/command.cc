#include "installer/command/command.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <new>
#include <vector>

#include "base/hex.h"
#include "base/json_text.h"
#include "installer/command/progress.h"
#include "installer/command/verify_site.h"
#include "installer/disk/disk.h"
#include "installer/format/answers.h"
#include "installer/format/manifest_words.h"
#include "installer/trust/key_packet.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string key_text(const Key& key) {
  return (key.algorithm == Algorithm::ed25519 ? "Ed25519" : "P-256") + std::string(" key ") +
         key_id(key);
}

/// The lines about which release it is and who signed it.
std::string head_text(const VerifiedBundle& bundle) {
  const auto& manifest = bundle.manifest();
  const auto& release = manifest.envelope.release;
  std::string text = manifest.envelope.product + " " + to_text(manifest.version) + " for " +
                     manifest.envelope.arch + ", release " + number(release.epoch) + "/" +
                     number(release.sequence) + "\n";
  if (manifest.base) text += "a delta that stands on " + to_text(manifest.base->version) + "\n";
  text += "manifest  " + hex(bundle.digest()) + "\n";
  text += "signed    by the " + key_text(bundle.key()) + "\n";
  text += "root      " + number(bundle.root().root().version) + ", " + hex(bundle.root().digest()) +
          "\n";
  return text;
}

std::string head_json(const VerifiedBundle& bundle) {
  const auto& manifest = bundle.manifest();
  const auto& release = manifest.envelope.release;
  std::string json = R"("product":)" + json_string(manifest.envelope.product);
  json += R"(,"version":)" + json_string(to_text(manifest.version));
  json += R"(,"arch":)" + json_string(manifest.envelope.arch);
  json += R"(,"release":")" + number(release.epoch) + "/" + number(release.sequence) + '"';
  if (manifest.base) json += R"(,"base":)" + json_string(to_text(manifest.base->version));
  json += R"(,"manifest":")" + hex(bundle.digest()) + '"';
  json += R"(,"key":")" + key_id(bundle.key()) + '"';
  json += R"(,"root":{"version":)" + number(bundle.root().root().version) + R"(,"digest":")" +
          hex(bundle.root().digest()) + "\"}";
  return json;
}

std::string counts_text(const Request& request, const Totals& totals) {
  if (request.sums_only) {
    return "checked   the hashes of " + number(totals.blobs) + " blobs and " +
           number(totals.others) + " other files, " + bytes_text(totals.read) +
           "; no chunk was decoded\n";
  }
  return "checked   " + number(totals.files) + " files of " + bytes_text(totals.bytes) + " from " +
         number(totals.chunks) + " chunks, " + number(totals.blobs) + " blobs of images, " +
         number(totals.others) + " other files; " + bytes_text(totals.read) + " were read\n";
}

std::string verify_json(const Request& request, const VerifiedBundle& bundle,
                        const Unlisted& unlisted, const Totals& totals) {
  std::string json = R"({"result":"ok",)" + head_json(bundle);
  json += request.sums_only ? R"(,"checked":"sums")" : R"(,"checked":"all")";
  json += R"(,"files":)" + number(totals.files) + R"(,"bytes":)" + number(totals.bytes);
  json += R"(,"chunks":)" + number(totals.chunks) + R"(,"blobs":)" + number(totals.blobs);
  json += R"(,"others":)" + number(totals.others) + R"(,"read":)" + number(totals.read);
  json += R"(,"unlisted":{"count":)" + number(unlisted.count) + R"(,"names":[)";
  for (std::size_t i = 0; i < unlisted.names.size(); ++i) {
    json += (i > 0 ? "," : "") + json_string(unlisted.names[i]);
  }
  return json + "]}}\n";
}

std::string unlisted_text(const Unlisted& unlisted) {
  if (unlisted.count == 0) return {};
  std::string text = unlisted.count == 1
                         ? "1 file that nothing lists was ignored:\n"
                         : number(unlisted.count) + " files that nothing lists were ignored:\n";
  for (const auto& name : unlisted.names) text += "  " + name + "\n";
  if (unlisted.count > unlisted.names.size()) text += "  ...\n";
  return text;
}

std::uint64_t image_bytes(const Image& image) {
  auto bytes = image.manifest.size + image.config.size + (image.index ? image.index->size : 0);
  for (const auto& layer : image.layers) bytes += layer.blob.size;
  return bytes;
}

std::string questions_text(const Manifest& manifest) {
  if (manifest.questions.empty()) return {};
  std::string text = "\nquestions\n";
  for (const auto& question : manifest.questions) {
    std::string takes(form_of(question.type));
    for (const auto& choice : question.choices) {
      if (&choice == question.choices.data()) {
        takes = choice;
      } else {
        takes.append(", ").append(choice);
      }
    }
    text += "  " + question.name + "  " + takes +
            (question.preset ? ", default " + *question.preset : "") + "\n    " + question.text +
            "\n";
  }
  return text;
}

std::string list_text(const Manifest& manifest) {
  std::string text = questions_text(manifest) + "\nimages\n";
  for (const auto& image : manifest.images) {
    text += "  " + image.reference + "  " + image.platform + "  " + bytes_text(image_bytes(image)) +
            "  " + number(image.layers.size()) + " layers\n";
  }
  text += "\nfiles\n";
  for (const auto& pack : manifest.packs) {
    for (const auto& file : pack.files) {
      text += "  " + std::string(file.executable ? "0755" : "0644") + "  " + bytes_text(file.size) +
              "  " + file.path + "\n";
    }
  }
  return text + "\n" + bytes_text(installed_bytes(manifest)) + " are installed, " +
         bytes_text(manifest.unpacked) + " are unpacked images\n";
}

std::string list_json(const VerifiedBundle& bundle) {
  const auto& manifest = bundle.manifest();
  std::string json = "{" + head_json(bundle) + R"(,"questions":[)";
  bool first = true;
  const auto comma = [&first] { return std::exchange(first, false) ? "" : ","; };
  for (const auto& question : manifest.questions) {
    json += comma();
    json += R"({"name":)" + json_string(question.name) + R"(,"type":)" +
            json_string(word_of(kAnswerTypes, question.type)) + R"(,"default":)" +
            (question.preset ? json_string(*question.preset) : "null") + R"(,"choices":[)";
    for (const auto& choice : question.choices) {
      json += (&choice == question.choices.data() ? "" : ",") + json_string(choice);
    }
    json += R"(],"text":)" + json_string(question.text) + "}";
  }
  json += R"(],"images":[)";
  first = true;
  for (const auto& image : manifest.images) {
    json += comma();
    json += R"({"reference":)" + json_string(image.reference) + R"(,"platform":)" +
            json_string(image.platform) + R"(,"manifest":")" + hex(image.manifest.digest) +
            R"(","bytes":)" + number(image_bytes(image)) + R"(,"layers":)" +
            number(image.layers.size()) + "}";
  }
  json += R"(],"files":[)";
  first = true;
  for (const auto& pack : manifest.packs) {
    for (const auto& file : pack.files) {
      json += comma();
      json += R"({"path":)" + json_string(file.path) + R"(,"bytes":)" + number(file.size) +
              R"(,"mode":")" + (file.executable ? "0755" : "0644") + R"(","sha256":")" +
              hex(file.digest) + "\"}";
    }
  }
  return json + R"(],"installed":)" + number(installed_bytes(manifest)) + R"(,"unpacked":)" +
         number(manifest.unpacked) + "}\n";
}

}  // namespace

Checked<VerifiedBundle> open_bundle(const Request& request) {
  auto medium = open_medium(request.bundle);
  if (!medium) return tl::unexpected(medium.error());
  UnverifiedBundle bundle(*std::move(medium));
  auto root = trusted_root(request, {}, bundle);
  if (!root) return tl::unexpected(root.error());
  // What is only looked at changes nothing: a new root is not kept here.
  auto with_signature =
      SignedBundle::verify(std::move(bundle), *std::move(root), [](const TrustedRoot&) {});
  if (!with_signature) return tl::unexpected(with_signature.error());
  return VerifiedBundle::verify(*std::move(with_signature), Site{.arch = request.arch});
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return number(bytes) + " bytes";
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (value /= 1000; value >= 999.95 && unit + 1 < std::size(kUnits); value /= 1000) ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

Said guarded(bool json, const std::function<Checked<Said>()>& run) {
  try {
    auto said = run();
    return said ? *std::move(said) : say(said.error(), json);
  } catch (const std::bad_alloc&) {
    return say({Code::host_memory, "there is too little memory, or too many files are open"}, json);
  }
}

namespace {

/// A release on this host that a delta stands on.
struct InstalledBase {
  std::unique_ptr<Disk> disk;
  Manifest manifest;
  Digest digest{};
};

Checked<InstalledBase> base_at(const std::string& directory) {
  auto disk = open_disk(directory);
  if (!disk) return refuse(Code::host_read, disk.error().what);
  const auto text = read_file(**disk, kManifest, kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto manifest = read_manifest(*text);
  if (!manifest) return tl::unexpected(manifest.error());
  return InstalledBase{
      .disk = *std::move(disk), .manifest = *std::move(manifest), .digest = sha256(*text)};
}

}  // namespace

Said verify_bundle(const Request& request) {
  return guarded(request.json, [&]() -> Checked<Said> {
    const auto bundle = open_bundle(request);
    if (!bundle) return tl::unexpected(bundle.error());
    const auto unlisted = find_unlisted(*bundle, request.strict);
    if (!unlisted) return tl::unexpected(unlisted.error());
    Reading reading;
    std::optional<InstalledBase> base;
    std::optional<BaseRelease> release;
    if (!request.base.empty()) {
      auto found = base_at(request.base);
      if (!found) return tl::unexpected(found.error());
      base = *std::move(found);
      reading.base = &release.emplace(*base->disk, "tree", base->manifest, base->digest);
    }
    std::optional<ReadingProgress> progress;
    if (request.progress) {
      const auto all = bytes_to_read(*bundle);
      if (!all) return tl::unexpected(all.error());
      progress.emplace("verify", *all);
      reading.progress = [&](std::uint64_t bytes) { progress->advance(bytes); };
    }
    const auto totals =
        request.sums_only ? check_sums(*bundle, reading) : check_content(*bundle, reading);
    progress.reset();
    if (!totals) return tl::unexpected(totals.error());
    if (request.json) return Said{.out = verify_json(request, *bundle, *unlisted, *totals)};
    return Said{.out = head_text(*bundle) + counts_text(request, *totals),
                .error = unlisted_text(*unlisted)};
  });
}

Said inspect_bundle(const Request& request) {
  return guarded(request.json, [&]() -> Checked<Said> {
    const auto bundle = open_bundle(request);
    if (!bundle) return tl::unexpected(bundle.error());
    if (request.json) return Said{.out = list_json(*bundle)};
    return Said{.out = head_text(*bundle) + list_text(bundle->manifest())};
  });
}

Said explain_code(std::string_view code, bool json) {
  std::string out;
  for (const auto& entry : refusals()) {
    if (!code.empty() && entry.number != code) continue;
    if (json) {
      out += (out.empty() ? "[" : ",") + std::string(R"({"code":)") + json_string(entry.number) +
             R"(,"title":)" + json_string(entry.title) + R"(,"remedy":)" +
             json_string(entry.remedy) + "}";
    } else if (code.empty()) {
      out += std::string(entry.number) + "  " + std::string(entry.title) + "\n";
    } else {
      out += std::string(entry.number) + ": " + std::string(entry.title) + "\n\n" +
             std::string(entry.remedy) + "\n";
    }
  }
  if (out.empty()) {
    return {.error = "no code '" + std::string(code) + "'; `explain` without one lists all\n",
            .exit = Exit::refused};
  }
  return {.out = json ? out + "]\n" : out};
}

Said say(const Refusal& refusal, bool json) {
  const auto& entry = entry_of(refusal.code);
  const auto exit = is_of_the_host(refusal.code) ? Exit::host : Exit::refused;
  if (json) {
    return {.out = std::string(R"({"result":)") +
                   (exit == Exit::host ? R"("failed")" : R"("refused")") + R"(,"code":)" +
                   json_string(entry.number) + R"(,"title":)" + json_string(entry.title) +
                   R"(,"what":)" + json_string(refusal.what) + R"(,"remedy":)" +
                   json_string(entry.remedy) + "}\n",
            .exit = exit};
  }
  return {.error = std::string(entry.number) + ": " + std::string(entry.title) + "\n  " +
                   refusal.what + "\n  " + std::string(entry.remedy) + "\n",
          .exit = exit};
}

std::optional<Digest> fingerprint_of(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ' ' || c == ':') continue;
    digits += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return digest_of(digits);
}

}  // namespace caisson::installer
