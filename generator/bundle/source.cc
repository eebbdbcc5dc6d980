#include "generator/bundle/source.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caisson::bundle {

namespace fs = std::filesystem;

Source::Source(std::string bytes)
    : memory_(std::make_shared<const std::string>(std::move(bytes))), size_(memory_->size()) {}

Result<Source> Source::open(const fs::path& file) {
  // O_NONBLOCK: a pipe in the file's place must not make us wait.
  Descriptor opened(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!opened) return cannot("read", file, errno);
  struct stat status{};
  if (fstat(opened.get(), &status) != 0) return cannot("examine", file, errno);
  if (!S_ISREG(status.st_mode)) return fail("'" + file.string() + "' is not a regular file");
  Source source;
  source.file_ = std::make_shared<const Descriptor>(std::move(opened));
  source.shown_ = "'" + file.string() + "'";
  source.size_ = static_cast<std::uint64_t>(status.st_size);
  return source;
}

Source Source::part(std::uint64_t offset, std::uint64_t size) const {
  auto part = *this;
  part.offset_ += offset;
  part.size_ = size;
  return part;
}

Result<void> Source::read(std::uint64_t offset, std::size_t size, std::string& into) const {
  if (!file_) {
    into.assign(*memory_, offset_ + offset, size);
    return {};
  }
  into.resize(size);
  std::size_t got = 0;
  while (got < size) {
    const auto more = pread(file_->get(), into.data() + got, size - got,
                            static_cast<off_t>(offset_ + offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return fail("cannot read " + shown_ + ": " + system_words(errno));
    if (more == 0) return fail(shown_ + " became shorter while it was read", "try again");
    got += static_cast<std::size_t>(more);
  }
  return {};
}

Result<std::string> Source::all(std::uint64_t limit) const {
  if (size_ > limit) {
    return fail(shown_ + " has more than " + std::to_string(limit) + " bytes");
  }
  std::string bytes;
  if (auto done = read(0, size_, bytes); !done) return tl::unexpected(done.error());
  return bytes;
}

}  // namespace caisson::bundle
