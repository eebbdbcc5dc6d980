#include "generator/render/json.h"

#include <string>

#include "base/json_text.h"
#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

constexpr std::size_t line_width = 100;

std::string scalar(const Node& node) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return decimal(value); }
    std::string operator()(const std::string& value) const { return json_string(value); }
    std::string operator()(const Node::List&) const { return "[]"; }
    std::string operator()(const Node::Map&) const { return "{}"; }
  };
  return std::visit(Visitor{}, node.value());
}

/// Appends `node` on one line, or gives up (false, `out` as it was) once `out` would pass `limit`.
bool inline_into(std::string& out, const Node& node, std::size_t limit) {
  const auto start = out.size();
  const auto give_up = [&] {
    out.resize(start);
    return false;
  };
  if (node.empty() || (node.map() == nullptr && node.list() == nullptr)) {
    out += scalar(node);
  } else if (const auto* entries = node.map()) {
    out += "{ ";
    for (const auto& [key, value] : *entries) {
      if (out.size() != start + 2) out += ", ";
      out += json_string(key) + ": ";
      if (!inline_into(out, value, limit)) return give_up();
    }
    out += " }";
  } else {
    out += '[';
    for (const auto& value : *node.list()) {
      if (out.size() != start + 1) out += ", ";
      if (!inline_into(out, value, limit)) return give_up();
    }
    out += ']';
  }
  return out.size() <= limit || give_up();
}

void block_into(std::string& out, const Node& node, std::size_t depth, std::size_t column) {
  const bool container = !node.empty() && (node.map() != nullptr || node.list() != nullptr);
  const auto room = column < line_width ? line_width - column : 0;
  if (!container || inline_into(out, node, out.size() + room)) {
    if (!container) out += scalar(node);
    return;
  }
  const std::string indent(depth * 2 + 2, ' ');
  bool first = true;
  const auto next = [&] {
    out += first ? "\n" : ",\n";
    out += indent;
    first = false;
  };
  if (const auto* entries = node.map()) {
    out += '{';
    for (const auto& [key, value] : *entries) {
      next();
      const auto name = json_string(key) + ": ";
      out += name;
      block_into(out, value, depth + 1, indent.size() + name.size() + 1);
    }
  } else {
    out += '[';
    for (const auto& value : *node.list()) {
      next();
      block_into(out, value, depth + 1, indent.size() + 1);
    }
  }
  out += '\n';
  out.append(depth * 2, ' ');
  out += node.map() != nullptr ? '}' : ']';
}

}  // namespace

std::string to_json(const Node& document) {
  std::string out;
  block_into(out, document, 0, 0);
  out += '\n';
  return out;
}

std::string to_json_line(const Node& document) {
  std::string out;
  inline_into(out, document, std::string::npos);
  return out;
}

}  // namespace caisson::render
