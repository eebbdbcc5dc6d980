#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"

namespace caisson::spec {

struct Entry;

/// A value of the spec as written, with its place. Merged documents keep the place of the file that
/// had the last word.
struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  bool quoted = false;  ///< a scalar in quotes or a block scalar: always a string
  source::Span span;
  std::string text;           ///< scalar: exactly as written, escapes resolved
  std::vector<Node> items;    ///< sequence
  std::vector<Entry> fields;  ///< map: in the order written, keys unique

  /// The value at `key` of a map; null when there is none or this is no map.
  [[nodiscard]] const Node* at(std::string_view key) const;
};

struct Entry {
  std::string key;
  source::Span key_span;
  Node value;
};

/// Bounds of a document. Beyond them is an error, not a crash: specs come from other people's
/// hands.
struct DocumentLimits {
  std::size_t bytes = 64U << 20U;
  std::size_t depth = 64;
};

/// What must hold of a text before any parser looks at it: size, UTF-8, no control characters.
[[nodiscard]] bool check_text(const source::SourceFile& source, std::uint32_t file,
                              source::Diagnostics& diagnostics, const DocumentLimits& limits = {});

/// Reads one YAML document: no anchors, aliases, merge keys, tags, duplicate keys or second
/// document. Reports everything that is wrong with it; empty when nothing of it can be used. `file`
/// is the index of `source` in the run's SourceSet.
[[nodiscard]] std::optional<Node> read_document(const source::SourceFile& source,
                                                std::uint32_t file,
                                                source::Diagnostics& diagnostics,
                                                const DocumentLimits& limits = {});

/// The node at an RFC 6901 pointer, or null. "" is the root.
[[nodiscard]] const Node* find(const Node& root, std::string_view pointer);

/// The node at the pointer or its nearest ancestor that exists; never fails.
[[nodiscard]] const Node& nearest(const Node& root, std::string_view pointer);

/// Lays `overlay` over `base`: maps merge, scalars and lists replace, null removes. What comes from
/// the overlay keeps the overlay's places.
[[nodiscard]] Node merge(Node base, const Node& overlay);

}  // namespace caisson::spec
