#include "editor/names.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "editor/shapes.h"
#include "generator/spec/reader.h"
#include "generator/spec/reserved.h"
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

  struct Found {
    std::vector<Use> uses;
    std::vector<Use> doubtful;
  };

  Found collect() {
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
    return {.uses = std::move(uses_), .doubtful = std::move(doubtful_)};
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

  /// Whether the scalar stands in the file as it is read, but for quotes.
  [[nodiscard]] bool stands_as_read(const Node& node) const {
    return !node.text.empty() && written(node.span).find(node.text) <= 1;
  }
  /// Where the text of one begins that does.
  [[nodiscard]] std::uint32_t begin_of(const Node& node) const {
    return node.span.begin + static_cast<std::uint32_t>(written(node.span).find(node.text));
  }

  /// A part of such a scalar.
  void part(NameKind kind, const Node& node, std::size_t begin, std::size_t length,
            bool definition) {
    if (length == 0 || !stands_as_read(node)) return;
    const auto start = begin_of(node) + static_cast<std::uint32_t>(begin);
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
      const auto command_of = [&service](std::string_view part) {
        const Node* inner = service.at(part);
        return inner == nullptr ? nullptr : inner->at("command");
      };
      for (const Node* texts :
           {service.at("env"), service.at("command"), command_of("health"), command_of("local")})
        if (texts != nullptr)
          for (const std::string& name : needed) hosts(*texts, name, false);
    }
  }

  /// `is_address`: the variable says that its value is one.
  void hosts(const Node& node, const std::string& name, bool is_address) {
    for (const auto& entry : node.fields) hosts(entry.value, name, says_address(entry.key));
    for (const Node& item : node.items) hosts(item, name, false);
    const std::string_view text = node.text;
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const auto before = text.substr(0, at);
      const auto behind = text.substr(at + name.size());
      const bool is_one = is_host(before, behind) || (is_address && name == text);
      if (is_one && stands_as_read(node)) {
        part(NameKind::service, node, at, name.size(), false);
      } else if (is_one || may_be_host(before, behind)) {
        doubtful_.push_back({.kind = NameKind::service, .name = name, .place = node.span});
      }
    }
    variables(node, name);
  }

  /// `$WORD_INDEX_HOST`, `${WORD_INDEX_PORT:-8080}`: what target local tells a service.
  void variables(const Node& node, const std::string& name) {
    const std::string_view text = node.text;
    const std::string variable = spec::address_variable(name);
    for (auto at = text.find(variable); at != std::string_view::npos;
         at = text.find(variable, at + 1)) {
      const auto before = text.substr(0, at);
      auto behind = text.substr(at + variable.size());
      const bool known = behind.starts_with("_HOST") || behind.starts_with("_PORT");
      if (!known || !(before.ends_with('$') || before.ends_with("${"))) continue;
      behind.remove_prefix(std::string_view("_HOST").size());
      if (!behind.empty() && of_a_variable(behind.front())) continue;
      Use use{.kind = NameKind::service, .name = name, .place = node.span, .variable = true};
      if (!stands_as_read(node)) {
        doubtful_.push_back(std::move(use));
        continue;
      }
      use.place.begin = begin_of(node) + static_cast<std::uint32_t>(at);
      use.place.end = use.place.begin + static_cast<std::uint32_t>(variable.size());
      uses_.push_back(std::move(use));
    }
  }

  static bool says_address(std::string_view variable) {
    constexpr std::array<std::string_view, 7> ends{"HOST",   "HOSTNAME", "ADDR",    "ADDRESS",
                                                   "SERVER", "UPSTREAM", "ENDPOINT"};
    return std::ranges::any_of(ends, [&](std::string_view end) {
      return variable.ends_with(end) &&
             (variable.size() == end.size() || variable[variable.size() - end.size() - 1] == '_');
    });
  }

  static bool of_a_variable(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  static bool of_a_name(char c) { return of_a_variable(c) || c == '-' || c == '.'; }

  /// A whole word behind "//", with or without somebody before an '@', or before a port; with the
  /// namespace of a cluster behind it, or what a shell takes without a variable.
  static bool is_host(std::string_view before, std::string_view behind) {
    if (before.ends_with(":-") && behind.starts_with('}')) return true;
    if (!before.empty() && of_a_name(before.back())) return false;
    if (is_namespace(behind)) return true;
    if (!behind.empty() && of_a_name(behind.front())) return false;
    const bool port = behind.size() > 1 && behind[0] == ':' && behind[1] >= '0' && behind[1] <= '9';
    const auto scheme = before.rfind("//");
    const bool after_somebody = scheme != std::string_view::npos && before.ends_with('@') &&
                                before.find_first_of("/ ", scheme + 2) == std::string_view::npos;
    return port || before.ends_with("//") || after_somebody;
  }

  /// ".shop.svc", and what a cluster is called behind it.
  static bool is_namespace(std::string_view behind) {
    if (!behind.starts_with('.')) return false;
    behind.remove_prefix(1);
    const auto dot = behind.find('.');
    if (dot == std::string_view::npos || dot == 0) return false;
    if (!std::ranges::all_of(behind.substr(0, dot), of_a_name)) return false;
    behind.remove_prefix(dot);
    return behind.starts_with(".svc") &&
           (behind.size() == 4 || behind[4] == '.' || !of_a_name(behind[4]));
  }

  /// A word of its own, or one with a path.
  static bool may_be_host(std::string_view before, std::string_view behind) {
    constexpr std::string_view ends = " \t\r\n\"'`=,;()|&<>";
    return (before.empty() || ends.find(before.back()) != std::string_view::npos) &&
           (behind.empty() || behind.front() == '/' ||
            ends.find(behind.front()) != std::string_view::npos);
  }

  /// `billing.paid`: the service that owns it and a name.
  void topic(const Node& node) {
    if (node.kind != Node::Kind::scalar) return;
    part(NameKind::service, node, 0, std::min(node.text.find('.'), node.text.size()), false);
  }

  const Project& project_;
  const Part* part_ = nullptr;
  std::vector<Use> uses_;
  std::vector<Use> doubtful_;
  std::vector<const Node*> patched_;  ///< files and places that patches name
  std::set<std::string> tenants_;     ///< while there are patches
};

}  // namespace

std::string_view word_of(NameKind kind) {
  constexpr std::array<std::string_view, 4> words{"tier", "secret", "service", "tenant"};
  return words[static_cast<std::size_t>(kind)];
}

std::vector<Use> uses_of(const Project& project) { return Uses(project).collect().uses; }

std::vector<Use> doubtful_uses_of(const Project& project) {
  return Uses(project).collect().doubtful;
}

std::string renamed(const Use& use, const std::string& fresh) {
  return use.variable ? spec::address_variable(fresh) : fresh;
}

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
