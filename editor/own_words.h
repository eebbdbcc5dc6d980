#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/spec/document.h"

namespace caisson::editor {

/// What a key of Compose or Kubernetes is called in a spec, with the value that says the same.
struct OwnWords {
  std::string key;
  std::string inner{};  ///< the key in the map `key` that has the value; empty: `key` has it
  std::string value{};  ///< YAML on one line; empty: the value as it is written
};

/// The words of a spec for a key that people write in a service who know Compose or Kubernetes.
/// Nothing where they do not say exactly the same: a fix drops nothing that somebody has written.
/// `service` is the map that the entry stands in, both as a document that can be read says them.
[[nodiscard]] std::optional<OwnWords> own_words(const spec::Entry& entry,
                                                const spec::Node& service);

/// `{ cpu: 100m..500m, memory: 256Mi }` for the `requests` and `limits` of Kubernetes; nothing when
/// that would not say the same.
[[nodiscard]] std::optional<std::string> own_resources(const spec::Node& resources);

}  // namespace caisson::editor
