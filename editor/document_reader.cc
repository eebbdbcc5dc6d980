// Reading a document of 10,000 tenants takes some tenths of a second, which is too long while
// somebody types. So the text is taken apart, and what stands in pieces that say the same wherever
// they are is left out: empty lines stand in their place, so that numbers of lines remain. What is
// left is given to the one reader, and its tree gets the items that were left out.
//
// That is right where the reader comes to a gap as it would come to the text that was there: as to
// the next item of the list. It does so when the piece before the gap, which is none that depends
// on what is around it, has begun as an item of a list. Where it has not (a quote or a bracket was
// left open), the text is given to the reader as it is: it stops there soon. Only quotes go on over
// everything that has no other of them, and so may gaps.

#include "editor/document_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include "generator/spec/read_trace.h"
#include "generator/spec/tabs.h"

namespace caisson::editor {

using source::Span;
using spec::Node;

namespace {

/// Below this a document is parsed faster than it is taken apart.
constexpr std::size_t worth_taking_apart = std::size_t{32} << 10;
/// In a document a list is deeper than by itself; nobody's is this deep.
constexpr std::size_t deepest_around = 16;
/// Around a piece of a list in brackets.
constexpr std::string_view opening = "[\n";
constexpr std::string_view closing = "]\n";
/// An item behind a piece: the reader has to come to it as to the next one. (At the end of a text
/// it also accepts what it would refuse before another key.)
constexpr std::string_view next_item = "{ end: end }\n";

void shift(Span& span, std::uint32_t file, std::int64_t by) {
  span.file = file;
  span.begin = static_cast<std::uint32_t>(span.begin + by);
  span.end = static_cast<std::uint32_t>(span.end + by);
}

void shift(Node& node, std::uint32_t file, std::int64_t by) {
  shift(node.span, file, by);
  for (Node& item : node.items) shift(item, file, by);
  for (spec::Entry& entry : node.fields) {
    shift(entry.key_span, file, by);
    shift(entry.value, file, by);
  }
}

/// An item without a value stands where the parser finds out, which may be behind its piece.
bool has_empty_item(const Node& node) {
  const auto is_empty = [](const Node& item) {
    return item.kind == Node::Kind::null || has_empty_item(item);
  };
  return std::ranges::any_of(node.items, is_empty) ||
         std::ranges::any_of(node.fields, has_empty_item, &spec::Entry::value);
}

/// Behind a carriage return alone the parser begins a line where nobody else does.
bool has_odd_breaks(std::string_view text) {
  for (auto at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1))
    if (text.substr(at, 2) != "\r\n") return true;
  return false;
}

/// The items of a piece, when they are the same wherever it stands in a list.
std::optional<Node> items_of(Piece::Kind kind, std::string_view text) {
  if (has_odd_breaks(text) || !text.ends_with('\n')) return std::nullopt;
  std::string whole;
  if (kind == Piece::Kind::flow) whole = opening;
  const auto begin = static_cast<std::int64_t>(whole.size());
  whole += text;
  if (kind == Piece::Kind::block) whole.append(text.substr(0, text.find('-'))).append("- ");
  const std::size_t next = whole.size();
  whole += next_item;
  if (kind == Piece::Kind::flow) whole += closing;
  source::Diagnostics unheard;
  const source::SourceFile source("", std::move(whole));
  auto list = spec::read_document(source, 0, unheard,
                                  {.depth = spec::DocumentLimits().depth - deepest_around});
  if (!list || list->kind != Node::Kind::sequence || !unheard.sorted().empty()) return std::nullopt;
  if (list->items.size() < 2 || list->items.back().span.begin != next) return std::nullopt;
  list->items.pop_back();
  if (has_empty_item(*list)) return std::nullopt;
  shift(*list, 0, -begin);
  return list;
}

/// Every list in a tree, inner ones first.
void collect_lists(Node& node, std::vector<Node*>& lists) {
  for (Node& item : node.items) collect_lists(item, lists);
  for (spec::Entry& entry : node.fields) collect_lists(entry.value, lists);
  if (node.kind == Node::Kind::sequence) lists.push_back(&node);
}

}  // namespace

/// A text without some of its pieces.
struct DocumentReader::Excerpt {
  /// From here on, places are those of the whole text moved by the same distance.
  struct Run {
    std::uint32_t here = 0;
    std::uint32_t whole = 0;
  };
  struct Gap {
    std::size_t first = 0;    ///< piece
    std::size_t last = 0;     ///< piece
    std::uint32_t begin = 0;  ///< in the excerpt
    std::uint32_t guard = 0;  ///< where the first item of the piece before it begins, too
  };
  source::SourceFile source{"", ""};
  std::size_t written = 0;  ///< bytes of the text that are left
  std::vector<Run> runs;
  std::vector<Gap> gaps;

  [[nodiscard]] std::uint32_t place(std::uint32_t here) const {
    const auto behind = std::ranges::upper_bound(runs, here, {}, &Run::here);
    const Run& run = *std::prev(behind);
    return run.whole + (here - run.here);
  }
  void move(Span& span) const {
    const bool empty = span.end <= span.begin;
    span.end = empty ? span.end : place(span.end - 1) + 1;
    span.begin = place(span.begin);
    if (empty) span.end = span.begin;
  }
  void move(Node& node) const {
    move(node.span);
    for (Node& item : node.items) move(item);
    for (spec::Entry& entry : node.fields) {
      move(entry.key_span);
      move(entry.value);
    }
  }
};

/// What the reader says of an excerpt, in its places.
struct DocumentReader::Reading {
  std::vector<bool> left_out;
  Excerpt excerpt;
  std::optional<Node> document;
  std::vector<source::Diagnostic> found;
  spec::ReadTrace trace;
  std::size_t proven = 0;  ///< gaps, from the first on, that are as good as what was there
};

std::optional<Node> DocumentReader::read(const source::SourceFile& source, std::uint32_t file,
                                         source::Diagnostics& diagnostics) {
  parsed_ = 0;
  auto reading = read_excerpt(source, file);
  if (!reading) {
    parsed_ += source.text().size();
    return spec::read_document(source, file, diagnostics);
  }
  for (source::Diagnostic& each : reading->found) {
    reading->excerpt.move(each.where);
    for (Span& related : each.related) reading->excerpt.move(related);
    diagnostics.report(std::move(each));
  }
  if (reading->document) complete(*reading->document, *reading, file);
  return std::move(reading->document);
}

std::optional<DocumentReader::Reading> DocumentReader::read_excerpt(
    const source::SourceFile& source, std::uint32_t file) {
  const auto text = source.text();
  if (text.size() < worth_taking_apart || text.size() > spec::DocumentLimits().bytes)
    return std::nullopt;
  ++reads_;
  pieces_ = take_apart(text);
  contents_.clear();
  for (const Piece& piece : pieces_)
    contents_.push_back(piece.kind == Piece::Kind::rest ? &rest_ : &learn(piece, text));
  forget(text.size());

  // The first and the last of a list stay, and so does what depends on its neighbours with these.
  const auto good = [this](std::size_t i) { return contents_[i]->list.has_value(); };
  std::vector<bool> left_out(pieces_.size());
  for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
    left_out[i] = good(i - 1) && good(i) && pieces_[i + 1].kind != Piece::Kind::rest;
  }
  if (std::ranges::find(left_out, true) == left_out.end()) return std::nullopt;

  Reading reading = parse(source, file, left_out);
  if (const auto wrong = reading.proven;
      wrong != reading.excerpt.gaps.size() && !scans_over_gaps(reading)) {
    auto again = read_in_quotes(source, file, reading, wrong);
    if (!again) return std::nullopt;
    reading = *std::move(again);
    reading.proven = wrong;
  }

  // Tabs are told instead of what else is wrong, and by the whole text.
  if (reading.trace.syntax && text.find('\t') != std::string_view::npos) {
    std::vector<Span> told;
    for (const source::Diagnostic& each : reading.found) {
      if (each.code != "E0002") continue;
      told.push_back(each.where);
      reading.excerpt.move(told.back());
    }
    if (told != spec::tabs_in_indentation(text, file)) return std::nullopt;
  }
  return reading;
}

/// Brackets may be a key: before the parser looks at the first token in them, the scanner takes all
/// up to their end. So it runs over gaps also when the text is refused for what stands before them,
/// or is refused by the scanner itself. To it a gap is as good as what was there when it comes
/// there between two tokens.
bool DocumentReader::scans_over_gaps(const Reading& reading) {
  constexpr std::size_t most_gaps = 8;
  const auto& [left_out, excerpt, document, found, trace, proven] = reading;
  const auto gaps = std::span(excerpt.gaps).subspan(proven);
  if (document || gaps.size() > most_gaps) return false;
  return std::ranges::all_of(gaps, [&](const Excerpt::Gap& gap) {
    if (pieces_[gap.first].kind != Piece::Kind::flow || trace.parsed > gap.guard) return false;
    // No token begins with this: the scanner refuses it there, or was not between two.
    const source::SourceFile stop(
        "", std::string(excerpt.source.text().substr(0, gap.begin)).append("@"));
    source::Diagnostics said;
    spec::ReadTrace stopped;
    static_cast<void>(spec::read_document(stop, 0, said, {}, stopped));
    parsed_ += std::min(excerpt.written, stopped.seen);
    const auto all = said.sorted();
    return stopped.syntax && std::ranges::any_of(all, [&](const source::Diagnostic& each) {
             return each.where.begin == gap.begin;
           });
  });
}

/// Reads once more what came to a gap otherwise than to the next item. Nothing when only the whole
/// text tells what it says.
std::optional<DocumentReader::Reading> DocumentReader::read_in_quotes(
    const source::SourceFile& source, std::uint32_t file, const Reading& failed,
    std::size_t wrong) {
  const Excerpt::Gap& gap = failed.excerpt.gaps[wrong];
  const auto text = source.text();
  std::size_t from = pieces_[gap.first].begin;

  // Whoever ends in quotes where the gap begins is in quotes until there is another.
  source::Diagnostics found;
  spec::ReadTrace trace;
  const source::SourceFile before("",
                                  std::string(failed.excerpt.source.text().substr(0, gap.begin)));
  const auto document = spec::read_document(before, file, found, {}, trace);
  parsed_ += std::min(failed.excerpt.written, trace.seen);
  bool quoted = false;
  if (!document && trace.gave_up && !trace.syntax) {
    const auto all = found.sorted();
    const auto open = std::ranges::find_if(all, [&](const source::Diagnostic& each) {
      const char first = before.text()[std::min<std::size_t>(each.where.begin, gap.begin - 1)];
      return each.code == "E0001" && (first == '"' || first == '\'');
    });
    if (open != all.end()) {
      quoted = true;
      const bool twice = before.text()[open->where.begin] == '"';
      from = std::min(text.find_first_of(twice ? "\"\\" : "'", from), text.size());
    }
  }
  auto left_out = failed.left_out;
  for (std::size_t i = gap.first; i < pieces_.size(); ++i)
    if (pieces_[i].end > from) left_out[i] = false;
  Reading again = parse(source, file, left_out);
  // What stands in quotes is in the tree; in a refused text it is not.
  const bool right = !quoted || (!again.document && again.trace.gave_up);
  return right ? std::optional(std::move(again)) : std::nullopt;
}

DocumentReader::Reading DocumentReader::parse(const source::SourceFile& source, std::uint32_t file,
                                              const std::vector<bool>& left_out) {
  Reading reading{.left_out = left_out, .excerpt = excerpt(source.text(), left_out)};
  source::Diagnostics found;
  reading.document = spec::read_document(reading.excerpt.source, file, found, {}, reading.trace);
  parsed_ += std::min(reading.excerpt.written, reading.trace.seen);
  reading.found = found.sorted();

  auto& tree = reading.document ? reading.document : reading.trace.unfinished;
  std::vector<Node*> lists;
  if (tree) collect_lists(*tree, lists);
  std::vector<std::uint32_t> begins;
  for (const Node* list : lists)
    for (const Node& item : list->items) begins.push_back(item.span.begin);
  std::ranges::sort(begins);
  const auto& gaps = reading.excerpt.gaps;
  const auto wrong = std::ranges::find_if_not(gaps, [&](const Excerpt::Gap& gap) {
    const bool reached = !reading.trace.gave_up || reading.trace.seen > gap.begin;
    return !reached || std::ranges::binary_search(begins, gap.guard);
  });
  reading.proven = static_cast<std::size_t>(wrong - gaps.begin());
  return reading;
}

DocumentReader::Excerpt DocumentReader::excerpt(std::string_view text,
                                                const std::vector<bool>& left_out) const {
  Excerpt made;
  std::string out;
  std::uint32_t guard = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const auto here = static_cast<std::uint32_t>(out.size());
    const bool gap = left_out[i];
    if (i == 0 || gap != left_out[i - 1])
      made.runs.push_back({.here = here, .whole = static_cast<std::uint32_t>(piece.begin)});
    if (!gap) {
      if (contents_[i]->list) guard = here + contents_[i]->list->items.front().span.begin;
      out += text.substr(piece.begin, piece.end - piece.begin);
      made.written += piece.end - piece.begin;
      continue;
    }
    if (!left_out[i - 1]) made.gaps.push_back({i, i, here, guard});
    made.gaps.back().last = i;
    out.append(contents_[i]->lines, '\n');
  }
  made.source = source::SourceFile("", std::move(out));
  return made;
}

/// Moves a tree of the excerpt to its places in the whole text, and adds what was left out.
void DocumentReader::complete(Node& document, const Reading& reading, std::uint32_t file) const {
  std::vector<Node*> lists;
  collect_lists(document, lists);
  std::unordered_map<std::uint32_t, std::size_t> list_of;
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const Node& item : lists[i]->items) list_of.emplace(item.span.begin, i);
  // By list, inner ones first. What the reader did not come to is in none.
  std::map<std::size_t, std::vector<const Excerpt::Gap*>> gaps;
  for (std::size_t i = 0; i < reading.proven; ++i) {
    const Excerpt::Gap& gap = reading.excerpt.gaps[i];
    const auto found = list_of.find(gap.guard);
    if (found != list_of.end()) gaps[found->second].push_back(&gap);
  }
  reading.excerpt.move(document);
  for (const auto& [number, own] : gaps) {
    Node* list = lists[number];
    std::vector<Node> items;
    auto gap = own.begin();
    const auto fill_until = [&](std::size_t place) {
      for (; gap != own.end() && pieces_[(*gap)->first].begin <= place; ++gap) {
        for (std::size_t i = (*gap)->first; i <= (*gap)->last; ++i) {
          for (const Node& item : contents_[i]->list->items) {
            items.push_back(item);
            shift(items.back(), file, static_cast<std::int64_t>(pieces_[i].begin));
          }
        }
      }
    };
    for (Node& item : list->items) {
      fill_until(item.span.begin);
      items.push_back(std::move(item));
    }
    fill_until(std::string_view::npos);
    list->items = std::move(items);
  }
}

const DocumentReader::Known& DocumentReader::learn(const Piece& piece, std::string_view whole) {
  const auto text = whole.substr(piece.begin, piece.end - piece.begin);
  auto found = known_.find(text);
  if (found == known_.end()) {
    parsed_ += text.size();
    Known known{.list = items_of(piece.kind, text),
                .lines = static_cast<std::size_t>(std::ranges::count(text, '\n'))};
    found = known_.emplace(text, std::move(known)).first;
  }
  found->second.used = reads_;
  return found->second;
}

/// Keeps what is not in the text any more, which somebody may undo, until it is as much again.
void DocumentReader::forget(std::size_t bytes) {
  std::size_t unused = 0;
  for (const auto& [text, known] : known_)
    if (known.used != reads_) unused += text.size();
  if (unused > bytes)
    std::erase_if(known_, [this](const auto& each) { return each.second.used != reads_; });
}

}  // namespace caisson::editor
