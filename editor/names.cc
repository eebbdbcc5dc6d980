#include "editor/names.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "editor/shapes.h"
#include "generator/spec/reader.h"
#include "generator/spec/scalars.h"

namespace caisson::editor {
namespace {

using spec::Node;

constexpr std::string_view secret_opening = "${secret:";

/// What `needs` may name besides services.
constexpr std::array<std::string_view, 2> stores{"database", "cache"};

/// What each tenant may have one of, named by it and the slug.
constexpr std::array<std::string_view, 5> tenant_kinds{"runtime", "tenant", "operator", "metrics",
                                                       "operator-token"};

/// Maps whose keys are names, by the first word of a waiver's `where` too.
constexpr std::array<std::pair<std::string_view, NameKind>, 3> maps{
    {{"tiers", NameKind::tier}, {"secrets", NameKind::secret}, {"services", NameKind::service}}};

class Uses {
 public:
  explicit Uses(const Project& project) : project_(project) {}

  std::vector<Use> collect() {
    for (const Part& part : project_.parts) {
      part_ = &part;
      walk(part.tree, Project::shape_of(part.kind), [this](const Spot& spot) { visit(spot); });
    }
    for (const Node* text : patched_)
      for (const std::string& tenant : tenants_) derived(*text, tenant);
    const Node& spec = project_.parts[0].tree;
    addresses(spec.at("services"));
    if (const Node* environments = spec.at("environments"); environments != nullptr)
      for (const auto& environment : environments->fields)
        addresses(environment.value.at("services"));
    std::ranges::stable_sort(
        uses_, {}, [](const Use& use) { return std::pair(use.place.file, use.place.begin); });
    return std::move(uses_);
  }

 private:
  void visit(const Spot& spot) {
    if (part_->kind == Part::Kind::manifest) {
      if (spot.field_path == "capabilities.topics") topic(*spot.node);
      return;
    }
    const bool list = part_->kind == Part::Kind::tenants;
    const std::string path = list ? "tenants." + spot.field_path : spot.field_path;
    if (spot.entry != nullptr && spot.around_shape != nullptr &&
        spot.around_shape->kind == spec::Shape::Kind::map) {
      for (const auto& [key, kind] : maps) {
        if (path == std::string(key) + ".*") key_use(kind, *spot.entry);
      }
    }
    if (spot.node->kind != Node::Kind::scalar) return;
    if (path == "tenants.slug") {
      whole(NameKind::tenant, *spot.node, true);
      if (!project_.parts[0].tree.at("patches")) return;
      tenants_.insert(spot.node->text);
    } else if (path == "tenants.tier") {
      whole(NameKind::tier, *spot.node, false);
    } else if (path == "services.*.needs") {
      if (std::ranges::find(stores, spot.node->text) == stores.end())
        whole(NameKind::service, *spot.node, false);
    } else if (spot.shape == &spec::secret_ref_type.shape) {
      whole(NameKind::secret, *spot.node, false);
    } else if (spot.shape == &spec::env_value_type.shape) {
      reference(*spot.node);
    } else if (path == "waivers.where") {
      waived(*spot.node);
    } else if (path == "patches.at") {
      patched(spot);
      patched_.push_back(spot.node);
    } else if (path == "patches.file") {
      patched_.push_back(spot.node);
    }
  }

  [[nodiscard]] std::string_view written(source::Span span) const {
    return project_.sources[span.file].text().substr(span.begin, span.end - span.begin);
  }

  /// A part of a scalar, if the scalar stands in the file as it is read, but for quotes.
  void part(NameKind kind, const Node& node, std::size_t begin, std::size_t length,
            bool definition) {
    const auto text = written(node.span);
    const std::size_t at = text.find(node.text);
    if (length == 0 || node.text.empty() || at > 1) return;
    const auto start = static_cast<std::uint32_t>(node.span.begin + at + begin);
    add(kind, node.text.substr(begin, length),
        {node.span.file, start, start + static_cast<std::uint32_t>(length)}, definition);
  }
  void whole(NameKind kind, const Node& node, bool definition) {
    part(kind, node, 0, node.text.size(), definition);
  }
  void key_use(NameKind kind, const spec::Entry& entry) {
    // A key is a scalar like others; yaml-cpp tells where it is.
    part(kind, Node{.kind = Node::Kind::scalar, .span = entry.key_span, .text = entry.key}, 0,
         entry.key.size(), true);
  }
  void add(NameKind kind, std::string name, source::Span place, bool definition) {
    uses_.push_back(
        {.kind = kind, .name = std::move(name), .place = place, .definition = definition});
  }

  void reference(const Node& node) {
    if (!node.text.starts_with(secret_opening) || !node.text.ends_with('}')) return;
    part(NameKind::secret, node, secret_opening.size(),
         node.text.size() - secret_opening.size() - 1, false);
  }

  /// `services.billing.image`
  void waived(const Node& node) {
    for (const auto& [key, kind] : maps) {
      const std::string folder = std::string(key) + '.';
      if (!node.text.starts_with(folder)) continue;
      const std::size_t end = std::min(node.text.find('.', folder.size()), node.text.size());
      part(kind, node, folder.size(), end - folder.size(), false);
    }
  }

  /// `/services/billing/image` of a compose file, whose services have the names of the spec's.
  void patched(const Spot& spot) {
    constexpr std::string_view folder = "/services/";
    const Node* file = spot.around->at("file");
    const std::string& pointer = spot.node->text;
    if (file == nullptr || file->text != "compose/compose.yaml" || !pointer.starts_with(folder))
      return;
    const std::size_t end = std::min(pointer.find('/', folder.size()), pointer.size());
    const std::string name = pointer.substr(folder.size(), end - folder.size());
    const Node* services = project_.parts[0].tree.at("services");
    if (services != nullptr && services->at(name) != nullptr)
      part(NameKind::service, *spot.node, folder.size(), name.size(), false);
  }

  /// `/services/runtime-acme`, `systemd/system/shop-tenant-acme.slice`: what is named after a
  /// tenant in generated files. A longer slug that begins alike is another tenant.
  void derived(const Node& text, const std::string& tenant) {
    const auto ends = [&text](std::size_t at) {
      return at >= text.text.size() ||
             std::string_view("-_./").find(text.text[at]) != std::string_view::npos;
    };
    const auto is_longer = [&](std::size_t at) {
      return std::ranges::any_of(tenants_, [&](const std::string& other) {
        return other.size() > tenant.size() && text.text.compare(at, other.size(), other) == 0 &&
               ends(at + other.size());
      });
    };
    for (auto at = text.text.find(tenant); at != std::string::npos && !tenant.empty();
         at = text.text.find(tenant, at + 1)) {
      if (!ends(at + tenant.size()) || is_longer(at)) continue;
      if (follows_a_kind(std::string_view(text.text).substr(0, at)))
        part(NameKind::tenant, text, at, tenant.size(), false);
    }
  }

  /// Whether what stands before a slug says that it is one: a kind of thing that each tenant has, a
  /// service that there is one of for each, or the list of the chart's tenants.
  [[nodiscard]] bool follows_a_kind(std::string_view before) const {
    if (before.ends_with("/tenants/")) return true;
    if (!before.ends_with('-')) return false;
    before.remove_suffix(1);
    const auto is_last = [before](std::string_view word) {
      if (!before.ends_with(word)) return false;
      const auto start = before.size() - word.size();
      return start == 0 || before[start - 1] == '/' || before[start - 1] == '-';
    };
    if (std::ranges::any_of(tenant_kinds, is_last)) return true;
    const Node* services = project_.parts[0].tree.at("services");
    return services != nullptr && std::ranges::any_of(services->fields, [&](const auto& service) {
             const Node* each = service.value.at("replica-per-tenant");
             return each != nullptr && each->text == "true" && is_last(service.key);
           });
  }

  /// What services call those that they need: `http://billing:8080` in variables and commands.
  void addresses(const Node* services) {
    if (services == nullptr) return;
    const Node* all = project_.parts[0].tree.at("services");
    for (const auto& [key, place, service] : services->fields) {
      std::set<std::string> needed;
      for (const Node* each : {all == nullptr ? nullptr : all->at(key), &service}) {
        const Node* needs = each == nullptr ? nullptr : each->at("needs");
        if (needs == nullptr) continue;
        for (const Node& need : needs->items)
          if (all != nullptr && all->at(need.text) != nullptr) needed.insert(need.text);
      }
      const Node* health = service.at("health");
      for (const Node* texts : {service.at("env"), service.at("command"),
                                health == nullptr ? nullptr : health->at("command")})
        if (texts != nullptr)
          for (const std::string& name : needed) hosts(*texts, name);
    }
  }

  void hosts(const Node& node, const std::string& name) {
    for (const auto& entry : node.fields) hosts(entry.value, name);
    for (const Node& item : node.items) hosts(item, name);
    const std::string_view text = node.text;
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1))
      if (is_host(text.substr(0, at), text.substr(at + name.size())))
        part(NameKind::service, node, at, name.size(), false);
  }

  /// A whole word behind "//", with or without somebody before an '@', or before a port.
  static bool is_host(std::string_view before, std::string_view behind) {
    const auto of_a_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    };
    if (!before.empty() && of_a_name(before.back())) return false;
    if (!behind.empty() && of_a_name(behind.front())) return false;
    const bool port = behind.size() > 1 && behind[0] == ':' && behind[1] >= '0' && behind[1] <= '9';
    const auto scheme = before.rfind("//");
    const bool after_somebody = scheme != std::string_view::npos && before.ends_with('@') &&
                                before.find_first_of("/ ", scheme + 2) == std::string_view::npos;
    return port || before.ends_with("//") || after_somebody;
  }

  /// `billing.paid`: the service that owns it and a name.
  void topic(const Node& node) {
    if (node.kind != Node::Kind::scalar) return;
    part(NameKind::service, node, 0, std::min(node.text.find('.'), node.text.size()), false);
  }

  const Project& project_;
  const Part* part_ = nullptr;
  std::vector<Use> uses_;
  std::vector<const Node*> patched_;  ///< files and places that patches name
  std::set<std::string> tenants_;     ///< while there are patches
};

}  // namespace

std::string_view word_of(NameKind kind) {
  constexpr std::array<std::string_view, 4> words{"tier", "secret", "service", "tenant"};
  return words[static_cast<std::size_t>(kind)];
}

std::vector<Use> uses_of(const Project& project) { return Uses(project).collect(); }

const Use* use_at(const std::vector<Use>& uses, std::uint32_t file, std::uint32_t offset) {
  const auto found = std::ranges::find_if(uses, [&](const Use& use) {
    return use.place.file == file && use.place.begin <= offset && offset <= use.place.end;
  });
  return found == uses.end() ? nullptr : &*found;
}

std::vector<Use> same_name(const std::vector<Use>& uses, const Use& use, bool only_definitions) {
  std::vector<Use> same;
  std::ranges::copy_if(uses, std::back_inserter(same), [&](const Use& other) {
    return other.kind == use.kind && other.name == use.name &&
           (other.definition || !only_definitions);
  });
  return same;
}

std::string why_not(const std::vector<Use>& uses, const Use& use, std::string_view fresh) {
  source::Diagnostics found;
  spec::Reader reader(found, false);
  std::string slug;
  const Node node{.kind = Node::Kind::scalar, .quoted = true, .text = std::string(fresh)};
  if (!spec::slug_type.read(reader, node, slug)) {
    const auto mistake = found.sorted().front();
    return mistake.message + (mistake.remedy.empty() ? "" : "; " + mistake.remedy);
  }
  if (use.kind == NameKind::service && std::ranges::find(stores, fresh) != stores.end())
    return "'" + slug + "' is what 'needs' calls the deployment's own " + slug;
  const bool taken = std::ranges::any_of(uses, [&](const Use& other) {
    return other.kind == use.kind && other.definition && other.name == fresh;
  });
  if (taken && fresh != use.name)
    return "there is a " + std::string(word_of(use.kind)) + " '" + slug + "' already";
  return {};
}

}  // namespace caisson::editor
