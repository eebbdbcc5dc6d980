#include "generator/spec/json_value.h"

#include <algorithm>

#include "base/json_text.h"

namespace caisson::spec {
namespace {

std::size_t digits_from(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of("0123456789", at), text.size());
}

// A number as JSON writes it; what YAML alone calls one (0x1F, .5, 1_000) stays text.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = at;
  at = digits_from(text, at);
  if (at == whole || (text[whole] == '0' && at - whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = digits_from(text, fraction);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = digits_from(text, exponent);
    if (at == exponent) return false;
  }
  return at == text.size();
}

}  // namespace

std::string json_value(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::null:
      return "null";
    case Node::Kind::scalar:
      if (!node.quoted && (node.text == "true" || node.text == "false" || is_number(node.text)))
        return node.text;
      return json_string(node.text);
    case Node::Kind::sequence:
      for (const Node& item : node.items) out += (out.empty() ? "" : ",") + json_value(item);
      return '[' + out + ']';
    case Node::Kind::map:
      for (const Entry& entry : node.fields) {
        out += (out.empty() ? "" : ",") + json_string(entry.key) + ':' + json_value(entry.value);
      }
      return '{' + out + '}';
  }
  return out;
}

}  // namespace caisson::spec
