#include "generator/spec/csv.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/suggestion.h"

namespace caisson::spec {
namespace {

using source::Span;

constexpr std::string_view list_column = "domains";

struct Cell {
  std::string text;
  Span span;
};
using Row = std::vector<Cell>;

/// Takes the text apart, one row at a time.
class Rows {
 public:
  Rows(std::string_view text, std::uint32_t file, source::Diagnostics& diagnostics)
      : text_(text), file_(file), diagnostics_(diagnostics) {
    if (text.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  /// The next row that is not blank, or nothing at the end. A row that is no CSV is reported and
  /// passed over.
  std::optional<Row> next() {
    while (at_ < text_.size()) {
      Row row;
      const bool good = read(row);
      if (good && !(row.size() == 1 && row[0].text.empty())) return row;
    }
    return std::nullopt;
  }

 private:
  bool read(Row& row) {
    for (;;) {
      if (!read_cell(row.emplace_back())) {
        skip_line();
        return false;
      }
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      end_line();
      return true;
    }
  }

  bool read_cell(Cell& cell) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      if (!read_quoted(cell.text, begin)) return false;
    } else {
      at_ = std::min(text_.find_first_of(",\r\n", at_), text_.size());
      cell.text = text_.substr(begin, at_ - begin);
    }
    cell.span = span(begin, at_);
    return true;
  }

  bool read_quoted(std::string& text, std::size_t begin) {
    for (++at_;; ++at_) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        at_ = text_.size();
        return refuse(begin, "a quoted cell is never closed", "add the missing '\"'");
      }
      text += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (at_ >= text_.size() || text_[at_] != '"') break;
      text += '"';
    }
    const bool ended =
        at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\r' || text_[at_] == '\n';
    return ended || refuse(at_, "text after the closing quote of a cell",
                           "write a quote inside a quoted cell twice: \"\"");
  }

  bool refuse(std::size_t at, std::string message, std::string remedy) {
    diagnostics_.report({.code = "E0016",
                         .where = span(at, at + 1),
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
    return false;
  }

  void end_line() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
  }
  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1; }

  [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  std::string_view text_;
  std::uint32_t file_;
  source::Diagnostics& diagnostics_;
  std::size_t at_ = 0;
};

Node scalar(std::string text, Span span) {
  return {.kind = Node::Kind::scalar, .span = span, .text = std::move(text)};
}

/// The words of a cell. Places are those of the whole cell where a quote is written twice in it.
Node words(const Cell& cell) {
  Node list{.kind = Node::Kind::sequence, .span = cell.span};
  const std::string_view text = cell.text;
  const std::size_t quotes = cell.span.end - cell.span.begin - text.size();
  const bool raw = quotes == 0 || quotes == 2;
  for (std::size_t begin = text.find_first_not_of(' '); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    Span span = cell.span;
    if (raw) {
      span.end = span.begin + static_cast<std::uint32_t>(quotes / 2 + end);
      span.begin += static_cast<std::uint32_t>(quotes / 2 + begin);
    }
    list.items.push_back(scalar(std::string(text.substr(begin, end - begin)), span));
    begin = text.find_first_not_of(' ', end);
  }
  return list;
}

Node& child_map(Node& map, std::string_view key, Span place) {
  const auto found = std::ranges::find(map.fields, key, &Entry::key);
  if (found != map.fields.end()) return found->value;
  Node value{.kind = Node::Kind::map, .span = place};
  map.fields.push_back({.key = std::string(key), .key_span = place, .value = std::move(value)});
  return map.fields.back().value;
}

Node to_map(const Row& header, Row row) {
  Node tenant{.kind = Node::Kind::map,
              .span = {row[0].span.file, row[0].span.begin, row.back().span.end}};
  for (std::size_t i = 0; i < row.size(); ++i) {
    Cell& cell = row[i];
    if (cell.text.empty()) continue;
    const std::string_view column = header[i].text;
    const std::size_t dot = column.find('.');
    const bool nested = dot != std::string_view::npos;
    Node& map = nested ? child_map(tenant, column.substr(0, dot), cell.span) : tenant;
    Node value = column == list_column ? words(cell) : scalar(std::move(cell.text), cell.span);
    // The key of a cell is in another line: people look for a mistake in the row.
    map.fields.push_back({.key = std::string(nested ? column.substr(dot + 1) : column),
                          .key_span = cell.span,
                          .value = std::move(value)});
  }
  return tenant;
}

/// What a header may say in place of an unknown name: what the name is the first part of, what it
/// may be a slip of, else every column.
std::string instead_of(const std::string& name, std::span<const std::string_view> columns) {
  std::vector<std::string_view> inner;
  for (const auto column : columns) {
    if (column.starts_with(name + '.')) inner.push_back(column);
  }
  if (!inner.empty()) return "give each its column: " + any_of(inner);
  const auto meant = closest(name, columns);
  return meant.empty() ? "use " + any_of(columns) : "did you mean '" + std::string(meant) + "'?";
}

bool check_header(const Row& header, std::span<const std::string> columns,
                  source::Diagnostics& diagnostics) {
  const std::vector<std::string_view> names(columns.begin(), columns.end());
  bool good = true;
  for (auto cell = header.begin(); cell != header.end(); ++cell) {
    const bool known = std::ranges::find(columns, cell->text) != columns.end();
    const auto first = std::ranges::find(header.begin(), cell, cell->text, &Cell::text);
    if (known && first == cell) continue;
    good = false;
    diagnostics.report({.code = "E0016",
                        .where = cell->span,
                        .message = (known ? "column '" : "unknown column '") + cell->text +
                                   (known ? "' is given twice" : "'"),
                        .remedy = known ? "keep one" : instead_of(cell->text, names)});
  }
  return good;
}

}  // namespace

std::optional<Node> read_csv(const source::SourceFile& source, std::uint32_t file,
                             std::span<const std::string> columns,
                             source::Diagnostics& diagnostics) {
  Rows rows(source.text(), file, diagnostics);
  const std::optional<Row> header = rows.next();
  if (!header) {
    diagnostics.report({.code = "E0016",
                        .where = {file, 0, 0},
                        .message = "the tenant list has no header",
                        .remedy = "name the columns in the first line: slug,name,tier"});
    return std::nullopt;
  }
  if (!check_header(*header, columns, diagnostics)) return std::nullopt;
  Node list{.kind = Node::Kind::sequence, .span = (*header)[0].span};
  while (std::optional<Row> row = rows.next()) {
    if (row->size() == header->size()) {
      list.items.push_back(to_map(*header, *std::move(row)));
      continue;
    }
    diagnostics.report(
        {.code = "E0016",
         .where = {file, row->front().span.begin, row->back().span.end},
         .message = "the row has " + std::to_string(row->size()) + " cells, the header " +
                    std::to_string(header->size()),
         .remedy = "an empty cell needs its comma too; quote a cell that holds one"});
  }
  return list;
}

}  // namespace caisson::spec
