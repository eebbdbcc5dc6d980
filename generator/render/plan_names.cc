#include <array>

#include "generator/render/plan_report.h"

namespace caisson::render {

std::string_view name_of(plan::Role role) {
  constexpr std::array<std::string_view, 11> names{
      "runtime",    "dashboard",    "service", "database", "cache",       "edge",
      "prometheus", "alertmanager", "grafana", "blackbox", "certificates"};
  return names[static_cast<std::size_t>(role)];
}

std::string_view name_of(plan::Isolation isolation) {
  constexpr std::array<std::string_view, 4> names{"row", "schema", "database", "deployment"};
  return names[static_cast<std::size_t>(isolation)];
}

std::string_view name_of(plan::Secret::Source source) {
  constexpr std::array<std::string_view, 8> names{"generate", "file",   "env",   "kubernetes",
                                                  "external", "sealed", "vault", "aws"};
  return names[static_cast<std::size_t>(source)];
}

std::string_view name_of(plan::Edge::Proxy proxy) {
  constexpr std::array<std::string_view, 3> names{"caddy", "nginx", "none"};
  return names[static_cast<std::size_t>(proxy)];
}

std::string_view name_of(plan::Edge::Tls mode) {
  constexpr std::array<std::string_view, 4> names{"acme", "files", "internal", "off"};
  return names[static_cast<std::size_t>(mode)];
}

std::string_view name_of(plan::Port::Purpose purpose) {
  constexpr std::array<std::string_view, 7> names{"data",     "operator", "http",   "https",
                                                  "database", "cache",    "metrics"};
  return names[static_cast<std::size_t>(purpose)];
}

std::string origin_text(const Origin& origin, const Locate& locate) {
  const auto place = locate ? locate(origin.at) : std::string{};
  std::string field;
  for (const auto& segment : pointer_segments(origin.at)) {
    if (!field.empty()) field += '.';
    field += segment;
  }
  switch (origin.kind) {
    case Origin::Kind::spec:
      return place.empty() ? field : place;
    case Origin::Kind::defaulted:
      return field.empty() ? "default" : "default of " + field;
    case Origin::Kind::derived:
      if (origin.at.empty()) return "caisson";
      return "derived from " + (place.empty() ? "the default of " + field : place);
    case Origin::Kind::blueprint:
      break;
  }
  return "blueprint " + origin.at;
}

}  // namespace caisson::render
