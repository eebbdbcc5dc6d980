#include "runtime/observe/audit_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caisson::observe {
namespace {

constexpr std::string_view active_name = "audit.ndjson";
constexpr std::string_view head_name = "audit.head";
constexpr std::string_view refusals_member = R"(,"refusals":true)";
constexpr std::size_t head_bytes = 160;  // one block of a disk, written in place
constexpr std::size_t line_bytes =
    64 << 10;  // a record is shorter: seven values of 512 bytes, escaped

Failure system_failure(const std::string& what, const std::filesystem::path& path) {
  return Failure{what + " " + path.string() + ": " + std::strerror(errno),
                 "check that the directory belongs to the runtime and the disk has space"};
}

/// `audit-<20 digits>.ndjson` sorts by name as it does by seq.
std::string aside_name(std::uint64_t first) {
  std::string digits = std::to_string(first);
  return "audit-" + std::string(20 - digits.size(), '0') + digits + ".ndjson";
}

std::uint64_t aside_first(std::string_view name) {
  std::uint64_t first = 0;
  if (!name.starts_with("audit-") || !name.ends_with(".ndjson") || name.size() != 33) return 0;
  const std::string_view digits = name.substr(6, 20);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), first);
  return error == std::errc{} && end == digits.data() + digits.size() ? first : 0;
}

/// First seqs of the files set aside, oldest first.
std::vector<std::uint64_t> list_aside(const std::filesystem::path& directory) {
  std::vector<std::uint64_t> firsts;
  // Not `directory_iterator`, whose increment ends the process when memory runs out (GCC 12).
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
    if (const auto first = aside_first(entry->d_name); first != 0) firsts.push_back(first);
  }
  std::ranges::sort(firsts);
  return firsts;
}

std::uint64_t size_of(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string read_at(int fd, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got =
        pread(fd, text.data() + have, bytes - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

bool write_at(int fd, std::uint64_t offset, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = pwrite(fd, text.data(), text.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

std::string head_text(const AuditHead& head) {
  std::string text = R"({"first":)" + std::to_string(head.first) + R"(,"seq":)" +
                     std::to_string(head.end.seq) + R"(,"hash":")" + head.end.hash + '"';
  // Only then, so that a version before it reads the head of a log where nothing is open.
  if (head.open > 0) text += R"(,"open":)" + std::to_string(head.open);
  if (head.refusals) text += refusals_member;
  text += '}';
  text.resize(head_bytes - 1, ' ');
  return text + '\n';
}

std::optional<AuditHead> parse_head(std::string_view text) {
  AuditHead head;
  const auto number = [&](std::string_view key, std::uint64_t& value) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) return false;
    return std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value).ec ==
           std::errc{};
  };
  constexpr std::string_view hash_key = R"("hash":")";
  const std::size_t hash_at = text.find(hash_key);
  if (!number(R"("first":)", head.first) || !number(R"("seq":)", head.end.seq) ||
      hash_at == std::string_view::npos) {
    return std::nullopt;
  }
  head.end.hash = text.substr(hash_at + hash_key.size(), 64);
  static_cast<void>(number(R"("open":)", head.open));
  head.refusals = text.find(refusals_member) != std::string_view::npos;
  if (head_text(head) != text) return std::nullopt;
  return head;
}

AuditFd open_in(int directory, std::string_view name, int flags) {
  return AuditFd(
      openat(directory, std::string(name).c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

/// How many of the files set aside hold only records before `first`.
std::size_t files_before(const std::vector<std::uint64_t>& aside, std::uint64_t first) {
  const auto next = std::ranges::upper_bound(aside, first);
  return next == aside.begin() ? 0 : static_cast<std::size_t>(next - aside.begin()) - 1;
}

/// The files set aside, but for those that hold only records before `first`.
std::vector<AuditView::File> open_aside(int directory, const std::vector<std::uint64_t>& aside,
                                        std::uint64_t first) {
  std::vector<AuditView::File> files;
  for (std::size_t i = files_before(aside, first); i < aside.size(); ++i) {
    AuditFd fd = open_in(directory, aside_name(aside[i]), O_RDONLY);
    const std::uint64_t bytes = size_of(fd.get());
    files.push_back({.first = aside[i], .fd = std::move(fd), .bytes = bytes});
  }
  return files;
}

/// The head in `directory`, also while a runtime writes it: read until two readings are equal.
std::optional<AuditHead> read_head(int directory) {
  const AuditFd file = open_in(directory, head_name, O_RDONLY);
  std::string text;
  for (int reading = 0; reading < 100; ++reading) {
    std::string again = read_at(file.get(), 0, head_bytes + 1);
    if (reading > 0 && again == text) break;
    text = std::move(again);
  }
  return parse_head(text);
}

}  // namespace

AuditFd::~AuditFd() {
  if (fd_ >= 0) ::close(fd_);
}

AuditFiles::AuditFiles(std::filesystem::path directory, std::size_t file_bytes, std::size_t files)
    : directory_(std::move(directory)), file_bytes_(file_bytes), files_(files) {}

AuditFiles::AuditFiles(AuditFiles&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_bytes_(other.file_bytes_),
      files_(other.files_),
      directory_fd_(std::move(other.directory_fd_)),
      active_(std::move(other.active_)),
      head_fd_(std::move(other.head_fd_)),
      active_first_(other.active_first_),
      active_bytes_(other.active_bytes_),
      head_(std::move(other.head_)),
      unsettled_from_(other.unsettled_from_),
      damage_(std::move(other.damage_)) {}

Result<AuditFiles> AuditFiles::open(const std::filesystem::path& directory, std::size_t file_bytes,
                                    std::size_t files) {
  AuditFiles log(directory, file_bytes, files);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return tl::unexpected(system_failure("cannot make", directory));
  }
  log.directory_fd_ = AuditFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (log.directory_fd_.get() < 0) return tl::unexpected(system_failure("cannot open", directory));
  log.head_fd_ = open_in(log.directory_fd_.get(), head_name, O_RDWR | O_CREAT);
  if (log.head_fd_.get() < 0)
    return tl::unexpected(system_failure("cannot open", directory / head_name));
  if (flock(log.head_fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("the audit log in " + directory.string() + " is in use by another process",
                "stop the other runtime, or give this one its own data directory");
  }
  if (!log.open_active())
    return tl::unexpected(system_failure("cannot open", directory / active_name));
  if (!log.recover())
    return tl::unexpected(
        system_failure("cannot remove a torn record from", directory / active_name));
  if (!log.write_head() || fsync(log.directory_fd_.get()) != 0) {
    return tl::unexpected(system_failure("cannot write", directory / head_name));
  }
  return log;
}

bool AuditFiles::open_active() {
  AuditFd file = open_in(directory_fd_.get(), active_name, O_RDWR | O_CREAT);
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || fsync(directory_fd_.get()) != 0)
    return false;
  active_ = std::move(file);
  active_bytes_ = static_cast<std::uint64_t>(status.st_size);
  if (active_bytes_ == 0) active_first_ = head_.end.seq + 1;
  return true;
}

bool AuditFiles::recover() {
  const std::optional<AuditHead> noted = parse_head(read_at(head_fd_.get(), 0, head_bytes + 1));
  const std::vector<std::uint64_t> aside = list_aside(directory_);
  if (!noted && active_bytes_ == 0 && aside.empty()) return true;  // nothing was ever written

  // Only the end of the log is read here; `verify` reads all of it.
  std::string tail;
  const auto read_tail = [&](int fd) {
    const std::uint64_t size = size_of(fd);
    const std::size_t bytes = std::min<std::uint64_t>(size, 2 * line_bytes);
    tail = read_at(fd, size - bytes, bytes);
  };
  read_tail(active_.get());
  const std::size_t whole = tail.rfind('\n') + 1;  // 0 when there is no whole line
  if (whole < tail.size()) {
    active_bytes_ -= tail.size() - whole;
    if (ftruncate(active_.get(), static_cast<off_t>(active_bytes_)) != 0) return false;
    tail.resize(whole);
  }
  const bool active_empty = active_bytes_ == 0;
  if (active_empty && !aside.empty()) {
    read_tail(open_in(directory_fd_.get(), aside_name(aside.back()), O_RDONLY).get());
  }
  if (!tail.empty()) tail.pop_back();
  const std::string_view last = std::string_view(tail).substr(tail.rfind('\n') + 1);
  const std::optional<ChainLink> link = read_link(last);

  // The head may be older than the log: what it does not know of yet may also be unsettled.
  if (noted) {
    head_ = *noted;
    unsettled_from_ = noted->open > 0 ? noted->open : noted->end.seq + 1;
  }
  if (link && link->seq >= head_.end.seq) {
    if (noted && link->seq == noted->end.seq && link->hash != noted->end.hash) {
      damage_ = "the last record is not the one that was noted";
    }
    head_.end = ChainEnd{.seq = link->seq, .hash = std::string(link->hash)};
  } else if (head_.end.seq > 0 || !last.empty()) {
    damage_ = last.empty() || link ? "records are missing at the end"
                                   : "the last record is not what was written";
    head_.end.seq = std::max(head_.end.seq, claimed_seq(last).value_or(0));
  }
  if (!noted) damage_ = "audit.head was missing";

  const std::string begin = read_at(active_.get(), 0, 64);
  active_first_ = active_empty ? head_.end.seq + 1 : claimed_seq(begin).value_or(1);
  // Whoever looks for intents has not looked yet, and the next start may have to.
  head_.open = unsettled_from_ <= head_.end.seq ? unsettled_from_ : 0;
  if (!noted) head_.first = aside.empty() ? active_first_ : aside.front();
  return true;
}

bool AuditFiles::write_head() const { return write_at(head_fd_.get(), 0, head_text(head_)); }

bool AuditFiles::set_aside() {
  const int directory = directory_fd_.get();
  const std::string name = aside_name(active_first_);
  // Nothing is ever replaced. The lock is ours: a name that is free stays free.
  if (faccessat(directory, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return false;
  if (renameat(directory, std::string(active_name).c_str(), directory, name.c_str()) != 0)
    return false;
  active_ = AuditFd();
  active_bytes_ = 0;
  return true;
}

bool AuditFiles::retire(std::string& removed) {
  const std::vector<std::uint64_t> aside = list_aside(directory_);
  const std::size_t kept = std::max<std::size_t>(files_, 1);
  const std::uint64_t first =
      aside.size() > kept ? std::max(head_.first, aside[aside.size() - kept]) : head_.first;
  const std::size_t gone = files_before(aside, first);
  if (gone == 0) return true;
  head_.first = first;
  // The head moves first, and durably: a crash in between leaves a file too many, not one too few.
  if (!write_head() || fdatasync(head_fd_.get()) != 0) return false;
  removed = aside_name(aside.front()) + ": records " + std::to_string(aside.front()) + " to " +
            std::to_string(aside[gone] - 1);
  for (std::size_t i = 0; i < gone; ++i)
    unlinkat(directory_fd_.get(), aside_name(aside[i]).c_str(), 0);
  return true;
}

bool AuditFiles::write(std::string_view records, const ChainEnd& end, std::uint64_t open,
                       std::string& removed) {
  const std::lock_guard lock(mutex_);
  if (head_.end.seq != end.seq) {  // else only the head is left of a call that failed
    if (active_bytes_ > 0 && active_bytes_ + records.size() > file_bytes_ && !set_aside())
      return false;
    if (active_.get() < 0) {
      if (!open_active()) return false;
      if (!retire(removed)) {
        active_ = AuditFd();  // to be done again
        return false;
      }
    }
    // At their place rather than at the end: another try overwrites what this one leaves.
    if (!write_at(active_.get(), active_bytes_, records) || fdatasync(active_.get()) != 0)
      return false;
    active_bytes_ += records.size();
    head_.end = end;
    head_.open = open;
  }
  return write_head();
}

bool AuditFiles::note_refusals() {
  const std::lock_guard lock(mutex_);
  head_.refusals = true;
  // Their directory first: a head that tells of one that is not there would be an alarm.
  return fsync(directory_fd_.get()) == 0 && write_head();
}

AuditView AuditFiles::view() const {
  const std::lock_guard lock(mutex_);
  AuditView view{.files = open_aside(directory_fd_.get(), list_aside(directory_), head_.first),
                 .head = head_};
  view.files.push_back({.first = 0,
                        .fd = open_in(directory_fd_.get(), active_name, O_RDONLY),
                        .bytes = active_bytes_});
  return view;
}

Result<AuditView> view_audit(const std::filesystem::path& directory) {
  const AuditFd folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return tl::unexpected(system_failure("cannot open", directory));
  // A runtime may set files aside and remove some while they are opened here. Then another look is
  // taken; between two changes it writes whole files full, so that few looks are enough.
  constexpr int most_looks = 100;
  for (int look = 0; look < most_looks; ++look) {
    // The head is read before the log: what it notes is durable by then.
    AuditView view{.files = {}, .head = read_head(folder.get())};
    const std::vector<std::uint64_t> aside = list_aside(directory);
    view.files = open_aside(folder.get(), aside, view.head ? view.head->first : 0);
    AuditFd active = open_in(folder.get(), active_name, O_RDONLY);
    const bool none = active.get() < 0;
    // Where files were set aside or a head was written, a crash may have left none.
    if (none && errno == ENOENT && aside.empty() && !view.head) {
      return fail("there is no audit log in " + directory.string(),
                  "name the directory that holds audit.ndjson: `audit` below `data` of the "
                  "runtime's configuration");
    }
    if (none && errno != ENOENT)
      return tl::unexpected(system_failure("cannot open", directory / active_name));
    if (!none) {
      const std::uint64_t bytes = size_of(active.get());
      view.files.push_back({.first = 0, .fd = std::move(active), .bytes = bytes});
    }
    const std::optional<AuditHead> head = read_head(folder.get());
    const bool same_first =
        head.has_value() == view.head.has_value() && (!head || head->first == view.head->first);
    if (same_first && list_aside(directory) == aside) return view;
  }
  return fail("the audit log in " + directory.string() + " changes while it is read",
              "ask the runtime that writes it: caisson-runtime operator audit verify");
}

Result<AuditView::File> view_file(const std::filesystem::path& path) {
  AuditFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return tl::unexpected(system_failure("cannot open", path));
  const std::uint64_t bytes = size_of(fd.get());
  return AuditView::File{.first = 0, .fd = std::move(fd), .bytes = bytes};
}

std::uint64_t for_each_line(const AuditView::File& file, std::uint64_t offset,
                            const std::function<bool(std::string_view line)>& take) {
  constexpr std::size_t block = std::size_t{1} << 20;
  std::string text;
  std::uint64_t read_to = offset;
  std::uint64_t taken_to = offset;
  while (read_to < file.bytes) {
    const std::string more =
        read_at(file.fd.get(), read_to, std::min<std::uint64_t>(block, file.bytes - read_to));
    if (more.empty()) break;
    read_to += more.size();
    text += more;
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', begin)) {
      if (!take(std::string_view(text).substr(begin, end - begin))) return taken_to;
      taken_to += end + 1 - begin;
      begin = end + 1;
    }
    text.erase(0, begin);
    if (text.size() > line_bytes) break;  // not a record, and not to be held in memory
  }
  return taken_to;
}

std::uint64_t offset_after(const AuditView::File& file, std::uint64_t seq) {
  std::uint64_t low = 0;
  std::uint64_t high = file.bytes;
  while (high - low > line_bytes) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::string text =
        read_at(file.fd.get(), middle, std::min<std::uint64_t>(line_bytes, high - middle));
    const std::size_t line = text.find('\n');
    const auto found = line == std::string::npos
                           ? std::nullopt
                           : claimed_seq(std::string_view(text).substr(line + 1));
    if (found && *found <= seq) {
      low = middle + line + 1;
    } else {
      high = middle;
    }
  }
  std::uint64_t offset = low;
  for_each_line(file, low, [&](std::string_view line) {
    if (claimed_seq(line).value_or(seq + 1) > seq) return false;
    offset += line.size() + 1;
    return true;
  });
  return offset;
}

}  // namespace caisson::observe
