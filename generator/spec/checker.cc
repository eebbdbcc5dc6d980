#include "generator/spec/checker.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "generator/source/codes.h"

namespace caisson::spec {
namespace {

bool mentions(const Node& node, std::string_view name, const std::string& reference) {
  if (node.kind == Node::Kind::scalar) {
    return node.text == name || node.text.find(reference) != std::string::npos;
  }
  const auto within = [&](const Node& inner) { return mentions(inner, name, reference); };
  return std::ranges::any_of(node.items, within) ||
         std::ranges::any_of(node.fields, within, &Entry::value);
}

}  // namespace

source::Span Checker::value(std::string_view pointer) const {
  return nearest(document_, pointer).span;
}

source::Span Checker::key(std::string_view pointer) const {
  const std::size_t slash = pointer.rfind('/');
  const Node* parent = find(document_, pointer.substr(0, slash));
  if (parent != nullptr) {
    const auto entry = std::ranges::find(parent->fields, pointer.substr(slash + 1), &Entry::key);
    if (entry != parent->fields.end()) return entry->key_span;
  }
  return value(pointer);
}

bool Checker::written(std::string_view pointer) const {
  const Node* node = find(document_, pointer);
  return node != nullptr && node->kind != Node::Kind::null;
}

bool Checker::mentioned(std::string_view secret) const {
  const std::string reference = "${secret:" + std::string(secret) + '}';
  return std::ranges::any_of(document_.fields, [&](const Entry& entry) {
    return entry.key != "secrets" && mentions(entry.value, secret, reference);
  });
}

std::string Checker::line(source::Span of, source::Span from) const {
  const source::SourceFile& file = sources_.at(of.file);
  const std::string number = "line " + std::to_string(file.line_at(of.begin));
  return of.file == from.file ? number : number + " of " + file.name();
}

void Checker::refuse(std::string_view code, source::Span where, std::string message,
                     std::string remedy, std::vector<source::Span> related) const {
  diagnostics_.report({.severity = source::Severity::error,
                       .code = code,
                       .where = where,
                       .message = std::move(message),
                       .remedy = std::move(remedy),
                       .related = std::move(related)});
}

bool Checker::waived(std::string_view code, std::string_view field) const {
  bool found = false;
  for (std::size_t i = 0; i < deployment_.waivers.size(); ++i) {
    const std::string_view where = deployment_.waivers[i].where;
    const bool here =
        where.empty() ||
        (field.starts_with(where) && (field.size() == where.size() || field[where.size()] == '.'));
    if (deployment_.waivers[i].rule != code || !here) continue;
    used_waivers_.insert(i);
    found = true;
  }
  return found;
}

void Checker::warn(std::string_view code, source::Span where, std::string_view field,
                   std::string message, std::string remedy, bool error_when_strict) const {
  if (waived(code, field)) return;
  const bool error = error_when_strict && options_.strict;
  diagnostics_.report({.severity = error ? source::Severity::error : source::Severity::warning,
                       .code = code,
                       .where = where,
                       .message = std::move(message),
                       .remedy = std::move(remedy)});
}

bool has_own_deployment(const Deployment& deployment, const Tenant& tenant) {
  const auto tier =
      std::ranges::find(deployment.tiers, tenant.tier, &std::pair<std::string, Tier>::first);
  return tier != deployment.tiers.end() && tier->second.isolation == Isolation::deployment;
}

void check(const Deployment& deployment, const Node& document, const source::SourceSet& sources,
           const CheckOptions& options, source::Diagnostics& diagnostics,
           std::vector<WaiverUse>& waivers) {
  std::set<std::size_t> used;
  const Checker checker(deployment, document, sources, options, diagnostics, used);
  check_tenancy(checker);
  check_workloads(checker);
  check_secrets(checker);
  check_mounts(checker);
  check_host(checker);
  check_cluster(checker);
  check_network(checker);
  check_operations(checker);
  for (std::size_t i = 0; i < deployment.waivers.size(); ++i) {
    const auto& waiver = deployment.waivers[i];
    if (source::find_code(waiver.rule) == nullptr) continue;
    const auto rule = checker.value("/waivers/" + std::to_string(i) + "/rule");
    auto known = std::ranges::find(waivers, rule, &WaiverUse::rule);
    if (known == waivers.end()) {
      known = waivers.insert(known, {.rule = rule, .code = waiver.rule, .where = waiver.where});
    }
    known->used = known->used || used.contains(i);
  }
}

}  // namespace caisson::spec
