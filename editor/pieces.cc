#include "editor/pieces.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace caisson::editor {
namespace {

/// Items in a piece, on average.
constexpr std::size_t items_in_piece = 16;
/// A shorter list is not worth it.
constexpr std::size_t fewest_items = 64;

/// A line that may begin an item.
struct Start {
  Piece::Kind kind = Piece::Kind::rest;
  std::size_t column = 0;
  std::size_t begin = 0;
};

class Taker {
 public:
  explicit Taker(std::string_view text) : text_(text) {}

  std::vector<Piece> take() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t next = std::min(text_.find('\n', at), text_.size() - 1) + 1;
      look_at(at);
      at = next;
    }
    end_region(text_.size());
    return std::move(pieces_);
  }

 private:
  void look_at(std::size_t line) {
    const std::size_t content = text_.find_first_not_of(' ', line);
    if (content == std::string_view::npos) return;
    const char first = text_[content];
    const char second = content + 1 < text_.size() ? text_[content + 1] : '\n';
    if (first == '\n' || first == '\r' || first == '#') return;
    const bool dash = first == '-' && (second == ' ' || second == '\n' || second == '\r');
    const std::size_t column = content - line;
    if (column == 0 && !dash) {
      end_region(line);
    } else if (dash || first == '{') {
      starts_.push_back({dash ? Piece::Kind::block : Piece::Kind::flow, column, line});
    }
  }

  /// What most items of the region look like.
  [[nodiscard]] std::optional<std::pair<Piece::Kind, std::size_t>> usual() const {
    std::map<std::pair<Piece::Kind, std::size_t>, std::size_t> counts;
    for (const Start& start : starts_) ++counts[{start.kind, start.column}];
    const auto most =
        std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
    if (most == counts.end() || most->second < fewest_items) return std::nullopt;
    return most->first;
  }

  void end_region(std::size_t end) {
    const auto add = [this](Piece::Kind kind, std::size_t until) {
      if (until > done_) pieces_.push_back({kind, done_, until});
      done_ = until;
    };
    Piece::Kind kind = Piece::Kind::rest;
    if (const auto items = usual()) {
      std::size_t item = done_;
      for (const Start& start : starts_) {
        if (std::pair(start.kind, start.column) != *items) continue;
        const auto before = text_.substr(item, start.begin - item);
        const bool first = kind == Piece::Kind::rest;
        if (first || std::hash<std::string_view>()(before) % items_in_piece == 0)
          add(kind, start.begin);
        kind = items->first;
        item = start.begin;
      }
    }
    add(kind, end);
    starts_.clear();
  }

  std::string_view text_;
  std::vector<Piece> pieces_;
  std::vector<Start> starts_;  ///< of the region that is being looked at
  std::size_t done_ = 0;       ///< where that begins
};

}  // namespace

std::vector<Piece> take_apart(std::string_view text) { return Taker(text).take(); }

}  // namespace caisson::editor
