#include "cli/known_secrets.h"

#include <cstdlib>
#include <utility>

namespace caisson::cli {

std::vector<conformance::KnownSecret> known_secrets(const spec::Deployment& deployment,
                                                    const SpecSource& source) {
  std::vector<conformance::KnownSecret> known;
  for (const auto& [name, secret] : deployment.secrets) {
    if (secret.source == spec::Secret::Source::file) {
      if (auto value = source.read_file(secret.path)) known.push_back({name, *std::move(value)});
    } else if (secret.source == spec::Secret::Source::env) {
      if (const char* value = std::getenv(secret.name.c_str())) known.push_back({name, value});
    }
  }
  return known;
}

}  // namespace caisson::cli
