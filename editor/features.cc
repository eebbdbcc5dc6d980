#include "editor/features.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "base/printable.h"
#include "editor/completion.h"
#include "editor/format.h"
#include "editor/hover.h"
#include "editor/names.h"
#include "editor/symbols.h"

namespace caisson::editor {
namespace {

/// Numbers of the protocol (CompletionItemKind, SymbolKind).
constexpr int item_kind(Proposal::Kind kind) {
  switch (kind) {
    case Proposal::Kind::key:
      return 10;  // Property
    case Proposal::Kind::word:
      return 20;  // EnumMember
    case Proposal::Kind::name:
      return 18;  // Reference
    default:
      return 12;  // Value
  }
}

constexpr int symbol_kind(Symbol::Kind kind) {
  switch (kind) {
    case Symbol::Kind::section:
      return 3;  // Namespace
    case Symbol::Kind::tier:
      return 10;  // Enum
    case Symbol::Kind::tenant:
      return 19;  // Object
    case Symbol::Kind::service:
      return 2;  // Module
    case Symbol::Kind::secret:
      return 20;  // Key
    case Symbol::Kind::environment:
      return 5;  // Class
    default:
      return 8;  // Field
  }
}

/// Markdown as it reads without: no emphasis, and code as it is.
std::string plain_text(std::string_view markdown) {
  std::string text;
  while (!markdown.empty()) {
    const auto mark = std::min({markdown.find('`'), markdown.find("**"), markdown.size()});
    text += markdown.substr(0, mark);
    markdown.remove_prefix(mark);
    if (markdown.starts_with("**")) {
      markdown.remove_prefix(2);
      continue;
    }
    const auto fence = markdown.substr(0, markdown.find_first_not_of('`'));
    const auto code = markdown.substr(fence.size());
    const auto end = code.find(fence);
    if (fence.empty() || end == std::string_view::npos) {
      text += markdown;
      break;
    }
    text += code.substr(0, end);
    markdown = code.substr(end + fence.size());
  }
  return text;
}

/// MarkupContent as the client can show it.
json::object markup(const std::string& markdown, bool shown) {
  return {{"kind", shown ? "markdown" : "plaintext"},
          {"value", shown ? markdown : plain_text(markdown)}};
}

Refusal invalid(std::string message) { return {.message = std::move(message)}; }

std::size_t count_errors(const std::vector<source::Diagnostic>& all) {
  return static_cast<std::size_t>(
      std::ranges::count(all, source::Severity::error, &source::Diagnostic::severity));
}

json::value symbol_json(const Symbol& symbol, const Text& text, Encoding encoding) {
  json::object object{{"name", symbol.name},
                      {"kind", symbol_kind(symbol.kind)},
                      {"range", to_json(text.range(symbol.whole, encoding))},
                      {"selectionRange", to_json(text.range(symbol.name_place, encoding))}};
  if (!symbol.detail.empty()) object["detail"] = symbol.detail;
  json::array children;
  for (const Symbol& child : symbol.children)
    children.push_back(symbol_json(child, text, encoding));
  if (!children.empty()) object["children"] = std::move(children);
  return object;
}

void flat_symbols(const std::vector<Symbol>& symbols, std::string_view around, std::string_view uri,
                  const Text& text, Encoding encoding, json::array& out) {
  for (const Symbol& symbol : symbols) {
    out.push_back(json::object{
        {"name", symbol.name},
        {"kind", symbol_kind(symbol.kind)},
        {"containerName", around},
        {"location",
         json::object{{"uri", uri}, {"range", to_json(text.range(symbol.whole, encoding))}}}});
    flat_symbols(symbol.children, symbol.name, uri, text, encoding, out);
  }
}

bool overlap(source::Span a, source::Span b) { return a.begin <= b.end && b.begin <= a.end; }

/// The file of the project that the analysis calls by another number.
std::optional<std::uint32_t> file_in(const Project& project, const Analysis& analysis,
                                     std::uint32_t file) {
  if (file == 0) return 0;
  for (std::uint32_t i = 1; i < project.sources.size(); ++i)
    if (project.sources[i].name() == analysis.sources[file].name()) return i;
  return std::nullopt;
}

/// Whether a service has the key, as the spec or one of its environments says.
bool has(const Project& project, const std::string& service, std::string_view key) {
  const auto says = [&](const spec::Node& spec) {
    const spec::Node* services = spec.at("services");
    const spec::Node* own = services == nullptr ? nullptr : services->at(service);
    return own != nullptr && own->at(key) != nullptr && own->at(key)->text != "false";
  };
  const spec::Node& spec = project.parts[0].tree;
  const spec::Node* environments = spec.at("environments");
  return says(spec) || (environments != nullptr &&
                        std::ranges::any_of(environments->fields, says, &spec::Entry::value));
}

/// The service with a volume that is named after what the use is of: its own, or that of its
/// replica for a tenant. Empty when there is none.
std::string keeper_of(const Project& project, const std::vector<Use>& uses, const Use& name) {
  if (name.kind == NameKind::service)
    return has(project, name.name, "storage") ? name.name : std::string();
  if (name.kind != NameKind::tenant) return {};
  const auto keeper = std::ranges::find_if(uses, [&](const Use& use) {
    return use.kind == NameKind::service && use.definition && has(project, use.name, "storage") &&
           has(project, use.name, "replica-per-tenant");
  });
  return keeper == uses.end() ? std::string() : keeper->name;
}

}  // namespace

bool Features::knows(std::string_view method) {
  constexpr std::array<std::string_view, 11> methods{"textDocument/completion",
                                                     "textDocument/hover",
                                                     "textDocument/definition",
                                                     "textDocument/references",
                                                     "textDocument/documentHighlight",
                                                     "textDocument/prepareRename",
                                                     "textDocument/rename",
                                                     "textDocument/documentSymbol",
                                                     "textDocument/foldingRange",
                                                     "textDocument/formatting",
                                                     "textDocument/codeAction"};
  return std::ranges::find(methods, method) != methods.end();
}

Features::Answer Features::answer(std::string_view method, const json::value& params) {
  texts_.clear();
  method.remove_prefix(method.find('/') + 1);
  if (method == "completion") return completion(params);
  if (method == "hover") return hover_at(params);
  if (method == "definition") return definition(params);
  if (method == "references") return references(params);
  if (method == "documentHighlight") return highlights(params);
  if (method == "prepareRename") return prepare_rename(params);
  if (method == "rename") return rename(params);
  if (method == "documentSymbol") return symbols(params);
  if (method == "foldingRange") return folds(params);
  if (method == "formatting") return formatting(params);
  return code_actions(params);
}

std::optional<Member> Features::document(const json::value& params) {
  const auto uri = string_at(params, {"textDocument", "uri"});
  return uri ? workspace_.member(*uri) : std::nullopt;
}

std::optional<Features::Place> Features::place(const json::value& params) {
  const auto member_of = document(params);
  const json::value* where = member(params, {"position"});
  const auto position = where == nullptr ? std::nullopt : read_position(*where);
  if (!member_of || !position) return std::nullopt;
  const Project& project = workspace_.project(*member_of->spec);
  const Text& text = text_of(project.sources[member_of->file]);
  return Place{*member_of, &project, text.offset(*position, agreement_.encoding)};
}

const Text& Features::text_of(const source::SourceFile& source) {
  const auto known = texts_.find(source.text().data());
  if (known != texts_.end()) return known->second;
  return texts_.emplace(source.text().data(), Text(std::string(source.text()))).first->second;
}

json::value Features::location(const Place& place, source::Span span) {
  const auto& source = place.project->sources[span.file];
  const std::string uri = span.file == 0
                              ? place.member.spec->document->uri
                              : workspace_.uri_of_file(*place.member.spec, source.name());
  return json::object{{"uri", uri},
                      {"range", to_json(text_of(source).range(span, agreement_.encoding))}};
}

json::value Features::text_edits(const source::SourceFile& source, const std::vector<Edit>& edits) {
  json::array list;
  for (const Edit& edit : edits) {
    list.push_back(
        json::object{{"range", to_json(text_of(source).range(edit.place, agreement_.encoding))},
                     {"newText", edit.text}});
  }
  return list;
}

json::value Features::workspace_edit(OpenSpec& spec, const std::vector<Edit>& edits) {
  const Project& project = workspace_.project(spec);
  json::object changes;
  json::array document_changes;
  for (std::uint32_t file = 0; file < project.sources.size(); ++file) {
    std::vector<Edit> here;
    std::ranges::copy_if(edits, std::back_inserter(here),
                         [file](const Edit& edit) { return edit.place.file == file; });
    if (here.empty()) continue;
    const auto& source = project.sources[file];
    const std::string uri =
        file == 0 ? spec.document->uri : workspace_.uri_of_file(spec, source.name());
    const Document* open = workspace_.find(uri);
    json::value version = open == nullptr ? json::value(nullptr) : json::value(open->version);
    document_changes.push_back(
        json::object{{"textDocument", json::object{{"uri", uri}, {"version", std::move(version)}}},
                     {"edits", text_edits(source, here)}});
    changes[uri] = text_edits(source, here);
  }
  if (agreement_.document_changes)
    return json::object{{"documentChanges", std::move(document_changes)}};
  return json::object{{"changes", std::move(changes)}};
}

json::object Features::diagnostic(OpenSpec& spec, const Analysis& analysis,
                                  const source::Diagnostic& diagnostic) {
  const auto& source = analysis.sources[diagnostic.where.file];
  std::string message = printable(diagnostic.message);
  if (!diagnostic.remedy.empty()) message += "\n" + printable(diagnostic.remedy);
  const int severity = 1 + static_cast<int>(diagnostic.severity);  // Error, Warning, Information
  json::object object{
      {"range", to_json(text_of(source).range(diagnostic.where, agreement_.encoding))},
      {"severity", severity},
      {"code", diagnostic.code},
      {"source", "caisson"},
      {"message", std::move(message)}};
  json::array related;
  for (const source::Span& span : diagnostic.related) {
    const auto& other = analysis.sources[span.file];
    const std::string uri =
        span.file == 0 ? spec.document->uri : workspace_.uri_of_file(spec, other.name());
    related.push_back(json::object{
        {"location",
         json::object{{"uri", uri},
                      {"range", to_json(text_of(other).range(span, agreement_.encoding))}}},
        {"message", "see here"}});
  }
  if (!related.empty()) object["relatedInformation"] = std::move(related);
  return object;
}

std::map<std::string, json::array> Features::diagnostics(OpenSpec& spec) {
  texts_.clear();
  const Analysis& analysis = workspace_.analysis(spec);
  std::map<std::string, json::array> by_uri;
  for (std::uint32_t file = 0; file < analysis.sources.size(); ++file) {
    const std::string uri = file == 0 ? spec.document->uri
                                      : workspace_.uri_of_file(spec, analysis.sources[file].name());
    if (!uri.empty()) by_uri[uri];
  }
  for (const source::Diagnostic& each : analysis.diagnostics) {
    const std::string uri =
        each.where.file == 0
            ? spec.document->uri
            : workspace_.uri_of_file(spec, analysis.sources[each.where.file].name());
    json::array& list = by_uri[uri];
    if (list.size() < most_diagnostics) list.push_back(diagnostic(spec, analysis, each));
  }
  return by_uri;
}

Features::Answer Features::completion(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const Proposals found = complete(*at->project, at->member.file, at->offset);
  const Text& text = text_of(at->project->sources[at->member.file]);
  const auto range = to_json(text.range(found.replaced, agreement_.encoding));
  json::array items;
  for (std::size_t i = 0; i < found.proposals.size(); ++i) {
    const Proposal& proposal = found.proposals[i];
    std::string order = std::to_string(i);
    order.insert(0, order.size() < 4 ? 4 - order.size() : 0, '0');
    json::object item{{"label", proposal.label},
                      {"kind", item_kind(proposal.kind)},
                      {"sortText", (proposal.first ? "0" : "1") + order},
                      {"filterText", proposal.label},
                      {"textEdit", json::object{{"range", range}, {"newText", proposal.text}}}};
    if (!proposal.detail.empty()) item["detail"] = proposal.detail;
    if (!proposal.documentation.empty()) {
      item["documentation"] = markup(proposal.documentation, agreement_.markdown_items);
    }
    items.push_back(std::move(item));
  }
  return json::object{{"isIncomplete", false}, {"items", std::move(items)}};
}

Features::Answer Features::hover_at(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const auto found = hover(*at->project, at->member.file, at->offset,
                           [&](const std::string& environment, const std::string& pointer) {
                             return workspace_.arrivals(*at->member.spec, environment, pointer);
                           });
  if (!found) return json::value(nullptr);
  const Text& text = text_of(at->project->sources[at->member.file]);
  return json::object{{"contents", markup(found->markdown, agreement_.markdown)},
                      {"range", to_json(text.range(found->place, agreement_.encoding))}};
}

Features::Answer Features::definition(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const auto uses = uses_of(*at->project);
  const Use* use = use_at(uses, at->member.file, at->offset);
  if (use == nullptr) return json::value(nullptr);
  json::array list;
  for (const Use& each : same_name(uses, *use, true)) list.push_back(location(*at, each.place));
  return list;
}

Features::Answer Features::references(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const auto uses = uses_of(*at->project);
  const Use* use = use_at(uses, at->member.file, at->offset);
  if (use == nullptr) return json::value(nullptr);
  const bool declarations = flag_at(params, {"context", "includeDeclaration"});
  json::array list;
  for (const Use& each : same_name(uses, *use))
    if (declarations || !each.definition) list.push_back(location(*at, each.place));
  return list;
}

Features::Answer Features::highlights(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const auto uses = uses_of(*at->project);
  const Use* use = use_at(uses, at->member.file, at->offset);
  if (use == nullptr) return json::value(nullptr);
  const Text& text = text_of(at->project->sources[at->member.file]);
  json::array list;
  for (const Use& each : same_name(uses, *use)) {
    if (each.place.file != at->member.file) continue;
    list.push_back(json::object{{"range", to_json(text.range(each.place, agreement_.encoding))},
                                {"kind", each.definition ? 3 : 2}});  // Write, Read
  }
  return list;
}

Features::Answer Features::prepare_rename(const json::value& params) {
  const auto at = place(params);
  if (!at) return json::value(nullptr);
  const auto uses = uses_of(*at->project);
  const Use* use = use_at(uses, at->member.file, at->offset);
  if (use == nullptr) return json::value(nullptr);
  const Text& text = text_of(at->project->sources[at->member.file]);
  return json::object{{"range", to_json(text.range(use->place, agreement_.encoding))},
                      {"placeholder", use->name}};
}

Features::Answer Features::rename(const json::value& params) {
  const auto at = place(params);
  const auto fresh = string_at(params, {"newName"});
  if (!fresh) return tl::unexpected(invalid("'newName' is missing"));
  if (!at) return tl::unexpected(invalid("the document is no part of an open spec"));
  const auto refuse = [](std::string why) {
    return tl::unexpected(Refusal{ErrorCode::request_failed, std::move(why)});
  };
  const auto broken = std::ranges::find(at->project->parts, false, &Part::exact);
  if (broken != at->project->parts.end()) {
    const auto file = static_cast<std::size_t>(broken - at->project->parts.begin());
    return refuse(at->project->sources[file].name() +
                  " cannot be read, so uses of the name may be missed; mend it first");
  }
  const auto uses = uses_of(*at->project);
  const Use* use = use_at(uses, at->member.file, at->offset);
  if (use == nullptr)
    return refuse("only names of tiers, secrets, services and tenants can be renamed");
  if (const std::string why = why_not(uses, *use, *fresh); !why.empty()) return refuse(why);
  std::vector<Edit> edits;
  for (const Use& each : same_name(uses, *use))
    edits.push_back({each.place, renamed(each, *fresh)});
  const auto& before = workspace_.analysis(*at->member.spec).diagnostics;
  const auto after = workspace_.after(*at->member.spec, edits);
  if (count_errors(after) > count_errors(before)) {
    const auto news = std::ranges::find_if(after, [&](const source::Diagnostic& each) {
      return std::ranges::find(before, each.message, &source::Diagnostic::message) == before.end();
    });
    return refuse(news == after.end() ? "the spec would have more errors" : news->message);
  }
  if (const auto broken_by = workspace_.broken_patch(*at->member.spec, edits); !broken_by.empty())
    return refuse("a patch names it otherwise than by its name, change that first: " + broken_by);
  if (*fresh == use->name) return workspace_edit(*at->member.spec, edits);
  if (const auto keeper = keeper_of(*at->project, uses, *use); !keeper.empty())
    return refuse("what service '" + keeper + "' keeps is found by its name" +
                  (use->kind == NameKind::tenant ? " and the tenant's" : "") +
                  " and would stay behind; rename it by hand, and copy its volume as 'Move' of "
                  "RUNBOOK.md says");
  const auto doubts = doubtful_uses_of(*at->project);
  for (const Use& doubt : same_name(doubts, *use)) {
    const auto& source = at->project->sources[doubt.place.file];
    return refuse("'" + use->name + "' at " + source.name() + ":" +
                  std::to_string(source.line_at(doubt.place.begin)) +
                  " may be the address of the service or another word; if it is the address, write "
                  "the new name there first, else rename by hand");
  }
  return workspace_edit(*at->member.spec, edits);
}

Features::Answer Features::symbols(const json::value& params) {
  const auto member_of = document(params);
  if (!member_of) return json::value(nullptr);
  const Project& project = workspace_.project(*member_of->spec);
  const auto found = symbols_of(project.parts[member_of->file]);
  const Text& text = text_of(project.sources[member_of->file]);
  json::array list;
  if (agreement_.nested_symbols) {
    for (const Symbol& symbol : found)
      list.push_back(symbol_json(symbol, text, agreement_.encoding));
  } else {
    const std::string uri = string_at(params, {"textDocument", "uri"}).value_or("");
    flat_symbols(found, "", uri, text, agreement_.encoding, list);
  }
  return list;
}

Features::Answer Features::folds(const json::value& params) {
  const auto member_of = document(params);
  if (!member_of) return json::value(nullptr);
  const Project& project = workspace_.project(*member_of->spec);
  json::array list;
  for (const Fold& fold :
       folds_of(project.parts[member_of->file], project.sources[member_of->file].text())) {
    list.push_back(json::object{{"startLine", fold.first},
                                {"endLine", fold.last},
                                {"kind", fold.comment ? "comment" : "region"}});
  }
  return list;
}

Features::Answer Features::formatting(const json::value& params) {
  const auto member_of = document(params);
  if (!member_of) return json::value(nullptr);
  const Project& project = workspace_.project(*member_of->spec);
  if (project.parts[member_of->file].kind == Part::Kind::tenants) return json::array();
  const auto& source = project.sources[member_of->file];
  return text_edits(source, format(source.text()));
}

Features::Answer Features::code_actions(const json::value& params) {
  const auto member_of = document(params);
  const json::value* where = member(params, {"range"});
  const auto range = where == nullptr ? std::nullopt : read_range(*where);
  if (!range) return tl::unexpected(invalid("'range' is missing"));
  json::array list;
  if (const json::value* only = member(params, {"context", "only"});
      only != nullptr && only->is_array()) {
    // Kinds are prefixes of what they include.
    const bool wanted = std::ranges::any_of(only->get_array(), [](const json::value& kind) {
      return kind.is_string() && (kind.get_string() == "quickfix" || kind.get_string().empty());
    });
    if (!wanted) return list;
  }
  if (!member_of) return json::value(nullptr);
  OpenSpec& spec = *member_of->spec;
  const Project& project = workspace_.project(spec);
  const Analysis& analysis = workspace_.analysis(spec);
  const Text& text = text_of(project.sources[member_of->file]);
  const source::Span asked{member_of->file, text.offset(range->start, agreement_.encoding),
                           text.offset(range->end, agreement_.encoding)};
  const Judge judge = [&](const std::vector<Edit>& edits) { return workspace_.after(spec, edits); };
  for (const source::Diagnostic& each : analysis.diagnostics) {
    const auto file = file_in(project, analysis, each.where.file);
    if (file != member_of->file || !overlap(each.where, asked)) continue;
    source::Diagnostic here = each;
    here.where.file = *file;
    for (const Fix& fix : fixes_for(project, analysis.diagnostics, here, judge)) {
      list.push_back(json::object{{"title", fix.title},
                                  {"kind", "quickfix"},
                                  {"isPreferred", fix.preferred},
                                  {"diagnostics", json::array{diagnostic(spec, analysis, each)}},
                                  {"edit", workspace_edit(spec, fix.edits)}});
    }
  }
  return list;
}

}  // namespace caisson::editor
