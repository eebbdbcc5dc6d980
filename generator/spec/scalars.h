#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "generator/spec/field.h"
#include "generator/spec/values.h"

namespace caisson::spec {

/// A value, or what to write instead.
template <class T>
using Parsed = tl::expected<T, std::string>;

/// How a scalar is written.
template <class T>
struct Syntax {
  using Value = T;
  std::string_view name;     ///< "Bytes", as the reference calls it
  std::string_view noun;     ///< "size", as a message calls it
  std::string_view note;     ///< how it is written
  std::string_view code;     ///< of the diagnostic when it is not
  std::string_view pattern;  ///< ECMA 262 regular expression
  bool numeric = false;      ///< may look like a YAML number
  Parsed<T> (*parse)(std::string_view text) = nullptr;
};

template <const auto& syntax>
inline constexpr auto scalar = [] {
  using T = typename std::remove_cvref_t<decltype(syntax)>::Value;
  return Type<T>{.shape = {.kind = Shape::Kind::scalar,
                           .name = syntax.name,
                           .note = syntax.note,
                           .pattern = syntax.pattern,
                           .numeric = syntax.numeric},
                 .read = [](Reader& reader, const Node& node, T& value) {
                   const std::string* text = reader.text(node, syntax.note);
                   if (text == nullptr) return false;
                   Parsed<T> parsed = syntax.parse(*text);
                   if (!parsed) {
                     return reader.invalid(node, syntax.code, syntax.noun,
                                           std::move(parsed.error()));
                   }
                   value = std::move(*parsed);
                   return true;
                 }};
}();

/// What a range is called and what its two ends mean.
struct RangeAbout {
  std::string_view name;
  std::string_view note;
  std::string_view pattern;
  std::string_view reversed;   ///< code when the ends are the wrong way round
  std::string_view complaint;  ///< the message then
};

/// `a..b` of a scalar; a single value is the range of itself. `reversed` is the code for a > b.
template <const auto& syntax, const auto& about>
inline constexpr auto range_of = [] {
  using T = typename std::remove_cvref_t<decltype(syntax)>::Value;
  return Type<Range<T>>{
      .shape = {.kind = Shape::Kind::scalar,
                .name = about.name,
                .note = about.note,
                .pattern = about.pattern,
                .numeric = syntax.numeric},
      .read = [](Reader& reader, const Node& node, Range<T>& value) {
        const std::string* text = reader.text(node, about.note);
        if (text == nullptr) return false;
        const std::size_t dots = text->find("..");
        const std::string_view low = std::string_view(*text).substr(0, dots);
        const std::string_view high =
            dots == std::string::npos ? low : std::string_view(*text).substr(dots + 2);
        const Parsed<T> min = syntax.parse(low);
        if (!min) return reader.invalid(node, syntax.code, syntax.noun, min.error());
        const Parsed<T> max = syntax.parse(high);
        if (!max) return reader.invalid(node, syntax.code, syntax.noun, max.error());
        if (*max < *min) {
          return reader.refuse(about.reversed, node.span,
                               std::string(about.complaint) + reader.in_path(),
                               "write " + std::string(high) + ".." + std::string(low));
        }
        value = {*min, *max};
        return true;
      }};
}();

extern const Type<std::string> text_type;
extern const Type<std::string> slug_type;
extern const Type<std::string> semver_type;
extern const Type<std::string> constraint_type;  ///< versions as ">=1.28"
extern const Type<std::string> domain_type;
extern const Type<std::string> host_type;
extern const Type<std::string> address_type;  ///< of IP
extern const Type<std::string> cidr_type;
extern const Type<std::string> egress_type;  ///< host:port or CIDR block
extern const Type<std::string> email_type;
extern const Type<std::string> url_type;
extern const Type<std::string> jwks_type;      ///< URL, or file beside the spec
extern const Type<std::string> location_type;  ///< path or object store
extern const Type<std::string> path_type;      ///< relative; never leaves the folder of the spec
extern const Type<std::string> absolute_path_type;
extern const Type<std::string> route_type;  ///< path of a URL
extern const Type<std::string> sha256_type;
extern const Type<std::string> cron_type;
extern const Type<std::string> date_type;
extern const Type<std::string> pointer_type;  ///< RFC 6901
extern const Type<std::string> claim_type;
extern const Type<std::string> user_type;
extern const Type<std::string> env_name_type;
extern const Type<std::string> language_version_type;
extern const Type<std::string> json_type;  ///< any value, kept as JSON
extern const Type<HostPort> host_port_type;
extern const Type<Image> image_type;
extern const Type<Bytes> bytes_type;
extern const Type<Duration> duration_type;
extern const Type<Rate> rate_type;
extern const Type<SecretRef> secret_ref_type;
extern const Type<EnvValue> env_value_type;
extern const Type<bool> boolean_type;
extern const Type<Range<std::int64_t>> replicas_type;
extern const Type<Range<Cpu>> cpu_range_type;
extern const Type<Range<Bytes>> bytes_range_type;

/// A number between two bounds.
template <double low, double high>
inline constexpr Type<double> number{
    .shape = {.kind = Shape::Kind::number, .name = "number", .min = low, .max = high},
    .read = [](Reader& reader, const Node& node, double& value) {
      const std::optional<double> read = reader.number(node, low, high);
      if (read) value = *read;
      return read.has_value();
    }};

}  // namespace caisson::spec
