#include "installer/registry/message.h"

#include <algorithm>

#include "installer/format/lines.h"

namespace caisson::installer {
namespace {

/// RFC 9110, section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// What a field's value may hold: no control character but the tab.
bool is_value(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Takes what stands before the next `end`, or all.
std::string_view take_to(std::string_view& text, std::string_view end) {
  const auto at = std::min(text.find(end), text.size());
  const auto taken = text.substr(0, at);
  text.remove_prefix(std::min(at + end.size(), text.size()));
  return taken;
}

bool read_fields(std::string_view text, Head& head) {
  while (!text.empty()) {
    const auto line = take_to(text, "\r\n");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const auto value = trimmed(line.substr(colon + 1));
    if (!is_token(line.substr(0, colon)) || !is_value(value)) return false;
    head.fields.emplace_back(lower(line.substr(0, colon)), value);
  }
  return true;
}

/// Walks through a JSON text. Nothing is built of it; what is malformed ends the walk.
class Walk {
 public:
  explicit Walk(std::string_view text) : rest_(text) {}

  bool takes(char c) {
    blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// A string without escapes that matter: any escape makes it one that is not fit for use.
  std::optional<std::string> string() {
    if (!takes('"')) return std::nullopt;
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      text += rest_.front();
      if (rest_.front() == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) return std::nullopt;
        text += rest_.front();
      }
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return std::nullopt;
    rest_.remove_prefix(1);
    return text;
  }

  /// Passes over a value of any kind.
  bool value(unsigned depth = 0) {
    blanks();
    if (rest_.starts_with('"')) return string().has_value();
    const bool object = rest_.starts_with('{');
    if (object || rest_.starts_with('[')) {
      if (depth == 16) return false;
      rest_.remove_prefix(1);
      const char end = object ? '}' : ']';
      if (takes(end)) return true;
      do {
        if (object && (!string() || !takes(':'))) return false;
        if (!value(depth + 1)) return false;
      } while (takes(','));
      return takes(end);
    }
    const auto length = std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
    rest_.remove_prefix(length);
    return length > 0;
  }

 private:
  void blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string_view> Head::field(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : fields) {
    if (key != name) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

bool Head::has(std::string_view name) const {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
}

std::optional<Head> read_request(std::string_view text) {
  auto line = take_to(text, "\r\n");
  Head head;
  head.method = std::string(take_to(line, " "));
  head.target = std::string(take_to(line, " "));
  const bool known = line == "HTTP/1.1" || line == "HTTP/1.0";
  if (!known || !is_token(head.method) || !head.target.starts_with('/') ||
      !is_visible(head.target) || !read_fields(text, head)) {
    return std::nullopt;
  }
  return head;
}

std::optional<Head> read_answer(std::string_view text) {
  auto line = take_to(text, "\r\n");
  Head head;
  const auto version = take_to(line, " ");
  const auto status = number_of(take_to(line, " "));
  if (!version.starts_with("HTTP/1.") || !status || *status < 100 || *status > 599 ||
      !read_fields(text, head)) {
    return std::nullopt;
  }
  head.status = static_cast<unsigned>(*status);
  return head;
}

std::optional<Challenge> read_challenge(std::string_view value) {
  Challenge challenge;
  challenge.scheme = lower(take_to(value, " "));
  value = trimmed(value);
  while (!value.empty()) {
    const auto name = lower(trimmed(take_to(value, "=")));
    std::string text;
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      const auto end = value.find('"');
      // A quoted pair would need a reader of its own; no registry writes one.
      if (end == std::string_view::npos) return std::nullopt;
      text = std::string(value.substr(0, end));
      if (text.find('\\') != std::string::npos) return std::nullopt;
      value = trimmed(value.substr(end + 1));
      if (!value.empty() && !value.starts_with(',')) return std::nullopt;
      value.remove_prefix(std::min<std::size_t>(1, value.size()));
    } else {
      text = std::string(trimmed(take_to(value, ",")));
    }
    if (!is_token(name) || !is_value(text)) return std::nullopt;
    if (name == "realm") challenge.realm = text;
    if (name == "service") challenge.service = text;
    if (name == "scope") challenge.scope = text;
    value = trimmed(value);
  }
  return challenge;
}

std::optional<std::string> read_token(std::string_view json) {
  Walk walk(json);
  if (!walk.takes('{')) return std::nullopt;
  do {
    const auto key = walk.string();
    if (!key || !walk.takes(':')) return std::nullopt;
    if (*key != "token" && *key != "access_token") {
      if (!walk.value()) return std::nullopt;
      continue;
    }
    auto token = walk.string();
    if (!token || token->empty() || !is_visible(*token) || token->find('\\') != std::string::npos) {
      return std::nullopt;
    }
    return token;
  } while (walk.takes(','));
  return std::nullopt;
}

}  // namespace caisson::installer
