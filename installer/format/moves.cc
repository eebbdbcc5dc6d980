#include "installer/format/moves.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace caisson::installer {
namespace {

/// Where everything of a form is, by name.
using Wheres = std::unordered_map<std::string_view, std::string_view>;

Wheres wheres_of(const Manifest& manifest, Form form) {
  Wheres wheres;
  for (const auto& place : manifest.places) {
    if (place.form == to_text(form)) wheres.emplace(place.what, place.where);
  }
  return wheres;
}

}  // namespace

std::vector<Move> moves_of(const Manifest& before, const Manifest& after, Form form) {
  const auto known = wheres_of(before, form);
  std::vector<Move> moves;
  for (const auto& place : after.places) {
    if (place.form != to_text(form)) continue;
    const auto was = known.find(place.what);
    if (was == known.end() || was->second == place.where) continue;
    moves.push_back({.what = place.what, .from = std::string(was->second), .to = place.where});
  }
  return moves;
}

Checked<void> check_moves(const Manifest& before, const Manifest& after, Form form,
                          const AcceptedMoves& accepted) {
  // The same once more moves nothing, whatever was accepted the first time.
  if (before.envelope.release == after.envelope.release) return {};
  constexpr std::size_t most_named = 5;
  const auto moves = moves_of(before, after, form);
  for (const auto& what : accepted) {
    if (std::ranges::find(moves, what, &Move::what) != moves.end()) continue;
    return refuse(Code::data_move, "--accept-move " + what + ": nothing of that name moves");
  }
  std::string list;
  std::size_t count = 0;
  for (const auto& move : moves) {
    if (accepted.contains(move.what) || ++count > most_named) continue;
    list.append(list.empty() ? "" : "; ").append(move.what);
    list.append(" from ").append(move.from).append(" to ").append(move.to);
  }
  if (count == 0) return {};
  if (count > most_named) list += " and " + std::to_string(count - most_named) + " more";
  return refuse(Code::data_move, list);
}

}  // namespace caisson::installer
