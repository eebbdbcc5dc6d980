#include "generator/publish/tree.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "generator/publish/inventory.h"

namespace caisson::publish {
namespace {

constexpr mode_t kDirectoryMode = 0755;
constexpr std::size_t largest_file = std::size_t{256} << 20U;  // no artifact is larger

std::string remedy_for(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "check who owns the directory";
    case EROFS:
      return "choose another directory with --out";
    case ENOSPC:
    case EDQUOT:
      return "free some space and run again; nothing was changed";
    default:
      return {};
  }
}

tl::unexpected<Failure> failed(const std::string& doing, int error) {
  return fail("cannot " + doing + ": " + system_words(error), remedy_for(error));
}

/// `open_below`, with what to do about the errors that an output directory can have.
Result<Descriptor> walk(const Descriptor& root, std::string_view path, const std::string& shown,
                        std::vector<std::string>* created) {
  auto opened = open_below(root, path, shown, created);
  if (!opened && opened.error().remedy.empty()) {
    opened.error().remedy = remedy_for(opened.error().error);
  }
  return opened;
}

struct SplitPath {
  std::string directory;  // "" is the root
  std::string name;
};

SplitPath split(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {.directory = "", .name = std::string(path)};
  return {.directory = std::string(path.substr(0, slash)),
          .name = std::string(path.substr(slash + 1))};
}

/// A set of writes that becomes visible in `commit` and is taken back by the destructor otherwise.
class Transaction {
 public:
  Transaction(const Descriptor& root, std::string shown) : root_(root), shown_(std::move(shown)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  ~Transaction() {
    if (committed_) return;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) undo(*step);
    for (auto path = created_.rbegin(); path != created_.rend(); ++path) {
      unlinkat(root_.get(), path->c_str(), AT_REMOVEDIR);
    }
  }

  /// Writes the new bytes beside their place; nothing is visible yet.
  Result<void> stage(const Write& write) {
    auto [directory, name] = split(write.path);
    const auto parent = enter(directory);
    if (!parent) return tl::unexpected(parent.error());
    auto& step = steps_.emplace_back(Step{.path = write.path,
                                          .directory = std::move(directory),
                                          .aside = ".caisson-" + name,
                                          .name = std::move(name),
                                          .remove = write.remove});
    // A leftover of a run that was killed.
    unlinkat(*parent, step.aside.c_str(), 0);
    if (write.remove) return {};
    Descriptor file(openat(*parent, step.aside.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("write '" + place(step) + "'", errno);
    step.aside_exists = true;
    if (const int error = write_all(file.get(), write.bytes)) {
      return failed("write '" + place(step) + "'", error);
    }
    if (fchmod(file.get(), write.executable ? 0755 : 0644) != 0) {
      return failed("write '" + place(step) + "'", errno);
    }
    // Starts writing back now, so that `sync` finds the work of all files done in one go.
    sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    unsynced_.push_back(std::move(file));
    return unsynced_.size() < most_unsynced ? Result<void>{} : sync();
  }

  /// Waits until the staged bytes are on the disk: a name must never point to half a file, not even
  /// after a power failure. Which of the names then survive does not matter: generating again
  /// completes them. Journaling file systems commit the files that are waited for at the same time
  /// together, so several threads wait.
  Result<void> sync() {
    std::atomic<std::size_t> next = 0;
    std::atomic<int> error = 0;
    const auto wait = [&] {
      for (std::size_t i = next++; i < unsynced_.size(); i = next++) {
        if (fdatasync(unsynced_[i].get()) != 0) error = errno;
      }
    };
    {
      std::vector<std::jthread> others;
      while (others.size() + 1 < std::min(unsynced_.size(), most_waiting)) {
        try {
          others.emplace_back(wait);
        } catch (const std::system_error&) {
          break;  // where threads are limited, those there are have to do
        }
      }
      wait();
    }
    unsynced_.clear();
    return error == 0 ? Result<void>{} : failed("write below '" + shown_ + "'", error);
  }

  /// Makes every staged write visible, in order.
  Result<void> commit() {
    for (auto& step : steps_) {
      const auto parent = enter(step.directory);
      if (!parent) return tl::unexpected(parent.error());
      if (const int error = step.remove ? take_away(*parent, step) : put_in_place(*parent, step)) {
        return failed((step.remove ? "remove '" : "replace '") + place(step) + "'", error);
      }
    }
    committed_ = true;
    for (const auto& step : steps_) {
      const auto parent = enter(step.directory);
      if (parent && step.aside_exists) unlinkat(*parent, step.aside.c_str(), 0);
      if (step.remove) remove_empty(step.directory);
    }
    return {};
  }

 private:
  static constexpr std::size_t most_unsynced = 64;  // open files
  static constexpr std::size_t most_waiting = 8;

  struct Step {
    std::string path;
    std::string directory;
    std::string aside;  // holds the new bytes before commit, the old ones after
    std::string name;
    bool remove = false;
    bool aside_exists = false;
    bool visible = false;
    bool was_there = false;
  };

  [[nodiscard]] std::string place(const Step& step) const { return shown_ + "/" + step.path; }

  /// The directory to work in; one is open at a time.
  Result<int> enter(const std::string& directory) {
    if (current_ && directory == current_path_) return current_.get();
    auto opened = walk(root_, directory, shown_, committed_ ? nullptr : &created_);
    if (!opened) return tl::unexpected(opened.error());
    if (!*opened) return fail("'" + shown_ + "/" + directory + "' went away");
    current_ = *std::move(opened);
    current_path_ = directory;
    return current_.get();
  }

  static int put_in_place(int parent, Step& step) {
    const auto rename = [&](unsigned flags) {
      const bool done =
          renameat2(parent, step.aside.c_str(), parent, step.name.c_str(), flags) == 0;
      return done ? 0 : errno;
    };
    const auto unsupported = [](int error) { return error == EINVAL || error == ENOSYS; };
    int error = rename(RENAME_EXCHANGE);
    step.was_there = error == 0;
    if (error == ENOENT) error = rename(RENAME_NOREPLACE);
    if (unsupported(error)) error = rename(0);
    step.visible = error == 0;
    if (step.visible) step.aside_exists = step.was_there;
    return error;
  }

  static int take_away(int parent, Step& step) {
    if (renameat(parent, step.name.c_str(), parent, step.aside.c_str()) != 0) return errno;
    step.visible = step.was_there = step.aside_exists = true;
    return 0;
  }

  void undo(const Step& step) {
    const auto parent = enter(step.directory);
    if (!parent) return;
    const auto* name = step.name.c_str();
    const auto* aside = step.aside.c_str();
    if (step.visible && step.remove) {
      renameat(*parent, aside, *parent, name);
      return;
    }
    if (step.visible && step.was_there) {
      renameat2(*parent, aside, *parent, name, RENAME_EXCHANGE);
    } else if (step.visible) {
      unlinkat(*parent, name, 0);
    }
    if (step.aside_exists) unlinkat(*parent, aside, 0);
  }

  /// Fails, as it should, at the first directory that still holds something.
  void remove_empty(std::string directory) const {
    while (!directory.empty() && unlinkat(root_.get(), directory.c_str(), AT_REMOVEDIR) == 0) {
      directory = split(directory).directory;
    }
  }

  const Descriptor& root_;
  std::string shown_;
  Descriptor current_;
  std::string current_path_;
  std::vector<std::string> created_;
  std::vector<Step> steps_;
  std::vector<Descriptor> unsynced_;
  bool committed_ = false;
};

}  // namespace

Tree::~Tree() {
  // Fails when the directory holds anything.
  if (fd_ && created_) rmdir(directory_.c_str());
}

Result<Tree> Tree::open(const std::filesystem::path& directory, Access access) {
  const auto shown = "'" + directory.string() + "'";
  bool created = false;
  if (access == Access::write) {
    std::error_code error;
    created = std::filesystem::create_directories(directory, error);
    if (error) return failed("create " + shown, error.value());
    if (created)
      std::filesystem::permissions(directory, std::filesystem::perms{kDirectoryMode}, error);
  }
  Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == ENOENT && access == Access::read) return Tree(directory, Descriptor(), false);
  if (!fd && errno == ENOTDIR)
    return fail(shown + " is not a directory", "choose another with --out");
  if (!fd) return failed("open " + shown, errno);
  if (access == Access::write && flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("another caisson is writing to " + shown, "wait for it to end and run again");
  }
  return Tree(directory, std::move(fd), created);
}

Result<Found> Tree::read(std::string_view path) const {
  const auto shown = "'" + (directory_ / path).string() + "'";
  if (!is_contained(path)) return fail(shown + " leaves its directory");
  if (!fd_) return Found{};
  const auto [directory, name] = split(path);
  const auto parent = walk(fd_, directory, directory_.string(), nullptr);
  if (!parent) return tl::unexpected(parent.error());
  if (!*parent) return Found{};

  // O_NONBLOCK: a pipe in the way must not make us wait.
  const Descriptor file(
      openat(parent->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return Found{};
  if (!file && errno == ELOOP) return Found{.kind = Found::Kind::link};
  if (!file && errno == ENXIO) return Found{.kind = Found::Kind::other};
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0) return failed("read " + shown, errno);
  if (!S_ISREG(status.st_mode)) return Found{.kind = Found::Kind::other};
  auto bytes = read_all(file.get(), shown, largest_file);
  if (!bytes) return tl::unexpected(bytes.error());
  return Found{.kind = Found::Kind::file,
               .bytes = *std::move(bytes),
               .executable = (status.st_mode & S_IXUSR) != 0};
}

Result<void> Tree::apply(std::span<const Write> writes) {
  Transaction transaction(fd_, directory_.string());
  for (const auto& write : writes) {
    if (!is_contained(write.path)) return fail("'" + write.path + "' leaves the output directory");
    if (auto staged = transaction.stage(write); !staged) return staged;
  }
  if (auto synced = transaction.sync(); !synced) return synced;
  auto done = transaction.commit();
  if (done) created_ = false;
  return done;
}

}  // namespace caisson::publish
