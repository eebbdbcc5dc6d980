#include "cli/blueprint_source.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "base/hex.h"
#include "cli/spec_source.h"
#include "generator/publish/revision.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

using Files = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kGit = "git+";
constexpr std::string_view kLocal = "git+file://";

Result<render::Blueprints> from_directory(const std::string& directory) {
  Files files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->is_regular_file()) continue;
    auto text = read_file(entry->path(), "");
    if (!text) return tl::unexpected(text.error());
    files.emplace_back(entry->path().lexically_relative(directory).generic_string(),
                       *std::move(text));
  }
  if (error) return fail("cannot read the blueprints in '" + directory + "': " + error.message());
  std::sort(files.begin(), files.end());
  return render::Blueprints::with(files);
}

/// "git+file:///REPOSITORY@REVISION#DIRECTORY" in its parts; the last two may be missing.
struct GitPlace {
  std::string repository;
  std::string revision;
  std::string directory;
};

GitPlace read_git_place(std::string_view text) {
  text.remove_prefix(kLocal.size());
  GitPlace place;
  if (const auto hash = text.find('#'); hash != text.npos) {
    place.directory = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const auto at = text.rfind('@'); at != text.npos && text.find('/', at) == text.npos) {
    place.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  place.repository = text;
  return place;
}

bool is_commit_id(std::string_view text) { return text.size() == 40 && is_hex(text); }

Result<render::Blueprints> from_git(const std::string& where) {
  if (!where.starts_with(kLocal)) {
    return fail("blueprints come from a local repository, not from '" + where + "'",
                "clone it, and name the clone: git+file:///path/to/clone@COMMIT");
  }
  const auto place = read_git_place(where);
  if (!place.repository.starts_with('/')) {
    return fail("'" + where + "' does not name a repository by its absolute path",
                "write git+file:///path/to/repository@COMMIT");
  }
  const auto repository = publish::Repository::at(place.repository);
  if (!repository) return tl::unexpected(repository.error());
  const auto name = place.revision.empty() ? std::string("HEAD") : place.revision;
  const auto revision = publish::Revision::open(*repository, name);
  if (!revision) return tl::unexpected(revision.error());
  if (!is_commit_id(place.revision) || place.revision != revision->id()) {
    return fail("blueprints are pinned to a commit, and '" + where + "' may be another tomorrow",
                "today it is " + std::string(kLocal) + place.repository + "@" + revision->id() +
                    (place.directory.empty() ? "" : "#" + place.directory));
  }
  const auto files = revision->files_below(place.directory);
  if (!files) return tl::unexpected(files.error());
  return render::Blueprints::with(*files, revision->id());
}

}  // namespace

void add_blueprints(CLI::App& app, std::string& where) {
  app.add_option("--blueprints", where,
                 "files that replace blueprints of the same name: a directory, or "
                 "git+file:///REPOSITORY@COMMIT#DIRECTORY")
      ->type_name("DIR");
}

Result<render::Blueprints> load_blueprints(const std::string& where) {
  if (where.empty()) return render::Blueprints();
  return where.starts_with(kGit) ? from_git(where) : from_directory(where);
}

}  // namespace caisson::cli
