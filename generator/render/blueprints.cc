#include "generator/render/blueprints.h"

#include "base/suggestion.h"
#include "generator/render/fingerprint.h"
#include "generator/render/read_tree.h"
#include "shipped_blueprints.h"

namespace caisson::render {

Blueprints::Blueprints() {
  for (const auto& [path, bytes] : blueprints::shipped_blueprints()) files_.emplace(path, bytes);
}

Result<Blueprints> Blueprints::with(
    const std::vector<std::pair<std::string, std::string>>& replacements, std::string commit) {
  Blueprints result;
  result.commit_ = std::move(commit);
  result.replaced_ = !replacements.empty();
  for (const auto& [name, bytes] : replacements) {
    const auto found = result.files_.find(name);
    if (found == result.files_.end()) {
      const auto names = result.names();
      const std::vector<std::string_view> known(names.begin(), names.end());
      const auto meant = closest(name, known);
      return fail("there is no blueprint '" + name + "' to replace",
                  meant.empty() ? "`caisson blueprints` lists their names"
                                : "did you mean '" + std::string(meant) + "'?");
    }
    found->second = bytes;
  }
  return result;
}

std::vector<std::string> Blueprints::names() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [name, bytes] : files_) names.push_back(name);
  return names;
}

Result<std::string_view> Blueprints::text(std::string_view name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return fail("there is no blueprint '" + std::string(name) + "'");
  return found->second;
}

Result<Node> Blueprints::yaml(std::string_view name) const {
  const auto bytes = text(name);
  if (!bytes) return tl::unexpected(bytes.error());
  return read_tree(std::string(name), std::string(*bytes), [&](std::size_t line) {
    return Origin{Origin::Kind::blueprint, std::string(name) + ":" + std::to_string(line)};
  });
}

std::string Blueprints::revision() const {
  std::string all;
  for (const auto& [name, bytes] : files_) all += name + '\n' + fingerprint(bytes) + '\n';
  return fingerprint(all);
}

}  // namespace caisson::render
