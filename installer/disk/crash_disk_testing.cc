#include "installer/disk/crash_disk_testing.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "installer/disk/disk_error.h"

namespace caisson::installer::testing {
namespace {

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// Calls `take` with each component of a path.
template <class Take>
void each_component(std::string_view path, const Take& take) {
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash > 0) take(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
}

}  // namespace

/// A file that is open for writing, under whatever name.
class MachineFile final : public DiskFile {
 public:
  MachineFile(Machine& machine, Machine::Number node, std::string shown)
      : machine_(machine), node_(node), shown_(std::move(shown)) {}

  Checked<void> append(std::string_view bytes) override {
    const int error = machine_.step(system(), "append to " + shown_);
    // What a write that failed has written before is there.
    if (error != 0) bytes = bytes.substr(0, bytes.size() / 2);
    auto& content = machine_.now_[node_].content;
    content = shared(*content + std::string(bytes));
    if (!bytes.empty()) machine_.change(node_, "the content of " + shown_);
    if (error != 0) return disk_error("write", shown_, error, Code::host_write);
    return {};
  }

  Checked<void> reserve(std::uint64_t) override {
    if (const int error = machine_.step(system(), "reserve space for " + shown_)) {
      return disk_error("reserve space for", shown_, error, Code::host_write);
    }
    return {};
  }

  Checked<void> sync() override {
    const int error = machine_.step(system(), "sync " + shown_);
    machine_.settle(error != 0,
                    [&](Machine::Unit& unit) { return !unit.is_name && unit.node == node_; });
    if (error != 0) return disk_error("make durable", shown_, error, Code::host_write);
    return {};
  }

 private:
  [[nodiscard]] unsigned system() const { return machine_.now_[node_].system; }

  Machine& machine_;
  Machine::Number node_;
  std::string shown_;
};

/// A directory of the machine as a disk. It behaves as `open_disk`'s does; the same tests say so.
class MachineDisk final : public Disk {
 public:
  MachineDisk(Machine& machine, Machine::Number root, std::string shown)
      : machine_(machine), root_(root), shown_(std::move(shown)) {}

  Checked<std::unique_ptr<DiskFile>> create(std::string_view path, unsigned mode) override {
    auto made = add("create", path, Status::Kind::file, mode, {});
    if (!made) return tl::unexpected(made.error());
    return std::make_unique<MachineFile>(machine_, *made, shown_of(path));
  }

  Checked<void> make_directory(std::string_view path, unsigned mode) override {
    return add("make", path, Status::Kind::directory, mode, {}).map([](auto) {});
  }

  Checked<void> symlink(std::string_view target, std::string_view path) override {
    return add("make", path, Status::Kind::link, 0777, std::string(target)).map([](auto) {});
  }

  Checked<void> set_mode(std::string_view path, unsigned mode) override {
    const int error = machine_.step(system(), "change the mode of " + shown_of(path));
    const auto directory = directory_of(path, Code::host_write);
    if (!directory) return tl::unexpected(directory.error());
    if (error != 0)
      return disk_error("change the mode of", shown_of(path), error, Code::host_write);
    machine_.now_[*directory].attributes.mode = mode;
    machine_.change(*directory, "the mode of " + shown_of(path));
    return {};
  }

  Checked<void> set_owner(std::string_view path, std::uint32_t uid, std::uint32_t gid) override {
    int error = machine_.step(system(), "give away " + shown_of(path));
    const auto place = place_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (error == 0 && place->node == Machine::kNone) error = ENOENT;
    if (error != 0) return disk_error("give away", shown_of(path), error, Code::host_write);
    auto& attributes = machine_.now_[place->node].attributes;
    attributes.uid = uid;
    attributes.gid = gid;
    machine_.change(place->node, "the owner of " + shown_of(path));
    return {};
  }

  Checked<void> copy(std::string_view from, std::string_view to) override {
    const auto source = file_at(from, 0);
    if (!source) return tl::unexpected(source.error());
    const auto node = **source;
    const auto made = add("create", to, Status::Kind::file, node.attributes.mode, {});
    if (!made) return tl::unexpected(made.error());
    // The content comes in a second call, so that a crash comes between them.
    const auto shown = shown_of(to);
    const int error = machine_.step(system(), "copy " + shown_of(from) + " to " + shown);
    machine_.now_[*made].attributes = node.attributes;
    machine_.now_[*made].content =
        error == 0 ? node.content : shared(node.content->substr(0, node.content->size() / 2));
    machine_.change(*made, "the content of " + shown);
    if (error != 0) return disk_error("write", shown, error, Code::host_write);
    return {};
  }

  Checked<void> rename(std::string_view from, std::string_view to) override {
    const auto says = "rename " + shown_of(from) + " to " + shown_of(to);
    const int error = machine_.step(system(), says);
    const auto old = place_of(from, Code::host_write);
    if (!old) return tl::unexpected(old.error());
    const auto place = place_of(to, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (const int fault = error != 0 ? error : fault_of_rename(*old, *place)) {
      return disk_error("rename", shown_of(from), fault, Code::host_write);
    }
    if (old->node != place->node) machine_.move(old->node, place->directory, place->name, says);
    return {};
  }

  Checked<void> remove(std::string_view path) override {
    const auto says = "remove " + shown_of(path);
    int error = machine_.step(system(), says, false);
    const auto place = place_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (error == 0 && place->node == Machine::kNone) return {};
    if (error == 0 && !machine_.now_[place->node].names.empty()) error = ENOTEMPTY;
    if (error != 0) return disk_error("remove", shown_of(path), error, Code::host_write);
    machine_.move(place->node, Machine::kNone, {}, says);
    return {};
  }

  Checked<void> sync_directory(std::string_view path) override {
    const int error = machine_.step(system(), "sync the directory " + shown_of(path), false);
    const auto directory = directory_of(path, Code::host_write);
    if (!directory) return tl::unexpected(directory.error());
    if (error == 0) {
      machine_.settle(false, [&](Machine::Unit& unit) {
        if (!unit.is_name) return unit.node == *directory;
        // A rename from one directory to another is certain when both are.
        return std::erase(unit.unsynced, *directory) > 0 && unit.unsynced.empty();
      });
    }
    if (error != 0) {
      machine_.shut_.insert(system());
      return disk_error("make durable", shown_of(path), error, Code::host_write);
    }
    return {};
  }

  Checked<void> sync_all() override {
    const int error = machine_.step(system(), "sync all of " + shown_);
    machine_.settle(error != 0, [&](const Machine::Unit& unit) {
      return machine_.now_[unit.node].system == system() && (error == 0 || !unit.is_name);
    });
    if (error != 0) return disk_error("make durable", shown_, error, Code::host_write);
    return {};
  }

  Checked<std::vector<std::string>> list(std::string_view path) const override {
    const int error = machine_.step_reading(shown_of(path));
    const auto directory = directory_of(path, Code::host_read);
    if (!directory) return tl::unexpected(directory.error());
    if (error != 0) return disk_error("read", shown_of(path), error, Code::host_read);
    std::vector<std::string> names;
    for (const auto& [name, node] : machine_.now_[*directory].names) names.push_back(name);
    return names;
  }

  Checked<std::optional<Status>> status(std::string_view path) const override {
    const int error = machine_.step_reading(shown_of(path));
    const auto place = place_of(path, Code::host_read);
    if (!place) {
      if (place.error().code == Code::host_read) return std::nullopt;
      return tl::unexpected(place.error());
    }
    if (error != 0) return disk_error("examine", shown_of(path), error, Code::host_read);
    if (place->node == Machine::kNone) return std::nullopt;
    const auto& node = machine_.now_[place->node];
    return Status{.kind = node.kind,
                  .size = node.content->size(),
                  .stored = node.content->size(),
                  .mode = node.attributes.mode,
                  .uid = node.attributes.uid,
                  .gid = node.attributes.gid};
  }

  Checked<std::size_t> read(std::string_view path, std::uint64_t offset,
                            std::span<char> into) const override {
    const int error = machine_.step_reading(shown_of(path));
    const auto node = file_at(path, error);
    if (!node) return tl::unexpected(node.error());
    const auto& content = *(*node)->content;
    if (offset >= content.size()) return std::size_t{0};
    return content.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  }

  Checked<std::string> target(std::string_view path) const override {
    const int error = machine_.step_reading(shown_of(path));
    const auto node = there(path, error, "read");
    if (!node) return tl::unexpected(node.error());
    if ((*node)->kind != Status::Kind::link) {
      return disk_error("read", shown_of(path), EINVAL, Code::host_read);
    }
    return *(*node)->content;
  }

 private:
  struct Place {
    Machine::Number directory = Machine::kNone;
    std::string name;
    Machine::Number node = Machine::kNone;  ///< that stands there, if any
  };

  [[nodiscard]] unsigned system() const { return machine_.now_[root_].system; }

  std::string shown_of(std::string_view path) const {
    return path.empty() ? shown_ : shown_ + "/" + std::string(path);
  }

  Checked<Machine::Number> directory_of(std::string_view path, Code otherwise) const {
    auto at = root_;
    int error = 0;
    each_component(path, [&](std::string_view component) {
      if (error != 0) return;
      const auto& names = machine_.now_[at].names;
      const auto found = names.find(component);
      if (found == names.end()) {
        error = ENOENT;
        return;
      }
      at = found->second;
      const auto kind = machine_.now_[at].kind;
      error = kind == Status::Kind::directory ? 0 : kind == Status::Kind::link ? ELOOP : ENOTDIR;
    });
    if (error != 0) return disk_error("open", shown_of(path), error, otherwise);
    return at;
  }

  Checked<Place> place_of(std::string_view path, Code otherwise) const {
    if (const auto fault = fault_of_place(path); !fault.empty()) {
      return refuse(Code::text_path, shown_of(path) + ": " + std::string(fault));
    }
    const auto slash = path.rfind('/');
    const auto directory =
        directory_of(path.substr(0, slash == std::string_view::npos ? 0 : slash), otherwise);
    if (!directory) return tl::unexpected(directory.error());
    Place place{.directory = *directory, .name = std::string(path.substr(slash + 1))};
    const auto& names = machine_.now_[*directory].names;
    if (const auto found = names.find(place.name); found != names.end()) place.node = found->second;
    return place;
  }

  /// What stands at a path, to be read.
  Checked<const Machine::Node*> there(std::string_view path, int error,
                                      std::string_view doing) const {
    const auto place = place_of(path, Code::host_read);
    if (!place) return tl::unexpected(place.error());
    if (error == 0 && place->node == Machine::kNone) error = ENOENT;
    if (error != 0) return disk_error(doing, shown_of(path), error, Code::host_read);
    return &machine_.now_[place->node];
  }

  Checked<const Machine::Node*> file_at(std::string_view path, int error) const {
    const auto node = there(path, error, "open");
    if (!node) return node;
    if ((*node)->kind == Status::Kind::link) {
      return disk_error("open", shown_of(path), ELOOP, Code::host_read);
    }
    if ((*node)->kind != Status::Kind::file) {
      return refuse(Code::host_in_the_way, shown_of(path) + " is not a regular file");
    }
    return node;
  }

  Checked<Machine::Number> add(std::string_view doing, std::string_view path, Status::Kind kind,
                               unsigned mode, std::string content) {
    const auto says = std::string(doing) + " " + shown_of(path);
    int error = machine_.step(system(), says);
    const auto place = place_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (error == 0 && place->node != Machine::kNone) error = EEXIST;
    if (error != 0) return disk_error(doing, shown_of(path), error, Code::host_write);
    const auto node =
        machine_.make(kind, mode, machine_.now_[place->directory].system, std::move(content));
    machine_.move(node, place->directory, place->name, says);
    machine_.change(node, "the mode of " + shown_of(path));
    return node;
  }

  int fault_of_rename(const Place& from, const Place& to) const {
    if (from.node == Machine::kNone) return ENOENT;
    const auto& node = machine_.now_[from.node];
    if (node.system != machine_.now_[to.directory].system) return EXDEV;
    for (auto at = to.directory; at != Machine::kNone; at = machine_.now_[at].parent) {
      if (at == from.node) return EINVAL;
    }
    if (to.node == Machine::kNone) return 0;
    const auto& old = machine_.now_[to.node];
    const bool directory = node.kind == Status::Kind::directory;
    if (directory != (old.kind == Status::Kind::directory)) return directory ? ENOTDIR : EISDIR;
    return old.names.empty() || to.node == from.node ? 0 : ENOTEMPTY;
  }

  Machine& machine_;
  Machine::Number root_;
  std::string shown_;
};

Machine::Machine() {
  now_.push_back({.attributes = {.mode = 0755}, .content = shared({})});
  kept_ = now_;
}

void Machine::mount(std::string_view path) {
  const auto at = directory(path);
  now_[at].system = kept_[at].system = systems_++;
}

std::unique_ptr<Disk> Machine::open(std::string_view path) {
  const auto at = directory(path);
  return std::make_unique<MachineDisk>(*this, at, std::string(path == "/" ? "" : path));
}

Machine::Number Machine::directory(std::string_view path) {
  Number at = 0;
  each_component(path, [&](std::string_view name) {
    auto found = now_[at].names.find(name);
    if (found == now_[at].names.end()) {
      const auto made = make(Status::Kind::directory, 0755, now_[at].system, {});
      kept_[made].attributes.mode = 0755;
      place(now_, made, at, name);
      place(kept_, made, at, name);
      found = now_[at].names.find(name);
    }
    at = found->second;
  });
  return at;
}

void Machine::fail(DiskFault fault) {
  fault_ = fault;
  calls_ = 0;
  struck_.clear();
}

void Machine::mend() {
  fail({});
  before_ = nullptr;
}

int Machine::step_reading(const std::string& path) { return refusal("read " + path, false); }

int Machine::step(unsigned system, const std::string& says, bool takes_space) {
  if (before_) before_(says);
  const int error = refusal(says, takes_space);
  return error == 0 && shut_.contains(system) ? EROFS : error;
}

int Machine::refusal(const std::string& says, bool takes_space) {
  const auto call = calls_++;
  if (fault_.error == 0 || call < fault_.call || (call > fault_.call && !fault_.forever)) return 0;
  if (fault_.error == ENOSPC && !takes_space) return 0;
  if (struck_.empty()) struck_ = says;
  return fault_.error;
}

Machine::Number Machine::make(Status::Kind kind, unsigned mode, unsigned system,
                              std::string content) {
  // It gets its mode after it was made; a link is what it is.
  const unsigned first = kind == Status::Kind::link        ? mode
                         : kind == Status::Kind::directory ? 0700
                                                           : 0600;
  kept_.push_back({.kind = kind,
                   .system = system,
                   .attributes = {.mode = first},
                   .content = shared(std::move(content))});
  now_.push_back(kept_.back());
  now_.back().attributes.mode = mode;
  return static_cast<Number>(now_.size() - 1);
}

/// Puts a node where the name says, and takes it and what stood there away from where they were.
void Machine::place(Nodes& nodes, Number node, Number parent, std::string_view name) {
  for (auto at = parent; at != kNone; at = nodes[at].parent) {
    if (at == node) return;  // below itself, by operations one of which was lost
  }
  const auto away = [&](Number which) {
    auto& old = nodes[which];
    if (old.parent != kNone) nodes[old.parent].names.erase(old.name);
    old.parent = kNone;
  };
  away(node);
  if (parent == kNone) return;
  if (const auto there = nodes[parent].names.find(name); there != nodes[parent].names.end()) {
    away(there->second);
  }
  nodes[parent].names.emplace(name, node);
  nodes[node].parent = parent;
  nodes[node].name = name;
}

void Machine::move(Number node, Number parent, std::string_view name, std::string says) {
  Unit unit{.is_name = true,
            .node = node,
            .parent = parent,
            .name = std::string(name),
            .says = std::move(says)};
  if (now_[node].parent != kNone) unit.unsynced.push_back(now_[node].parent);
  if (parent != kNone && (unit.unsynced.empty() || unit.unsynced.front() != parent)) {
    unit.unsynced.push_back(parent);
  }
  place(now_, node, parent, name);
  units_.push_back(std::move(unit));
}

void Machine::change(Number node, std::string says) {
  const auto& now = now_[node];
  const auto known = std::ranges::find_if(units_.rbegin(), units_.rend(), [&](const Unit& unit) {
    return unit.node == node && !unit.is_name;
  });
  if (known != units_.rend() && !known->certain && !known->doomed) {
    known->attributes = now.attributes;
    known->content = now.content;
    known->says = std::move(says);
    return;
  }
  const auto from = known == units_.rend() ? kept_[node].content->size() : known->content->size();
  const auto& before = known == units_.rend() ? kept_[node].attributes : known->attributes;
  if (from == now.content->size() && before == now.attributes) return;
  units_.push_back({.node = node,
                    .attributes = now.attributes,
                    .from = from,
                    .content = now.content,
                    .says = std::move(says)});
}

/// Ends a sync of the operations that are `mine`.
template <class Mine>
void Machine::settle(bool failed, const Mine& mine) {
  for (auto& unit : units_) {
    if (unit.certain || unit.doomed || !mine(unit)) continue;
    (failed ? unit.doomed : unit.certain) = true;
  }
  fold();
}

/// Operations with nothing unsure before them are on the disk.
void Machine::fold() {
  while (!units_.empty() && units_.front().certain) {
    apply(kept_, units_.front(), Left::whole);
    units_.pop_front();
  }
}

void Machine::apply(Nodes& nodes, const Unit& unit, Left left) {
  if (left == Left::lost) return;
  if (unit.is_name) {
    place(nodes, unit.node, unit.parent, unit.name);
    return;
  }
  auto& node = nodes[unit.node];
  node.attributes = unit.attributes;
  if (left == Left::whole && node.content->size() == unit.from &&
      unit.content->starts_with(*node.content)) {
    node.content = unit.content;
    return;
  }
  // Bytes of an earlier write that was lost read as zeros.
  auto bytes = node.content->substr(0, unit.from);
  bytes.resize(unit.from, '\0');
  const auto added = unit.content->size() - unit.from;
  if (left == Left::zeros) {
    bytes.resize(unit.content->size(), '\0');
  } else {
    bytes += unit.content->substr(unit.from, left == Left::cut ? added / 2 : added);
  }
  node.content = shared(std::move(bytes));
}

std::vector<Left> Machine::ways_of(const Unit& unit) {
  std::vector ways = {Left::lost, Left::whole};
  if (unit.is_name) return ways;
  const auto added = unit.content->size() - unit.from;
  if (added > 0) ways.push_back(Left::zeros);
  if (added > 1) ways.push_back(Left::cut);
  return ways;
}

std::vector<Unsure> Machine::unsure() const {
  std::vector<Unsure> all;
  for (const auto& unit : units_) {
    if (unit.certain) continue;
    all.push_back({.says = unit.says, .name = unit.is_name, .ways = ways_of(unit)});
  }
  return all;
}

Machine Machine::crash(std::span<const Left> left) const {
  auto nodes = kept_;
  std::size_t next = 0;
  for (const auto& unit : units_) apply(nodes, unit, unit.certain ? Left::whole : left[next++]);
  // Numbers go by the order of paths, without what has no name.
  Machine machine;
  machine.told = told;
  machine.systems_ = systems_;
  const std::function<void(Number, Number)> copy = [&](Number from, Number to) {
    for (const auto& [name, child] : nodes[from].names) {
      const auto made = static_cast<Number>(machine.now_.size());
      const auto& node = nodes[child];
      machine.now_.push_back({.kind = node.kind,
                              .system = node.system,
                              .attributes = node.attributes,
                              .content = node.content,
                              .parent = to,
                              .name = name});
      machine.now_[to].names.emplace(name, made);
      copy(child, made);
    }
  };
  copy(0, 0);
  machine.kept_ = machine.now_;
  return machine;
}

template <class Visit>
void Machine::visit(const Nodes& nodes, Number node, const std::string& path,
                    const Visit& visit) const {
  for (const auto& [name, child] : nodes[node].names) {
    const auto below = path + "/" + name;
    visit(below, nodes[child]);
    this->visit(nodes, child, below, visit);
  }
}

Digest Machine::digest() const {
  Sha256 hash;
  const auto add = [&](std::string_view bytes) {
    hash.update(std::to_string(bytes.size()) + ":");
    hash.update(bytes);
  };
  visit(now_, 0, "", [&](const std::string& path, const Node& node) {
    add(path);
    const auto& [mode, uid, gid] = node.attributes;
    add(std::to_string(static_cast<int>(node.kind)) + " " + std::to_string(mode) + " " +
        std::to_string(uid) + " " + std::to_string(gid));
    add(*node.content);
  });
  add("told");
  for (const auto& each : told) add(each);
  add("memory");
  for (const auto& [name, value] : memory) {
    add(name);
    add(value);
  }
  return hash.finish();
}

std::map<std::string, std::string> Machine::files() const {
  std::map<std::string, std::string> files;
  visit(now_, 0, "", [&](const std::string& path, const Node& node) {
    files[path] = node.kind == Status::Kind::directory ? "/"
                  : node.kind == Status::Kind::link    ? "-> " + *node.content
                                                       : *node.content;
  });
  return files;
}

}  // namespace caisson::installer::testing
