#include "generator/render/people.h"

#include <kainjow/mustache.hpp>

#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

namespace mustache = kainjow::mustache;

std::string scalar_text(const Node& node) {
  struct Visitor {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return decimal(value); }
    std::string operator()(const std::string& value) const { return value; }
    std::string operator()(const Node::List&) const { return {}; }
    std::string operator()(const Node::Map&) const { return {}; }
  };
  return std::visit(Visitor{}, node.value());
}

mustache::data convert(const Node& node) {
  if (const auto* entries = node.map()) {
    mustache::data object{mustache::data::type::object};
    for (const auto& [key, value] : *entries) object.set(key, convert(value));
    return object;
  }
  if (const auto* elements = node.list()) {
    mustache::data list{mustache::data::type::list};
    for (const auto& element : *elements) list.push_back(convert(element));
    return list;
  }
  if (const auto* flag = std::get_if<bool>(&node.value())) return mustache::data{*flag};
  return mustache::data{scalar_text(node)};
}

/// Text of a spec inside Markdown: on one line, and no markup of its own.
std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

/// A section that is not there leaves its line; one blank line is enough between paragraphs.
std::string without_gaps(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && (out.empty() || out.ends_with("\n\n"))) continue;
    out += c;
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace

Result<std::string> fill(const Blueprints& blueprints, std::string_view name, const Node& data) {
  const auto text = blueprints.text(name);
  if (!text) return tl::unexpected(text.error());
  mustache::mustache filled{std::string(*text)};
  if (!filled.is_valid()) {
    return fail("blueprint " + std::string(name) + ": " + filled.error_message());
  }
  filled.set_custom_escape(escape);
  auto out = filled.render(convert(data));
  if (!filled.error_message().empty()) {
    return fail("blueprint " + std::string(name) + ": " + filled.error_message());
  }
  return without_gaps(out);
}

}  // namespace caisson::render
