#include "editor/fix_words.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <utility>

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

/// The letters and digits of a value: what it says, however it is quoted, bracketed or parted.
std::string said_by(std::string_view value) {
  std::string out = lower(value);
  // Bytes of other alphabets are letters too.
  std::erase_if(out, [](unsigned char c) {
    return c < 0x80 && (c < 'a' || c > 'z') && (c < '0' || c > '9');
  });
  return out;
}

/// "a, b or c" and "[a, b]" to its values. Empty unless all of it is values: a sentence names none.
/// One that stands there alone is what was meant when it says what is `written`; a unit or a port
/// that it adds is a guess.
std::vector<Replacement> values_in(std::string_view text, std::string_view written) {
  std::vector<Replacement> values;
  while (!text.empty()) {
    const bool brackets = text.starts_with('[') || text.starts_with('{');
    const std::size_t from = brackets ? text.find_last_of("]}") : 0;
    if (from == std::string_view::npos) return {};
    const std::size_t comma = std::min(text.find(", ", from), text.size());
    const std::size_t either = std::min(text.find(" or ", from), text.size());
    const std::size_t end = std::min(comma, either);
    const auto word = without_quotes(text.substr(0, end));
    if (word.empty() || (!brackets && word.find_first_of(" :(<") != std::string_view::npos))
      return {};
    values.push_back({std::string(word)});
    if (end == text.size()) break;
    text.remove_prefix(end + (end == comma ? 2 : 4));
  }
  if (values.size() == 1) values.front().only = said_by(values.front().text) == said_by(written);
  return values;
}

/// The words in quotes, in their order.
std::vector<std::string_view> quoted_in(std::string_view message) {
  std::vector<std::string_view> words;
  while (true) {
    const auto begin = message.find('\'');
    const auto end = begin == std::string_view::npos ? begin : message.find('\'', begin + 1);
    if (end == std::string_view::npos) return words;
    if (end > begin + 1) words.push_back(message.substr(begin + 1, end - begin - 1));
    message.remove_prefix(end + 1);
  }
}

/// Where the only place of the word in the text begins.
std::size_t only_place(std::string_view text, std::string_view word) {
  const auto of_a_word = [&text](std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  std::size_t place = std::string_view::npos;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at > 0 && of_a_word(at - 1)) || (end < text.size() && of_a_word(end))) continue;
    if (place != std::string_view::npos) return std::string_view::npos;
    place = at;
  }
  return place;
}

/// The value with the word in the place of what the message quotes of it; nothing when it quotes
/// something else.
std::optional<Replacement> in_place(std::string_view message, std::string_view value,
                                    std::string_view word) {
  const auto quoted = quoted_in(message);
  const auto at = [value](std::string_view each) { return only_place(value, each); };
  const auto wrong = std::ranges::find_if(
      quoted, [&](std::string_view each) { return at(each) != std::string_view::npos; });
  if (value.empty() || quoted.empty()) return Replacement{.text = std::string(word)};
  if (wrong == quoted.end()) return std::nullopt;
  std::string text(value);
  text.replace(at(*wrong), wrong->size(), word);
  // Of a place in a file the beginning is said that is there; the rest stays.
  const auto steps = std::ranges::count(word, '/');
  if (word.starts_with('/') && wrong->starts_with('/') && steps < std::ranges::count(*wrong, '/')) {
    std::size_t rest = 0;
    for (auto step = steps; step > 0; --step) rest = wrong->find('/', rest + 1);
    text.insert(at(*wrong) + word.size(), wrong->substr(rest));
  }
  return Replacement{.text = std::move(text), .part = wrong->size() < value.size()};
}

void add_said(const source::Diagnostic& diagnostic, std::string_view written,
              std::vector<Replacement>& out) {
  const std::string_view code = diagnostic.code;
  const std::string_view remedy = diagnostic.remedy;
  // Of names that people give, the one that is not there may be the right one, not declared yet.
  constexpr std::array<std::string_view, 6> of_names{"E0110", "E0204", "E0205",
                                                     "E0206", "E0207", "E0228"};
  const bool given = std::ranges::find(of_names, code) != of_names.end();
  constexpr std::string_view meant = "did you mean ";
  if (const std::size_t at = remedy.find(meant); at != std::string_view::npos) {
    auto word = remedy.substr(at + meant.size());
    const bool is_word = word.starts_with('\'');
    word = word.substr(0, is_word ? word.find('\'', 1) : word.find('?'));
    if (is_word) word.remove_prefix(1);
    const auto old = without_quotes(written);
    // A value that says more than what is written has a unit or a port that nobody gave.
    const bool more = !is_word && said_by(word) != said_by(old);
    // 'inactive' and 'unsuspended' say the contrary of the word that they end with.
    const bool contrary = lower(old).ends_with(lower(word));
    if (auto instead = in_place(diagnostic.message, old, word)) {
      instead->only = !given && !contrary && !more;
      out.push_back(*std::move(instead));
    }
    return;
  }
  // Every key that may stand there is no likelier than another.
  if (code == "E0101") return;
  for (const std::string_view verb : {"write the name alone: ", "write ", "use ", "add 'tier': "}) {
    const std::size_t at = remedy.find(verb);
    if (at == std::string_view::npos) continue;
    auto words = remedy.substr(at + verb.size());
    words = words.substr(0, words.find(" without quotes"));
    words = words.substr(0, words.find(';'));
    auto values = values_in(words, written);
    for (Replacement& value : values) value.only = value.only && !given;
    std::ranges::move(values, std::back_inserter(out));
  }
}

/// How many secrets and answers the text refers to.
std::size_t references_in(std::string_view text) {
  std::size_t count = 0;
  for (const std::string_view opening : {"${secret:", "${answer:"})
    for (auto at = text.find(opening); at != std::string_view::npos;
         at = text.find(opening, at + 1))
      ++count;
  return count;
}

/// What follows from the value as it is written, by the code of what is wrong with it.
void add_guesses(std::string_view code, std::string_view text, std::vector<Replacement>& out) {
  const auto guess = [&](std::string word, bool only = false) {
    if (!word.empty() && word != text) out.push_back({std::move(word), false, only});
  };
  const auto is = [code](std::initializer_list<std::string_view> codes) {
    return std::ranges::find(codes, code) != codes.end();
  };
  const std::string small = lower(text);
  if (is({"E0107"})) {
    const bool yes = small == "yes" || small == "on" || small == "true";
    const bool no = small == "no" || small == "off" || small == "false";
    // Said to be one of the two words; which one tells the value.
    for (Replacement& word : out)
      word.only = (yes && word.text == "true") || (no && word.text == "false");
    std::ranges::stable_partition(out, &Replacement::only);
  }
  // Without its quotes.
  if (is({"E0108"})) out.insert(out.begin(), {std::string(text), true, true});
  if (is({"E0116"})) {
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
  if (is({"E0131"})) guess("v1", true);
  if (is({"E0111"}) && text.starts_with('v')) guess(std::string(text.substr(1)), true);
  // Several in one text: they are a list, or a cell's words.
  const bool several = text.find_first_of(", ;") != std::string_view::npos;
  if (is({"E0112"}) && several) {
    std::string words(text);
    std::ranges::replace_if(words, [](char c) { return c == ',' || c == ';'; }, ' ');
    guess(std::move(words));
  }
  if (is({"E0112", "E0113"}) && !several) {
    if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
      const auto rest = text.substr(scheme + 3);
      guess(std::string(rest.substr(0, rest.find('/'))));
      if (is({"E0112"})) guess(std::string(rest.substr(0, rest.find_first_of(":/"))));
      if (is({"E0113"}))
        guess(std::string(rest.substr(0, rest.find('/'))) +
              (text.starts_with("http://") ? ":80" : ":443"));
    } else if (is({"E0112"})) {
      guess(std::string(text.substr(0, text.find(':'))));
    }
    if (text.ends_with('.')) guess(std::string(text.substr(0, text.size() - 1)), true);
  }
  if (is({"E0110", "E0112", "E0113", "E0115"})) {
    guess(small, !is({"E0110"}));
    std::string dashes = small;
    std::ranges::replace(dashes, '_', '-');
    guess(dashes);
  }
  if (is({"E0110"}) && text.size() > 40) guess(std::string(text.substr(0, 40)));
  if (is({"E0120"})) {
    const std::size_t dash = text.find('-');
    if (dash != std::string_view::npos)
      guess(std::string(text.substr(0, dash)).append("..").append(text.substr(dash + 1)), true);
  }
  if (is({"E0125"}))
    guess(text.starts_with('/') ? std::string(text.substr(1)) : '/' + std::string(text));
  if (is({"E0126"}) && text.starts_with("sha256:")) guess(std::string(text.substr(7)), true);
  if (is({"E0130"})) {
    std::string name(text);
    std::ranges::replace_if(name, [](char c) { return c == ' ' || c == '-' || c == '.'; }, '_');
    guess(name);
  }
  if (is({"W0205"})) {
    // "${REGION:-eu}": what shells and Compose take when nobody gives the variable.
    const std::size_t dash = text.find(":-");
    if (text.starts_with("${") && text.ends_with('}') && dash != std::string_view::npos)
      guess(std::string(text.substr(dash + 2, text.size() - dash - 3)));
  }
}

}  // namespace

std::vector<Replacement> other_words(const source::Diagnostic& diagnostic,
                                     std::string_view written) {
  std::vector<Replacement> words;
  add_said(diagnostic, written, words);
  // What is wrong with a map or a list is not mended by another word.
  const bool word = written.find_first_of("\r\n") == std::string_view::npos &&
                    !written.starts_with('{') && !written.starts_with('[');
  if (word) add_guesses(diagnostic.code, without_quotes(written), words);
  // What stands for a reference while the spec is checked is not what people wrote.
  std::erase_if(words, [&](const Replacement& each) {
    return references_in(each.text) != references_in(written);
  });
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
  for (const spec::Shape* choice : shape.choices)
    for (const auto word : choice->words) values.emplace_back(word);
  if (!values.empty()) return values;
  if (shape.kind == spec::Shape::Kind::list) return {"[]"};
  const auto example = spec::example_of(field);
  if (example.find("...") != std::string::npos) return {};
  return {example};
}

}  // namespace caisson::editor
