#include "installer/cluster/kube.h"

#include <algorithm>
#include <iterator>

#include "installer/format/lines.h"

namespace caisson::installer {
namespace {

using namespace std::chrono_literals;

/// What helm itself is given for pods to become ready, and what it gets in all.
constexpr auto kReady = "10m";
constexpr auto kHelm = 25min;

constexpr auto kAsk = 120s;

/// How many revisions Helm keeps: an update takes two, one that is undone one more.
constexpr auto kHistory = "40";

constexpr std::size_t kMostOfAnswer = std::size_t{4} << 20;
constexpr std::size_t kMostOfManifest = std::size_t{64} << 20;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size());
    if (length > 0) lines.emplace_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return lines;
}

/// The version behind a 'v' of a text, as in "Server Version: v1.32.2".
ToolVersion version_in(std::string_view text) {
  const auto begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos || begin == 0 || text[begin - 1] != 'v') return {};
  const auto rest = text.substr(begin);
  const auto dot = rest.find('.');
  if (dot == std::string_view::npos) return {};
  const auto end = rest.find_first_not_of("0123456789", dot + 1);
  const auto minor = rest.substr(dot + 1, end == std::string_view::npos ? end : end - dot - 1);
  return {.major = number_of(rest.substr(0, dot)).value_or(0),
          .minor = number_of(minor).value_or(0),
          .shown = std::string(text.substr(begin - 1))};
}

}  // namespace

Checked<Kube> Kube::find(Host& host, std::string product) {
  Kube kube(host, std::move(product));
  for (const auto& [name, place] :
       {std::pair("helm", &Kube::helm_), std::pair("kubectl", &Kube::kubectl_)}) {
    kube.*place = host.find_program(name);
    if ((kube.*place).empty()) {
      return refuse(Code::no_client, "there is no " + std::string(name) + " in PATH");
    }
  }
  return kube;
}

Command Kube::command(const std::string& program, std::string_view space,
                      std::vector<std::string> words) const {
  const auto& chosen = space.empty() ? space_ : space;
  if (!chosen.empty()) words.insert(words.begin(), {"--namespace", std::string(chosen)});
  return {.program = program,
          .arguments = std::move(words),
          .account = {},
          .deadline = kAsk,
          .most_output = kMostOfAnswer,
          .as_called = true,
          .answers = true};
}

Checked<std::string> Kube::ask(std::string_view space, std::vector<std::string> words) const {
  const auto ended = host_->run(command(kubectl_, space, std::move(words)));
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status == 0) return ended->output;
  constexpr std::size_t most = 2000;
  return refuse(Code::no_cluster, "kubectl says: " + ended->output.substr(0, most));
}

Checked<std::vector<std::string>> Kube::ask_lines(std::string_view space,
                                                  std::vector<std::string> words) const {
  const auto text = ask(space, std::move(words));
  if (!text) return tl::unexpected(text.error());
  return lines_of(*text);
}

Checked<std::unique_ptr<Companion>> Kube::beside(std::string_view space,
                                                 std::vector<std::string> words,
                                                 std::size_t lines) const {
  return host_->start_beside(command(kubectl_, space, std::move(words)), lines);
}

Checked<std::string> Kube::cluster() const {
  auto id = ask("", {"get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}"});
  if (id && id->empty()) return refuse(Code::no_cluster, "it has no namespace kube-system");
  return id;
}

Checked<ToolVersion> Kube::kubernetes() const {
  const auto lines = ask_lines("", {"version"});
  if (!lines) return tl::unexpected(lines.error());
  for (const auto& line : *lines) {
    constexpr std::string_view key = "Server Version: ";
    if (line.starts_with(key)) return version_in(std::string_view(line).substr(key.size()));
  }
  return ToolVersion{};
}

Checked<ToolVersion> Kube::helm() const {
  const auto ended = run_helm({"version", "--template", "{{.Version}}"});
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status != 0) return refuse(Code::helm_failed, "helm says: " + ended->output);
  return version_in(ended->output);
}

Checked<bool> Kube::has(std::string_view space, std::string_view resource) const {
  const auto found =
      ask(space, {"get", std::string(resource), "--ignore-not-found", "--output", "name"});
  if (!found) return tl::unexpected(found.error());
  return !found->empty();
}

Checked<std::vector<Revision>> Kube::revisions() const {
  // Helm keeps each revision in a Secret with these labels, and prints them as JSON or tables only.
  const auto lines = ask_lines(
      "",
      {"get", "secrets", "--selector", "owner=helm,name=" + product_, "--output",
       R"(jsonpath={range .items[*]}{.metadata.labels.version} {.metadata.labels.status}{"\n"}{end})"});
  if (!lines) return tl::unexpected(lines.error());
  std::vector<Revision> revisions;
  for (const auto& line : *lines) {
    const auto blank = std::min(line.find(' '), line.size());
    const auto number = number_of(std::string_view(line).substr(0, blank));
    if (!number || blank == line.size()) {
      return refuse(Code::no_cluster, "a revision of Helm is called '" + line + "'");
    }
    revisions.push_back({.number = *number, .status = line.substr(blank + 1)});
  }
  std::ranges::sort(revisions, {}, &Revision::number);
  return revisions;
}

Checked<Ended> Kube::render(const ChartCall& call, bool upgrade) const {
  std::vector<std::string> words{"template",         product_, call.chart,          "--validate",
                                 "--dry-run=server", "--set",  "ingress.shut=false"};
  if (upgrade) words.emplace_back("--is-upgrade");
  for (const auto& file : call.values) words.insert(words.end(), {"--values", file});
  return run_helm(std::move(words), kMostOfManifest);
}

Checked<void> Kube::apply(const ChartCall& call) const {
  std::vector<std::string> words{"upgrade",   product_, call.chart,      "--install", "--wait",
                                 "--timeout", kReady,   "--history-max", kHistory};
  for (const auto& file : call.values) words.insert(words.end(), {"--values", file});
  words.insert(words.end(), {"--set", call.shut ? "ingress.shut=true" : "ingress.shut=false"});
  return done_by_helm(std::move(words));
}

Checked<void> Kube::roll_back(std::uint64_t revision) const {
  const std::vector<std::string> words{"rollback",  product_, std::to_string(revision), "--wait",
                                       "--timeout", kReady,   "--history-max",          kHistory};
  auto done = done_by_helm(words);
  // Something that outlived a revision without it, like a claim with the policy "keep": Helm 3
  // wants to make it, finds it there, says 'no ... with the name "..." found' and knows it from
  // then on.
  if (!done && done.error().what.find("with the name") != std::string::npos) {
    done = done_by_helm(words);
  }
  return done;
}

Checked<void> Kube::remove() const {
  const auto there = revisions();
  if (!there) return tl::unexpected(there.error());
  if (there->empty()) return {};
  return done_by_helm({"uninstall", product_, "--wait", "--timeout", kReady});
}

Checked<Ended> Kube::run_helm(std::vector<std::string> words, std::size_t most) const {
  auto told = command(helm_, "", std::move(words));
  told.deadline = kHelm;
  told.most_output = most;
  return host_->run(told);
}

Checked<void> Kube::done_by_helm(std::vector<std::string> words) const {
  const auto what = words.front();
  const auto ended = run_helm(std::move(words));
  if (!ended) return tl::unexpected(ended.error());
  if (ended->status == 0) return {};
  return refuse(Code::helm_failed, "helm " + what + " ended with " + std::to_string(ended->status) +
                                       ": " + ended->output);
}

}  // namespace caisson::installer
