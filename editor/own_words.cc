#include "editor/own_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

#include "base/json_text.h"

namespace caisson::editor {
namespace {

using spec::Entry;
using spec::Node;
using Words = std::optional<OwnWords>;

bool is_name(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_whole(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether the list has single values alone.
bool is_list_of_words(const Node& node) {
  return node.kind == Node::Kind::sequence && std::ranges::all_of(node.items, [](const Node& each) {
           return each.kind == Node::Kind::scalar;
         });
}

/// On one line: line breaks and the like are escaped.
std::string in_quotes(std::string_view value) {
  const auto breaks = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; };
  if (std::ranges::any_of(value, breaks)) return json_string(value);
  std::string out = "'";
  for (const char c : value) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// A single value that means in brackets what it means where it stands.
std::string in_brackets(const Node& scalar) {
  if (scalar.quoted) return json_string(scalar.text);
  const bool plain = scalar.text.find_first_of(",[]{}\r\n") == std::string::npos;
  return plain ? scalar.text : in_quotes(scalar.text);
}

std::optional<std::string> list_in_brackets(std::span<const Node> items) {
  if (items.empty()) return std::nullopt;
  std::string list;
  for (const Node& item : items) list += (list.empty() ? "[" : ", ") + in_brackets(item);
  return list + "]";
}

/// Whether one of the values has a text in it that whoever runs it replaces.
bool says(const Node& node, std::string_view text) {
  const auto in = [text](const Node& each) { return says(each, text); };
  return node.text.find(text) != std::string::npos || std::ranges::any_of(node.items, in) ||
         std::ranges::any_of(node.fields, [&](const Entry& each) { return in(each.value); });
}

/// What Compose reads as one "$", and a spec as two.
constexpr std::string_view compose_dollar = "$$";
/// How Kubernetes writes a variable in arguments, and a spec a text.
constexpr std::string_view kubernetes_variable = "$(";

/// Whether the map has these keys alone.
bool has_only(const Node& map, std::initializer_list<std::string_view> keys) {
  return std::ranges::all_of(map.fields, [&](const Entry& each) {
    return std::ranges::find(keys, each.key) != keys.end();
  });
}

/// A map, or a list of A=b. A name alone takes its value from whoever starts Compose: nothing here
/// does.
Words environment(const Node& node, const Node&) {
  if (says(node, compose_dollar)) return std::nullopt;
  if (node.kind == Node::Kind::map) {
    const bool all = std::ranges::all_of(
        node.fields, [](const Entry& each) { return each.value.kind == Node::Kind::scalar; });
    return all ? Words(OwnWords{.key = "env"}) : std::nullopt;
  }
  if (!is_list_of_words(node) || node.items.empty()) return std::nullopt;
  std::string map;
  for (const Node& item : node.items) {
    const auto equals = item.text.find('=');
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    map += (map.empty() ? "{ " : ", ") + item.text.substr(0, equals) + ": " +
           in_quotes(std::string_view(item.text).substr(equals + 1));
  }
  return OwnWords{.key = "env", .value = map + " }"};
}

/// A list, or a map with a condition for each: what is needed starts before, and is well if it can
/// say so. That it has ended is another thing.
Words needs(const Node& node, const Node&) {
  if (is_list_of_words(node)) {
    const bool names =
        std::ranges::all_of(node.items, [](const Node& each) { return is_name(each.text); });
    return names ? Words(OwnWords{.key = "needs"}) : std::nullopt;
  }
  if (node.kind != Node::Kind::map || node.fields.empty()) return std::nullopt;
  std::string list;
  for (const Entry& each : node.fields) {
    const Node* condition = each.value.at("condition");
    const bool known = condition == nullptr || condition->text == "service_started" ||
                       condition->text == "service_healthy";
    if (!known || !is_name(each.key) || !has_only(each.value, {"condition"})) return std::nullopt;
    list += (list.empty() ? "[" : ", ") + each.key;
  }
  return OwnWords{.key = "needs", .value = list + "]"};
}

/// "1m30s" of Compose as a duration of the language, which has one unit.
std::optional<std::string> duration(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    std::int64_t milliseconds;
  };
  constexpr std::array<Unit, 4> units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  constexpr std::int64_t most = 1'000'000;
  const std::string_view whole = text;
  std::int64_t sum = 0;
  std::size_t parts = 0;
  for (; !text.empty(); ++parts) {
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto end = std::min(text.find_first_of("0123456789", digits.size()), text.size());
    const auto* const unit =
        std::ranges::find(units, text.substr(digits.size(), end - digits.size()), &Unit::suffix);
    std::int64_t count = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (unit == units.end() || error != std::errc{} || count > most) return std::nullopt;
    sum += count * unit->milliseconds;
    text.remove_prefix(end);
  }
  if (parts == 0) return std::nullopt;
  if (parts == 1) return std::string(whole);
  return sum % 1'000 == 0 ? std::to_string(sum / 1'000) + "s" : std::to_string(sum) + "ms";
}

/// "512m" of Compose, whose units are binary however they are written.
std::optional<std::string> binary_size(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit = text.substr(digits);
  if (digits == 0 || unit.empty() || unit.size() > 2) return std::nullopt;
  constexpr std::string_view letters = "kmgt";
  const char small =
      unit[0] >= 'A' && unit[0] <= 'Z' ? static_cast<char>(unit[0] - 'A' + 'a') : unit[0];
  const auto at = letters.find(small);
  if (at == std::string_view::npos || (unit.size() == 2 && unit[1] != 'b' && unit[1] != 'B'))
    return std::nullopt;
  return std::string(text.substr(0, digits)) + "KMGT"[at] + "i";
}

/// The command of a check: a line for a shell, [CMD-SHELL, line] or [CMD, program, ...].
std::optional<std::string> command(const Node& test) {
  const auto shell = [](const Node& line) { return "[/bin/sh, -c, " + in_quotes(line.text) + "]"; };
  if (says(test, compose_dollar)) return std::nullopt;
  if (test.kind == Node::Kind::scalar && !test.text.empty()) return shell(test);
  if (!is_list_of_words(test) || test.items.size() < 2) return std::nullopt;
  if (test.items[0].text == "CMD-SHELL" && test.items.size() == 2) return shell(test.items[1]);
  if (test.items[0].text != "CMD") return std::nullopt;
  return list_in_brackets(std::span(test.items).subspan(1));
}

Words health(const Node& node, const Node&) {
  const Node* test = node.at("test");
  auto asked = test == nullptr ? std::nullopt : command(*test);
  if (!asked) return std::nullopt;
  std::string map = "{ command: " + *asked;
  for (const Entry& each : node.fields) {
    if (each.key == "test") continue;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> times{
        {{"interval", "interval"}, {"timeout", "timeout"}, {"start_period", "start"}}};
    const auto* const time =
        std::ranges::find(times, each.key, &std::pair<std::string_view, std::string_view>::first);
    const bool retries = each.key == "retries" && is_whole(each.value.text);
    if (time == times.end() && !retries) return std::nullopt;
    const auto value = retries ? std::optional(each.value.text) : duration(each.value.text);
    if (!value) return std::nullopt;
    map += std::string(", ").append(retries ? each.key : time->second) + ": " + *value;
  }
  return OwnWords{.key = "health", .value = map + " }"};
}

/// What asks the path at the service's port, plainly: that of other hosts and ports, over TLS or
/// with fields of its own has no word.
std::optional<std::string> asked_path(const Node& request, const Node& service) {
  const Node* path = request.at("path");
  if (path == nullptr || path->kind != Node::Kind::scalar) return std::nullopt;
  if (!has_only(request, {"path", "port", "scheme"})) return std::nullopt;
  const Node* port = request.at("port");
  const Node* own = service.at("port");
  if (port != nullptr && (own == nullptr || own->text.empty() || port->text != own->text))
    return std::nullopt;
  const Node* scheme = request.at("scheme");
  if (scheme != nullptr && scheme->text != "HTTP") return std::nullopt;
  return "path: " + in_brackets(*path);
}

/// The command that is run, which no shell reads.
std::optional<std::string> run_command(const Node& run) {
  const Node* words = run.at("command");
  if (words == nullptr || !is_list_of_words(*words) || !has_only(run, {"command"}))
    return std::nullopt;
  const auto list = list_in_brackets(words->items);
  return list ? std::optional("command: " + *list) : std::nullopt;
}

/// A probe of Kubernetes that asks a path or runs a command, at its own pace.
Words probe(const Node& node, const Node& service) {
  std::string map;
  for (const Entry& each : node.fields) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> times{
        {{"periodSeconds", "interval"},
         {"timeoutSeconds", "timeout"},
         {"initialDelaySeconds", "start"}}};
    const auto* const time =
        std::ranges::find(times, each.key, &std::pair<std::string_view, std::string_view>::first);
    std::string own;
    if (each.key == "httpGet") {
      own = asked_path(each.value, service).value_or("");
    } else if (each.key == "exec") {
      own = run_command(each.value).value_or("");
    } else if (is_whole(each.value.text) && time != times.end()) {
      own = std::string(time->second).append(": ").append(each.value.text) + "s";
    } else if (is_whole(each.value.text) && each.key == "failureThreshold") {
      own = "retries: " + each.value.text;
    }
    if (own.empty()) return std::nullopt;
    map += (map.empty() ? "{ " : ", ") + own;
  }
  return map.empty() ? std::nullopt : Words(OwnWords{.key = "health", .value = map + " }"});
}

Words writable(const Node& node, const Node&) {
  const auto path = [](const Node& each) {
    return each.kind == Node::Kind::scalar && each.text.starts_with('/') &&
           each.text.find(':') == std::string::npos;
  };
  if (node.kind == Node::Kind::scalar && path(node))
    return OwnWords{.key = "writable", .value = "[" + in_brackets(node) + "]"};
  if (node.kind != Node::Kind::sequence || !std::ranges::all_of(node.items, path))
    return std::nullopt;
  return OwnWords{.key = "writable"};
}

Words shared_memory(const Node& node, const Node&) {
  const auto most = binary_size(node.text);
  if (!most) return std::nullopt;
  return OwnWords{.key = "writable", .value = "[{ path: /dev/shm, size: " + *most + " }]"};
}

Words memory(const Node& node, const Node&) {
  auto most = binary_size(node.text);
  if (!most) return std::nullopt;
  return OwnWords{.key = "resources", .inner = "memory", .value = std::move(*most)};
}

Words processor(const Node& node, const Node&) {
  if (node.kind != Node::Kind::scalar) return std::nullopt;
  return OwnWords{.key = "resources", .inner = "cpu", .value = in_brackets(node)};
}

Words processes(const Node& node, const Node&) {
  if (!is_whole(node.text)) return std::nullopt;
  return OwnWords{.key = "limits", .inner = "processes", .value = node.text};
}

/// Of the limits of a process the open files alone have a word.
Words files(const Node& node, const Node&) {
  const Node* most = node.at("nofile");
  if (most == nullptr || node.fields.size() != 1) return std::nullopt;
  if (most->kind == Node::Kind::map) {
    // One word for both: a softer one would be said no more.
    const Node* soft = most->at("soft");
    most = most->at("hard");
    if (soft != nullptr && most != nullptr && soft->text != most->text) return std::nullopt;
  }
  if (most == nullptr || !is_whole(most->text)) return std::nullopt;
  return OwnWords{.key = "limits", .inner = "files", .value = most->text};
}

Words arguments(const Node& node, const Node&) {
  const bool same = is_list_of_words(node) && !says(node, kubernetes_variable);
  return same ? Words(OwnWords{.key = "command"}) : std::nullopt;
}

/// One port that others of the network may use.
Words port(const Node& node, const Node&) {
  if (!is_list_of_words(node) || node.items.size() != 1 || !is_whole(node.items[0].text))
    return std::nullopt;
  return OwnWords{.key = "port", .value = node.items[0].text};
}

Words container_port(const Node& node, const Node&) {
  return is_whole(node.text) ? Words(OwnWords{.key = "port"}) : std::nullopt;
}

Words scale(const Node& node, const Node&) {
  return is_whole(node.text) ? Words(OwnWords{.key = "replicas"}) : std::nullopt;
}

Words deployment(const Node& node, const Node&) {
  const Node* replicas = node.at("replicas");
  if (node.fields.size() != 1 || replicas == nullptr || !is_whole(replicas->text))
    return std::nullopt;
  return OwnWords{.key = "replicas", .value = replicas->text};
}

struct Translation {
  std::string_view word;
  Words (*say)(const Node& value, const Node& service);
};
constexpr std::array<Translation, 17> translations{{{"environment", environment},
                                                    {"depends_on", needs},
                                                    {"links", needs},
                                                    {"healthcheck", health},
                                                    {"livenessProbe", probe},
                                                    {"readinessProbe", probe},
                                                    {"tmpfs", writable},
                                                    {"shm_size", shared_memory},
                                                    {"mem_limit", memory},
                                                    {"cpus", processor},
                                                    {"pids_limit", processes},
                                                    {"ulimits", files},
                                                    {"args", arguments},
                                                    {"expose", port},
                                                    {"containerPort", container_port},
                                                    {"scale", scale},
                                                    {"deploy", deployment}}};

/// What both maps of Kubernetes say of one thing: "100m..500m". One that is asked for and has no
/// limit has no word.
std::optional<std::string> bounds(const Node* requests, const Node* limits, std::string_view key) {
  const Node* least = requests == nullptr ? nullptr : requests->at(key);
  const Node* most = limits == nullptr ? nullptr : limits->at(key);
  if (least == nullptr && most == nullptr) return "";
  if (most == nullptr) return std::nullopt;
  for (const Node* each : {least, most})
    if (each != nullptr && each->kind != Node::Kind::scalar) return std::nullopt;
  return least == nullptr || least->text == most->text ? most->text
                                                       : least->text + ".." + most->text;
}

}  // namespace

std::optional<std::string> own_resources(const Node& resources) {
  if (!has_only(resources, {"requests", "limits"})) return std::nullopt;
  const Node* requests = resources.at("requests");
  const Node* limits = resources.at("limits");
  std::string map;
  for (const Node* each : {requests, limits})
    if (each != nullptr && !has_only(*each, {"cpu", "memory"})) return std::nullopt;
  for (const std::string key : {"cpu", "memory"}) {
    const auto said = bounds(requests, limits, key);
    if (!said) return std::nullopt;
    if (!said->empty()) map += (map.empty() ? "{ " : ", ") + key + ": " + *said;
  }
  return map.empty() ? std::nullopt : std::optional(map + " }");
}

std::optional<OwnWords> own_words(const Entry& entry, const Node& service) {
  const auto* const known = std::ranges::find(translations, entry.key, &Translation::word);
  return known == translations.end() ? std::nullopt : known->say(entry.value, service);
}

}  // namespace caisson::editor
