#include "editor/fixes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <set>
#include <utility>

#include "editor/edits.h"
#include "editor/fix_document.h"
#include "editor/fix_words.h"
#include "editor/own_words.h"
#include "editor/shapes.h"
#include "generator/spec/scalars.h"

namespace caisson::editor {
namespace {

using source::Diagnostic;
using source::Severity;
using source::Span;
using spec::Entry;
using spec::Node;

constexpr std::size_t most_fixes = 8;
/// Every try reads the spec again.
constexpr std::size_t most_tries = 32;
constexpr std::size_t most_tries_of_large = 6;
constexpr std::size_t large = std::size_t{256} << 10;

bool any(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

/// Thinks of edits. Whether they help is not its business: `fixes_for` tries them.
class Ideas {
 public:
  Ideas(const Project& project, const Diagnostic& diagnostic)
      : project_(project),
        diagnostic_(diagnostic),
        part_(project.parts[diagnostic.where.file]),
        writing_(project.sources[diagnostic.where.file].text(), diagnostic.where.file),
        way_(writing_.way_to(diagnostic.where.begin)) {
    // A map begins where its first key does; what is said of it is not said of the key.
    const Entry* key = way_.empty() ? nullptr : way_.back().entry();
    const bool whole = key != nullptr && key->key_span.begin == diagnostic.where.begin &&
                       key->key_span.end < diagnostic.where.end;
    if (whole) way_.pop_back();
  }

  std::vector<Fix> think() {
    if (part_.kind == Part::Kind::tenants) {
      replacements();
      in_tenant_file();
      return std::move(fixes_);
    }
    std::ranges::move(document_fixes(writing_, diagnostic_), std::back_inserter(fixes_));
    if (names_a_value())
      for (const Replacement& word : other_words(diagnostic_, written()))
        if (word.likely) replace_by(word);
    own_word();
    keys();
    values();
    across_fields();
    replacements();
    removals();
    waive();
    return std::move(fixes_);
  }

 private:
  [[nodiscard]] std::string_view code() const { return diagnostic_.code; }
  [[nodiscard]] std::string_view text() const { return writing_.text(); }
  [[nodiscard]] std::string written() const {
    const Span& where = diagnostic_.where;
    return std::string(
        text().substr(std::min<std::size_t>(where.begin, text().size()), where.end - where.begin));
  }

  /// `only`: nothing else can have been meant.
  void add(std::string title, std::vector<Edit> edits, bool only = false) {
    fixes_.push_back({.title = std::move(title), .edits = std::move(edits), .preferred = only});
  }
  void replace(std::string title, Span place, std::string by, bool only = false) {
    add(std::move(title), {writing_.replace(place, std::move(by))}, only);
  }

  /// Whether a word can stand where the mistake is: in the place of a map or a list it would take
  /// away all that is in them, and what a text that cannot be read needs is no word.
  [[nodiscard]] bool names_a_value() const {
    const std::string old = written();
    const bool read = !code().starts_with("E00") || part_.kind == Part::Kind::tenants;
    return read && !old.empty() && old[0] != '{' && old[0] != '[' &&
           old.find_first_of("\r\n") == std::string::npos &&
           !any(code(), {"E0104", "E0217", "E0219"});
  }

  /// In the quotes that are there; without, or in new ones, if that does not do.
  void replace_by(const Replacement& word) {
    const std::string old = written();
    const std::string title = "replace with '" + word.text + "'";
    const bool quotes = old.size() > 1 && (old[0] == '"' || old[0] == '\'') && old.back() == old[0];
    if (quotes) replace(title, diagnostic_.where, old[0] + word.text + old[0], word.only);
    // What stays of the value was read in the quotes that it has.
    if (word.part && quotes) return;
    replace(title, diagnostic_.where, word.text, word.only);
    replace(title, diagnostic_.where, in_quotes(word.text), word.only);
  }
  void replacements() {
    if (!names_a_value()) return;
    for (const Replacement& word : other_words(diagnostic_, written())) replace_by(word);
  }

  /// A tenant that is declared again, a row with too few cells: the line goes.
  void in_tenant_file() {
    if (!any(code(), {"E0201", "E0016", "E0017", "E0203"})) return;
    const std::size_t at = std::min<std::size_t>(diagnostic_.where.begin, text().size());
    const auto before = text().substr(0, at).find_last_of('\n');
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = std::min(text().find('\n', at), text().size() - 1) + 1;
    if (begin == 0 && text().size() != end && code() == "E0016") return;  // the header
    replace("remove the line",
            {0, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, "");
  }

  /// A key of Compose or Kubernetes becomes the spec's, with a value that says the same.
  void own_word() {
    if (code() != "E0101" || way_.empty() || way_.back().entry() == nullptr) return;
    const Writing::Step& step = way_.back();
    const Entry& entry = *step.entry();
    const Node* service = part_.exact ? map_with(part_.tree, entry.key_span.begin) : nullptr;
    if (service == nullptr) return;
    own_bounds(*service);
    const auto own =
        own_words(*std::ranges::find(service->fields, entry.key_span.begin, key_begins), *service);
    if (!own) return;
    const std::vector<Writing::Step> around(way_.begin(), way_.end() - 1);
    const spec::Shape* shape = shape_at(around);
    if (shape == nullptr ||
        std::ranges::find(shape->fields, own->key, &spec::Field::key) == shape->fields.end())
      return;
    // What is written anew is one line, which has no place for the comments between the old ones.
    if (!own->value.empty() && has_comment(entry)) return;
    const auto there = std::ranges::find(step.around->fields, own->key, &Entry::key);
    if (there != step.around->fields.end()) {
      if (own->inner.empty()) return;
      auto inside = around;
      inside.push_back(
          {step.around, static_cast<std::size_t>(there - step.around->fields.begin())});
      add("say it in '" + own->key + "'",
          {writing_.add(inside, own->inner, own->value), writing_.remove(step)});
    } else if (own->value.empty()) {
      replace("rename it to '" + own->key + "'", entry.key_span, own->key, true);
    } else {
      const std::string value =
          own->inner.empty() ? own->value : "{ " + own->inner + ": " + own->value + " }";
      replace("write '" + own->key + ": " + value + "'",
              {entry.key_span.file, entry.key_span.begin, entry.value.span.end},
              own->key + ": " + value);
    }
  }

  /// `requests` and `limits` become what is asked for, "..", what may be used.
  void own_bounds(const Node& resources) {
    const Entry* around = way_.size() < 2 ? nullptr : way_[way_.size() - 2].entry();
    if (around == nullptr || around->key != "resources" || has_comment(*around)) return;
    if (const auto said = own_resources(resources))
      replace("write 'resources: " + *said + "'",
              {around->key_span.file, around->key_span.begin, around->value.span.end},
              "resources: " + *said);
  }

  static std::uint32_t key_begins(const Entry& entry) { return entry.key_span.begin; }

  /// The map whose key begins at the place.
  static const Node* map_with(const Node& node, std::uint32_t key) {
    if (std::ranges::find(node.fields, key, key_begins) != node.fields.end()) return &node;
    for (const Entry& entry : node.fields)
      if (const Node* found = map_with(entry.value, key)) return found;
    for (const Node& item : node.items)
      if (const Node* found = map_with(item, key)) return found;
    return nullptr;
  }

  /// Whether a comment stands between the key and the end of its value; a '#' in a text that could
  /// be one counts too.
  [[nodiscard]] bool has_comment(const Entry& entry) const {
    const auto written =
        text().substr(entry.key_span.end, entry.value.span.end - entry.key_span.end);
    for (auto at = written.find('#'); at != std::string_view::npos; at = written.find('#', at + 1))
      if (at > 0 && std::string_view(" \t\r\n").find(written[at - 1]) != std::string_view::npos)
        return true;
    return false;
  }

  // E01xx: keys that are missing or have no value.
  void keys() {
    if (code() == "E0103" || code() == "E0102") {
      const std::string& remedy = diagnostic_.remedy;
      if (!way_.empty() && way_.back().entry() != nullptr) {
        const Entry& entry = *way_.back().entry();
        const auto colon = text().find(':', entry.key_span.end);
        const auto at = static_cast<std::uint32_t>(std::min(colon, text().size() - 1) + 1);
        for (const auto& [kind, value] :
             {std::pair{"list", "[]"}, {"map", "{}"}, {"true", "true"}, {"true", "false"}}) {
          if (remedy.find(kind) == std::string::npos) continue;
          const bool empty = entry.value.kind == Node::Kind::null;
          replace("write " + std::string(value), empty ? Span{0, at, at} : entry.value.span,
                  std::string(empty ? " " : "") + value);
        }
      }
    }
    if (code() == "E0104") missing_key();
    if (code() == "E0219") {
      for (const Replacement& tier : other_words(diagnostic_, ""))
        add("add 'tier: " + tier.text + "'", {writing_.add(way_, "tier", tier.text)});
    }
    if (code() == "E0105" && !way_.empty() && way_.back().entry() != nullptr) {
      const auto& around = *way_.back().around;
      for (std::size_t i = 0; i < around.fields.size(); ++i) {
        const std::string& key = around.fields[i].key;
        if (diagnostic_.message.find('\'' + key + '\'') != std::string::npos)
          add("remove '" + key + "'", {writing_.remove({&around, i})});
      }
    }
  }

  /// `add 'slug': ...`, or one of several: with a value that such a field may have.
  void missing_key() {
    const spec::Shape* shape = shape_at(way_);
    if (shape == nullptr) return;
    for (const spec::Field& field : shape->fields) {
      const std::string key(field.key);
      const bool named = diagnostic_.remedy.starts_with("add '" + key + "'") ||
                         (std::ranges::find(shape->one_of, field.key) != shape->one_of.end() &&
                          diagnostic_.message.find(key) != std::string::npos);
      if (!named) continue;
      for (const std::string& value : examples_of(field, project_))
        add(std::string("add '").append(key).append(": ").append(value) += '\'',
            {writing_.add(way_, key, value)});
    }
  }

  /// What the language says of the map at the end of a way.
  [[nodiscard]] const spec::Shape* shape_at(const std::vector<Writing::Step>& way) const {
    const spec::Shape* shape = &Project::shape_of(part_.kind);
    for (const Writing::Step& step : way) {
      shape = shape_for(shape, *step.around);
      if (shape == nullptr) return nullptr;
      if (step.entry() != nullptr && shape->kind == spec::Shape::Kind::object) {
        const auto field = std::ranges::find(shape->fields, step.entry()->key, &spec::Field::key);
        shape = field == shape->fields.end() ? nullptr : field->shape;
      } else {
        shape = shape->element;
      }
    }
    return map_shape(shape);
  }

  // E01xx: values.
  void values() {
    if (way_.empty()) return;
    const Node& value = way_.back().value();
    if (code() == "E0102" && value.kind == Node::Kind::scalar)
      replace("make it a list", value.span,
              '[' +
                  std::string(text().substr(value.span.begin, value.span.end - value.span.begin)) +
                  ']',
              value.text.find(' ') == std::string::npos);
    if (code() == "E0102" && value.kind == Node::Kind::sequence && value.items.size() == 1) {
      const Span item = value.items[0].span;
      replace("write the value alone", value.span,
              std::string(text().substr(item.begin, item.end - item.begin)), true);
    }
    if (code() == "E0213") replace("write 1", diagnostic_.where, "1");
    if (code() == "E0224")
      replace("write all signals", diagnostic_.where, "[subdomain, header, token]");
    if (code() == "E0209") {
      int port = 0;
      const std::string old = written();
      if (std::from_chars(old.data(), old.data() + old.size(), port).ec != std::errc{}) return;
      for (int other = port + 1; other < port + 4; ++other)
        replace_by({std::to_string(other), false});
    }
  }

  /// What the message has in quotes, the first for 0.
  [[nodiscard]] std::string quoted_name(std::size_t number) const {
    std::size_t at = 0;
    const std::string& message = diagnostic_.message;
    for (std::size_t i = 0; i <= number; ++i) {
      const std::size_t begin = message.find('\'', at);
      const std::size_t end = begin == std::string::npos ? begin : message.find('\'', begin + 1);
      if (end == std::string::npos) break;
      if (i == number) return message.substr(begin + 1, end - begin - 1);
      at = end + 1;
    }
    return {};
  }

  // E02xx, E03xx: what does not agree with something else.
  void across_fields() {
    if (code() == "E0205") {
      const std::string name = quoted_name(0);
      add("declare the secret '" + name + "'",
          {writing_.add_to_section("secrets", name, "{ from: generate }")});
    }
    const bool database = diagnostic_.remedy.find("database:") != std::string::npos;
    if (any(code(), {"E0207", "E0213"})) {
      const std::string section = database ? "database" : "cache";
      const std::string engine = database ? "postgres" : "redis";
      const Node* there = writing_.tree().at(section);
      const Node* old = there == nullptr ? nullptr : there->at("engine");
      if (old != nullptr) {
        replace("use " + engine, old->span, engine);
      } else {
        add("add '" + section + ": { engine: " + engine + " }'",
            {there == nullptr ? writing_.add_to_section(section, "", "{ engine: " + engine + " }")
                              : writing_.add_to_section(section, "engine", engine)});
      }
    }
    if (code() == "E0217" && way_.size() >= 2) {
      // The service is what the key `module` stands in.
      const std::vector<Writing::Step> service(way_.begin(), way_.begin() + 2);
      const std::string subject = quoted_name(1);
      if (diagnostic_.remedy.find("'egress'") != std::string::npos)
        add("allow " + subject, {writing_.add_item(service, "egress", in_quotes(subject))});
      if (diagnostic_.remedy.find("'needs'") != std::string::npos) {
        const std::string owner = subject.substr(0, subject.find('.'));
        add("need " + owner, {writing_.add_item(service, "needs", owner)});
      }
    }
    if (code() == "E0221" && way_.size() >= 2) {
      const std::vector<Writing::Step> service(way_.begin(), way_.begin() + 2);
      add("add 'port: 8080'", {writing_.add(service, "port", "8080")});
    }
    if (code() == "E0307") patched_word();
    if (code() == "E0218") replacements();
    if (code() == "W0206") mail_server();
    if (code() == "W0205") shell();
  }

  /// Another word for the last one of a place in a file: where the patch says the place, or as a
  /// key of what it merges there.
  void patched_word() {
    constexpr std::string_view meant = "did you mean '";
    const auto at = diagnostic_.remedy.find(meant);
    const auto patch =
        std::ranges::find(way_, nullptr, [](const Writing::Step& step) { return step.entry(); });
    if (at == std::string::npos || patch == way_.end()) return;
    const auto fresh = diagnostic_.remedy.substr(at + meant.size());
    const std::string word = fresh.substr(0, fresh.find('\''));
    const std::string place = quoted_name(0);
    const std::string wrong = place.substr(place.rfind('/') + 1);
    if (wrong.empty() || word.starts_with('/')) return;
    const std::string title = "replace '" + wrong + "' with '" + word + "'";
    if (const Node* said = patch->value().at("at"); said != nullptr) {
      const auto words = text().substr(said->span.begin, said->span.end - said->span.begin);
      const auto last = words.rfind('/' + wrong);
      const auto behind = last == std::string_view::npos ? words : words.substr(last + 1);
      if (behind.starts_with(wrong) && behind.size() <= wrong.size() + 1) {
        const auto begin = said->span.begin + static_cast<std::uint32_t>(last) + 1;
        replace(title, {said->span.file, begin, begin + static_cast<std::uint32_t>(wrong.size())},
                word);
      }
    }
    if (const Node* merged = patch->value().at("merge"); merged != nullptr)
      if (const Entry* key = key_in(*merged, wrong)) replace(title, key->key_span, word);
  }

  /// The only key of that name in the map, or in what is in it.
  static const Entry* key_in(const Node& map, std::string_view key) {
    const Entry* found = nullptr;
    for (const Entry& each : map.fields) {
      const Entry* other = each.key == key ? &each : key_in(each.value, key);
      if (other != nullptr && found != nullptr) return nullptr;
      if (other != nullptr) found = other;
    }
    return found;
  }

  /// A shell around a command, which replaces the variable: the remedy has the whole of it.
  void shell() {
    constexpr std::string_view said = "a shell reads that: ";
    const auto at = diagnostic_.remedy.find(said);
    if (at == std::string::npos || way_.empty()) return;
    const std::string command = diagnostic_.remedy.substr(at + said.size());
    if (command.find("...") == std::string::npos && way_.back().around != nullptr)
      replace("let a shell read PORT", way_.back().around->span, command);
  }

  /// A server in the domain that the mail goes to: a guess, for whoever knows theirs.
  void mail_server() {
    const auto alerts = std::ranges::find_if(way_, [](const Writing::Step& step) {
      return step.entry() != nullptr && step.entry()->key == "alerts";
    });
    const std::string address = way_.empty() ? std::string() : way_.back().value().text;
    const auto domain = address.substr(std::min(address.rfind('@') + 1, address.size()));
    if (alerts == way_.end() || domain.empty()) return;
    const std::string server = "{ host: mail." + domain + ":587 }";
    add("add 'smtp: " + server + "'", {writing_.add({way_.begin(), alerts + 1}, "smtp", server)});
  }

  /// Whether the entry or item may go as a whole: a value alone always, what holds others only
  /// where the remedy says so, or where nothing reads it.
  [[nodiscard]] bool may_go(const Writing::Step& step) const {
    const Node& value = step.value();
    const bool alone = value.fields.empty() && value.items.empty();
    // What is only warned of is meant.
    if (alone && diagnostic_.severity == Severity::error) return true;
    return diagnostic_.remedy.find("remove") != std::string::npos ||
           any(code(),
               {"E0008", "E0011", "E0101", "E0201", "E0303", "E0304", "E0305", "E0306", "E0307"});
  }

  /// Whatever is wrong with it, it can go: where that is what the remedy says, or all that is left.
  void removals() {
    if (any(code(),
            {"E0001", "E0002", "E0003", "E0004", "E0005", "E0006", "E0007", "E0013", "E0014"}))
      return;
    // Innermost first; of a waiver or a tenant it is the item around what is wrong with it.
    const bool item = any(code(), {"E0201", "E0303", "E0304", "E0305", "E0306", "E0307"});
    std::size_t steps = 0;
    for (auto step = way_.rbegin(); step != way_.rend() && steps < 2; ++step) {
      const Entry* entry = step->entry();
      if (item && entry != nullptr) continue;
      if (!may_go(*step)) break;
      add(entry != nullptr ? "remove '" + entry->key + "'" : "remove this item",
          {writing_.remove(*step)});
      if (entry == nullptr && !item) continue;  // of a list of one the key may go instead
      ++steps;
      if (!any(code(), {"E0212", "E0133"})) break;
    }
  }

  /// The waiver that the remedy writes, or one of the warning for the field that it is about.
  void waive() {
    constexpr std::string_view said = "waivers: [{ rule: ";
    constexpr std::string_view reason = ", reason: ";
    if (const auto at = diagnostic_.remedy.find(said); at != std::string::npos) {
      const auto rest = diagnostic_.remedy.substr(at + said.size());
      const auto rule = rest.substr(0, rest.find(reason));
      add("waive " + rule.substr(0, rule.find(',')),
          {writing_.add_item({}, "waivers", "{ rule: " + rule + ", reason: accepted as it is }")});
      return;
    }
    if (diagnostic_.severity != Severity::warning) return;
    std::string field;
    for (const Writing::Step& step : way_) {
      if (step.entry() == nullptr) break;
      field += (field.empty() ? "" : ".") + step.entry()->key;
    }
    const std::string waiver =
        "{ rule: " + std::string(code()) + ", where: " + field + ", reason: accepted as it is }";
    add("waive " + std::string(code()) + " here", {writing_.add_item({}, "waivers", waiver)});
  }

  const Project& project_;
  const Diagnostic& diagnostic_;
  const Part& part_;
  Writing writing_;
  std::vector<Writing::Step> way_;
  std::vector<Fix> fixes_;
};

std::size_t count(const std::vector<Diagnostic>& all, std::string_view code) {
  return static_cast<std::size_t>(std::ranges::count(all, code, &Diagnostic::code));
}

bool can_be_read(const std::vector<Diagnostic>& all) {
  return std::ranges::none_of(all,
                              [](const Diagnostic& each) { return each.code.starts_with("E00"); });
}

std::string_view without_ends(std::string_view text) {
  constexpr std::string_view ends = " \t\r\n\"'";
  const std::size_t begin = std::min(text.find_first_not_of(ends), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(ends) + 1);
}

/// Whether the edits take nothing away that stands outside of the place: what they replace there is
/// in what they write, or blanks right behind the place.
bool stays_within(const std::vector<Edit>& edits, const Span& place, const Project& project) {
  return std::ranges::all_of(edits, [&](const Edit& edit) {
    const auto text = project.sources[edit.place.file].text();
    const auto old = text.substr(edit.place.begin, edit.place.end - edit.place.begin);
    const bool inside = edit.place.file == place.file && edit.place.begin >= place.begin &&
                        std::min<std::size_t>(edit.place.end, text.size()) <= place.end;
    if (inside || old.empty()) return true;
    const auto gone = without_ends(old);
    if (!gone.empty() && edit.text.find(gone) != std::string::npos) return true;
    // What the place ends before may be blanks.
    const bool blanks = edit.place.file == place.file && edit.place.begin >= place.begin &&
                        edit.place.begin <= place.end &&
                        without_ends(text.substr(place.end, edit.place.end - place.end)).empty();
    return blanks;
  });
}

std::size_t errors(const std::vector<Diagnostic>& all) {
  return static_cast<std::size_t>(std::ranges::count(all, Severity::error, &Diagnostic::severity));
}

/// One less of its kind. A text that could not be read may show more mistakes once it can be; any
/// other fix must not make new ones.
bool helps(const Diagnostic& mended, const std::vector<Diagnostic>& before,
           const std::vector<Diagnostic>& after) {
  if (count(after, mended.code) >= count(before, mended.code)) return false;
  if (mended.code.starts_with("E00")) return true;
  const std::size_t one = mended.severity == Severity::error ? 1 : 0;
  return errors(after) + one <= errors(before);
}

}  // namespace

std::vector<Fix> fixes_for(const Project& project, const std::vector<Diagnostic>& all,
                           const Diagnostic& diagnostic, const Judge& judge) {
  if (diagnostic.where.file >= project.parts.size()) return {};
  std::vector<Fix> good;
  std::vector<std::vector<Edit>> tried;
  std::set<std::string> titles;
  const bool is_large = project.sources[diagnostic.where.file].text().size() > large;
  std::size_t tries = is_large ? most_tries_of_large : most_tries;
  for (Fix& fix : Ideas(project, diagnostic).think()) {
    if (tries == 0 || good.size() == most_fixes) break;
    if (fix.edits.empty() || titles.contains(fix.title)) continue;
    if (std::ranges::find(tried, fix.edits) != tried.end()) continue;
    tried.push_back(fix.edits);
    --tries;
    const auto after = judge(fix.edits);
    if (!helps(diagnostic, all, after)) continue;
    fix.preferred = fix.preferred && can_be_read(after) &&
                    stays_within(fix.edits, diagnostic.where, project) &&
                    std::ranges::none_of(good, &Fix::preferred);
    titles.insert(fix.title);
    good.push_back(std::move(fix));
  }
  std::ranges::stable_partition(good, &Fix::preferred);
  return good;
}

}  // namespace caisson::editor
