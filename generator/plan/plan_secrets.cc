#include <algorithm>
#include <tuple>

#include "generator/plan/draft.h"
#include "generator/spec/answers.h"

namespace caisson::plan {

namespace {

std::string reference(const spec::Secret& secret) {
  switch (secret.source) {
    case spec::Secret::Source::generate:
    case spec::Secret::Source::sealed:
      return {};
    case spec::Secret::Source::file:
    case spec::Secret::Source::vault:
      return secret.path;
    case spec::Secret::Source::env:
      return secret.name;
    case spec::Secret::Source::kubernetes:
      return secret.name + ":" + secret.key;
    case spec::Secret::Source::external:
      return secret.store + ":" + secret.key;
    case spec::Secret::Source::aws:
      break;
  }
  return secret.id;
}

/// A file that the spec names by its path, or by the secret that holds it.
std::string file_secret(Draft& draft, const std::string& name, const std::string& file,
                        const std::string& pointer) {
  const auto& declared = draft.spec().secrets;
  const auto is_secret =
      std::ranges::any_of(declared, [&](const auto& secret) { return secret.first == file; });
  if (file.empty() || is_secret) return file;
  const bool remote = file.find("://") != std::string::npos;
  draft.plan.secrets.push_back({.name = draft.secret_names.take(name),
                                .source = remote ? Secret::Source::external : Secret::Source::file,
                                .reference = file,
                                .internal = true,
                                .origin = draft.origin(pointer)});
  return draft.plan.secrets.back().name;
}

}  // namespace

void plan_secrets(Draft& draft) {
  for (const auto& [name, from] : draft.spec().secrets) {
    draft.plan.secrets.push_back({.name = draft.secret_names.take(name),
                                  .source = static_cast<Secret::Source>(from.source),
                                  .bytes = from.bytes,
                                  .reference = reference(from),
                                  .rotate_ms = from.rotate.ms,
                                  .tenant = std::nullopt,
                                  .internal = false,
                                  .origin = draft.origin(below("/secrets", name))});
  }
  auto& auth = draft.plan.auth;
  if (!auth.jwks.empty()) {
    auth.key_secret = file_secret(draft, "auth-jwks", auth.jwks, "/auth/tokens/jwks");
  }
  const auto& tls = draft.spec().edge.tls;
  if (tls.mode == spec::Edge::TlsMode::acme && !tls.ca_root.empty()) {
    draft.plan.edge.ca_root = file_secret(draft, "edge-ca-root", tls.ca_root, "/edge/tls/ca-root");
  }
  if (!tls.asked.empty()) {
    auto& edge = draft.plan.edge;
    edge.asked = tls.asked;
    for (const auto& [name, what, secret] :
         {std::tuple("edge-certificate", "the chain of certificates, PEM", &edge.certificate),
          std::tuple("edge-key", "the key of the certificate, PEM", &edge.key)}) {
      *secret = draft.secret_names.take(name);
      draft.plan.secrets.push_back({.name = *secret,
                                    .source = Secret::Source::external,
                                    .reference = what,
                                    .question = spec::certificates_question().name,
                                    .word = "files",
                                    .internal = true,
                                    .origin = draft.origin("/edge/tls")});
    }
  }
  if (tls.mode == spec::Edge::TlsMode::files) {
    auto& edge = draft.plan.edge;
    edge.certificate = file_secret(draft, "edge-certificate", tls.cert, "/edge/tls/cert");
    edge.key = file_secret(draft, "edge-key", tls.key, "/edge/tls/key");
  }
}

}  // namespace caisson::plan
