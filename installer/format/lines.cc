#include "installer/format/lines.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "base/percent.h"
#include "base/printable.h"
#include "installer/format/path.h"

namespace caisson::installer {
namespace {

/// What an encoded word keeps as it is, besides letters, digits and "-._~".
constexpr std::string_view kKept = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}";

/// The start of what a message quotes, with nothing that could steer a terminal.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 60)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 60 ? "...'" : "'");
}

}  // namespace

Lines::Lines(std::string_view name, std::string_view text) : name_(name), rest_(text) {
  if (text.size() > kMostOfText) {
    refuse(Code::text_too_large, "it has more than 16 MiB");
  } else if (text.empty() || text.back() != '\n') {
    refuse(Code::text_encoding, "its last line does not end");
  }
}

void Lines::refuse(Code code, std::string_view why) {
  if (refused_) return;
  std::string what(name_);
  if (number_ > 0) what += ":" + std::to_string(number_);
  refused_ = Refusal{code, what + ": " + std::string(why)};
  rest_ = {};
  line_ = {};
}

bool Lines::at(std::string_view key) const {
  return !refused_ && rest_.starts_with(key) && rest_.size() > key.size() &&
         (rest_[key.size()] == ' ' || rest_[key.size()] == '\n');
}

bool Lines::take() {
  if (refused_) return false;
  end();
  if (refused_) return false;
  ++number_;
  if (rest_.empty()) {
    refuse(Code::text_key, "the text ends here, and a line is missing");
    return false;
  }
  const auto length = rest_.find('\n');
  if (length > kMostOfLine) {
    refuse(Code::text_too_large, "the line has more than 65,536 bytes");
    return false;
  }
  line_ = rest_.substr(0, length);
  rest_.remove_prefix(length + 1);
  if (line_.empty()) {
    refuse(Code::text_line, "the line is empty");
  } else if (const auto fault = fault_of_line(line_); !fault.empty()) {
    refuse(Code::text_encoding, fault);
  }
  return !refused_;
}

bool Lines::take(std::string_view key) {
  if (refused_) return false;
  if (!at(key)) {
    end();
    ++number_;
    refuse(Code::text_key, "expected '" + std::string(key) + "', found " +
                               quoted(rest_.substr(0, rest_.find_first_of(" \n"))));
    return false;
  }
  if (!take()) return false;
  line_.remove_prefix(key.size());
  if (line_ == " ") {
    refuse(Code::text_line, "the line ends with a blank");
    return false;
  }
  if (!line_.empty()) line_.remove_prefix(1);
  return true;
}

std::string_view Lines::word() {
  if (refused_) return {};
  const auto length = std::min(line_.find(' '), line_.size());
  const auto word = line_.substr(0, length);
  if (word.empty()) {
    refuse(Code::text_line, "a word is missing, or there are two blanks");
    return {};
  }
  line_.remove_prefix(length);
  if (line_ == " ") {
    refuse(Code::text_line, "the line ends with a blank");
    return {};
  }
  if (!line_.empty()) line_.remove_prefix(1);
  return word;
}

std::string_view Lines::text() {
  if (refused_) return {};
  const auto text = line_;
  if (text.empty() || text.front() == ' ' || text.back() == ' ') {
    refuse(Code::text_line, "a text is missing, or begins or ends with a blank");
    return {};
  }
  line_ = {};
  return text;
}

std::uint64_t Lines::number() {
  const auto digits = word();
  const auto number = number_of(digits);
  if (!number) refuse(Code::text_number, quoted(digits) + " is no whole number up to 2^63 - 1");
  return number.value_or(0);
}

std::vector<unsigned char> Lines::bytes(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  const auto digits = word();
  if (digits.size() != 2 * count || !is_hex(digits)) {
    refuse(Code::text_digest, quoted(digits) + " is not " + std::to_string(2 * count) +
                                  " lower-case hexadecimal digits");
    return bytes;
  }
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] =
        static_cast<unsigned char>(hex_value(digits[2 * i]) << 4 | hex_value(digits[2 * i + 1]));
  }
  return bytes;
}

Digest Lines::digest() {
  Digest digest{};
  std::ranges::copy(bytes(digest.size()), digest.begin());
  return digest;
}

std::string Lines::path() {
  if (refused_) return {};
  const auto path = line_;
  if (const auto fault = fault_of_path(path); !fault.empty()) {
    refuse(Code::text_path, quoted(path) + ": " + std::string(fault));
    return {};
  }
  line_ = {};
  return std::string(path);
}

std::string Lines::decoded() {
  const auto word = this->word();
  if (word == "%") return {};
  auto text = percent_decoded(word);
  // A text has one form, so that two manifests that say the same are the same.
  if (!text || encoded(*text) != word || text->find('\0') != std::string::npos) {
    refuse(Code::text_line, quoted(word) + " is not percent-encoded as it has to be");
    return {};
  }
  return *std::move(text);
}

bool Lines::take_blank() {
  if (!refused_ && !line_.starts_with(' ')) refuse(Code::text_line, "two blanks are missing");
  if (!refused_) line_.remove_prefix(1);
  return !refused_;
}

void Lines::end() {
  if (!refused_ && !line_.empty()) {
    refuse(Code::text_line, "there is more on the line: " + quoted(line_));
  }
}

std::optional<Digest> digest_of(std::string_view digits) {
  Digest digest{};
  if (digits.size() != 2 * digest.size() || !is_hex(digits)) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] =
        static_cast<unsigned char>(hex_value(digits[2 * i]) << 4 | hex_value(digits[2 * i + 1]));
  }
  return digest;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value > kLargestNumber ||
      (digits.size() > 1 && digits.front() == '0')) {
    return std::nullopt;
  }
  return value;
}

std::string encoded(std::string_view text) {
  return text.empty() ? "%" : percent_encoded(text, kKept);
}

}  // namespace caisson::installer
