#include "generator/render/place_patches.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "generator/render/json.h"
#include "generator/render/node.h"
#include "generator/render/read_tree.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {
namespace {

using plan::Instance;
using plan::Patch;
using plan::Plan;

/// Values of a file that decide where data are, and whose.
struct Deciding {
  std::string file;
  std::string below;  ///< pointer of what has them
  std::vector<std::string> values;
};

std::vector<Deciding> in_compose(const Instance& instance, const std::string& volume) {
  const std::string project = "compose/compose.yaml";
  return {{project, "", {"/name"}},
          {project, "/volumes/" + volume, {"/name", "/external", "/driver", "/driver_opts"}},
          {project, "/services/" + pointer_segment(instance.name), {"/volumes", "/tmpfs", "/user"}},
          {"compose/" + instance.name + ".json", "", {"/data"}}};
}

std::vector<Deciding> in_systemd(const Plan& plan, const Instance& instance) {
  const SystemdLayout layout(plan);
  return {{"systemd/system/" + layout.service(instance.name),
           "/Service",
           {"/User", "/BindPaths", "/TemporaryFileSystem", "/RootDirectory", "/StateDirectory"}},
          {"systemd/config/" + instance.name + ".json", "", {"/data"}}};
}

std::vector<Deciding> in_helm(const Plan& plan, const Instance& instance,
                              const std::string& volume) {
  const auto tenant =
      instance.tenant ? "/tenants/" + pointer_segment(*instance.tenant) : std::string();
  const auto workload = tenant + "/workloads/" + pointer_segment(instance.name);
  std::vector<Deciding> found;
  const auto values = "helm/" + plan.name.value + "/values.yaml";
  found.push_back({values, "", {"/storageClass"}});
  found.push_back({values, workload, {"/controller", "/config/data"}});
  found.push_back({values, workload + "/volumes/" + volume, {"/existingClaim", "/path"}});
  if (instance.tenant) found.push_back({values, tenant, {"/namespace"}});
  return found;
}

/// What a patch makes of the value at `pointer`; nothing when it leaves it alone.
std::optional<std::string> said_of(const Patch& patch, const std::string& pointer) {
  const auto at = pointer_segments(patch.at);
  const auto wanted = pointer_segments(pointer);
  const auto common = std::min(at.size(), wanted.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (at[i] != "*" && at[i] != wanted[i]) return {};
  }
  if (patch.action == Patch::Action::remove) return patch.at + ": removed";
  if (at.size() >= wanted.size()) return patch.at + ": " + patch.value;
  const auto value = read_tree(patch.at, patch.value, [](std::size_t) { return Origin(); });
  if (!value) return {};  // it is a mistake, and told of where it is applied
  const Node* node = &*value;
  for (std::size_t i = common; i < wanted.size() && node != nullptr; ++i) {
    node = node->child(wanted[i]);
  }
  if (node != nullptr) return pointer + ": " + to_json_line(*node);
  if (patch.action == Patch::Action::merge) return {};
  return pointer + ": removed";
}

}  // namespace

PlacePatches place_patches(const Plan& plan, std::string_view target, const Instance& instance,
                           std::string_view volume) {
  if (plan.patches.empty()) return {};
  const auto segment = pointer_segment(volume);
  const auto deciding = target == "compose"   ? in_compose(instance, segment)
                        : target == "systemd" ? in_systemd(plan, instance)
                                              : in_helm(plan, instance, segment);
  PlacePatches found;
  std::string last;  // one patch may change several values
  for (const auto& patch : plan.patches) {
    for (const auto& [file, below, values] : deciding) {
      if (patch.file != file) continue;
      for (const auto& value : values) {
        auto said = said_of(patch, below + value);
        if (!said || *said == last) continue;
        if (found.pointer.empty()) found.pointer = patch.origin.pointer;
        found.text += (found.text.empty() ? ", patched: " : ", ") + *said;
        last = *std::move(said);
      }
    }
  }
  return found;
}

}  // namespace caisson::render
