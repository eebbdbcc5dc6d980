#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct git_repository;
struct git_tree;

namespace caisson::publish {

/// A git repository seen from a spec, read through libgit2: no checkout, no git program, and
/// nothing in the working tree, the index or the references changes.
class Repository {
 public:
  /// Finds the repository that `spec` belongs to, starting at its directory and going up. The spec
  /// itself need not exist there any more. In a bare repository `spec` is a path inside the tree.
  [[nodiscard]] static Result<Repository> around(const std::filesystem::path& spec);

  /// The repository whose working tree or bare directory `directory` is; no spec belongs to it.
  [[nodiscard]] static Result<Repository> at(const std::filesystem::path& directory);

  /// Where the spec is inside the repository, with `/`: "deploy/deployment.yaml".
  [[nodiscard]] const std::string& spec_path() const { return spec_path_; }
  [[nodiscard]] bool bare() const;

 private:
  friend class Revision;
  // Declared first and so released last.
  struct Library {
    Library();
    ~Library();
  };
  struct Release {
    void operator()(git_repository* repository) const;
  };

  Repository() = default;

  std::unique_ptr<Library> library_ = std::make_unique<Library>();
  std::unique_ptr<git_repository, Release> repository_;
  std::string spec_path_;
};

/// The files of one commit (or tag, or tree) beside the spec.
class Revision {
 public:
  /// `name` is anything git understands: HEAD, HEAD~3, a branch, a tag, an abbreviated commit.
  [[nodiscard]] static Result<Revision> open(const Repository& repository, std::string_view name);

  /// Full object id of the commit, or of the tree when the name is of a tree.
  [[nodiscard]] const std::string& id() const { return id_; }

  /// The spec itself. Fails when it does not exist at this revision.
  [[nodiscard]] Result<std::string> spec() const;

  /// A file named relative to the spec's directory; nothing when it does not exist at this
  /// revision. Fails for a path that leaves the repository, a symbolic link, a directory or a
  /// submodule.
  [[nodiscard]] Result<std::optional<std::string>> file(std::string_view relative) const;

  /// Every file below a directory of the repository ("" is its root), by path relative to that.
  /// Fails when there is no such directory, and for a symbolic link or a submodule in it.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> files_below(
      std::string_view directory) const;

 private:
  struct Release {
    void operator()(git_tree* tree) const;
  };

  Revision() = default;
  [[nodiscard]] Result<std::optional<std::string>> blob(const std::string& path) const;

  const Repository* repository_ = nullptr;
  std::unique_ptr<git_tree, Release> tree_;
  std::string name_;
  std::string id_;
};

}  // namespace caisson::publish
