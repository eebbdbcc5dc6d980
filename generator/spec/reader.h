#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/spec/document.h"

namespace caisson::spec {

struct Field;

/// Where the decoder is and whom it tells. The types of the language read through it.
class Reader {
 public:
  /// A `partial` spec (an overlay) may leave out what is required, and null takes a key away.
  /// `subject` is what messages call the whole document.
  Reader(source::Diagnostics& diagnostics, bool partial, std::string_view subject = "the spec")
      : diagnostics_(diagnostics), subject_(subject), partial_(partial) {}

  [[nodiscard]] bool partial() const { return partial_; }

  /// Leaves a key or an item when it goes out of scope.
  class Scope {
   public:
    explicit Scope(Reader& reader) : reader_(reader) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { reader_.steps_.pop_back(); }

   private:
    Reader& reader_;
  };
  [[nodiscard]] Scope enter(const Entry& entry, const Field* field = nullptr);
  [[nodiscard]] Scope enter(std::size_t index);

  /// What the language says of the key that was entered last; null when it says nothing, and of an
  /// item of a list.
  [[nodiscard]] const Field* field() const;
  /// The place for people: "services.billing.env", "tenants[2]"; empty at the top level.
  [[nodiscard]] std::string path() const;
  /// The place as the subject of a sentence: the path, or "the spec" at the top level.
  [[nodiscard]] std::string subject() const;
  /// " in services.billing", or nothing at the top level.
  [[nodiscard]] std::string in_path() const;

  /// Reports an error and answers false, so that a reader can return it.
  bool refuse(std::string_view code, source::Span where, std::string message,
              std::string remedy = {});

  /// Refuses a scalar: "invalid <noun> '<text>' in <path>".
  bool invalid(const Node& node, std::string_view code, std::string_view noun, std::string remedy);
  /// Without a `remedy` it is the usual one for what was written.
  bool wrong_kind(const Node& node, std::string_view expected, std::string remedy = {});
  bool unknown_key(const Entry& entry, std::span<const std::string_view> known,
                   std::string_view elsewhere);
  bool missing_key(const Node& map, std::string_view key, std::string_view doc);
  /// Refuses when not exactly one of `keys` is there (in a partial spec: more than one). No keys:
  /// nothing to refuse.
  bool exactly_one(const Node& map, std::span<const std::string_view> keys);

  [[nodiscard]] std::optional<std::size_t> word(const Node& node,
                                                std::span<const std::string_view> words);
  [[nodiscard]] std::optional<bool> boolean(const Node& node,
                                            std::string_view expected = "true or false");
  [[nodiscard]] std::optional<std::int64_t> integer(const Node& node, std::int64_t low,
                                                    std::int64_t high);
  [[nodiscard]] std::optional<double> number(const Node& node, double low, double high);
  /// The text of a scalar, or null after a report.
  [[nodiscard]] const std::string* text(const Node& node, std::string_view expected);

 private:
  struct Step {
    const Entry* entry = nullptr;  ///< null for an item of a list
    std::size_t index = 0;
    const Field* field = nullptr;
  };

  source::Diagnostics& diagnostics_;
  std::vector<Step> steps_;
  std::string_view subject_;
  bool partial_;
};

/// A text of the spec in a message: in quotes, on one line, cut when it is long.
[[nodiscard]] std::string quote(std::string_view text);

/// A scalar inside of brackets or braces: in quotes where it would be something else without.
[[nodiscard]] std::string as_item(const Node& node);

/// A command line as a list in YAML that runs the same: its words, or a shell when it needs one.
[[nodiscard]] std::string as_command(const std::string& line);

/// The key of an entry as a value, for types that keys must have.
[[nodiscard]] Node key_node(const Entry& entry);

}  // namespace caisson::spec
