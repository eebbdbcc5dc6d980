#include "generator/bundle/places.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "base/digest.h"
#include "base/hex.h"

namespace caisson::bundle {
namespace {

/// What a patch says of a place can be anything, and a line of MANIFEST cannot.
std::string on_a_line(const std::string& where) {
  constexpr std::size_t most_shown = 1000;
  const auto is_shown = [](char c) { return c >= ' ' && c <= '~'; };
  if (where.size() <= most_shown && std::ranges::all_of(where, is_shown) && where.back() != ' ') {
    return where;
  }
  return "sha256:" + hex(sha256(where));
}

}  // namespace

std::vector<installer::Place> places_of(const render::Places& places, std::string_view project) {
  // Several volumes of a service say the same of it.
  std::map<std::tuple<std::string, std::string>, std::string> wheres;
  for (const auto& place : places) {
    if (!place.environment.empty() || place.gone) continue;
    const auto& form = place.target;
    auto where = place.at;
    if (form == "compose" && where.starts_with(std::string(project) + "_")) {
      where.erase(0, project.size() + 1);
    }
    if (!place.service.empty()) {
      where += " of service " + place.service;
      if (!place.replica_of.empty()) where += " for " + place.replica_of;
      wheres[{form, "service/" + place.service}] =
          place.replica_of.empty() ? "one volume for all tenants" : "a volume for each tenant";
    }
    wheres[{form, "volume/" + place.volume}] = where;
    for (const auto& tenant : place.tenants) wheres[{form, "tenant/" + tenant}] = place.volume;
  }
  std::vector<installer::Place> told;
  told.reserve(wheres.size());
  for (const auto& [key, where] : wheres) {
    told.push_back({.form = std::get<0>(key), .what = std::get<1>(key), .where = on_a_line(where)});
  }
  return told;
}

}  // namespace caisson::bundle
