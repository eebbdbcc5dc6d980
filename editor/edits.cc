#include "editor/edits.h"

#include <algorithm>
#include <array>

#include "editor/outline.h"

namespace caisson::editor {
namespace {

using spec::Entry;
using spec::Node;

bool holds(source::Span span, std::uint32_t offset) {
  return span.begin <= offset && offset <= span.end;
}

/// What a spec begins with, in this order.
constexpr std::array<std::string_view, 4> head{"caisson", "name", "version", "domain"};

}  // namespace

Writing::Writing(std::string_view text, std::uint32_t file)
    : text_(text), file_(file), tree_(outline(text, file)) {}

const Node& Writing::Step::value() const {
  return around->kind == Node::Kind::map ? around->fields[index].value : around->items[index];
}

const Entry* Writing::Step::entry() const {
  return around->kind == Node::Kind::map ? &around->fields[index] : nullptr;
}

std::vector<Writing::Step> Writing::way_to(std::uint32_t offset) const {
  std::vector<Step> way;
  const Node* node = &tree_;
  for (bool deeper = true; deeper;) {
    deeper = false;
    const std::size_t count = std::max(node->fields.size(), node->items.size());
    for (std::size_t i = 0; i < count && !deeper; ++i) {
      const Step step{node, i};
      const Entry* entry = step.entry();
      const source::Span value = step.value().span;
      const source::Span whole{file_, entry == nullptr ? value.begin : entry->key_span.begin,
                               std::max(value.end, entry == nullptr ? 0 : entry->key_span.end)};
      if (!holds(whole, offset)) continue;
      way.push_back(step);
      const bool on_key = entry != nullptr && holds(entry->key_span, offset);
      if (on_key) return way;
      node = &step.value();
      deeper = true;
    }
  }
  return way;
}

std::size_t Writing::line_begin(std::size_t at) const {
  const auto before = text_.substr(0, at).find_last_of("\r\n");
  return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t Writing::line_behind(std::size_t at) const {
  const std::size_t end = std::min(text_.find_first_of("\r\n", at), text_.size());
  return std::min(end + (text_.substr(end, 2) == "\r\n" ? 2 : 1), text_.size());
}

bool Writing::in_brackets(const Node& node) const {
  const char first = node.span.begin < text_.size() ? text_[node.span.begin] : '\0';
  return first == '{' || first == '[';
}

Edit Writing::replace(source::Span place, std::string text) const {
  place.file = file_;
  return {.place = place, .text = std::move(text)};
}

Edit Writing::insert(std::size_t at, std::string text) const {
  const auto place = static_cast<std::uint32_t>(at);
  return {.place = {file_, place, place}, .text = std::move(text)};
}

Edit Writing::remove(const Step& step) const {
  const auto begin_of = [&](std::size_t index) -> std::size_t {
    const Step other{step.around, index};
    return other.entry() != nullptr ? other.entry()->key_span.begin : other.value().span.begin;
  };
  const auto end_of = [&](std::size_t index) -> std::size_t {
    const Step other{step.around, index};
    const std::size_t key = other.entry() != nullptr ? other.entry()->key_span.end : 0;
    return std::max<std::size_t>(key, other.value().span.end);
  };
  const auto place = [&](std::size_t begin, std::size_t end) {
    return source::Span{file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  };
  const std::size_t count = std::max(step.around->fields.size(), step.around->items.size());
  const std::size_t begin = begin_of(step.index);
  const std::size_t end = end_of(step.index);
  const bool last = step.index + 1 == count;
  if (in_brackets(*step.around)) {
    const std::size_t before_it = step.index > 0 ? end_of(step.index - 1) : begin;
    const auto gone = last ? text_.substr(before_it, end - before_it)
                           : text_.substr(begin, begin_of(step.index + 1) - begin);
    if (gone.find('#') != std::string_view::npos) {
      // A comment of what stands before or behind it stays: its own line goes, or the comma alone.
      const std::size_t line = line_begin(begin);
      const bool first_of_line =
          text_.substr(line, begin - line).find_first_not_of(" \t") == std::string_view::npos;
      const std::size_t comma = text_.find_first_not_of(" \t", end);
      const bool has_comma = comma != std::string_view::npos && text_[comma] == ',';
      const std::size_t behind = has_comma ? comma + 1 : end;
      const auto rest = text_.substr(behind, line_behind(behind) - behind);
      const std::size_t word = rest.find_first_not_of(" \t\r\n");
      const bool last_of_line = word == std::string_view::npos || rest[word] == '#';
      return first_of_line && last_of_line ? replace(place(line, behind + rest.size()), "")
                                           : replace(place(begin, behind), "");
    }
    if (!last) return replace(place(begin, begin_of(step.index + 1)), "");
    if (step.index > 0) return replace(place(end_of(step.index - 1), end), "");
    return replace(place(begin, end), "");
  }
  if (count == 1) {
    // An empty block is nothing; what is empty is written so.
    const bool map = step.entry() != nullptr;
    const auto dash = map ? begin : text_.substr(0, begin + 1).rfind('-');
    return replace(place(std::min(begin, dash), end), map ? "{}" : "[]");
  }
  const std::size_t line = line_begin(begin);
  const auto before = text_.substr(line, begin - line);
  const bool own_line = before.find_first_not_of(" \t") == std::string_view::npos;
  const bool item = step.entry() == nullptr;
  if (!own_line && !item && !last) return replace(place(begin, begin_of(step.index + 1)), "");
  return replace(place(line, line_behind(end)), "");
}

Edit Writing::add(const std::vector<Step>& way, std::string_view key,
                  std::string_view value) const {
  if (way.empty()) return add_to_section(key, {}, value);
  return add_to(way.back().value(), way.back().entry(), key, value);
}

Edit Writing::add_to(const Node& map, const Entry* entry, std::string_view key,
                     std::string_view value) const {
  const std::string pair = std::string(key) + ": " + std::string(value);
  if (in_brackets(map)) {
    if (map.fields.empty()) {
      const auto inside = replace(map.span, "{ " + pair + " }");
      return inside;
    }
    const Entry& last = map.fields.back();
    return insert(std::max(last.key_span.end, last.value.span.end), ", " + pair);
  }
  if (map.kind == Node::Kind::map && !map.fields.empty()) {
    const std::size_t at = map.fields.front().key_span.begin;
    return insert(at, pair + "\n" + std::string(column(at), ' '));
  }
  // A key without a value.
  const std::size_t at = entry == nullptr ? map.span.end : text_.find(':', entry->key_span.end) + 1;
  const std::size_t indent = entry == nullptr ? 0 : column(entry->key_span.begin) + 2;
  return insert(at, "\n" + std::string(indent, ' ') + pair);
}

Edit Writing::add_item(const std::vector<Step>& way, std::string_view key,
                       std::string_view item) const {
  const Node& map = way.empty() ? tree_ : way.back().value();
  const auto found = std::ranges::find(map.fields, key, &Entry::key);
  if (found == map.fields.end()) return add(way, key, '[' + std::string(item) + ']');
  const Node& list = found->value;
  if (in_brackets(list)) {
    return list.items.empty() ? replace(list.span, '[' + std::string(item) + ']')
                              : insert(list.items.back().span.end, ", " + std::string(item));
  }
  if (list.items.empty()) return replace(list.span, '[' + std::string(item) + ']');
  const std::size_t first = list.items.front().span.begin;
  const std::size_t dash = text_.substr(0, first).rfind('-');
  return insert(dash, "- " + std::string(item) + "\n" + std::string(column(dash), ' '));
}

Edit Writing::add_to_section(std::string_view key, std::string_view inner,
                             std::string_view value) const {
  const auto found = std::ranges::find(tree_.fields, key, &Entry::key);
  if (!inner.empty() && found != tree_.fields.end())
    return add_to(found->value, &*found, inner, value);
  const std::string written = inner.empty() ? std::string(key) + ": " + std::string(value) + "\n"
                                            : std::string(key) + ":\n  " + std::string(inner) +
                                                  ": " + std::string(value) + "\n";
  // The head of a spec keeps its order; everything else goes to the end.
  const auto place = std::ranges::find(head, key);
  std::size_t at = 0;
  if (place == head.end()) {
    const bool open = !text_.empty() && text_.back() != '\n';
    return insert(text_.size(), (open ? "\n" : "") + written);
  }
  for (const Entry& entry : tree_.fields) {
    if (std::find(head.begin(), place, entry.key) != place)
      at = line_behind(std::max(entry.key_span.end, entry.value.span.end));
  }
  if (at == 0 && !tree_.fields.empty()) at = line_begin(tree_.fields.front().key_span.begin);
  return insert(at, (at == text_.size() && !text_.ends_with('\n') ? "\n" : "") + written);
}

}  // namespace caisson::editor
