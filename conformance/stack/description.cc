#include "conformance/stack/description.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace caisson::conformance {
namespace {

namespace json = boost::json;

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

}  // namespace

const StackDescription::Process* StackDescription::process(std::string_view wanted) const {
  const auto found = std::ranges::find(processes, wanted, &Process::name);
  return found == processes.end() ? nullptr : &*found;
}

Result<StackDescription> parse_stack(std::string_view text) {
  // Boost.JSON reports missing members and wrong kinds by exception.
  try {
    return stack_of(json::parse({text.data(), text.size()}).as_object());
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
