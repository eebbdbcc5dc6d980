#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "generator/spec/answers.h"
#include "generator/spec/checks.h"
#include "generator/spec/environment.h"
#include "generator/spec/load_document.h"
#include "generator/spec/reader.h"
#include "generator/spec/side_files.h"
#include "generator/spec/spec.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

std::string tier_of(const Deployment& deployment) {
  for (const auto& [name, tier] : deployment.tiers) {
    if (name == "default" || deployment.tiers.size() == 1) return name;
  }
  return {};
}

Edge::TlsMode tls_mode_of(const Edge::Tls& tls, std::string_view domain) {
  if (!tls.cert.empty()) return Edge::TlsMode::files;
  const bool local = domain == "localhost" || domain.ends_with(".localhost");
  return tls.email.empty() || local ? Edge::TlsMode::internal : Edge::TlsMode::acme;
}

/// The defaults that follow from other fields.
void complete(Deployment& deployment, const Node& document, const LoadOptions& options) {
  const std::string& name = deployment.name;
  const auto fill = [](std::string& value, std::string fallback) {
    if (value.empty()) value = std::move(fallback);
  };
  fill(deployment.domain, name + ".localhost");
  if (deployment.tiers.empty()) deployment.tiers.emplace_back("default", Tier{});
  for (std::size_t i = 0; i < deployment.tenants.size(); ++i) {
    Tenant& tenant = deployment.tenants[i];
    fill(tenant.name, tenant.slug);
    fill(tenant.tier, tier_of(deployment));
    tenant.pointer = "/tenants/" + std::to_string(i);
  }
  auto& tls = deployment.edge.tls;
  const auto certificates = options.answers.find(certificates_question().name);
  // A site that says where its certificates come from has a name that no authority need know.
  const bool told = certificates != options.answers.end();
  if (find(document, "/edge/tls/mode") == nullptr) {
    tls.mode = tls_mode_of(tls, told ? std::string_view{} : deployment.domain);
  }
  if (told && asks_for_certificates(deployment)) {
    tls.mode = Edge::TlsMode::internal;
    tls.asked = certificates->second;
  }
  for (Asset& asset : deployment.assets) fill(asset.to, asset.path);
  for (auto* external : {&deployment.database.external, &deployment.cache.external}) {
    if (!*external) continue;
    fill((*external)->name, name);
    fill((*external)->user, name);
    const bool database = external == &deployment.database.external;
    if ((*external)->port == 0) (*external)->port = database ? 5432 : 6379;
  }
  fill(deployment.targets.compose.project, name);
  fill(deployment.targets.helm.namespace_, name);
  fill(deployment.targets.systemd.prefix, "/opt/" + name);
  fill(deployment.targets.systemd.data, "/var/lib/" + name);
  fill(deployment.targets.systemd.user, name);
}

/// Decodes and checks a merged spec. What comes back is right only when nothing was reported.
Loaded judge(Node document, const LoadOptions& options, SideFiles& files,
             const source::SourceSet& sources, source::Diagnostics& diagnostics,
             std::vector<WaiverUse>& waivers) {
  Loaded loaded{.document = std::move(document)};
  Reader reader(diagnostics, false);
  deployment_type.read(reader, loaded.document, loaded.deployment);
  files.read_manifests(loaded.deployment, loaded.document, diagnostics);
  complete(loaded.deployment, loaded.document, options);
  check(loaded.deployment, loaded.document, sources,
        {.today = options.today, .strict = options.strict}, diagnostics, waivers);
  return loaded;
}

/// Takes over what is not known at its place yet: an overlay is read for itself and once more after
/// it has been merged, and environments share the base's mistakes.
void report_news(const source::Diagnostics& found, source::Diagnostics& known) {
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::string_view>> places;
  for (const source::Diagnostic& old : known.sorted()) {
    places.insert({old.where.file, old.where.begin, old.code});
  }
  for (source::Diagnostic& diagnostic : found.sorted()) {
    if (!places.contains({diagnostic.where.file, diagnostic.where.begin, diagnostic.code})) {
      known.report(std::move(diagnostic));
    }
  }
}

/// The errors that only an environment has, each saying which.
source::Diagnostics errors_of(const Environment& environment, const Node& base,
                              const LoadOptions& options, SideFiles& files,
                              const source::SourceSet& sources, std::vector<WaiverUse>& waivers) {
  source::Diagnostics found;
  judge(merge(base, environment.overlay), options, files, sources, found, waivers);
  source::Diagnostics errors;
  for (source::Diagnostic& diagnostic : found.sorted()) {
    if (diagnostic.severity != source::Severity::error) continue;
    diagnostic.message += ", with --env " + environment.name;
    errors.report(std::move(diagnostic));
  }
  return errors;
}

/// The answer that only the bundle of some specs asks for.
void check_certificates(const Loaded& loaded, const LoadOptions& options,
                        source::Diagnostics& diagnostics) {
  const auto& question = certificates_question();
  const auto answer = options.answers.find(question.name);
  const auto& asked = loaded.deployment.answers;
  if (answer == options.answers.end() ||
      std::ranges::find(asked, question.name, &Map<installer::Question>::value_type::first) !=
          asked.end()) {
    return;
  }
  std::string message;
  if (asks_for_certificates(loaded.deployment)) {
    const auto fault = fault_of_answer(question, answer->second);
    if (!fault.empty()) message = "the answer " + quote(question.name) + ' ' + fault;
  } else if (!options.spare_answers) {
    message = "the spec does not ask for the answer " + quote(question.name);
  }
  if (message.empty()) return;
  diagnostics.report({.severity = source::Severity::error,
                      .code = "E0230",
                      .where = nearest(loaded.document, "/edge/tls").span,
                      .message = std::move(message),
                      .remedy = "mend it where the answers are given",
                      .related = {}});
}

void report_idle(const std::vector<WaiverUse>& waivers, source::Diagnostics& diagnostics) {
  for (const WaiverUse& waiver : waivers) {
    if (waiver.used) continue;
    diagnostics.report({.severity = source::Severity::warning,
                        .code = "W0207",
                        .where = waiver.rule,
                        .message = "nothing gives the warning " + waiver.code +
                                   (waiver.where.empty() ? "" : " at '" + waiver.where + "'") +
                                   ", so this waiver accepts nothing",
                        .remedy = "remove it, so that it does not hide one that comes later"});
  }
}

}  // namespace

std::optional<Loaded> load(std::string name, std::string text, const LoadOptions& options,
                           source::SourceSet& sources, source::Diagnostics& diagnostics) {
  const auto file = static_cast<std::uint32_t>(sources.size());
  sources.emplace_back(std::move(name), std::move(text));
  std::optional<Node> document = read_document(sources.back(), file, diagnostics);
  if (!document) return std::nullopt;
  return load(*std::move(document), options, sources, diagnostics);
}

std::optional<Loaded> load(Node base, const LoadOptions& options, source::SourceSet& sources,
                           source::Diagnostics& diagnostics) {
  SideFiles files(options, sources);
  files.read_tenant_list(base, diagnostics);
  fill_answers(base, options, diagnostics);
  std::vector<Environment> environments = read_environments(base, diagnostics);
  for (Environment& environment : environments) {
    files.read_tenant_list(environment.overlay, diagnostics);
  }

  std::vector<WaiverUse> waivers;
  std::vector<source::Diagnostics> others;
  if (options.environment.empty()) {
    // Nobody chose one, so the whole file is meant.
    for (const Environment& environment : environments) {
      others.push_back(errors_of(environment, base, options, files, sources, waivers));
    }
  } else if (const Environment* chosen =
                 find_environment(environments, options.environment, base, diagnostics)) {
    base = merge(std::move(base), chosen->overlay);
  }

  source::Diagnostics found;
  Loaded loaded = judge(std::move(base), options, files, sources, found, waivers);
  loaded.deployment.environment = options.environment;
  check_certificates(loaded, options, found);
  report_news(found, diagnostics);
  for (const source::Diagnostics& other : others) report_news(other, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  // A waiver may be there for an environment that is not looked at.
  if (options.environment.empty()) report_idle(waivers, diagnostics);
  return loaded;
}

}  // namespace caisson::spec
