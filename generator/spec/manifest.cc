#include "generator/spec/manifest.h"

#include <algorithm>
#include <string>

#include "generator/spec/document.h"
#include "generator/spec/scalars.h"

namespace caisson::spec {
namespace {

/// `<service>.<name>`, two slugs.
Parsed<std::string> parse_topic(std::string_view text) {
  const auto is_slug = [](std::string_view part) {
    return !part.empty() && part.size() <= 40 && part.front() != '-' && part.back() != '-' &&
           std::ranges::all_of(part, [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
  };
  const std::size_t dot = std::min(text.find('.'), text.size());
  if (is_slug(text.substr(0, dot)) && dot < text.size() && is_slug(text.substr(dot + 1))) {
    return std::string(text);
  }
  return tl::unexpected<std::string>("write the service and a name in lower case, as billing.paid");
}

constexpr Syntax<std::string> topic{
    "Topic", "topic",    "a topic as billing.paid", "E0134", "^[a-z0-9-]+\\.[a-z0-9-]+$",
    false,   parse_topic};
constexpr auto topic_type = scalar<topic>;

constexpr auto names_type = list_of<slug_type>;
constexpr auto paths_type = list_of<path_type>;
constexpr auto dates_type = list_of<date_type>;
constexpr auto topics_type = list_of<topic_type>;
constexpr auto destinations_type = list_of<host_port_type>;

constexpr Field capability_fields[] = {
    field<&ModuleManifest::topics, topics_type>(
        "topics", literal("[]"), "topics of queues, as `billing.paid`: the service and a name"),
    field<&ModuleManifest::egress, destinations_type>("egress", literal("[]"),
                                                      "where the module connects to"),
};
constexpr auto capabilities_type = object<ModuleManifest, capability_fields>("Capabilities");

constexpr Field manifest_fields[] = {
    field<&ModuleManifest::handlers, names_type>("handlers", required,
                                                 "what the module answers to"),
    field<&ModuleManifest::types, paths_type>("types", literal("[]"),
                                              "type definitions beside the manifest"),
    field<&ModuleManifest::versions, dates_type>("versions", required,
                                                 "versions of its interface, by date"),
    spread<capabilities_type>("capabilities", literal("{}"),
                              "what it uses; the service must be allowed to"),
};

}  // namespace

constinit const Type<ModuleManifest> manifest_type =
    object<ModuleManifest, manifest_fields>("ModuleManifest");

std::optional<ModuleManifest> read_manifest(const source::SourceFile& source, std::uint32_t file,
                                            source::Diagnostics& diagnostics) {
  const std::optional<Node> document = read_document(source, file, diagnostics);
  if (!document) return std::nullopt;
  Reader reader(diagnostics, false, "the manifest");
  ModuleManifest manifest{.path = source.name()};
  if (!manifest_type.read(reader, *document, manifest)) return std::nullopt;
  return manifest;
}

}  // namespace caisson::spec
