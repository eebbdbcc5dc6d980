#include "generator/publish/revision.h"

#include <system_error>
#include <utility>

#include <git2.h>

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;

struct Deleter {
  void operator()(git_buf* buffer) const { git_buf_dispose(buffer); }
  void operator()(git_object* object) const { git_object_free(object); }
  void operator()(git_tree_entry* entry) const { git_tree_entry_free(entry); }
  void operator()(git_blob* blob) const { git_blob_free(blob); }
};

template <class T>
using Owned = std::unique_ptr<T, Deleter>;

constexpr git_object_size_t kLargestFile = git_object_size_t{64} << 20;

/// libgit2's own words about its last error.
std::string words() {
  const auto* error = git_error_last();
  return error != nullptr && error->message != nullptr ? error->message : "unknown error";
}

tl::unexpected<Failure> cannot_open(const std::string& what, const fs::path& where, int error) {
  return fail("cannot open the git repository " + what + " '" + where.string() + "': " + words(),
              error == GIT_EOWNER
                  ? "if you trust it: git config --global --add safe.directory <path>"
                  : "");
}

std::string hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '\0');
  git_oid_fmt(text.data(), &id);
  return text;
}

}  // namespace

Repository::Library::Library() { git_libgit2_init(); }
Repository::Library::~Library() { git_libgit2_shutdown(); }
void Repository::Release::operator()(git_repository* repository) const {
  git_repository_free(repository);
}
void Revision::Release::operator()(git_tree* tree) const { git_tree_free(tree); }

Result<Repository> Repository::around(const fs::path& spec) {
  std::error_code ignored;
  const auto absolute = fs::absolute(spec, ignored).lexically_normal();
  // The nearest directory that still exists: the spec may have been removed together with its own.
  auto start = absolute.parent_path();
  while (!fs::is_directory(start, ignored) && start.has_relative_path())
    start = start.parent_path();

  Repository found;
  git_repository* repository = nullptr;
  const int error = git_repository_open_ext(&repository, start.c_str(), 0, nullptr);
  found.repository_.reset(repository);
  if (error == GIT_ENOTFOUND) {
    return fail("'" + start.string() + "' is not inside a git repository",
                "compare two directories with `caisson generate --diff` instead");
  }
  if (error != 0) return cannot_open("around", start, error);
  const auto* root = git_repository_workdir(repository);
  const fs::path base = root != nullptr ? root : git_repository_path(repository);
  const auto inside = fs::canonical(start, ignored) / absolute.lexically_relative(start);
  found.spec_path_ =
      inside.lexically_normal().lexically_relative(fs::canonical(base, ignored)).generic_string();
  if (found.spec_path_.empty() || found.spec_path_.starts_with("..")) {
    return fail("'" + spec.string() + "' is outside the git repository at '" + base.string() + "'");
  }
  return found;
}

Result<Repository> Repository::at(const fs::path& directory) {
  Repository found;
  git_repository* repository = nullptr;
  const int error = git_repository_open_ext(&repository, directory.c_str(),
                                            GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr);
  found.repository_.reset(repository);
  if (error != 0) return cannot_open("at", directory, error);
  return found;
}

bool Repository::bare() const { return git_repository_is_bare(repository_.get()) != 0; }

Result<Revision> Revision::open(const Repository& repository, std::string_view name) {
  Revision revision;
  revision.repository_ = &repository;
  revision.name_ = name;
  auto* git = repository.repository_.get();
  if (git_repository_is_empty(git) == 1) {
    return fail("the git repository has no commits yet", "commit the spec first");
  }
  git_object* object = nullptr;
  const int error = git_revparse_single(&object, git, revision.name_.c_str());
  const Owned<git_object> named(object);
  if (error == GIT_EAMBIGUOUS) {
    return fail("revision '" + revision.name_ + "' is ambiguous", "give more digits of the commit");
  }
  if (error != 0) {
    return fail("git knows no revision '" + revision.name_ + "'",
                "use a branch, a tag, a commit or something like HEAD~1");
  }
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, object, GIT_OBJECT_TREE) != 0) {
    return fail("'" + revision.name_ + "' is not a commit", "use a branch, a tag or a commit");
  }
  revision.tree_.reset(reinterpret_cast<git_tree*>(peeled));

  git_object* commit = nullptr;
  const bool is_commit = git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0;
  const Owned<git_object> owned(commit);
  revision.id_ = hex(*git_object_id(is_commit ? commit : peeled));
  return revision;
}

Result<std::string> Revision::spec() const {
  auto text = blob(repository_->spec_path());
  if (!text) return tl::unexpected(text.error());
  if (!*text) {
    return fail(
        "'" + repository_->spec_path() + "' does not exist at revision '" + name_ + "'",
        "name a revision that has it; `git log -- " + repository_->spec_path() + "` lists them");
  }
  return **std::move(text);
}

Result<std::optional<std::string>> Revision::file(std::string_view relative) const {
  const auto path = (fs::path(repository_->spec_path()).parent_path() / relative)
                        .lexically_normal()
                        .generic_string();
  if (fs::path(relative).is_absolute() || path.starts_with("..")) {
    return fail("'" + std::string(relative) + "' is outside the git repository",
                "keep the files that a spec names beside it");
  }
  return blob(path);
}

Result<std::vector<std::pair<std::string, std::string>>> Revision::files_below(
    std::string_view directory) const {
  const std::string root(directory);
  auto* git = repository_->repository_.get();
  Owned<git_object> below;
  const git_tree* tree = tree_.get();
  if (!root.empty()) {
    git_tree_entry* found = nullptr;
    const int error = git_tree_entry_bypath(&found, tree_.get(), root.c_str());
    const Owned<git_tree_entry> entry(found);
    if (error != 0 || git_tree_entry_type(found) != GIT_OBJECT_TREE) {
      return fail("there is no directory '" + root + "' at revision '" + name_ + "'");
    }
    git_object* object = nullptr;
    if (git_tree_entry_to_object(&object, git, found) != 0) {
      return fail("cannot read '" + root + "' at revision '" + name_ + "': " + words(),
                  "a partial or shallow clone may lack it");
    }
    below.reset(object);
    tree = reinterpret_cast<const git_tree*>(object);
  }
  std::vector<std::string> paths;
  const auto collect = [](const char* folder, const git_tree_entry* entry, void* into) {
    if (git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
      static_cast<std::vector<std::string>*>(into)->push_back(std::string(folder) +
                                                              git_tree_entry_name(entry));
    }
    return 0;
  };
  if (git_tree_walk(tree, GIT_TREEWALK_PRE, collect, &paths) != 0) {
    return fail("cannot read revision '" + name_ + "': " + words(),
                "a partial or shallow clone may lack it");
  }
  std::vector<std::pair<std::string, std::string>> files;
  const auto prefix = root.empty() ? root : root + '/';
  for (auto& path : paths) {
    auto bytes = blob(std::string(prefix).append(path));
    if (!bytes) return tl::unexpected(bytes.error());
    files.emplace_back(std::move(path), **std::move(bytes));
  }
  return files;
}

Result<std::optional<std::string>> Revision::blob(const std::string& path) const {
  const auto place = "'" + path + "' at revision '" + name_ + "'";
  git_tree_entry* found = nullptr;
  const int error = git_tree_entry_bypath(&found, tree_.get(), path.c_str());
  const Owned<git_tree_entry> entry(found);
  if (error == GIT_ENOTFOUND) return std::nullopt;
  if (error != 0) return fail("cannot read " + place + ": " + words());
  if (git_tree_entry_filemode(found) == GIT_FILEMODE_LINK) {
    return fail(place + " is a symbolic link", "put the file itself there");
  }
  if (git_tree_entry_type(found) != GIT_OBJECT_BLOB) return fail(place + " is not a file");

  git_blob* blob = nullptr;
  const int missing = git_blob_lookup(&blob, git_tree_owner(tree_.get()), git_tree_entry_id(found));
  const Owned<git_blob> owned(blob);
  if (missing != 0) {
    return fail("cannot read " + place + ": " + words(), "a partial or shallow clone may lack it");
  }
  if (git_blob_rawsize(blob) > kLargestFile) return fail(place + " is larger than 64 MiB");
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob)),
                     static_cast<std::size_t>(git_blob_rawsize(blob)));
}

}  // namespace caisson::publish
