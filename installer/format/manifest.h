#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/lines.h"

namespace caisson::installer {

/// Which release: grows with every one. A new root may raise the epoch, so that a stolen key that
/// signed the highest sequence does not keep every site from the next release.
struct Release {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const Release&, const Release&) = default;
};

/// The first lines of every MANIFEST, of any format.
struct Envelope {
  std::uint64_t format = 0;
  std::string product;
  std::string arch;  ///< "amd64", "arm64"
  Release release;
  Digest installer{};
};

/// A version of three numbers.
struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

[[nodiscard]] std::string to_text(const Version& version);
[[nodiscard]] std::optional<Version> version_of(std::string_view text);

/// What the site answers.
enum class AnswerType { address, domain, email, path, port, secret, word };

/// A question that the site answers when it installs.
struct Question {
  std::string name;
  AnswerType type = AnswerType::word;
  std::optional<std::string> preset;  ///< what holds without an answer
  std::vector<std::string> choices;   ///< of a word; sorted
  std::string text;
};

/// A stored piece of the content: a zstd frame `blobs/sha256/<digest>`.
struct Chunk {
  Digest digest{};
  std::uint64_t stored = 0;
  std::uint64_t size = 0;  ///< of what the frame holds
};

/// The most bytes that one chunk holds.
inline constexpr std::uint64_t kMostOfChunk = std::uint64_t{8} * 1024 * 1024;

/// The most bytes of a file that is stored as a patch: it is held in memory with its base.
inline constexpr std::uint64_t kMostOfPatched = std::uint64_t{24} * 1024 * 1024;

/// The most bytes that a patch is stored in, for the same reason.
inline constexpr std::uint64_t kMostOfPatch = std::uint64_t{8} * 1024 * 1024;

/// An installed file.
struct File {
  std::uint64_t size = 0;
  bool executable = false;
  Digest digest{};
  std::string path;
};

/// Files and where their content comes from. Their sizes and those of the content are equal.
struct Pack {
  enum class From { chunks, patch, base };
  From from = From::chunks;
  std::vector<Chunk> chunks;  ///< several only for one file; one for a patch
  Digest base{};              ///< of the base's file that a patch is made for
  std::vector<File> files;
};

/// A blob of an image: `blobs/sha256/<digest>`.
struct Blob {
  Digest digest{};
  std::uint64_t size = 0;
};

/// What registries call a document of an image.
enum class MediaType { oci_manifest, docker_manifest, oci_index, docker_index };

[[nodiscard]] std::string_view to_text(MediaType type);

/// An image's manifest, or the index of several platforms that names it: a blob too.
struct Document {
  Digest digest{};
  std::uint64_t size = 0;
  MediaType type = MediaType::oci_manifest;
};

struct Layer {
  Blob blob;
  Digest diff{};  ///< of the archive that the layer holds
  std::uint64_t unpacked = 0;
};

/// A container image, with what a host without a container engine needs of its configuration.
struct Image {
  std::string platform;           ///< "linux/amd64"
  std::string reference;          ///< as artifacts name it
  std::optional<Document> index;  ///< where the reference has the digest of one
  Document manifest;
  Blob config;
  std::vector<Layer> layers;  ///< lowest first
  /// What runs is the entrypoint followed by the command; one of the two may be empty.
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;      ///< a service's own takes its place
  std::vector<std::string> environment;  ///< NAME=VALUE
  std::string workdir;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// The release that a delta stands on.
struct Base {
  Digest manifest{};
  Version version;
};

/// Where the data of something are, in one form of the release.
struct Place {
  std::string form;  ///< one of the release's
  /// "tenant/globex", which is in a volume; "volume/runtime-data", which is somewhere;
  /// "service/files", whose tenants share their data or do not.
  std::string what;
  std::string where;  ///< another text is another place
};

/// What a bundle holds.
struct Manifest {
  Envelope envelope;
  Version version;
  Version from;                ///< the oldest version that can be updated to this one
  std::optional<Version> via;  ///< where an older one goes first
  std::uint64_t data = 0;      ///< version of the data that this release writes
  std::uint64_t reads = 0;     ///< oldest version of data that it reads
  std::uint64_t date = 0;      ///< seconds since 1970
  std::vector<std::string> forms;
  std::uint64_t unpacked = 0;  ///< bytes that unpacked images need
  std::optional<Base> base;
  std::vector<Place> places;  ///< sorted by form and what
  std::vector<Question> questions;
  std::vector<Pack> packs;
  std::vector<Image> images;
};

/// Bounds of what a manifest may hold.
inline constexpr std::size_t kMostFiles = 100'000;
inline constexpr std::size_t kMostImages = 256;
inline constexpr std::size_t kMostLayers = 128;
inline constexpr std::size_t kMostPlaces = 200'000;
inline constexpr std::size_t kMostQuestions = 64;
inline constexpr std::size_t kMostChoices = 256;      ///< of a question
inline constexpr std::size_t kMostWords = 256;        ///< of an entrypoint, and of a command
inline constexpr std::size_t kMostVariables = 1'024;  ///< of an image
/// Words of entrypoints and commands and variables of all images together.
inline constexpr std::size_t kMostProcessTexts = 32'768;

/// Reads the envelope alone, of any format.
[[nodiscard]] Checked<Envelope> read_envelope(std::string_view text);

/// Reads a manifest of format 1 and checks everything that can be told from it alone. Refuses
/// another format with `Code::future_format`.
[[nodiscard]] Checked<Manifest> read_manifest(std::string_view text);

/// Writes what `read_manifest` reads, in its one form. What it is given has to be a valid manifest.
[[nodiscard]] std::string write_manifest(const Manifest& manifest);

/// The bytes of all installed files.
[[nodiscard]] std::uint64_t installed_bytes(const Manifest& manifest);

}  // namespace caisson::installer
