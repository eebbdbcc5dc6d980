#include "generator/render/place_facts.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "generator/render/compose_service.h"
#include "generator/render/json.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {
namespace {

using plan::Role;

std::string clean(std::string_view path) {
  auto text = std::filesystem::path(path).lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

bool is_at_or_below(std::string_view path, std::string_view place) {
  if (place == "/") return true;
  return path == place || (path.starts_with(place) && path[place.size()] == '/');
}

std::string text_of(const Node* node) {
  return node == nullptr || node->text() == nullptr ? std::string() : *node->text();
}

/// The texts of a list, or the one in its place.
std::vector<std::string> texts(const Node* node) {
  std::vector<std::string> found;
  if (node == nullptr) return found;
  if (node->text() != nullptr) found.push_back(*node->text());
  if (node->list() != nullptr)
    for (const auto& item : *node->list())
      if (item.text() != nullptr) found.push_back(*item.text());
  return found;
}

/// `text` up to the next colon, which is taken off it.
std::string next_part(std::string_view& text) {
  const auto end = text.find(':');
  const std::string part(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

/// What a process sees at a path.
struct Mount {
  std::string key;  ///< pointer of what mounts it
  std::string path;
  std::string what;
};
using Mounts = std::vector<Mount>;

std::string seen_at(std::string_view what, std::string_view path) {
  return std::string(what).append(" at ").append(path);
}

/// Notes what a process sees at and below a place: of what lies over another the last.
void add_seen(PlaceFacts& facts, const Mounts& mounts, std::string_view place) {
  std::size_t deepest = 0;
  for (const auto& mount : mounts)
    if (is_at_or_below(place, mount.path)) deepest = std::max(deepest, mount.path.size());
  std::map<std::string, std::set<std::string>> seen;
  for (const auto& [key, path, what] : mounts) {
    const bool holds = is_at_or_below(place, path) && path.size() == deepest;
    if (holds || is_at_or_below(path, place)) seen[key].insert(seen_at(what, path));
  }
  for (const auto& [key, entries] : seen) {
    auto& list = facts.try_emplace(key, Node{Node::List{}}).first->second;
    for (const auto& entry : entries)
      if (std::ranges::find(*list.list(), Node{entry}) == list.list()->end()) list.push({entry});
  }
}

void put(PlaceFacts& facts, const Node& tree, const std::string& below, const std::string& key) {
  const auto* value = tree.at(key);
  if (value != nullptr && !value->empty()) facts.emplace(below + key, *value);
}

/// Of the words that start a runtime those that name its configuration.
void put_command(PlaceFacts& facts, const Node& tree, const std::string& below,
                 const std::string& key) {
  const auto* words = tree.at(key);
  if (words == nullptr) return;
  const auto all = texts(words);
  const auto option = std::ranges::find(all, "--config");
  if (option == all.end()) {
    facts.emplace(below + key, *words);
  } else {
    const auto end = all.end() - option > 1 ? option + 2 : all.end();
    facts.emplace(below + key, Node{Node::List(option, end)});
  }
}

bool is_runtime(const Kept& kept) { return kept.instance.role == Role::runtime; }

// --- compose

void add_volume_mounts(Mounts& mounts, const Node* volumes, const std::string& below) {
  if (volumes == nullptr || volumes->list() == nullptr) return;
  for (const auto& volume : *volumes->list()) {
    Mount mount{.key = below + "/volumes", .path = {}, .what = {}};
    if (volume.text() != nullptr) {
      std::string_view rest = *volume.text();
      mount.what = next_part(rest);
      mount.path = rest.empty() ? std::exchange(mount.what, "a new volume") : next_part(rest);
    } else {
      const auto type = text_of(volume.find("type"));
      const auto below_it = text_of(volume.at("/volume/subpath"));
      mount.what = text_of(volume.find("source"));
      if (type == "tmpfs" || mount.what.empty()) mount.what = type;
      if (!below_it.empty()) mount.what += "/" + below_it;
      mount.path = text_of(volume.find("target"));
    }
    mount.path = clean(mount.path);
    mounts.push_back(std::move(mount));
  }
}

/// Of files that the project hands to a service: its configs or secrets.
void add_file_mounts(Mounts& mounts, const Node& service, const std::string& below,
                     const std::string& kind, const std::string& directory) {
  const auto* files = service.find(kind);
  if (files == nullptr || files->list() == nullptr) return;
  const auto key = below + "/" + kind;
  for (const auto& file : *files->list()) {
    const auto name = file.text() != nullptr ? *file.text() : text_of(file.find("source"));
    auto target = text_of(file.find("target"));
    if (target.empty()) target = name;
    if (!target.starts_with('/')) target.insert(0, directory);
    mounts.push_back({key, clean(target), name});
  }
}

/// The name that the engine knows a volume by, and where the project says so.
void put_volume(PlaceFacts& facts, const Node& project, const Kept& kept) {
  const auto& planned = kept.plan.targets.compose_project.value;
  const std::string volume(kept.volume);
  const auto at = "/volumes/" + pointer_segment(volume);
  const auto* about = project.at(at);
  const auto own = about == nullptr ? std::string() : text_of(about->find("name"));
  const auto* external = about == nullptr ? nullptr : about->find("external");
  const bool elsewhere = external != nullptr && *external == Node{true};
  const auto name = text_of(project.find("name"));
  const auto found = !own.empty() ? own : elsewhere ? volume : name + "_" + volume;
  if (found != planned + "_" + volume) {
    facts.emplace(!own.empty() ? at + "/name"
                  : elsewhere  ? at + "/external"
                               : "/name",
                  !own.empty() ? Node{own}
                  : elsewhere  ? *external
                               : Node{name});
  }
  if (about == nullptr) return;
  if (text_of(about->find("driver")) != "local") put(facts, *about, at, "/driver");
  put(facts, *about, at, "/driver_opts");
}

// --- systemd

/// Paths of a directive: "SOURCE:DESTINATION:OPTIONS", the destination as the source without one.
void add_binds(Mounts& mounts, const Node& service, const std::string& directive) {
  for (const auto& text : texts(service.find(directive))) {
    std::string_view rest = text;
    while (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    const auto source = next_part(rest);
    const auto path = next_part(rest);
    if (source.empty()) continue;
    mounts.push_back({"/Service/" + directive, clean(path.empty() ? source : path), source});
  }
}

/// The same of "PATH:OPTIONS".
void add_covers(Mounts& mounts, const Node& service, const std::string& directive,
                const std::string& what) {
  for (const auto& text : texts(service.find(directive))) {
    std::string_view rest = text;
    while (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    const auto path = next_part(rest);
    if (!path.empty()) mounts.push_back({"/Service/" + directive, clean(path), what});
  }
}

bool says_no(const Node* value) {
  const auto word = text_of(value);
  return value == nullptr || *value == Node{false} || word == "no" || word == "false" ||
         word == "off" || word == "0";
}

// --- helm

/// Of containers that a site lays over those of the chart, what is not the mount of the volume.
void put_containers(PlaceFacts& facts, const Node& place, const std::string& below,
                    const Kept& kept) {
  const std::string key = "/spec/containers";
  const auto* containers = place.at(key);
  if (containers == nullptr || containers->list() == nullptr) return;
  Mounts mounts;
  for (const auto& container : *containers->list()) {
    const auto* own = container.find("volumeMounts");
    if (own == nullptr || own->list() == nullptr) continue;
    for (const auto& mount : *own->list()) {
      auto what = text_of(mount.find("name"));
      for (const auto* part : {"subPath", "subPathExpr"})
        if (const auto path = text_of(mount.find(part)); !path.empty()) what += "/" + path;
      mounts.push_back({below + key, clean(text_of(mount.find("mountPath"))), std::move(what)});
    }
  }
  PlaceFacts seen;
  add_seen(seen, mounts, kept.path);
  const Node as_it_was{Node::List{{seen_at(kept.volume, kept.path)}}};
  auto& found = seen.try_emplace(below + key, Node{Node::List{}}).first->second;
  if (found != as_it_was) facts.emplace(below + key, std::move(found));
}

/// Of volumes that a site lays over those of the chart, the one.
void put_pod_volume(PlaceFacts& facts, const Node& place, const std::string& below,
                    const Kept& kept) {
  const auto* volumes = place.at("/spec/volumes");
  if (volumes == nullptr || volumes->list() == nullptr) return;
  for (const auto& volume : *volumes->list())
    if (text_of(volume.find("name")) == kept.volume) facts.emplace(below + "/spec/volumes", volume);
}

}  // namespace

PlaceFacts compose_facts(const Node& project, const Kept& kept) {
  PlaceFacts facts;
  put_volume(facts, project, kept);
  const auto below = "/services/" + pointer_segment(kept.instance.name);
  const auto* service = project.at(below);
  if (service == nullptr) return facts;
  for (const auto* key : {"/user", "/userns_mode", "/volumes_from", "/extends"})
    put(facts, *service, below, key);
  Mounts mounts;
  add_volume_mounts(mounts, service->find("volumes"), below);
  add_file_mounts(mounts, *service, below, "configs", "/");
  add_file_mounts(mounts, *service, below, "secrets", "/run/secrets/");
  for (const auto& text : texts(service->find("tmpfs"))) {
    std::string_view rest = text;
    mounts.push_back({below + "/tmpfs", clean(next_part(rest)), "memory"});
  }
  add_seen(facts, mounts, compose_literal(kept.path));
  if (!is_runtime(kept)) return facts;
  put_command(facts, *service, below, "/command");
  put_command(facts, *service, below, "/entrypoint");
  constexpr std::string_view config = "/etc/caisson/runtime.json";
  add_seen(facts, mounts, config);
  for (const auto& mount : mounts) {
    if (mount.path != config) continue;
    const auto at = "/configs/" + pointer_segment(mount.what);
    for (const auto* key : {"/file", "/content", "/environment", "/external", "/name"})
      if (const auto* about = project.at(at)) put(facts, *about, at, key);
  }
  return facts;
}

PlaceFacts unit_facts(const Node& unit, const Kept& kept) {
  PlaceFacts facts;
  const auto* service = unit.find("Service");
  if (service == nullptr) return facts;
  const std::string below = "/Service";
  for (const auto* key :
       {"/User", "/RootDirectory", "/RootImage", "/ExtensionImages", "/ExtensionDirectories"})
    put(facts, *service, below, key);
  for (const auto* key : {"/DynamicUser", "/RootEphemeral"})
    if (!says_no(service->at(key))) put(facts, *service, below, key);
  Mounts mounts;
  for (const auto* directive : {"BindPaths", "BindReadOnlyPaths", "MountImages"})
    add_binds(mounts, *service, directive);
  add_covers(mounts, *service, "TemporaryFileSystem", "memory");
  add_covers(mounts, *service, "InaccessiblePaths", "nothing");
  add_seen(facts, mounts, kept.path);
  // systemd gives these directories, and all that is in them, to the account of the unit.
  for (const auto& text : texts(service->find("StateDirectory"))) {
    std::string_view rest = text;
    const auto path = clean("/var/lib/" + next_part(rest));
    const SystemdLayout layout(kept.plan);
    const auto data = layout.data(kept.instance.name);
    if (is_at_or_below(path, data) || is_at_or_below(data, path))
      put(facts, *service, below, "/StateDirectory");
  }
  if (!is_runtime(kept)) return facts;
  put_command(facts, *service, below, "/ExecStart");
  add_seen(facts, mounts, SystemdLayout(kept.plan).config(kept.instance.name + ".json"));
  return facts;
}

PlaceFacts chart_facts(const Node& values, const std::string& workload, const Kept& kept) {
  PlaceFacts facts;
  const auto* about = values.at(workload);
  if (about == nullptr) return facts;
  for (const auto* key : {"/kind", "/controller"}) put(facts, *about, workload, key);
  Mounts mounts;
  const auto add = [&](const std::string& key, const auto& mount) {
    const auto* entries = about->find(key);
    if (entries == nullptr || entries->map() == nullptr) return;
    for (const auto& [name, value] : *entries->map()) mount(name, value);
  };
  add("volumes", [&](const std::string& name, const Node& volume) {
    const auto claim = text_of(volume.find("existingClaim"));
    mounts.push_back({workload + "/volumes/" + pointer_segment(name),
                      clean(text_of(volume.find("path"))),
                      claim.empty() ? name : "claim " + claim});
  });
  add("writable", [&](const std::string& path, const Node&) {
    mounts.push_back({workload + "/writable", clean(path), "memory"});
  });
  add("mounts", [&](const std::string& path, const Node& source) {
    mounts.push_back({workload + "/mounts", clean(path), to_json_line(source)});
  });
  add("files", [&](const std::string& path, const Node&) {
    mounts.push_back({workload + "/files", clean(path), "a file"});
  });
  add_seen(facts, mounts, kept.path);
  for (const auto& place : {std::string("/pods"), workload + "/pod"}) {
    const auto* pod = values.at(place);
    if (pod == nullptr) continue;
    put_containers(facts, *pod, place, kept);
    put_pod_volume(facts, *pod, place, kept);
  }
  if (!is_runtime(kept)) return facts;
  put(facts, *about, workload, "/config/data");
  put(facts, *about, workload, "/configPath");
  put_command(facts, *about, workload, "/args");
  put_command(facts, *about, workload, "/command");
  add_seen(facts, mounts, "/etc/caisson/runtime.json");
  return facts;
}

}  // namespace caisson::render
