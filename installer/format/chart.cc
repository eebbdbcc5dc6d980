#include "installer/format/chart.h"

#include <algorithm>
#include <set>
#include <utility>

#include "installer/format/words.h"

namespace caisson::installer {
namespace {

constexpr Word<ChartSecret::Source> kSources[] = {{"given", ChartSecret::Source::given},
                                                  {"existing", ChartSecret::Source::existing},
                                                  {"store", ChartSecret::Source::store}};

/// The most lines of one key.
constexpr std::size_t kMostLines = 10'000;

/// The release's own namespace, which the site chooses.
constexpr std::string_view kOwn = "-";

constexpr std::size_t kMostOfNamespace = 63;
constexpr std::size_t kMostOfName = 253;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// A name of Kubernetes: words of a command line are made of it.
bool is_object_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostOfName && is_plain(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '-' || c == '.'; });
}

std::string read_object_name(Lines& lines) {
  const auto word = lines.word();
  if (!is_object_name(word)) lines.refuse(Code::text_line, "that is no name of Kubernetes");
  return std::string(word);
}

std::string read_namespace(Lines& lines) {
  const auto word = lines.word();
  if (!is_namespace(word)) lines.refuse(Code::text_line, "that is no namespace");
  return std::string(word);
}

std::string read_key(Lines& lines) {
  const auto word = lines.word();
  const bool fits = !word.empty() && std::ranges::all_of(word, [](char c) {
    return is_plain(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  });
  if (!fits) lines.refuse(Code::text_line, "that is no key of a Secret");
  return std::string(word);
}

std::uint16_t read_port(Lines& lines) {
  const auto port = lines.number();
  if (port == 0 || port > 65'535) lines.refuse(Code::text_number, "that is no port");
  return static_cast<std::uint16_t>(port);
}

ChartWorkload read_workload(Lines& lines) {
  ChartWorkload workload;
  const auto place = lines.word();
  if (place != kOwn) {
    if (!is_namespace(place)) lines.refuse(Code::text_line, "that is no namespace");
    workload.place = place;
  }
  const auto resource = lines.word();
  const auto slash = std::min(resource.find('/'), resource.size());
  const auto kind = resource.substr(0, slash);
  if ((kind != "statefulset" && kind != "deployment") ||
      !is_object_name(resource.substr(std::min(slash + 1, resource.size())))) {
    lines.refuse(Code::text_line, "that is no workload");
  }
  workload.resource = resource;
  return workload;
}

/// Whether another line of the key follows; too many of them are refused.
bool next(Lines& lines, std::string_view key, std::size_t count) {
  if (!lines.at(key)) return false;
  if (count >= kMostLines) lines.refuse(Code::too_many, "more than 10,000 lines of one key");
  return lines.take(key);
}

void read_version(Lines& lines, ChartNeeds& needs) {
  const auto word = lines.word();
  const auto dot = std::min(word.find('.'), word.size());
  const auto major = number_of(word.substr(0, dot));
  const auto minor = number_of(word.substr(std::min(dot + 1, word.size())));
  if (!major || *major == 0 || !minor)
    lines.refuse(Code::text_number, "that is no version of Kubernetes");
  needs.oldest_major = major.value_or(0);
  needs.oldest_minor = minor.value_or(0);
}

ChartRuntime read_runtime(Lines& lines) {
  ChartRuntime runtime;
  runtime.workload = read_workload(lines);
  runtime.name = read_object_name(lines);
  runtime.data = read_port(lines);
  runtime.operator_api = read_port(lines);
  runtime.token = read_object_name(lines);
  runtime.token_key = read_key(lines);
  return runtime;
}

/// Nothing may be there twice.
void check(Lines& lines, const ChartNeeds& needs) {
  std::set<std::string_view> places;
  for (const auto& place : needs.places) {
    if (!places.insert(place).second) lines.refuse(Code::text_order, "a place stands twice");
  }
  std::set<std::pair<std::string_view, std::string_view>> workloads;
  for (const auto& each : needs.workloads) {
    if (!workloads.emplace(each.place, each.resource).second) {
      lines.refuse(Code::text_order, "a workload stands twice");
    }
  }
  std::set<std::string_view> runtimes;
  for (const auto& each : needs.runtimes) {
    if (!workloads.contains({each.workload.place, each.workload.resource})) {
      lines.refuse(Code::text_line, "a runtime is not among the workloads");
    }
    if (!runtimes.insert(each.name).second) {
      lines.refuse(Code::text_order, "a runtime stands twice");
    }
  }
}

}  // namespace

std::string chart_path(std::string_view product) { return "helm/" + std::string(product); }

std::string chart_needs_path(std::string_view product) { return chart_path(product) + "/SITE"; }

bool is_namespace(std::string_view text) {
  return !text.empty() && text.size() <= kMostOfNamespace && is_plain(text.front()) &&
         is_plain(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '-'; });
}

Checked<ChartNeeds> read_chart_needs(std::string_view text) {
  Lines lines("SITE of the chart", text);
  ChartNeeds needs;
  if (lines.take("format") && lines.number() != kFormat) {
    lines.refuse(Code::future_format, "only format 1 is known");
  }
  if (lines.take("product")) needs.product = read_slug(lines);
  if (lines.take("namespace")) needs.space = read_namespace(lines);
  if (lines.at("environment") && lines.take("environment")) needs.environment = lines.text();
  if (lines.at("kubernetes") && lines.take("kubernetes")) read_version(lines, needs);
  while (next(lines, "place", needs.places.size())) needs.places.push_back(read_namespace(lines));
  while (next(lines, "secret", needs.secrets.size())) {
    ChartSecret secret{.source = read_one_of<ChartSecret::Source>(lines, kSources),
                       .name = read_object_name(lines),
                       .key = {}};
    const bool elsewhere = secret.source == ChartSecret::Source::store;
    secret.key = elsewhere ? std::string(lines.text()) : read_key(lines);
    needs.secrets.push_back(std::move(secret));
  }
  while (next(lines, "workload", needs.workloads.size())) {
    needs.workloads.push_back(read_workload(lines));
  }
  while (next(lines, "runtime", needs.runtimes.size())) {
    needs.runtimes.push_back(read_runtime(lines));
  }
  lines.end();
  if (!lines.done()) lines.take("runtime");
  check(lines, needs);
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return needs;
}

std::string write_chart_needs(const ChartNeeds& needs) {
  std::string text = "format " + std::to_string(kFormat) + "\n";
  const auto line = [&text](std::string_view key, const auto&... words) {
    text += key;
    ((text.append(" ").append(words)), ...);
    text += '\n';
  };
  const auto place_of = [](const ChartWorkload& workload) {
    return workload.place.empty() ? std::string(kOwn) : workload.place;
  };
  line("product", needs.product);
  line("namespace", needs.space);
  if (!needs.environment.empty()) line("environment", needs.environment);
  if (needs.oldest_major > 0) {
    line("kubernetes",
         std::to_string(needs.oldest_major) + "." + std::to_string(needs.oldest_minor));
  }
  for (const auto& each : needs.places) line("place", each);
  for (const auto& each : needs.secrets) {
    line("secret", word_of(kSources, each.source), each.name, each.key);
  }
  for (const auto& each : needs.workloads) line("workload", place_of(each), each.resource);
  for (const auto& each : needs.runtimes) {
    line("runtime", place_of(each.workload), each.workload.resource, each.name,
         std::to_string(each.data), std::to_string(each.operator_api), each.token, each.token_key);
  }
  return text;
}

}  // namespace caisson::installer
