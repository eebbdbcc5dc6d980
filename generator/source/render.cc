#include <algorithm>
#include <string>

#include "base/printable.h"
#include "base/utf8.h"
#include "generator/source/diagnostics.h"
#include "generator/source/render_machine.h"
#include "generator/source/unicode.h"

namespace caisson::source {
namespace {

// An excerpt is one screen line; of a longer line the part around the caret is shown.
constexpr std::size_t excerpt_columns = 100;
constexpr std::size_t columns_before_caret = 60;

struct Palette {
  std::string_view error, warning, note, code, gutter, off;
};

constexpr Palette plain{};
constexpr Palette ansi{.error = "\033[1;31m",
                       .warning = "\033[1;33m",
                       .note = "\033[1;36m",
                       .code = "\033[1m",
                       .gutter = "\033[34m",
                       .off = "\033[0m"};

std::string_view colour_of(Severity severity, const Palette& palette) {
  switch (severity) {
    case Severity::error:
      return palette.error;
    case Severity::warning:
      return palette.warning;
    case Severity::note:
      break;
  }
  return palette.note;
}

struct Excerpt {
  std::string text;
  std::size_t caret_column = 0;  // terminal columns before the caret
  std::size_t caret_width = 1;
};

/// The line around `[begin, end)`, byte offsets in it, made printable, with the caret's place
/// measured in terminal columns.
Excerpt excerpt_of(std::string_view line, std::size_t begin, std::size_t end) {
  struct Glyph {
    std::string text;
    std::size_t offset, width;
  };
  // Only the neighbourhood of the caret is ever shown, so a 5 MB line costs no more than a short
  // one.
  const std::size_t reach = 4 * (excerpt_columns + columns_before_caret);
  std::size_t from = begin > reach ? begin - reach : 0;
  while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0U) == 0x80) --from;

  std::vector<Glyph> glyphs;
  for (std::size_t at = from; at < line.size() && at < begin + reach;) {
    const auto scalar = decode_utf8(line.substr(at));
    auto text = printable(line.substr(at, scalar.length));
    const auto width = terminal_width(decode_utf8(text).value);
    glyphs.push_back({.text = std::move(text), .offset = at, .width = width});
    at += scalar.length;
  }

  std::size_t before = 0;
  for (const auto& glyph : glyphs) before += glyph.offset < begin ? glyph.width : 0;
  Excerpt excerpt;
  std::size_t skipped = before > excerpt_columns - 20 || from > 0
                            ? before - std::min(before, columns_before_caret)
                            : 0;
  const bool cut_left = skipped > 0 || from > 0;
  if (cut_left) excerpt.text = "... ";
  excerpt.caret_column = excerpt.text.size();
  excerpt.caret_width = 0;
  std::size_t shown = 0;
  for (const auto& glyph : glyphs) {
    if (skipped > 0 && glyph.offset < begin) {
      skipped -= std::min(skipped, glyph.width);
      continue;
    }
    if (shown >= excerpt_columns) {
      excerpt.text += " ...";
      break;
    }
    excerpt.text += glyph.text;
    shown += glyph.width;
    if (glyph.offset < begin) excerpt.caret_column += glyph.width;
    if (glyph.offset >= begin && glyph.offset < end) excerpt.caret_width += glyph.width;
  }
  excerpt.caret_width = std::max<std::size_t>(excerpt.caret_width, 1);
  while (excerpt.text.ends_with(' ')) excerpt.text.pop_back();
  return excerpt;
}

std::string padded(std::size_t number, std::size_t width) {
  auto digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), ' ') + digits;
}

void render_text(const Diagnostic& diagnostic, const SourceFile& file, const Palette& palette,
                 std::string& out) {
  const auto begin = file.position(diagnostic.where.begin);
  const auto append = [&out](const auto&... parts) { (out.append(std::string_view(parts)), ...); };

  append(printable(file.name()), ":", std::to_string(begin.line), ":", std::to_string(begin.column),
         ": ", colour_of(diagnostic.severity, palette), name_of(diagnostic.severity), "[",
         diagnostic.code, "]", palette.off, ": ", palette.code, printable(diagnostic.message),
         palette.off, "\n");

  const auto line = file.line(begin.line);
  const auto line_start = static_cast<std::size_t>(line.data() - file.text().data());
  const std::size_t from =
      line.empty()
          ? 0
          : std::min(std::max<std::size_t>(diagnostic.where.begin, line_start) - line_start,
                     line.size());
  const std::size_t to =
      line.empty() ? 0
                   : std::min(std::max<std::size_t>(diagnostic.where.end, line_start) - line_start,
                              line.size());
  const auto excerpt = excerpt_of(line, from, to);
  const auto number = padded(begin.line, 5);
  const std::string margin(number.size(), ' ');
  append(palette.gutter, number, " |", palette.off, excerpt.text.empty() ? "" : " ", excerpt.text,
         "\n", palette.gutter, margin, " | ", palette.off, std::string(excerpt.caret_column, ' '),
         colour_of(diagnostic.severity, palette), std::string(excerpt.caret_width, '^'),
         palette.off, diagnostic.remedy.empty() ? "" : " ", printable(diagnostic.remedy), "\n");
}

}  // namespace

std::string render(const Diagnostics& diagnostics, const SourceSet& sources, Format format,
                   bool colour) {
  if (format == Format::json) return render_json(diagnostics, sources);
  if (format == Format::sarif) return render_sarif(diagnostics, sources);
  std::string out;
  for (const auto& diagnostic : diagnostics.sorted()) {
    render_text(diagnostic, sources.at(diagnostic.where.file), colour ? ansi : plain, out);
  }
  return out;
}

}  // namespace caisson::source
