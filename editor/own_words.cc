#include "editor/own_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "generator/spec/reader.h"

namespace caisson::editor {
namespace {

using spec::Entry;
using spec::Node;
using Words = std::optional<OwnWords>;

/// A value as it stands in the text, on one line.
std::optional<std::string> as_written(const Node& node, std::string_view text) {
  const auto written = text.substr(node.span.begin, node.span.end - node.span.begin);
  if (written.empty() || written.find_first_of("\r\n") != std::string_view::npos)
    return std::nullopt;
  return std::string(written);
}

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

std::string in_single_quotes(std::string_view value) {
  std::string out = "'";
  for (const char c : value) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// A map, or a list of A=b. A name alone takes its value from whoever starts Compose: nothing here
/// does.
Words environment(const Node& node, std::string_view) {
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
           in_single_quotes(std::string_view(item.text).substr(equals + 1));
  }
  return OwnWords{.key = "env", .value = map + " }"};
}

/// A list, or a map with a condition for each: what is needed starts before, and is well if it can
/// say so. That it has ended is another thing.
Words needs(const Node& node, std::string_view) {
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
    if (!known || !is_name(each.key)) return std::nullopt;
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
std::optional<std::string> command(const Node& test, std::string_view text) {
  if (test.kind == Node::Kind::scalar && !test.text.empty()) return spec::as_command(test.text);
  if (!is_list_of_words(test) || test.items.size() < 2) return std::nullopt;
  if (test.items[0].text == "CMD-SHELL" && test.items.size() == 2)
    return spec::as_command(test.items[1].text);
  if (test.items[0].text != "CMD") return std::nullopt;
  std::string list;
  for (std::size_t i = 1; i < test.items.size(); ++i) {
    const auto word = as_written(test.items[i], text);
    if (!word) return std::nullopt;
    list += (i == 1 ? "[" : ", ") + *word;
  }
  return list + "]";
}

Words health(const Node& node, std::string_view text) {
  const Node* test = node.at("test");
  auto asked = test == nullptr ? std::nullopt : command(*test, text);
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

/// A probe of Kubernetes that asks a path or runs a command, at its own pace.
Words probe(const Node& node, std::string_view text) {
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
      const Node* path = each.value.at("path");
      if (path != nullptr && path->kind == Node::Kind::scalar) own = "path: " + path->text;
    } else if (each.key == "exec") {
      const Node* words = each.value.at("command");
      const auto written = words == nullptr ? std::nullopt : as_written(*words, text);
      if (written && is_list_of_words(*words) && written->starts_with('['))
        own = "command: " + *written;
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

Words writable(const Node& node, std::string_view) {
  const auto path = [](const Node& each) {
    return each.kind == Node::Kind::scalar && each.text.starts_with('/') &&
           each.text.find(':') == std::string::npos;
  };
  if (node.kind == Node::Kind::scalar && path(node))
    return OwnWords{.key = "writable", .value = "[" + node.text + "]"};
  if (node.kind != Node::Kind::sequence || !std::ranges::all_of(node.items, path))
    return std::nullopt;
  return OwnWords{.key = "writable"};
}

Words shared_memory(const Node& node, std::string_view) {
  const auto most = binary_size(node.text);
  if (!most) return std::nullopt;
  return OwnWords{.key = "writable", .value = "[{ path: /dev/shm, size: " + *most + " }]"};
}

Words memory(const Node& node, std::string_view) {
  auto most = binary_size(node.text);
  if (!most) return std::nullopt;
  return OwnWords{.key = "resources", .inner = "memory", .value = std::move(*most)};
}

Words processor(const Node& node, std::string_view) {
  if (node.kind != Node::Kind::scalar) return std::nullopt;
  return OwnWords{.key = "resources", .inner = "cpu", .value = node.text};
}

Words processes(const Node& node, std::string_view) {
  if (!is_whole(node.text)) return std::nullopt;
  return OwnWords{.key = "limits", .inner = "processes", .value = node.text};
}

/// Of the limits of a process the open files alone have a word.
Words files(const Node& node, std::string_view) {
  const Node* most = node.at("nofile");
  if (most == nullptr || node.fields.size() != 1) return std::nullopt;
  if (most->kind == Node::Kind::map) most = most->at("hard");
  if (most == nullptr || !is_whole(most->text)) return std::nullopt;
  return OwnWords{.key = "limits", .inner = "files", .value = most->text};
}

Words arguments(const Node& node, std::string_view) {
  return is_list_of_words(node) ? Words(OwnWords{.key = "command"}) : std::nullopt;
}

/// One port that others of the network may use.
Words port(const Node& node, std::string_view) {
  if (!is_list_of_words(node) || node.items.size() != 1 || !is_whole(node.items[0].text))
    return std::nullopt;
  return OwnWords{.key = "port", .value = node.items[0].text};
}

Words scale(const Node& node, std::string_view) {
  return is_whole(node.text) ? Words(OwnWords{.key = "replicas"}) : std::nullopt;
}

Words deployment(const Node& node, std::string_view) {
  const Node* replicas = node.at("replicas");
  if (node.fields.size() != 1 || replicas == nullptr || !is_whole(replicas->text))
    return std::nullopt;
  return OwnWords{.key = "replicas", .value = replicas->text};
}

struct Translation {
  std::string_view word;
  Words (*say)(const Node& value, std::string_view text);
};
constexpr std::array<Translation, 16> translations{{{"environment", environment},
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
                                                    {"scale", scale},
                                                    {"deploy", deployment}}};

}  // namespace

std::optional<OwnWords> own_words(const Entry& entry, std::string_view text) {
  const auto* const known = std::ranges::find(translations, entry.key, &Translation::word);
  return known == translations.end() ? std::nullopt : known->say(entry.value, text);
}

}  // namespace caisson::editor
