#include "generator/spec/environment.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/reader.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

// What an overlay cannot change: the language it is written in, the set of overlays, and what
// stands in the places of answers by now.
constexpr std::string_view fixed_keys[] = {"answers", "caisson", "environments"};
// What it cannot remove. Both are reported when it is read.
constexpr std::string_view kept_keys[] = {"answers", "caisson", "environments",
                                          "name",    "version", "tenants"};

void read_overlay(Reader& reader, const Node& overlay) {
  if (overlay.kind != Node::Kind::map) return;
  for (const Entry& entry : overlay.fields) {
    if (std::ranges::find(fixed_keys, entry.key) != std::end(fixed_keys)) {
      reader.refuse("E0302", entry.key_span,
                    "an environment cannot change " + quote(entry.key) + reader.in_path(),
                    "it belongs to the whole spec; remove it here");
    }
  }
  Deployment ignored;
  deployment_type.read(reader, overlay, ignored);
}

Node without_fixed_keys(Node overlay) {
  std::erase_if(overlay.fields, [](const Entry& entry) {
    const bool removes = entry.value.kind == Node::Kind::null;
    const auto kept = removes ? std::span<const std::string_view>(kept_keys) : fixed_keys;
    return std::ranges::find(kept, entry.key) != kept.end();
  });
  return overlay;
}

}  // namespace

std::vector<Environment> read_environments(const Node& base, source::Diagnostics& diagnostics) {
  std::vector<Environment> environments;
  const auto key = std::ranges::find(base.fields, "environments", &Entry::key);
  if (key == base.fields.end()) return environments;
  Reader reader(diagnostics, true);
  const auto in_environments = reader.enter(*key);
  for (const Entry& entry : key->value.fields) {
    const auto in_overlay = reader.enter(entry);
    read_overlay(reader, entry.value);
    environments.push_back({entry.key, without_fixed_keys(entry.value)});
  }
  return environments;
}

const Environment* find_environment(const std::vector<Environment>& environments,
                                    std::string_view name, const Node& base,
                                    source::Diagnostics& diagnostics) {
  const auto found = std::ranges::find(environments, name, &Environment::name);
  if (found != environments.end()) return &*found;
  const auto key = std::ranges::find(base.fields, "environments", &Entry::key);
  const auto names_view = std::views::transform(environments, &Environment::name);
  const std::vector<std::string_view> names(names_view.begin(), names_view.end());
  Reader(diagnostics, true)
      .refuse("E0301",
              key != base.fields.end()
                  ? key->key_span
                  : source::Span{base.span.file, base.span.begin, base.span.begin},
              "there is no environment " + quote(name),
              names.empty() ? "the spec declares none" : suggest(name, names));
  return nullptr;
}

}  // namespace caisson::spec
