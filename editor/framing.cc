#include "editor/framing.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace caisson::editor {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view header_end = "\r\n\r\n";

/// Clients send two short fields.
constexpr std::size_t longest_header = 4096;

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace

void FrameReader::feed(std::string_view bytes) {
  if (!broken_.empty()) return;
  // What has been used goes in large steps, so that many small messages cost no more than one.
  if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_ += bytes;
}

std::optional<std::string> FrameReader::next() {
  if (!broken_.empty() || (!length_ && !read_header())) return std::nullopt;
  if (buffer_.size() - at_ < *length_) return std::nullopt;
  std::string message = buffer_.substr(at_, *length_);
  at_ += *length_;
  length_.reset();
  return message;
}

bool FrameReader::read_header() {
  const auto rest = std::string_view(buffer_).substr(at_);
  const auto end = rest.substr(0, longest_header).find(header_end);
  if (end == std::string_view::npos) {
    return rest.size() < longest_header
               ? false
               : fail("a header is longer than " + std::to_string(longest_header) + " bytes");
  }
  const auto header = rest.substr(0, end);
  for (std::size_t begin = 0; begin <= header.size();) {
    const auto line =
        header.substr(begin, std::min(header.find(line_end, begin), header.size()) - begin);
    if (!read_field(line)) return false;
    begin += line.size() + line_end.size();
  }
  if (!length_) return fail("a header without Content-Length");
  at_ += end + header_end.size();
  return true;
}

bool FrameReader::read_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return fail("a header field without ':'");
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (equal_without_case(name, "Content-Type")) {
    const auto charset = value.find("charset=");
    if (charset == std::string_view::npos) return true;
    const auto said = value.substr(charset + std::string_view("charset=").size());
    // "utf8" is what old clients write (LSP 3.17, "Header Part").
    return equal_without_case(said, "utf-8") || equal_without_case(said, "utf8") ||
           fail("messages are not UTF-8");
  }
  if (!equal_without_case(name, "Content-Length")) return true;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return fail("Content-Length is no number");
  }
  if (length_) return fail("two lengths in one header");
  if (length > longest_) {
    return fail("a message of " + std::to_string(length) + " bytes; the limit is " +
                std::to_string(longest_));
  }
  length_ = length;
  return true;
}

bool FrameReader::fail(std::string what) {
  broken_ = std::move(what);
  buffer_.clear();
  at_ = 0;
  length_.reset();
  return false;
}

std::string frame(std::string_view message) {
  return "Content-Length: " + std::to_string(message.size()) + std::string(header_end) +
         std::string(message);
}

}  // namespace caisson::editor
