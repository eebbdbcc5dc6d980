#include "generator/render/place_patches.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "generator/render/helm_workload.h"
#include "generator/render/json.h"
#include "generator/render/node.h"
#include "generator/render/place_facts.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {
namespace {

using plan::Instance;
using plan::Patch;
using plan::Plan;

/// Where the process of the instance finds the volume.
std::string path_of(const Plan& plan, std::string_view target, const Instance& instance,
                    std::string_view volume) {
  if (target == "systemd" && !SystemdLayout::is_image(instance))
    return SystemdLayout(plan).data(instance.name);
  const auto mount = std::ranges::find(instance.volumes, volume, &plan::VolumeMount::volume);
  return mount == instance.volumes.end() ? std::string() : mount->path;
}

/// Whether the patch changes what is at the pointer, or something in it or around it.
bool is_of(const Patch& patch, std::string_view file, const std::string& pointer) {
  if (patch.file != file) return false;
  const auto at = pointer_segments(patch.at);
  const auto wanted = pointer_segments(pointer);
  const auto common = std::min(at.size(), wanted.size());
  for (std::size_t i = 0; i < common; ++i)
    if (at[i] != "*" && at[i] != wanted[i]) return false;
  return true;
}

/// Of the first patch that does; empty when none does.
std::string pointer_of(const Plan& plan, std::string_view file, const std::string& pointer) {
  const auto patch = std::ranges::find_if(
      plan.patches, [&](const Patch& one) { return is_of(one, file, pointer); });
  return patch == plan.patches.end() ? std::string() : patch->origin.pointer;
}

/// Compares one file before and after its patches.
class Comparison {
 public:
  Comparison(const Plan& plan, const PatchedFile& file, PlacePatches& found)
      : plan_(plan), file_(file), found_(found) {}

  void facts(const PlaceFacts& before, const PlaceFacts& after) {
    for (const auto& [pointer, value] : after) {
      const auto was = before.find(pointer);
      if (was == before.end() || was->second != value) say(pointer, to_json_line(value));
    }
    for (const auto& [pointer, value] : before)
      if (!after.contains(pointer)) say(pointer, "removed");
  }

  void value(const std::string& pointer) {
    const auto* was = file_.before.at(pointer);
    const auto* now = file_.after.at(pointer);
    if (now == nullptr || now->empty()) {
      if (was != nullptr && !was->empty()) say(pointer, "removed");
    } else if (was == nullptr || *was != *now) {
      say(pointer, to_json_line(*now));
    }
  }

  /// The text at `pointer`, when it is another one than before.
  [[nodiscard]] std::optional<PatchedValue<std::string>> text(const std::string& pointer) const {
    const auto* was = file_.before.at(pointer);
    const auto* now = file_.after.at(pointer);
    if (now == nullptr || now->text() == nullptr || (was != nullptr && *was == *now)) return {};
    return PatchedValue<std::string>{*now->text(), pointer_of(plan_, file_.path, pointer)};
  }

  [[nodiscard]] std::optional<PatchedValue<std::int64_t>> bytes(const std::string& pointer) const {
    const auto said = text(pointer);
    const auto bytes = said ? helm::bytes_of(said->value) : std::nullopt;
    if (!bytes) return {};
    return PatchedValue<std::int64_t>{*bytes, said->pointer};
  }

  /// What all copies need, when the size of one or their number is another than before.
  [[nodiscard]] std::optional<PatchedValue<std::int64_t>> copies(const std::string& backup) const {
    const auto* keep = file_.after.at(backup + "/keep");
    const auto* size = file_.after.at(backup + "/size");
    if (keep == nullptr || size == nullptr || size->text() == nullptr) return {};
    const auto* count = std::get_if<std::int64_t>(&keep->value());
    const auto bytes = helm::bytes_of(*size->text());
    const auto* was_keep = file_.before.at(backup + "/keep");
    const auto* was_size = file_.before.at(backup + "/size");
    if (was_keep == nullptr || was_size == nullptr || count == nullptr || !bytes) return {};
    if (*was_keep == *keep && *was_size == *size) return {};
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const bool fits = *count <= 0 || *bytes <= most / *count;
    const auto changed = *was_keep == *keep ? "/size" : "/keep";
    return PatchedValue<std::int64_t>{fits ? *bytes * *count : most,
                                      pointer_of(plan_, file_.path, backup + changed)};
  }

 private:
  void say(const std::string& pointer, const std::string& what) {
    if (found_.pointer.empty()) found_.pointer = pointer_of(plan_, file_.path, pointer);
    found_.text += (found_.text.empty() ? ", patched: " : ", ") + pointer + ": " + what;
  }

  const Plan& plan_;
  const PatchedFile& file_;
  PlacePatches& found_;
};

void compare_chart(Comparison& comparison, const PatchedFile& file, const Kept& kept,
                   PlacePatches& found) {
  const auto& instance = kept.instance;
  const auto tenant =
      instance.tenant ? "/tenants/" + pointer_segment(*instance.tenant) : std::string();
  const auto own = tenant + "/workloads/" + pointer_segment(instance.name);
  const bool is_apart = instance.tenant && file.before.at(own) != nullptr;
  const auto workload = is_apart ? own : "/workloads/" + pointer_segment(instance.name);
  comparison.facts(chart_facts(file.before, workload, kept),
                   chart_facts(file.after, workload, kept));
  if (is_apart) found.namespace_ = comparison.text(tenant + "/namespace");
  found.storage_class = comparison.text("/storageClass");
  found.bytes = comparison.bytes(workload + "/volumes/" + pointer_segment(kept.volume) + "/size");
  found.copies_bytes = comparison.copies(workload + "/backup");
}

}  // namespace

PlacePatches place_patches(const Plan& plan, const PatchedFiles& files, std::string_view target,
                           const Instance& instance, std::string_view volume) {
  PlacePatches found;
  if (files.empty()) return found;
  const auto path = path_of(plan, target, instance, volume);
  const Kept kept{.plan = plan, .instance = instance, .volume = volume, .path = path};
  constexpr std::string_view helm = "helm";
  const auto config =
      (target == "compose" ? "compose/" : "systemd/config/") + instance.name + ".json";
  for (const auto& file : files) {
    Comparison comparison(plan, file, found);
    if (target == "compose" && file.path == "compose/compose.yaml") {
      comparison.facts(compose_facts(file.before, kept), compose_facts(file.after, kept));
    } else if (target == "systemd" &&
               file.path == "systemd/system/" + SystemdLayout(plan).service(instance.name)) {
      comparison.facts(unit_facts(file.before, kept), unit_facts(file.after, kept));
    } else if (target == helm && file.path == "helm/" + plan.name.value + "/values.yaml") {
      compare_chart(comparison, file, kept, found);
    } else if (target != helm && file.path == config) {
      comparison.value("/data");
    }
  }
  return found;
}

}  // namespace caisson::render
