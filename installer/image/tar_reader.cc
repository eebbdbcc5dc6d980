#include "installer/image/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/printable.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMostOfExtension = std::uint64_t{64} * 1024;
constexpr std::uint64_t kMostOfFile = std::uint64_t{1} << 40U;

tl::unexpected<Refusal> damaged(const std::string& how) {
  return refuse(Code::bad_layer, "the archive is damaged: " + how);
}

tl::unexpected<Refusal> sparse(const std::string& path) {
  return refuse(Code::layer_sparse, "'" + printable(path) + "' is a sparse file");
}

std::string_view text(std::string_view field) {
  return field.substr(0, std::min(field.find('\0'), field.size()));
}

/// A number in octal digits, or in GNU's base 256.
std::optional<std::uint64_t> number(std::string_view field) {
  const auto first = static_cast<unsigned char>(field.front());
  if (first >= 0x80) {
    if (first != 0x80) return std::nullopt;  // negative
    std::uint64_t value = 0;
    for (const char c : field.substr(1)) {
      if (value >> 56U != 0) return std::nullopt;
      value = (value << 8U) | static_cast<unsigned char>(c);
    }
    return value;
  }
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  const auto digits =
      field.substr(0, std::min(field.find_first_of(std::string_view("\0 ", 2)), field.size()));
  if (digits.empty()) return 0;
  std::uint64_t value = 0;
  const auto* begin = digits.data();
  const auto* end = begin + digits.size();
  const auto [stop, error] = std::from_chars(begin, end, value, 8);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// A decimal number of a pax record, or none.
std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number of an account: what a pax record says, or else a field of the header.
std::optional<std::uint32_t> account(const std::string& record, std::string_view field) {
  const auto value = record.empty() ? number(field) : decimal(record);
  // 2^32 - 1 is nobody's.
  if (!value || *value >= 0xffffffffU) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

bool checked(std::string_view block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return number(block.substr(148, 8)) == sum;
}

/// "./usr/bin/" is "usr/bin".
std::string trimmed(std::string_view path) {
  while (path.starts_with("./") || path.starts_with('/'))
    path.remove_prefix(path[0] == '/' ? 1 : 2);
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path == "." ? std::string_view() : path);
}

ArchiveEntry::Kind kind_of(char type) {
  switch (type) {
    case '\0':
    case '0':
    case '7':
      return ArchiveEntry::Kind::file;
    case '1':
      return ArchiveEntry::Kind::hard_link;
    case '2':
      return ArchiveEntry::Kind::link;
    case '5':
      return ArchiveEntry::Kind::directory;
    default:
      return ArchiveEntry::Kind::other;
  }
}

}  // namespace

Checked<void> TarReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t taken = 0;
    switch (state_) {
      case State::header:
        taken = std::min(kBlock - block_.size(), bytes.size());
        block_.append(bytes.substr(0, taken));
        offset_ += taken;
        if (block_.size() == kBlock) {
          if (auto read = header(); !read) return read;
        }
        break;
      case State::extension:
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        block_.append(bytes.substr(0, taken));
        left_ -= taken;
        offset_ += taken;
        if (left_ == 0) {
          if (auto read = extension(); !read) return read;
        }
        break;
      case State::content:
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        if (wanted_) {
          if (auto done = content_(current_, bytes.substr(0, taken)); !done) return done;
        }
        left_ -= taken;
        offset_ += taken;
        if (left_ == 0) state_ = padding_ == 0 ? State::header : State::padding;
        break;
      case State::padding:
        taken = static_cast<std::size_t>(std::min<std::uint64_t>(padding_, bytes.size()));
        padding_ -= taken;
        offset_ += taken;
        if (padding_ == 0) state_ = State::header;
        break;
      case State::end:
        return {};
    }
    bytes.remove_prefix(taken);
  }
  return {};
}

Checked<void> TarReader::header() {
  const auto block = std::move(block_);
  block_.clear();
  if (block.find_first_not_of('\0') == std::string::npos) {
    state_ = State::end;
    return {};
  }
  const std::string_view view(block);
  if (!checked(view)) return damaged("a header's checksum is wrong");
  auto size = number(view.substr(124, 12));
  const char type = block[156];
  if (type == 'S') return sparse(std::string(text(view.substr(0, 100))));
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (!size || *size > kMostOfExtension) return damaged("a header is too long");
    extension_ = type;
    left_ = *size;
    padding_ = (kBlock - *size % kBlock) % kBlock;
    state_ = left_ == 0 ? State::header : State::extension;
    return {};
  }
  current_ = {.kind = kind_of(type)};
  std::string path(text(view.substr(0, 100)));
  if (view.substr(257, 6) == std::string_view("ustar\0", 6) && view[345] != '\0') {
    path = std::string(text(view.substr(345, 155))) + "/" + path;
  }
  current_.path = trimmed(long_path_.empty() ? path : long_path_);
  current_.target = long_target_.empty() ? std::string(text(view.substr(157, 100))) : long_target_;
  if (current_.kind == ArchiveEntry::Kind::hard_link) current_.target = trimmed(current_.target);
  if (!pax_size_.empty()) size = decimal(pax_size_);
  if (!size || *size > kMostOfFile) {
    return damaged("the size of '" + printable(current_.path) + "'");
  }
  const auto mode = number(view.substr(100, 8));
  const auto uid = account(pax_uid_, view.substr(108, 8));
  const auto gid = account(pax_gid_, view.substr(116, 8));
  if (!mode || !uid || !gid) {
    return damaged("the mode or the owner of '" + printable(current_.path) + "'");
  }
  current_.mode = static_cast<unsigned>(*mode & 07777U);
  current_.uid = *uid;
  current_.gid = *gid;
  long_path_.clear();
  long_target_.clear();
  pax_size_.clear();
  pax_uid_.clear();
  pax_gid_.clear();
  // Nothing but files has content, whatever the header says.
  if (current_.kind != ArchiveEntry::Kind::file && current_.kind != ArchiveEntry::Kind::other) {
    size = 0;
  }
  current_.size = *size;
  current_.offset = offset_;
  left_ = *size;
  padding_ = (kBlock - *size % kBlock) % kBlock;
  const auto wanted = entry_(current_);
  if (!wanted) return tl::unexpected(wanted.error());
  wanted_ = *wanted;
  state_ = left_ == 0 ? State::header : State::content;
  return {};
}

Checked<void> TarReader::extension() {
  const auto value = std::move(block_);
  block_.clear();
  state_ = padding_ == 0 ? State::header : State::padding;
  if (extension_ == 'L') {
    long_path_ = text(value);
  } else if (extension_ == 'K') {
    long_target_ = text(value);
  } else {
    return pax(value, extension_ == 'g');
  }
  return {};
}

Checked<void> TarReader::pax(std::string_view records, bool global) {
  while (!records.empty()) {
    // "LENGTH KEY=VALUE\n", where the length counts all of it.
    std::size_t length = 0;
    const auto [stop, error] =
        std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<std::size_t>(stop - records.data());
    if (error != std::errc{} || length <= digits + 1 || length > records.size() ||
        records[digits] != ' ' || records[length - 1] != '\n') {
      return damaged("a pax header");
    }
    const auto record = records.substr(digits + 1, length - digits - 2);
    const auto equals = std::min(record.find('='), record.size());
    const auto key = record.substr(0, equals);
    const auto value = record.substr(std::min(equals + 1, record.size()));
    const bool read =
        key == "path" || key == "linkpath" || key == "size" || key == "uid" || key == "gid";
    if (read && global) return damaged("a pax header names every file");
    if (key.starts_with("GNU.sparse.")) return sparse(long_path_);
    if (key == "path") long_path_ = value;
    if (key == "linkpath") long_target_ = value;
    if (key == "size") pax_size_ = value;
    if (key == "uid") pax_uid_ = value;
    if (key == "gid") pax_gid_ = value;
    records.remove_prefix(length);
  }
  return {};
}

Checked<void> TarReader::finish() const {
  if (state_ == State::end) return {};
  if (state_ == State::header && block_.empty()) return {};
  return damaged("it is cut short");
}

}  // namespace caisson::installer
