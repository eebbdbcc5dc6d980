#include "conformance/stack/description.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <boost/json.hpp>

#include "base/files.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;
using Process = StackDescription::Process;

constexpr std::size_t largest_description = std::size_t{16} << 20U;
/// A port of its own for each at least. User and group ids are counted from a base.
constexpr std::size_t most_processes = 16'384;
constexpr std::size_t most_secret_bytes = 4'096;

std::string text(const json::value& value) {
  return value.is_null() ? std::string() : json::value_to<std::string>(value);
}

template <class T>
std::map<std::string, T> map_of(const json::value& value) {
  std::map<std::string, T> out;
  for (const auto& entry : value.as_object()) {
    out.emplace(entry.key(), json::value_to<T>(entry.value()));
  }
  return out;
}

StackDescription::Process process_of(const json::object& object) {
  StackDescription::Process process{
      .name = text(object.at("name")),
      .role = text(object.at("role")),
      .program = text(object.at("program")),
      .args = json::value_to<std::vector<std::string>>(object.at("args")),
      .directory = text(object.at("directory")),
      .config = text(object.at("config")),
      .data = text(object.at("data")),
      .ports = map_of<std::uint16_t>(object.at("ports")),
      .needs = json::value_to<std::vector<std::string>>(object.at("needs")),
      .env = map_of<std::string>(object.at("env")),
      .secret_env = map_of<std::string>(object.at("secret-env")),
      .secrets = json::value_to<std::vector<std::string>>(object.at("secrets")),
      .uid_offset = json::value_to<std::uint32_t>(object.at("uid-offset")),
  };
  if (!object.at("tenant").is_null()) process.tenant = text(object.at("tenant"));
  if (!object.at("ready").is_null()) {
    process.ready_port = text(object.at("ready").as_object().at("port"));
    process.ready_path = text(object.at("ready").as_object().at("path"));
    if (const auto* port = object.at("ready").as_object().if_contains("spec-port"))
      process.spec_port = json::value_to<std::uint16_t>(*port);
  }
  return process;
}

StackDescription stack_of(const json::object& object) {
  StackDescription stack{.name = text(object.at("name")),
                         .version = text(object.at("version")),
                         .domain = text(object.at("domain")),
                         .marker = text(object.at("marker")),
                         .address = text(object.at("address")),
                         .url = text(object.at("url"))};
  for (const json::value& entry : object.at("secrets").as_array()) {
    const json::object& secret = entry.as_object();
    stack.secrets.push_back({.name = text(secret.at("name")),
                             .source = text(secret.at("source")),
                             .bytes = json::value_to<std::size_t>(secret.at("bytes")),
                             .reference = text(secret.at("reference"))});
  }
  for (const json::value& entry : object.at("processes").as_array()) {
    stack.processes.push_back(process_of(entry.as_object()));
  }
  return stack;
}

/// A file name that is one word, as the list of started processes has it.
bool is_name(std::string_view name) {
  return is_file_name(name) && name.find(' ') == std::string_view::npos;
}

/// Whether `path` is one name below `folder`: whoever owns it can put no link into the way of
/// another process's.
bool is_in(std::string_view folder, std::string_view path) {
  return path.starts_with(folder) && is_name(path.substr(folder.size()));
}

/// As the spec writes a file beside it: relative, and never up.
bool stays_below(const std::filesystem::path& path) {
  return path.is_relative() && std::ranges::find(path, "..") == path.end();
}

/// What is wrong with the descriptions of secrets and processes, each with its place. Whoever
/// starts a stack owns, mounts and removes what these name, as root maybe, so that a path is held
/// to its folder and an id to its range.
class Checker {
 public:
  explicit Checker(const StackDescription& stack) : stack_(stack) {}

  [[nodiscard]] Result<void> check() {
    place_ = "";
    expect(stack_.address == "127.0.0.1", "address", stack_.address, "127.0.0.1");
    expect(stack_.processes.size() <= most_processes, "processes",
           std::to_string(stack_.processes.size()) + " of them",
           "at most " + std::to_string(most_processes));
    expect(stack_.secrets.size() <= most_processes, "secrets",
           std::to_string(stack_.secrets.size()) + " of them",
           "at most " + std::to_string(most_processes));
    for (std::size_t i = 0; i < stack_.secrets.size() && wrong_.empty(); ++i) {
      place_ = "/secrets/" + std::to_string(i);
      secret(stack_.secrets[i]);
    }
    for (std::size_t i = 0; i < stack_.processes.size() && wrong_.empty(); ++i) {
      place_ = "/processes/" + std::to_string(i);
      process(stack_.processes[i]);
    }
    if (wrong_.empty()) return {};
    return fail("local/stack.json: " + wrong_,
                "generate it again; if a patch of the spec writes this, take the patch out");
  }

 private:
  void expect(bool right, std::string_view member, std::string_view value,
              const std::string& wanted) {
    if (right || !wrong_.empty()) return;
    wrong_ = place_ + "/" + std::string(member) + " is '" + std::string(value.substr(0, 200)) +
             "', where " + wanted + " belongs";
  }

  void secret(const StackDescription::Secret& secret) {
    expect(is_name(secret.name) && secrets_.insert(secret.name).second, "name", secret.name,
           "a file name that no other secret has");
    expect(secret.bytes <= most_secret_bytes, "bytes", std::to_string(secret.bytes),
           "at most " + std::to_string(most_secret_bytes));
    expect(secret.source != "file" || stays_below(secret.reference), "reference", secret.reference,
           "a path below the folder of the spec");
  }

  void process(const Process& process) {
    expect(is_name(process.name) && names_.insert(process.name).second, "name", process.name,
           "a file name that no other process has");
    expect(is_in("work/", process.directory) && folders_.insert(process.directory).second,
           "directory", process.directory, "a folder in 'work' that no other process has");
    expect(process.data.empty() ||
               (is_in("data/", process.data) && folders_.insert(process.data).second),
           "data", process.data, "a folder in 'data' that no other process has");
    const bool config = process.config.empty() || is_in("config/", process.config) ||
                        process.config == "Caddyfile" || process.config == "nginx.conf";
    expect(config && (process.config.empty() || folders_.insert(process.config).second), "config",
           process.config, "a file in 'config' or the edge's that no other process has");
    expect(process.uid_offset < most_processes && users_.insert(process.uid_offset).second,
           "uid-offset", std::to_string(process.uid_offset),
           "a number below " + std::to_string(most_processes) + " that no other process has");
    expect(!process.ready_port || process.ports.contains(*process.ready_port), "ready/port",
           process.ready_port.value_or(""), "a port of the process");
    for (const auto& name : process.secrets)
      expect(secrets_.contains(name), "secrets", name, "a secret of the stack");
    for (const auto& [variable, name] : process.secret_env)
      expect(secrets_.contains(name), "secret-env", name, "a secret of the stack");
  }

  const StackDescription& stack_;
  std::string place_{};
  std::string wrong_{};  ///< the first that was found
  std::set<std::string_view> secrets_{};
  std::set<std::string_view> names_{};
  std::set<std::string_view> folders_{};
  std::set<std::uint32_t> users_{};
};

}  // namespace

const StackDescription::Process* StackDescription::process(std::string_view wanted) const {
  const auto found = std::ranges::find(processes, wanted, &Process::name);
  return found == processes.end() ? nullptr : &*found;
}

Result<StackDescription> parse_stack(std::string_view text) {
  if (text.size() > largest_description)
    return fail("local/stack.json is larger than " + std::to_string(largest_description) +
                " bytes");
  // Boost.JSON reports missing members and wrong kinds by exception.
  try {
    auto stack = stack_of(json::parse({text.data(), text.size()}).as_object());
    if (auto fine = Checker(stack).check(); !fine) return tl::unexpected(fine.error());
    return stack;
  } catch (const std::exception& problem) {
    return fail(std::string("local/stack.json is not as docs/local.md says: ") + problem.what(),
                "generate it again with this version of caisson");
  }
}

Result<std::vector<const StackDescription::Process*>> start_order(const StackDescription& stack) {
  std::vector<const StackDescription::Process*> order;
  std::set<std::string_view> started;
  while (order.size() < stack.processes.size()) {
    const std::size_t before = order.size();
    for (const auto& process : stack.processes) {
      const bool ready = std::ranges::all_of(
          process.needs, [&](const std::string& need) { return started.contains(need); });
      if (!ready || started.contains(process.name)) continue;
      order.push_back(&process);
      started.insert(process.name);
    }
    if (order.size() == before) {
      return fail("the processes of " + stack.name +
                  " wait for each other or for one that is left out");
    }
  }
  return order;
}

}  // namespace caisson::conformance
