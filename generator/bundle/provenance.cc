#include "generator/bundle/provenance.h"

#include "base/hex.h"
#include "generator/render/json.h"

namespace caisson::bundle {
namespace {

using render::Node;

Node digest_node(std::string_view algorithm, std::string value) {
  Node node{Node::Map{}};
  node.add(std::string(algorithm), std::move(value));
  return node;
}

Node resource(std::string name, Node digest) {
  Node node{Node::Map{}};
  node.add("name", std::move(name));
  node.add("digest", std::move(digest));
  return node;
}

}  // namespace

std::string provenance(const Recipe& recipe, const std::vector<installer::Sum>& subjects) {
  Node subject{Node::List{}};
  for (const auto& sum : subjects) {
    subject.push(resource(sum.path, digest_node("sha256", hex(sum.digest))));
  }
  Node forms{Node::List{}};
  for (const auto& form : recipe.forms) forms.push(form);
  Node parameters{Node::Map{}};
  parameters.add("product", recipe.product);
  parameters.add("version", to_text(recipe.version));
  parameters.add("arch", recipe.arch);
  parameters.add("forms", std::move(forms));
  parameters.add("level", recipe.packing.level);
  parameters.add("sourceDate", static_cast<std::int64_t>(recipe.date));
  if (!recipe.environment.empty()) parameters.add("environment", recipe.environment);

  Node dependencies{Node::List{}};
  dependencies.push(resource("spec", digest_node("sha256", recipe.spec_sha256)));
  if (recipe.commit) {
    auto source = resource("source", digest_node("gitCommit", recipe.commit->id));
    Node annotations{Node::Map{}};
    // A tree that differs from its commit cannot be had again from it.
    annotations.add("dirty", recipe.commit->changed);
    source.add("annotations", std::move(annotations));
    dependencies.push(std::move(source));
  }
  for (const auto& image : recipe.images) {
    dependencies.push(resource(image.reference, digest_node("sha256", hex(image.manifest.digest))));
  }

  Node definition{Node::Map{}};
  definition.add("buildType", "urn:caisson:bundle:1");
  definition.add("externalParameters", std::move(parameters));
  definition.add("resolvedDependencies", std::move(dependencies));
  Node version{Node::Map{}};
  version.add("caisson", CAISSON_VERSION);
  Node builder{Node::Map{}};
  builder.add("id", "urn:caisson:bundle-create");
  builder.add("version", std::move(version));
  Node run{Node::Map{}};
  run.add("builder", std::move(builder));
  Node predicate{Node::Map{}};
  predicate.add("buildDefinition", std::move(definition));
  predicate.add("runDetails", std::move(run));
  Node statement{Node::Map{}};
  statement.add("_type", "https://in-toto.io/Statement/v1");
  statement.add("subject", std::move(subject));
  statement.add("predicateType", "https://slsa.dev/provenance/v1");
  statement.add("predicate", std::move(predicate));
  return render::to_json_line(statement) + "\n";
}

}  // namespace caisson::bundle
