#include "editor/fix_words.h"

#include <algorithm>
#include <array>

#include "editor/names.h"
#include "editor/shapes.h"
#include "generator/spec/scalars.h"

namespace caisson::editor {
namespace {

std::string_view without_quotes(std::string_view text) {
  const bool quotes =
      text.size() > 1 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
  return quotes ? text.substr(1, text.size() - 2) : text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// "a, b or c" to its words; words of several words are sentences, not values.
void add_list(std::string_view text, std::vector<Replacement>& out) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(", "), text.size());
    const std::size_t either = std::min(text.find(" or "), text.size());
    const std::size_t end = std::min(comma, either);
    const auto word = without_quotes(text.substr(0, end));
    const bool value =
        word.starts_with('[') || word.starts_with('{') || word.find(' ') == std::string_view::npos;
    if (!word.empty() && value) out.push_back({std::string(word)});
    if (end == text.size()) return;
    text.remove_prefix(end + (end == comma ? 2 : 4));
  }
}

void add_said(std::string_view code, std::string_view remedy, std::vector<Replacement>& out) {
  constexpr std::string_view meant = "did you mean ";
  if (const std::size_t at = remedy.find(meant); at != std::string_view::npos) {
    auto word = remedy.substr(at + meant.size());
    if (word.starts_with('\'')) {
      out.push_back({std::string(word.substr(1, word.find('\'', 1) - 1))});
    } else {
      out.push_back({std::string(word.substr(0, word.rfind('?')))});
    }
  }
  // Every key that may stand there is no likelier than another.
  if (code == "E0101") return;
  for (const std::string_view verb : {"write the name alone: ", "write ", "use ", "add 'tier': "}) {
    const std::size_t at = remedy.find(verb);
    if (at == std::string_view::npos) continue;
    auto words = remedy.substr(at + verb.size());
    words = words.substr(0, words.find(" without quotes"));
    words = words.substr(0, words.find(';'));
    add_list(words, out);
  }
  constexpr std::string_view from = "number from ";
  if (const std::size_t at = remedy.find(from); at != std::string_view::npos) {
    // "write a whole number from 1 to 65535": the nearer bound is tried by trying both.
    auto bounds = remedy.substr(at + from.size());
    bounds = bounds.substr(0, bounds.find(" without"));
    const std::size_t to = bounds.find(" to ");
    if (to != std::string_view::npos) {
      out.push_back({std::string(bounds.substr(0, to)), false});
      out.push_back({std::string(bounds.substr(to + 4)), false});
    }
  }
}

/// What the value itself tells.
void add_guesses(std::string_view code, std::string_view text, std::vector<Replacement>& out) {
  const auto guess = [&](std::string word) {
    if (!word.empty() && word != text) out.push_back({std::move(word), false});
  };
  const std::string small = lower(text);
  if (code == "E0107") {
    guess(small == "yes" || small == "on" || small == "true" ? "true" : "false");
  }
  if (code == "E0108") out.insert(out.begin(), {std::string(text), true});  // without its quotes
  if (code == "E0116") {
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    // The unit that is written, as it is called here; without one what memory and disks have.
    const auto letter = text.size() > digits.size() ? text.substr(digits.size(), 1) : "";
    if (letter.empty() || std::string_view("KMGTkmgt").find(letter) == std::string_view::npos) {
      guess(std::string(digits) + "Mi");
      guess(std::string(digits) + "Gi");
    } else {
      const char unit = letter[0] >= 'a' ? static_cast<char>(letter[0] - 'a' + 'A') : letter[0];
      guess(std::string(digits) + unit + "i");
    }
  }
  if (code == "E0131") guess("v1");
  if (text.starts_with('v')) guess(std::string(text.substr(1)));
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    const auto rest = text.substr(scheme + 3);
    guess(std::string(rest.substr(0, rest.find('/'))));
    guess(std::string(rest.substr(0, rest.find_first_of(":/"))));
    guess(std::string(rest.substr(0, rest.find('/'))) +
          (text.starts_with("http://") ? ":80" : ":443"));
  }
  guess(std::string(text.substr(0, text.find(':'))));
  guess(small);
  std::string dashes = small;
  std::ranges::replace(dashes, '_', '-');
  guess(dashes);
  if (text.starts_with('/')) guess(std::string(text.substr(1)));
  if (code == "E0125" && !text.starts_with('/')) guess('/' + std::string(text));
  if (text.ends_with('.')) guess(std::string(text.substr(0, text.size() - 1)));
  if (text.starts_with("sha256:")) guess(std::string(text.substr(7)));
  if (text.size() > 40 && code == "E0110") guess(std::string(text.substr(0, 40)));
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos)
    guess(std::string(text.substr(0, dash)) + ".." + std::string(text.substr(dash + 1)));
}

/// "a date as 2027-01-31" shows how it is written.
std::string example_in(std::string_view note) {
  const std::size_t at = note.rfind(" as ");
  if (at == std::string_view::npos) return {};
  auto example = without_quotes(note.substr(at + 4));
  return example.find(' ') == std::string_view::npos ? std::string(example)
                                                     : '"' + std::string(example) + '"';
}

}  // namespace

std::vector<Replacement> other_words(std::string_view code, std::string_view written,
                                     std::string_view remedy) {
  std::vector<Replacement> words;
  add_said(code, remedy, words);
  add_guesses(code, without_quotes(written), words);
  return words;
}

std::vector<std::string> examples_of(const spec::Field& field, const Project& project) {
  const spec::Shape& shape = *field.shape;
  std::vector<std::string> values;
  for (const auto word : shape.words) values.emplace_back(word);
  if (&shape == &spec::secret_ref_type.shape) {
    for (const Use& use : uses_of(project))
      if (use.kind == NameKind::secret && use.definition) values.push_back(use.name);
  }
  if (!values.empty()) return values;
  if (field.key == "caisson") return {"v1"};
  if (field.key == "tenants") return {"[]"};
  if (field.key == "name" || field.key == "slug")
    return {"my-" + std::string(field.key == "name" ? "product" : "tenant")};
  if (field.key == "rule") return {"W0201"};
  if (field.key == "reason") return {"say why"};
  if (field.key == "version") return {"0.1.0"};
  if (field.key == "path" || field.key == "context" || field.key == "file") {
    const bool absolute = shape.pattern.starts_with("^/");
    return {absolute ? "/var/lib/app" : "app"};
  }
  if (shape.kind == spec::Shape::Kind::integer)
    return {std::to_string(static_cast<long long>(shape.min))};
  if (shape.kind == spec::Shape::Kind::boolean) return {"true"};
  if (const std::string example = example_in(shape.note); !example.empty()) return {example};
  for (const spec::Shape* choice : shape.choices)
    for (const auto word : choice->words) values.emplace_back(word);
  if (!values.empty()) return values;
  if (shape.kind == spec::Shape::Kind::list) return {"[]"};
  // A map with what it requires.
  std::string inner;
  for (const spec::Field& required : shape.fields) {
    if (required.absent.kind != spec::Absent::Kind::error) continue;
    const auto examples = examples_of(required, project);
    if (examples.empty()) return {};
    inner += (inner.empty() ? " " : ", ") + std::string(required.key) + ": " + examples.front();
  }
  if (shape.kind == spec::Shape::Kind::object) return {inner.empty() ? "{}" : '{' + inner + " }"};
  return {};
}

}  // namespace caisson::editor
