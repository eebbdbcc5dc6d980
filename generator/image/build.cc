#include "generator/image/build.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/digest.h"
#include "generator/image/elf.h"
#include "generator/image/tar.h"
#include "generator/render/json.h"
#include "generator/render/node.h"

namespace caisson::image {

namespace {

using render::Instruction;
using render::Node;

/// What `docker build` gives every image for Linux.
constexpr std::string_view search_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view remedy = "build this image with `docker build`";

std::string utc(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text(32, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()))));
  return text;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || stop != end || value < 0) return std::nullopt;
  return value;
}

/// "10s" in nanoseconds.
std::optional<std::int64_t> nanoseconds(std::string_view text) {
  for (const auto& [unit, size] :
       {std::pair{std::string_view("ms"), std::int64_t{1'000'000}},
        std::pair{std::string_view("s"), std::int64_t{1'000'000'000}},
        std::pair{std::string_view("m"), std::int64_t{60'000'000'000}}}) {
    if (!text.ends_with(unit)) continue;
    if (const auto count = number<std::int64_t>(text.substr(0, text.size() - unit.size()))) {
      return *count * size;
    }
  }
  return std::nullopt;
}

Node strings(const std::vector<std::string>& words) {
  Node list{Node::List{}};
  for (const auto& word : words) list.push(word);
  return list;
}

/// The instruction as a reader of `docker history` knows it.
std::string written(const Instruction& instruction) {
  auto line = instruction.name;
  for (const auto* words : {&instruction.flags, &instruction.words}) {
    for (const auto& word : *words) line += ' ' + word;
  }
  for (const auto& [key, value] : instruction.pairs) {
    line.append(1, ' ').append(key).append(1, '=').append(value);
  }
  if (!instruction.exec.empty()) {
    line.append(1, ' ').append(render::to_json_line(strings(instruction.exec)));
  }
  return line;
}

struct File {
  std::string_view bytes{};
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  bool directory = false;
};

/// By path, without the leading '/'.
using Files = std::map<std::string, File, std::less<>>;

struct Stage {
  std::string name;
  Files files;
  std::vector<Layer> layers;
  Node config{Node::Map{}};
  Node history{Node::List{}};
  bool ran = false;
};

std::string_view trimmed(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string below(std::string folder, std::string_view path) {
  if (!folder.empty() && !path.empty()) folder += '/';
  return folder.append(path);
}

class Builder {
 public:
  Builder(const Context& context, std::int64_t seconds)
      : context_(context), seconds_(seconds), created_(utc(seconds)) {}

  Result<void> step(const Instruction& instruction) {
    instruction_ = &instruction;
    const auto& name = instruction.name;
    if (name == "FROM") return from();
    if (stages_.empty()) return refuse("stands before the first FROM");
    if (name == "COPY") return copy();
    if (name == "RUN") return run();
    if (auto done = configure(); !done) return done;
    remember(true);
    return {};
  }

  Result<Image> finish(std::string name) {
    if (stages_.empty()) return fail("the image has no FROM");
    auto& stage = stages_.back();
    if (stage.ran) return fail("the last stage runs a program", std::string(remedy));
    const auto* entry = stage.config.at("/Entrypoint/0");
    const auto program =
        entry == nullptr ? stage.files.end() : stage.files.find(trimmed(*entry->text()));
    if (program == stage.files.end()) return fail("the image has no program as its ENTRYPOINT");
    auto architecture = architecture_of(program->second.bytes);
    if (!architecture) return tl::unexpected(architecture.error());

    Node diffs{Node::List{}};
    for (const auto& layer : stage.layers) diffs.push("sha256:" + layer.sha256);
    Node root{Node::Map{}};
    root.add("type", "layers");
    root.add("diff_ids", std::move(diffs));
    Node config{Node::Map{}};
    config.add("architecture", *architecture);
    config.add("config", std::move(stage.config));
    config.add("created", created_);
    config.add("history", std::move(stage.history));
    config.add("os", "linux");
    config.add("rootfs", std::move(root));
    return Image{.name = std::move(name),
                 .architecture = *std::move(architecture),
                 .config = render::to_json(config),
                 .layers = std::move(stage.layers)};
  }

 private:
  [[nodiscard]] tl::unexpected<Failure> refuse(const std::string& what) const {
    return fail("'" + written(*instruction_) + "' " + what, std::string(remedy));
  }

  Stage& stage() { return stages_.back(); }

  void remember(bool empty) {
    Node entry{Node::Map{}};
    entry.add("created", created_);
    entry.add("created_by", written(*instruction_));
    if (empty) entry.add("empty_layer", true);
    stage().history.push(std::move(entry));
  }

  Result<void> from() {
    const auto& words = instruction_->words;
    const bool named = words.size() == 3 && words[1] == "AS";
    if (!instruction_->flags.empty() || (words.size() != 1 && !named)) {
      return refuse("has more than an image and a name");
    }
    Stage next;
    if (words[0] == "scratch") {
      next.config.add("Env", Node::List{search_path});
    } else if (const auto* before = find_stage(words[0]); before != nullptr) {
      next = *before;
    } else {
      return refuse("starts from an image that is not here");
    }
    next.name = named ? words[2] : std::string{};
    stages_.push_back(std::move(next));
    return {};
  }

  const Stage* find_stage(std::string_view name) const {
    const auto found = std::ranges::find(stages_, name, &Stage::name);
    return name.empty() || found == stages_.end() ? nullptr : &*found;
  }

  Result<void> run() {
    const auto& command = instruction_->exec;
    if (command.empty()) return refuse("needs a shell");
    const auto program = stage().files.find(trimmed(command.front()));
    if (program == stage().files.end()) return refuse("runs a program that is not there");
    if (const auto runs = architecture_of(program->second.bytes); !runs) {
      return fail("'" + command.front() + "' cannot run: " + runs.error().what,
                  runs.error().remedy);
    }
    stage().ran = true;
    return {};
  }

  /// What the files to copy are, by path below `source`; "" is `source` itself.
  Files source_files(std::string_view source, const Stage* from) const {
    Files found;
    const auto take = [&](std::string_view path, const File& file) {
      if (path == source) {
        found.emplace("", file);
      } else if (path.starts_with(source) && path[source.size()] == '/') {
        found.emplace(path.substr(source.size() + 1), file);
      }
    };
    if (from != nullptr) {
      for (const auto& [path, file] : from->files) take(path, file);
    } else {
      for (const auto& [path, file] : context_) {
        take(path, {.bytes = file.bytes, .mode = file.mode});
        for (auto at = path.rfind('/'); at != path.npos && at > 0; at = path.rfind('/', at - 1)) {
          take(path.substr(0, at), {.mode = 0755, .directory = true});
        }
      }
    }
    return found;
  }

  Result<void> copy() {
    const Stage* from = nullptr;
    std::optional<std::pair<unsigned, unsigned>> owner;
    for (const std::string_view flag : instruction_->flags) {
      const auto value = flag.substr(std::min(flag.find('=') + 1, flag.size()));
      if (flag.starts_with("--from=")) {
        from = find_stage(value);
        if (from == nullptr) return refuse("copies from a stage that is not there");
      } else if (flag.starts_with("--chown=")) {
        const auto colon = std::min(value.find(':'), value.size());
        const auto uid = number<int>(value.substr(0, colon));
        const auto gid = colon == value.size() ? uid : number<int>(value.substr(colon + 1));
        if (!uid || !gid) return refuse("needs numbers for --chown: the image has no user names");
        owner = {static_cast<unsigned>(*uid), static_cast<unsigned>(*gid)};
      } else {
        return refuse("has a flag other than --from and --chown");
      }
    }
    if (instruction_->words.size() != 2) return refuse("needs one source and one destination");
    const auto source = trimmed(instruction_->words[0]);
    const auto& destination = instruction_->words[1];
    auto files = source_files(source, from);
    if (files.empty()) return refuse("copies what is not there");
    std::string target(trimmed(destination));
    if (destination.ends_with('/') && !files.at("").directory) {
      target += '/';
      target += source.substr(source.rfind('/') + 1);
    }

    Files layer;
    for (auto at = target.find('/'); at != target.npos; at = target.find('/', at + 1)) {
      layer.emplace(target.substr(0, at), File{.mode = 0755, .directory = true});
    }
    for (auto& [path, file] : files) {
      file.uid = owner ? owner->first : 0;
      file.gid = owner ? owner->second : 0;
      const auto place = below(target, path);
      if (!place.empty()) layer.insert_or_assign(place, file);
    }
    add_layer(layer);
    return {};
  }

  /// Directories that are there already stay as they are.
  void add_layer(const Files& files) {
    std::vector<TarEntry> entries;
    for (const auto& [path, file] : files) {
      if (file.directory && stage().files.contains(path)) continue;
      stage().files.insert_or_assign(path, file);
      entries.push_back({.path = path,
                         .bytes = file.bytes,
                         .mode = file.mode,
                         .uid = file.uid,
                         .gid = file.gid,
                         .directory = file.directory});
    }
    Layer layer{.bytes = to_tar(entries, seconds_), .sha256 = {}};
    layer.sha256 = sha256_hex(layer.bytes);
    stage().layers.push_back(std::move(layer));
    remember(false);
  }

  Result<void> configure() {
    const auto& [name, flags, words, exec, pairs, comment, origins] = *instruction_;
    auto& config = stage().config;
    if (name == "LABEL" && !pairs.empty()) {
      if (config.find("Labels") == nullptr) config.add("Labels", Node{Node::Map{}});
      for (const auto& [key, value] : pairs) config.find("Labels")->set(key, value);
    } else if (name == "ENV" && !pairs.empty()) {
      for (const auto& [key, value] : pairs) {
        config.find("Env")->push(std::string(key).append(1, '=').append(value));
      }
    } else if (name == "USER" && words.size() == 1) {
      config.set("User", words.front());
    } else if (name == "WORKDIR" && words.size() == 1) {
      config.set("WorkingDir", words.front());
    } else if (name == "STOPSIGNAL" && words.size() == 1) {
      config.set("StopSignal", words.front());
    } else if (name == "EXPOSE" && !words.empty()) {
      if (config.find("ExposedPorts") == nullptr) config.add("ExposedPorts", Node{Node::Map{}});
      for (const auto& word : words) {
        config.find("ExposedPorts")
            ->set(word.find('/') == word.npos ? word + "/tcp" : word, Node{Node::Map{}});
      }
    } else if (name == "ENTRYPOINT" && !exec.empty()) {
      config.set("Entrypoint", strings(exec));
    } else if (name == "CMD" && !exec.empty()) {
      config.set("Cmd", strings(exec));
    } else if (name == "HEALTHCHECK" && words == std::vector<std::string>{"CMD"} && !exec.empty()) {
      return health();
    } else {
      return refuse("is not understood");
    }
    return {};
  }

  Result<void> health() {
    auto test = strings(instruction_->exec);
    Node check{Node::Map{}};
    check.add("Test", Node::List{"CMD"});
    for (const auto& word : *test.list()) check.find("Test")->push(word);
    for (const std::string_view flag : instruction_->flags) {
      const auto equals = std::min(flag.find('='), flag.size());
      const auto key = flag.substr(0, equals);
      const auto value = flag.substr(std::min(equals + 1, flag.size()));
      const auto amount = key == "--retries" ? number<std::int64_t>(value) : nanoseconds(value);
      const auto* field = key == "--interval"       ? "Interval"
                          : key == "--timeout"      ? "Timeout"
                          : key == "--start-period" ? "StartPeriod"
                          : key == "--retries"      ? "Retries"
                                                    : nullptr;
      if (field == nullptr || !amount) return refuse("has a flag that is not understood");
      check.set(field, *amount);
    }
    stage().config.set("Healthcheck", std::move(check));
    return {};
  }

  const Context& context_;
  std::int64_t seconds_;
  std::string created_;
  std::vector<Stage> stages_;
  const Instruction* instruction_ = nullptr;
};

}  // namespace

Result<Image> build(std::string name, const render::Dockerfile& dockerfile, const Context& context,
                    std::int64_t seconds) {
  Builder builder(context, seconds);
  for (const auto& instruction : dockerfile.instructions) {
    if (auto done = builder.step(instruction); !done) {
      return fail(name + ": " + done.error().what, done.error().remedy);
    }
  }
  const auto title = name;
  auto image = builder.finish(std::move(name));
  if (!image) return fail(title + ": " + image.error().what, image.error().remedy);
  return image;
}

}  // namespace caisson::image
