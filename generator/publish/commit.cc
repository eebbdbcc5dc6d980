#include "generator/publish/commit.h"

#include <system_error>

#include <git2.h>

#include "base/c_library.h"

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;

struct Library {
  Library() { git_libgit2_init(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { git_libgit2_shutdown(); }
};

tl::unexpected<Failure> cannot_tell(const fs::path& where) {
  const auto* error = git_error_last();
  const std::string words =
      error != nullptr && error->message != nullptr ? error->message : "unknown";
  return fail("cannot tell the git commit of '" + where.string() + "': " + words,
              "if the repository is somebody else's and you trust it: git config --global --add "
              "safe.directory PATH");
}

}  // namespace

Result<std::optional<Commit>> commit_around(const fs::path& spec) {
  std::error_code ignored;
  const auto start = fs::absolute(spec, ignored).lexically_normal().parent_path();
  const Library library;
  git_repository* opened = nullptr;
  const int error = git_repository_open_ext(&opened, start.c_str(), 0, nullptr);
  const Owned<git_repository, git_repository_free> repository(opened);
  if (error == GIT_ENOTFOUND) return std::nullopt;
  if (error != 0) return cannot_tell(start);
  git_oid id;
  const int found = git_reference_name_to_id(&id, opened, "HEAD");
  if (found == GIT_ENOTFOUND || found == GIT_EUNBORNBRANCH) return std::nullopt;
  git_commit* looked_up = nullptr;
  if (found != 0 || git_commit_lookup(&looked_up, opened, &id) != 0) return cannot_tell(start);
  const Owned<git_commit, git_commit_free> commit(looked_up);
  Commit result{.id = std::string(GIT_OID_HEXSZ, '\0'), .seconds = git_commit_time(looked_up)};
  git_oid_fmt(result.id.data(), &id);
  if (git_repository_is_bare(opened) == 1) return result;
  git_status_options options = GIT_STATUS_OPTIONS_INIT;
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  // Files that git does not know are no part of the commit, whatever they are.
  options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES | GIT_STATUS_OPT_NO_REFRESH;
  git_status_list* listed = nullptr;
  if (git_status_list_new(&listed, opened, &options) != 0) return cannot_tell(start);
  const Owned<git_status_list, git_status_list_free> list(listed);
  result.changed = git_status_list_entrycount(listed) != 0;
  return result;
}

}  // namespace caisson::publish
