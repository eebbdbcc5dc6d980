#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "generator/render/node.h"

namespace caisson::render {

/// House style as data: hardened defaults as YAML and texts for people as templates. The ones that
/// Caisson ships are compiled in; any of them can be replaced by name.
class Blueprints {
 public:
  /// The shipped blueprints.
  Blueprints();

  /// The shipped ones with those of `replacements` (name, bytes) in their place; `commit` is the
  /// git commit that these are of, if any. Fails on a name that is not a blueprint's: a misspelt
  /// override would silently do nothing.
  [[nodiscard]] static Result<Blueprints> with(
      const std::vector<std::pair<std::string, std::string>>& replacements,
      std::string commit = {});

  /// Names in order, for example "compose/service.yaml".
  [[nodiscard]] std::vector<std::string> names() const;
  /// Fails when there is no blueprint of that name.
  [[nodiscard]] Result<std::string_view> text(std::string_view name) const;
  /// A YAML blueprint; every node's origin is its line. Fails, naming the line, when it is not
  /// YAML.
  [[nodiscard]] Result<Node> yaml(std::string_view name) const;
  /// The git commit of the replacements; empty without one.
  [[nodiscard]] const std::string& commit() const { return commit_; }
  /// Whether any of them is not as it was shipped.
  [[nodiscard]] bool replaced() const { return replaced_; }
  /// A digest of every name and byte: equal when nothing differs.
  [[nodiscard]] std::string revision() const;

 private:
  std::map<std::string, std::string, std::less<>> files_;
  std::string commit_;
  bool replaced_ = false;
};

}  // namespace caisson::render
