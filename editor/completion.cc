#include "editor/completion.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "editor/names.h"
#include "editor/outline.h"
#include "editor/shapes.h"
#include "generator/render/loss_table.h"
#include "generator/spec/answers.h"
#include "generator/spec/reference.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"
#include "generator/spec/tenant_file.h"

namespace caisson::editor {
namespace {

using spec::Absent;
using spec::Field;
using spec::Node;
using spec::Shape;

/// Stands at the cursor while the text is read; no text that is read otherwise holds it.
constexpr char cursor = '\x01';

constexpr std::string_view secret_opening = "${secret:";

/// What an environment cannot say.
constexpr std::array<std::string_view, 2> whole_spec{"caisson", "environments"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '/' || c == '$' || c == ':' || c == '@';
}

/// The word before the cursor: back to a blank, a quote, a bracket or a comma, or to the reference
/// that the cursor is in.
std::uint32_t word_begin(std::string_view text, std::uint32_t offset) {
  std::uint32_t begin = offset;
  while (begin > 0) {
    const char c = text[begin - 1];
    if (c == '{' && begin > 1 && text[begin - 2] == '$') return begin - 2;  // ${secret:
    if (!is_word(c)) break;
    --begin;
  }
  return begin;
}

/// Where the reference ends that the cursor is in: behind its brace, which editors put there, if
/// that is not the one of a map around it.
std::uint32_t reference_end(std::string_view text, std::uint32_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = before.substr(before.find_last_of("\r\n") + 1);
  const auto behind = text.substr(offset, text.substr(offset).find_first_of("\r\n"));
  const auto brace =
      std::min(behind.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_:"), behind.size());
  if (!behind.substr(brace).starts_with('}')) return offset;
  const auto open = std::ranges::count(line, '{') - std::ranges::count(line, '}');
  const auto closed = std::ranges::count(behind, '}') - std::ranges::count(behind, '{');
  return closed < open ? offset : offset + static_cast<std::uint32_t>(brace) + 1;
}

std::string one_line(const Field& field) {
  return spec::type_text(*field.shape) + ", default " + spec::default_text(field);
}

std::string plain(std::string text) {
  std::erase(text, '`');
  return text;
}

/// The values that a shape offers by itself.
void add_values(const Shape* shape, std::vector<Proposal>& out) {
  if (shape == nullptr) return;
  const auto add = [&](std::string_view word) {
    out.push_back(
        {.kind = Proposal::Kind::word, .label = std::string(word), .text = std::string(word)});
  };
  for (const auto word : shape->words) add(word);
  if (shape->kind == Shape::Kind::boolean) {
    add("true");
    if (shape->name != "true") add("false");
  }
  for (const Shape* choice : shape->choices) add_values(choice, out);
}

class Completer {
 public:
  Completer(const Project& project, std::uint32_t file, std::uint32_t offset)
      : project_(project), part_(project.parts[file]), text_(project.sources[file].text()) {
    const auto end = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(text_.size()));
    const auto begin = word_begin(text_, end);
    in_reference_ = text_.substr(begin, end - begin).starts_with("${");
    result_.replaced = {file, begin, in_reference_ ? reference_end(text_, end) : end};
  }

  Proposals run() {
    if (part_.kind == Part::Kind::tenants) {
      const bool csv = project_.sources[result_.replaced.file].name().ends_with(".csv");
      csv ? in_csv() : in_json_line();
    } else {
      in_yaml(text_, 0, Project::shape_of(part_.kind));
    }
    return std::move(result_);
  }

 private:
  /// Reads the text with a mark in the place of the word, and asks what stands there.
  void in_yaml(std::string_view text, std::uint32_t from, const Shape& shape) {
    const std::uint32_t begin = result_.replaced.begin - from;
    const std::uint32_t end = result_.replaced.end - from;
    std::uint32_t rest = end;  // of the same word, behind the cursor
    while (rest < text.size() && is_word(text[rest]) && text[rest] != ':') ++rest;
    std::string marked(text.substr(0, begin));
    marked += cursor;
    marked += text.substr(rest);
    const Node tree = outline(marked, 0);
    const auto found = spot_at(tree, shape, begin);
    if (!found) return;
    const Spot& spot = found->spot;
    const bool marked_key =
        spot.entry != nullptr && spot.entry->key.find(cursor) != std::string::npos;
    const bool marked_value = spot.node->text.find(cursor) != std::string::npos;
    of_environment_ = spot.pointer.starts_with("/environments/");
    in_environment_ = of_environment_ && spot.field_path.find('.') == std::string::npos;
    has_colon_ = rest < text.size() && text[rest] == ':';
    in_brackets_ = spot.around != nullptr &&
                   std::string_view("{[").find(
                       marked[std::min<std::size_t>(spot.around->span.begin, marked.size() - 1)]) !=
                       std::string_view::npos;
    quoted_ = begin > 0 && (text[begin - 1] == '"' || text[begin - 1] == '\'');
    if (marked_key) {
      const std::size_t dot = spot.field_path.rfind('.');
      keys(spot.around_shape, *spot.around,
           dot == std::string::npos ? "" : spot.field_path.substr(0, dot));
    } else if (marked_value) {
      value(spot, marked, begin);
    }
  }

  void value(const Spot& spot, std::string_view marked, std::uint32_t begin) {
    const Shape* declared = declared_shape(spot);
    // A word below its key, or in a list of maps, is the first key of a map.
    const bool same_line = spot.entry != nullptr &&
                           marked.substr(spot.entry->key_span.end, begin - spot.entry->key_span.end)
                                   .find_first_of("\r\n") == std::string_view::npos;
    if (const Shape* map = map_shape(declared); map != nullptr && !same_line && !quoted_) {
      keys(map, Node{.kind = Node::Kind::map}, spot.field_path);
      return;
    }
    values(spot, declared);
  }

  /// What the language says about the place, whatever is written there.
  static const Shape* declared_shape(const Spot& spot) {
    if (spot.entry != nullptr && spot.field != nullptr && spot.field->key == spot.entry->key)
      return spot.field->shape;
    if (spot.around_shape != nullptr && spot.around_shape->element != nullptr)
      return spot.around_shape->element;
    return spot.shape;
  }

  /// The keys of a map that are not there yet; `path` is the map's.
  void keys(const Shape* shape, const Node& map, const std::string& path) {
    if (shape == nullptr) return;
    if (shape->kind == Shape::Kind::map) {
      missing_names(path);
      other_names(map, path);
      return;
    }
    for (const Field& field : shape->fields) {
      if (map.at(field.key) != nullptr) continue;
      if (in_environment_ && std::ranges::find(whole_spec, field.key) != whole_spec.end()) continue;
      const bool excluded = std::ranges::find(shape->one_of, field.key) != shape->one_of.end() &&
                            std::ranges::any_of(shape->one_of, [&map](std::string_view other) {
                              return map.at(other) != nullptr;
                            });
      if (excluded) continue;
      result_.proposals.push_back(
          {.kind = Proposal::Kind::key,
           .label = std::string(field.key),
           .text = key_text(field),
           .detail = plain(one_line(field)),
           .documentation =
               describe_field(field, path + (path.empty() ? "" : ".") + std::string(field.key)),
           .first = field.absent.kind == Absent::Kind::error});
    }
  }

  std::string key_text(const Field& field) const {
    std::string text(field.key);
    if (quoted_) return text;
    if (has_colon_) return text;
    const bool nests = map_shape(field.shape) != nullptr || field.shape->kind == Shape::Kind::list;
    return text + (nests && !in_brackets_ ? ":" : ": ");
  }

  /// Under `secrets`, `tiers` and `services`: names that are used and not declared.
  void missing_names(const std::string& path) {
    for (const NameKind kind : {NameKind::tier, NameKind::secret, NameKind::service}) {
      const std::string key = std::string(word_of(kind)) + 's';
      if (path != key) continue;
      std::set<std::string> names;
      const auto uses = uses_of(project_);
      for (const Use& use : uses)
        if (use.kind == kind && !use.definition) names.insert(use.name);
      for (const Use& use : uses)
        if (use.kind == kind && use.definition) names.erase(use.name);
      for (const std::string& name : names)
        add_name(name, name + (has_colon_ ? "" : ":"), kind, " that is used and not declared");
    }
  }

  /// Under the same in an environment: what the spec declares, and the environment may change.
  void other_names(const Node& map, const std::string& path) {
    if (!of_environment_) return;
    for (const NameKind kind : {NameKind::tier, NameKind::secret, NameKind::service}) {
      const Node* declared = project_.parts.front().tree.at(path);
      if (path != std::string(word_of(kind)) + 's' || declared == nullptr) continue;
      for (const spec::Entry& each : declared->fields)
        if (map.at(each.key) == nullptr)
          add_name(each.key, each.key + (has_colon_ ? "" : ":"), kind, " of the spec");
    }
  }

  /// What sites are asked, in a value that an answer may stand in.
  void answers(const Spot& spot) {
    const Node* asked = project_.parts.front().tree.at("answers");
    const auto section = spot.field_path.substr(0, spot.field_path.find('.'));
    if (!in_reference_ || asked == nullptr || !spec::takes_answers(section)) return;
    const bool whole = spot.node->text.size() == 1 && !quoted_;
    for (const spec::Entry& question : asked->fields) {
      const Node* type = question.value.at("type");
      if (type != nullptr && type->text == "secret") continue;
      const std::string reference = "${answer:" + question.key + '}';
      result_.proposals.push_back({.kind = Proposal::Kind::name,
                                   .label = reference,
                                   .text = whole ? '"' + reference + '"' : reference,
                                   .detail = "answer of a site"});
    }
  }

  void values(const Spot& spot, const Shape* shape) {
    answers(spot);
    // Whoever begins a reference means nothing else.
    if (in_reference_ && shape != &spec::env_value_type.shape) return;
    add_values(shape, result_.proposals);
    const bool tenant = part_.kind == Part::Kind::tenants;
    const std::string path = tenant ? "tenants." + spot.field_path : spot.field_path;
    if (path == "tenants.tier") {
      names(NameKind::tier);
    } else if (path == "services.*.needs") {
      names(NameKind::service, spot.pointer);
      for (const std::string_view store : {"database", "cache"}) {
        if (!has_store(store)) continue;
        result_.proposals.push_back({.kind = Proposal::Kind::word,
                                     .label = std::string(store),
                                     .text = std::string(store)});
      }
    } else if (shape == &spec::secret_ref_type.shape) {
      names(NameKind::secret);
    } else if (shape == &spec::env_value_type.shape) {
      names(NameKind::secret, "", secret_opening);
    }
    add_default(spot, shape);
  }

  /// Whether the spec, or an environment of it, has a store of this kind that services may need.
  [[nodiscard]] bool has_store(std::string_view store) const {
    const auto has = [store](const Node& spec) {
      const Node* own = spec.at(store);
      const Node* engine = own == nullptr || own->kind != Node::Kind::map ? own : own->at("engine");
      return engine != nullptr && engine->text == (store == "database" ? "postgres" : "redis");
    };
    const Node& spec = project_.parts.front().tree;
    const Node* environments = spec.at("environments");
    return has(spec) || (environments != nullptr &&
                         std::ranges::any_of(environments->fields, has, &spec::Entry::value));
  }

  void add_default(const Spot& spot, const Shape* shape) {
    const Field* field = spot.field;
    if (field == nullptr || field->shape != shape || field->absent.kind != Absent::Kind::literal)
      return;
    const std::string text(field->absent.text);
    for (Proposal& proposal : result_.proposals) {
      if (proposal.label != text) continue;
      proposal.detail = "the default";
      return;
    }
    result_.proposals.push_back(
        {.kind = Proposal::Kind::value, .label = text, .text = text, .detail = "the default"});
  }

  /// Declared names; a service does not need itself.
  void names(NameKind kind, const std::string& pointer = {}, std::string_view opening = {}) {
    std::set<std::string> known;
    for (const Use& use : uses_of(project_)) {
      const bool itself = pointer.starts_with("/services/" + use.name + "/");
      if (use.kind != kind || !use.definition || itself || !known.insert(use.name).second) continue;
      if (opening.empty()) {
        add_name(use.name, use.name, kind, "");
        continue;
      }
      const std::string reference = std::string(opening) + use.name + '}';
      add_name(reference, quoted_ ? reference : '"' + reference + '"', kind, "");
    }
  }

  void add_name(std::string label, std::string text, NameKind kind, std::string_view more) {
    result_.proposals.push_back({.kind = Proposal::Kind::name,
                                 .label = std::move(label),
                                 .text = std::move(text),
                                 .detail = std::string(word_of(kind)) + std::string(more)});
  }

  /// A line of NDJSON is YAML too.
  void in_json_line() {
    const std::uint32_t at = result_.replaced.begin;
    const auto before = text_.substr(0, at).find_last_of("\r\n");
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = std::min(text_.find_first_of("\r\n", at), text_.size());
    in_yaml(text_.substr(begin, end - begin), static_cast<std::uint32_t>(begin),
            spec::tenant_type.shape);
  }

  /// Names of columns in the first line, words of the column in the others.
  void in_csv() {
    const std::uint32_t at = result_.replaced.begin;
    const auto header = text_.substr(0, text_.find_first_of("\r\n"));
    const auto before = text_.substr(0, at).find_last_of("\r\n");
    const auto cells = [](std::string_view line) {
      std::vector<std::string_view> out;
      for (;;) {
        const std::size_t comma = line.find(',');
        out.push_back(line.substr(0, comma));
        if (comma == std::string_view::npos) return out;
        line.remove_prefix(comma + 1);
      }
    };
    const auto columns = cells(header);
    if (before == std::string_view::npos) {
      for (const std::string& column : spec::tenant_columns()) {
        if (std::ranges::find(columns, column) != columns.end()) continue;
        result_.proposals.push_back({.kind = Proposal::Kind::key, .label = column, .text = column});
      }
      return;
    }
    const auto row = text_.substr(before + 1, at - before - 1);
    if (std::ranges::count(row, '"') % 2 != 0) return;
    const std::size_t index = cells(row).size() - 1;
    if (index >= columns.size()) return;
    const auto field =
        std::ranges::find(spec::tenant_type.shape.fields, columns[index], &Field::key);
    if (field == spec::tenant_type.shape.fields.end()) return;
    add_values(field->shape, result_.proposals);
    if (field->key == "tier") names(NameKind::tier);
  }

  const Project& project_;
  const Part& part_;
  std::string_view text_;
  Proposals result_;
  bool has_colon_ = false;       ///< behind the word
  bool of_environment_ = false;  ///< anywhere in one
  bool in_environment_ = false;  ///< at its top level
  bool in_reference_ = false;    ///< behind "${"
  bool in_brackets_ = false;
  bool quoted_ = false;
};

}  // namespace

std::string describe_field(const Field& field, std::string_view path) {
  std::string text = std::string(field.doc) + "\n\n";
  text += "- type: " + spec::type_text(*field.shape);
  const Shape* scalar = field.shape;
  while (scalar->element != nullptr) scalar = scalar->element;
  if (!scalar->note.empty()) text += ": " + std::string(scalar->note);
  text += "\n- default: " + spec::default_text(field) + "\n";
  // The row that covers the field: its own, or that of what it is part of.
  const render::Row* row = nullptr;
  for (const render::Row& candidate : render::loss_table()) {
    const bool covers =
        path.starts_with(candidate.field) &&
        (path.size() == candidate.field.size() || path[candidate.field.size()] == '.');
    if (covers && (row == nullptr || candidate.field.size() > row->field.size())) row = &candidate;
  }
  if (row == nullptr) return text;
  for (std::size_t i = 0; i < render::target_names.size(); ++i) {
    const render::Cell& cell = row->cell(static_cast<render::Target>(i));
    // Where a row has a say of it, some values are lost and others are not.
    const bool of_all = cell.uses == nullptr || cell.uses == render::told_elsewhere;
    const bool always = of_all && row->uses == nullptr;
    std::string_view does;
    switch (cell.support) {
      case render::Support::unsaid:
      case render::Support::honoured:
      case render::Support::unconcerned:
        continue;
      case render::Support::approximated:
        does = always ? " approximates it: " : " may approximate it: ";
        break;
      case render::Support::ignored:
        does = always ? " ignores it: " : " may ignore it: ";
        break;
      case render::Support::refused:
        does = " refuses it: ";
        break;
    }
    text.append("- ").append(render::target_names[i]).append(does).append(cell.reason) += '\n';
  }
  return text;
}

Proposals complete(const Project& project, std::uint32_t file, std::uint32_t offset) {
  return Completer(project, file, offset).run();
}

}  // namespace caisson::editor
