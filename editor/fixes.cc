#include "editor/fixes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <set>
#include <utility>

#include "editor/edits.h"
#include "editor/fix_words.h"
#include "editor/shapes.h"
#include "generator/spec/scalars.h"
#include "generator/spec/spec.h"

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
    document();
    if (names_a_value())
      for (const Replacement& word : other_words(code(), written(), diagnostic_.remedy))
        if (word.likely) replace_by(word);
    keys();
    values();
    across_fields();
    replacements();
    removals();
    if (diagnostic_.severity == Severity::warning) waive();
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
    if (old.size() > 1 && (old[0] == '"' || old[0] == '\'') && old.back() == old[0])
      replace(title, diagnostic_.where, old[0] + word.text + old[0], word.only);
    replace(title, diagnostic_.where, word.text, word.only);
    replace(title, diagnostic_.where, in_quotes(word.text), word.only);
  }
  void replacements() {
    if (!names_a_value()) return;
    for (const Replacement& word : other_words(code(), written(), diagnostic_.remedy))
      replace_by(word);
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

  // E00xx: what keeps a text from being read.
  void document() {
    const Span where = diagnostic_.where;
    const std::size_t line_end = std::min(text().find_first_of("\r\n", where.begin), text().size());
    const auto insert = [&](std::string title, std::size_t at, std::string what) {
      const auto place = static_cast<std::uint32_t>(at);
      replace(std::move(title), {0, place, place}, std::move(what), true);
    };
    if (code() == "E0001") syntax(line_end, insert);
    if (code() == "E0002") {
      std::vector<Edit> tabs;
      for (std::size_t at = 0; at < text().size();) {
        const std::size_t end = std::min(text().find_first_not_of(" \t", at), text().size());
        for (std::size_t i = at; i < end; ++i) {
          const auto place = static_cast<std::uint32_t>(i);
          if (text()[i] == '\t') tabs.push_back(writing_.replace({0, place, place + 1}, "  "));
        }
        at = std::min(text().find('\n', end), text().size() - 1) + 1;
      }
      add("indent with spaces", std::move(tabs), true);
    }
    if (code() == "E0004") replace("remove the character", where, "", true);
    if (code() == "E0005") {
      const bool open = !text().empty() && !text().ends_with('\n');
      const auto end = static_cast<std::uint32_t>(text().size());
      replace("write a starter spec", {0, end, end},
              (open ? "\n" : "") + spec::starter("my-product"), true);
    }
    if (any(code(), {"E0009", "E0012"})) {
      Span place = where;
      while (place.end < text().size() && text()[place.end] == ' ') ++place.end;
      // Without the tag of a kind that YAML sees by itself the value says the same.
      const bool alike = code() == "E0009" ||
                         any(written(), {"!!str", "!!int", "!!bool", "!!float", "!!seq", "!!map"});
      replace("remove '" + written() + "'", place, "", alike);
    }
    if (code() == "E0010") alias();
    if (code() == "E0013") {
      replace("remove everything from here on",
              {0, where.begin, static_cast<std::uint32_t>(text().size())}, "");
    }
  }

  template <class Insert>
  void syntax(std::size_t line_end, const Insert& insert) {
    const Span where = diagnostic_.where;
    const char first = where.begin < text().size() ? text()[where.begin] : '\0';
    if (first == '"' || first == '\'') {
      insert("add the missing quote", line_end, std::string(1, first));
      const std::size_t comma = text().find_first_of(",}]\n", where.begin);
      if (comma < line_end) insert("add the missing quote", comma, std::string(1, first));
    }
    if (first == '{' || first == '[') {
      const std::string closing(first == '{' ? " }" : "]");
      const std::string title = "add the missing '" + closing.substr(closing.size() - 1) + "'";
      insert(title, line_end, closing);
      for (const Span& related : diagnostic_.related) {
        const auto last = text().substr(0, related.begin).find_last_not_of(" \t\r\n");
        insert(title, last == std::string_view::npos ? 0 : last + 1, closing);
      }
    }
    if (any(written(), {"}", "]"})) replace("remove the bracket", where, "", true);
    // A value that needs quotes: behind the first ": " or "- " of the line.
    const std::size_t begin = text().substr(0, where.begin + 1).find_last_of('\n') + 1;
    const auto line = text().substr(begin, line_end - begin);
    for (const std::string_view mark : {": ", "- "}) {
      const std::size_t at = line.find(mark);
      if (at == std::string_view::npos) continue;
      const std::size_t start = line.find_first_not_of(' ', at + mark.size());
      if (start == std::string_view::npos) continue;
      std::string value(line.substr(start));
      const bool double_quotes = value.size() > 1 && value[0] == '"' && value.back() == '"';
      if (double_quotes) value = value.substr(1, value.size() - 2);
      std::string doubled;
      for (const char c : value) doubled += c == '\'' ? std::string("''") : std::string(1, c);
      replace(double_quotes ? "use single quotes" : "quote the value",
              {0, static_cast<std::uint32_t>(begin + start), static_cast<std::uint32_t>(line_end)},
              '\'' + doubled + '\'', diagnostic_.remedy.find("quote") != std::string::npos);
    }
  }

  /// Where the anchor is that an alias at `end` means: the last one before it that stands before a
  /// value, and in no comment.
  [[nodiscard]] std::size_t anchor_before(std::size_t end, const std::string& name) const {
    constexpr auto none = std::string_view::npos;
    for (std::size_t at = end; at > 0;) {
      at = text().rfind('&' + name, at - 1);
      if (at == none) return none;
      const std::size_t behind = at + 1 + name.size();
      const auto line = text().substr(0, at).find_last_of('\n');
      const auto before =
          text().substr(line == none ? 0 : line + 1, at - (line == none ? 0 : line + 1));
      const auto last = before.find_last_not_of(' ');
      const bool opens = last == none || std::string_view(":-,[{?").find(before[last]) != none;
      const bool comment = before.starts_with('#') || before.find(" #") != none;
      const bool whole =
          behind < text().size() && std::string_view(" \r\n").find(text()[behind]) != none;
      if (opens && !comment && whole) return at;
    }
    return none;
  }

  /// The value that the alias stands for, if it is written on one line.
  void alias() {
    const std::string name = written().substr(std::min<std::size_t>(1, written().size()));
    const std::size_t anchor = anchor_before(diagnostic_.where.begin, name);
    if (name.empty() || anchor == std::string_view::npos) return;
    const std::size_t begin =
        std::min(text().find_first_not_of(' ', anchor + 1 + name.size()), text().size());
    if (begin == anchor + 1 + name.size()) return;
    const std::size_t end = std::min(text().find_first_of("\r\n", begin), text().size());
    auto value = text().substr(begin, end - begin);
    if (value.empty()) return;
    const bool brackets = value[0] == '{' || value[0] == '[';
    value = value.substr(0, value.find(" #"));
    if (!brackets) value = value.substr(0, value.find_first_of(",}]"));
    value = value.substr(0, value.find_last_not_of(' ') + 1);
    if (value.empty()) return;
    replace("write the value out", diagnostic_.where, std::string(value), true);
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
      for (const Replacement& tier : other_words(code(), "", diagnostic_.remedy))
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
    const spec::Shape* shape = shape_at_way();
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

  /// What the language says of the map at the end of the way.
  [[nodiscard]] const spec::Shape* shape_at_way() const {
    const spec::Shape* shape = &Project::shape_of(part_.kind);
    for (const Writing::Step& step : way_) {
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

  // E02xx, E03xx: what does not agree with something else.
  void across_fields() {
    const auto quoted_name = [this](std::size_t number) {
      std::size_t at = 0;
      const std::string& message = diagnostic_.message;
      for (std::size_t i = 0; i <= number; ++i) {
        const std::size_t begin = message.find('\'', at);
        const std::size_t end = begin == std::string::npos ? begin : message.find('\'', begin + 1);
        if (end == std::string::npos) return std::string();
        if (i == number) return message.substr(begin + 1, end - begin - 1);
        at = end + 1;
      }
      return std::string();
    };
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
    if (code() == "E0218") replacements();
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

  /// A waiver of the warning, for the field that it is about.
  void waive() {
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
/// in what they write.
bool stays_within(const std::vector<Edit>& edits, const Span& place, const Project& project) {
  return std::ranges::all_of(edits, [&](const Edit& edit) {
    const auto text = project.sources[edit.place.file].text();
    const auto old = text.substr(edit.place.begin, edit.place.end - edit.place.begin);
    const bool inside = edit.place.file == place.file && edit.place.begin >= place.begin &&
                        std::min<std::size_t>(edit.place.end, text.size()) <= place.end;
    const auto gone = inside ? std::string_view() : without_ends(old);
    if (gone.empty() || edit.text.find(gone) != std::string::npos) return true;
    // What the place ends before may be blanks.
    const bool blanks = edit.place.file == place.file && edit.place.begin >= place.begin &&
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
