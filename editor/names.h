#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/source/source_file.h"

namespace caisson::editor {

/// What a spec gives names to.
enum class NameKind : std::uint8_t { tier, secret, service, tenant };

[[nodiscard]] std::string_view word_of(NameKind kind);  ///< "tier"

/// A place where a name stands: that of the name alone, without quotes and what is around it.
struct Use {
  NameKind kind = NameKind::tier;
  std::string name;
  source::Span place;       ///< in the project's sources
  bool definition = false;  ///< it is declared here; an environment or a list may declare it again
  /// As variables of target local begin: WORD_INDEX of `word-index`, in WORD_INDEX_HOST.
  bool variable = false;
};

/// Every use of every name: in the spec, its environments, lists of tenants and manifests, in
/// values as `${secret:NAME}`, as the host of an address in what a service says that needs it
/// (`http://NAME:8080`, `NAME.shop.svc`, `NAME_HOST: NAME`, `$NAME_PORT`), in what waivers and
/// patches are about. In the order of the sources. `database` and `cache` in `needs` are no names
/// of services.
[[nodiscard]] std::vector<Use> uses_of(const Project& project);

/// Words in commands and variables of services that need one of that name, and that may be its
/// address or something else: `serve --from NAME`.
[[nodiscard]] std::vector<Use> doubtful_uses_of(const Project& project);

/// The use that holds the offset or ends there; null when there is none.
[[nodiscard]] const Use* use_at(const std::vector<Use>& uses, std::uint32_t file,
                                std::uint32_t offset);
const Use* use_at(std::vector<Use>&& uses, std::uint32_t file, std::uint32_t offset) = delete;

/// The uses of the same name; of definitions only when asked for.
[[nodiscard]] std::vector<Use> same_name(const std::vector<Use>& uses, const Use& use,
                                         bool only_definitions = false);

/// The edit's text where a name becomes `fresh`.
[[nodiscard]] std::string renamed(const Use& use, const std::string& fresh);

/// Why the name cannot become `fresh`: it is no name, or another of its kind has it. Empty when it
/// can.
[[nodiscard]] std::string why_not(const std::vector<Use>& uses, const Use& use,
                                  std::string_view fresh);

}  // namespace caisson::editor
