#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "editor/arrivals.h"
#include "editor/document_reader.h"
#include "editor/fixes.h"
#include "editor/project.h"
#include "editor/text.h"
#include "generator/source/diagnostics.h"
#include "generator/spec/spec.h"

namespace caisson::editor {

struct Analysis;

/// What the editor knows of the world outside of it.
struct Surroundings {
  std::string environment;             ///< as with --env; empty: the whole spec
  bool strict = false;                 ///< as with --strict
  std::function<std::string()> today;  ///< "YYYY-MM-DD"
  /// Reads a whole regular file; the only way to the disk.
  std::function<Result<std::string>(const std::filesystem::path& path)> read_file;
  /// Adds to what is said of a spec without errors what `caisson generate` says of it; empty:
  /// nothing does.
  std::function<void(Analysis& analysis, const ReadFile& read_file)> judge{};
};

/// A document that is open in the client.
struct Document {
  std::string uri;             ///< as the client writes it
  std::filesystem::path path;  ///< empty: it has none yet
  std::string language;
  std::int64_t version = 0;
  Text text;

  /// Whether it is a deployment spec: the client says so, or its first key does, or its name and
  /// nothing in it speaks against it.
  [[nodiscard]] bool is_spec() const;
};

/// What `spec::load` says of a spec, and `caisson generate` when it has been asked.
struct Analysis {
  source::SourceSet sources;
  std::vector<source::Diagnostic> diagnostics;
  std::optional<spec::Loaded> loaded;
  bool judged = false;  ///< nothing more is to be said
};

/// An open spec, and what has been found out about it since the last change of anything.
struct OpenSpec {
  const Document* document = nullptr;
  DocumentReader reader;
  std::optional<Analysis> analysis;
  std::optional<Project> project;
  std::map<std::string, ArrivalIndex> arrivals;  ///< by environment
};

/// A document as a part of a deployment.
struct Member {
  OpenSpec* spec = nullptr;
  std::uint32_t file = 0;  ///< its number in the project
};

/// The documents of the client, the specs among them, and the files that these name: as they are in
/// the client, else as they are on the disk, and never one that leads out of the workspace.
class Workspace {
 public:
  explicit Workspace(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  /// Where files may be read; without any, beside each spec.
  void set_folders(std::vector<std::filesystem::path> folders);

  /// False when it would be one too many; `most_documents` and `most_bytes` bound them.
  bool open(Document document);
  void close(std::string_view uri);
  /// The open document, to be changed; everything that was found out before is forgotten.
  [[nodiscard]] Document* change(std::string_view uri);
  /// Something on the disk may be other than it was.
  void forget();

  [[nodiscard]] const Document* find(std::string_view uri) const;
  /// Where the file of a spec is: the URI of the open document, else that of the path; empty when
  /// it has none.
  [[nodiscard]] std::string uri_of_file(const OpenSpec& spec, std::string_view name) const;
  /// The open specs. A document may become one, or stop being one, while somebody types.
  [[nodiscard]] std::map<std::string, std::unique_ptr<OpenSpec>>& specs();

  /// The spec that the document is or belongs to; none for other people's files.
  [[nodiscard]] std::optional<Member> member(std::string_view uri);
  [[nodiscard]] const Project& project(OpenSpec& spec) const;
  /// Of a large spec only what `spec::load` says, which is there at once.
  [[nodiscard]] const Analysis& analysis(OpenSpec& spec) const;
  /// Makes the analysis whole, which may take seconds.
  void judge(OpenSpec& spec) const;
  /// What would be said after the edits.
  [[nodiscard]] std::vector<source::Diagnostic> after(OpenSpec& spec,
                                                      const std::vector<Edit>& edits) const;
  /// What a patch would be refused for after the edits, and is not now; empty when nothing is, when
  /// the spec has no patches, and when it is wrong or too large to be rendered.
  [[nodiscard]] std::string broken_patch(OpenSpec& spec, const std::vector<Edit>& edits) const;
  [[nodiscard]] std::vector<Arrival> arrivals(OpenSpec& spec, const std::string& environment,
                                              const std::string& pointer) const;

  static constexpr std::size_t most_documents = 1'000;
  static constexpr std::size_t most_bytes = std::size_t{512} << 20;

 private:
  [[nodiscard]] Result<std::string> read(const Document& spec, std::string_view name) const;
  [[nodiscard]] ReadFile reader_of(const Document& spec) const;
  [[nodiscard]] bool may_read(const Document& spec, const std::filesystem::path& path) const;
  [[nodiscard]] const Document* find_path(const std::filesystem::path& path) const;
  [[nodiscard]] Analysis load(DocumentReader& reader, std::string name, std::string text,
                              const std::string& environment, const ReadFile& read_file) const;
  void judge(Analysis& analysis, const ReadFile& read_file) const;
  [[nodiscard]] Analysis analysis_after(OpenSpec& spec, const std::vector<Edit>& edits) const;
  void sort_out(const Document& document);

  Surroundings surroundings_;
  std::vector<std::filesystem::path> folders_;
  std::map<std::string, std::unique_ptr<Document>, std::less<>> documents_;  ///< by key
  std::map<std::string, std::unique_ptr<OpenSpec>> specs_;                   ///< by the same
};

}  // namespace caisson::editor
