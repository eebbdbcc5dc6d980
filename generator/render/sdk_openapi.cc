#include "generator/render/sdk_openapi.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "api/schemas.h"

namespace caisson::render {

namespace {

using api::Schema;

/// What no field of the spec decides is there because the target is.
const Origin own{Origin::Kind::derived, "/targets/sdk"};

Node map() { return Node{Node::Map{}, own}; }
Node list() { return Node{Node::List{}, own}; }
Node text(std::string_view value) { return Node{value, own}; }

Node texts(std::span<const std::string_view> values) {
  Node node = list();
  for (const auto value : values) node.push(text(value));
  return node;
}

Node reference(std::string_view kind, std::string_view name) {
  Node node = map();
  node.add("$ref", {"#/components/" + std::string(kind) + "/" + std::string(name), own});
  return node;
}

Node schema_node(const Schema& schema);

/// As it stands in another schema: a component by its name.
Node use_of(const Schema& schema) {
  return schema.name.empty() ? schema_node(schema) : reference("schemas", schema.name);
}

void add_type(Node& node, std::string_view type, bool nullable) {
  if (!nullable) {
    node.add("type", text(type));
    return;
  }
  Node types = list();
  types.push(text(type));
  types.push(text("null"));
  node.add("type", std::move(types));
}

void add_object(Node& node, const Schema& schema) {
  Node required = list();
  Node properties = map();
  for (const auto& member : schema.members) {
    if (member.required) required.push(text(member.name));
    Node property = use_of(*member.schema);
    if (!member.description.empty()) property.set("description", text(member.description));
    properties.add(std::string(member.name), std::move(property));
  }
  if (!required.empty()) node.add("required", std::move(required));
  node.add("properties", std::move(properties));
  if (schema.closed) node.add("additionalProperties", Node{false, own});
}

void add_variants(Node& node, const Schema& schema) {
  Node variants = list();
  Node mapping = map();
  for (const auto* variant : schema.variants) {
    variants.push(use_of(*variant));
    if (schema.tag.empty()) continue;
    const auto member = std::ranges::find(variant->members, schema.tag, &api::Member::name);
    mapping.add(std::string(member->schema->words.front()),
                {"#/components/schemas/" + std::string(variant->name), own});
  }
  node.add(schema.tag.empty() ? "anyOf" : "oneOf", std::move(variants));
  if (schema.tag.empty()) return;
  Node discriminator = map();
  discriminator.add("propertyName", text(schema.tag));
  discriminator.add("mapping", std::move(mapping));
  node.add("discriminator", std::move(discriminator));
}

/// JSON Schema 2020-12.
Node schema_node(const Schema& schema) {
  Node node = map();
  if (!schema.description.empty()) node.add("description", text(schema.description));
  const auto size = [](std::size_t value) { return Node{static_cast<std::int64_t>(value), own}; };
  switch (schema.kind) {
    case Schema::Kind::text:
      add_type(node, "string", schema.nullable);
      if (!schema.words.empty()) node.add("enum", texts(schema.words));
      if (!schema.format.empty()) node.add("format", text(schema.format));
      if (!schema.pattern.empty()) node.add("pattern", text(schema.pattern));
      break;
    case Schema::Kind::integer:
      add_type(node, "integer", schema.nullable);
      node.add("minimum", Node{schema.minimum, own});
      node.add("maximum", Node{schema.maximum, own});
      break;
    case Schema::Kind::truth:
      node.add("const", Node{true, own});
      break;
    case Schema::Kind::flag:
      add_type(node, "boolean", schema.nullable);
      break;
    case Schema::Kind::value:
      add_type(node, "object", schema.nullable);
      break;
    case Schema::Kind::list:
      add_type(node, "array", schema.nullable);
      node.add("items", use_of(*schema.items));
      if (schema.min_items > 0) node.add("minItems", size(schema.min_items));
      if (schema.max_items > 0) node.add("maxItems", size(schema.max_items));
      break;
    case Schema::Kind::object:
      add_type(node, "object", schema.nullable);
      add_object(node, schema);
      break;
    case Schema::Kind::variants:
      add_variants(node, schema);
      break;
  }
  if (!schema.example.empty()) {
    Node examples = list();
    examples.push(text(schema.example));
    node.add("examples", std::move(examples));
  }
  return node;
}

Node content(std::string_view type, Node schema) {
  Node media = map();
  media.add("schema", std::move(schema));
  Node node = map();
  node.add(std::string(type), std::move(media));
  return node;
}

Node field_node(std::string_view description, Node schema, bool always) {
  Node node = map();
  node.add("description", text(description));
  if (always) node.add("required", Node{true, own});
  node.add("schema", std::move(schema));
  return node;
}

Node string_type() {
  Node node = map();
  node.add("type", text("string"));
  return node;
}

/// What stands in every answer: who it was, and how much is left.
void add_common_fields(Node& fields) {
  fields.add("Caisson-Request-Id", reference("headers", "Caisson-Request-Id"));
  fields.add("RateLimit", reference("headers", "RateLimit"));
  fields.add("RateLimit-Policy", reference("headers", "RateLimit-Policy"));
}

Node success(const api::Operation& operation) {
  Node node = map();
  node.add("description", text(operation.message != nullptr  ? "The WebSocket is open."
                               : operation.answer == nullptr ? "It is done."
                               : operation.status == 201     ? "It was created."
                                                             : "The answer."));
  Node fields = map();
  add_common_fields(fields);
  for (const auto& field : operation.fields) {
    fields.add(std::string(field.name), field_node(field.description, string_type(), field.always));
  }
  node.add("headers", std::move(fields));
  if (operation.answer != nullptr) {
    node.add("content", content("application/json", use_of(*operation.answer)));
  }
  if (operation.message != nullptr) node.add("x-caisson-message", use_of(*operation.message));
  return node;
}

/// With what creates a record, the operations on it.
Node links() {
  Node links = map();
  for (const auto& operation : api::operations()) {
    if (operation.parameter("id") == nullptr) continue;
    Node parameters = map();
    parameters.add("collection", text("$response.body#/collection"));
    parameters.add("id", text("$response.body#/id"));
    Node link = map();
    link.add("operationId", text(operation.name));
    link.add("parameters", std::move(parameters));
    if (operation.body != nullptr) link.add("requestBody", text("$request.body"));
    links.add(std::string(operation.name), std::move(link));
  }
  return links;
}

std::string problem_name(int status) { return "Problem" + std::to_string(status); }

Node responses(const api::Operation& operation) {
  Node node = map();
  Node done = success(operation);
  if (operation.id == api::OperationId::create_record) done.add("links", links());
  node.add(std::to_string(operation.status), std::move(done));
  if (operation.parameter("If-None-Match") != nullptr) {
    Node unchanged = map();
    unchanged.add("description", text("The record still has this version."));
    Node fields = map();
    add_common_fields(fields);
    unchanged.add("headers", std::move(fields));
    node.add("304", std::move(unchanged));
  }
  std::set<int> statuses;
  for (const auto code : api::problems_of(operation)) statuses.insert(api::info(code).status);
  for (const int status : statuses) {
    node.add(std::to_string(status), reference("responses", problem_name(status)));
  }
  return node;
}

Node parameter_node(const api::Parameter& parameter) {
  using In = api::Parameter::In;
  Node node = map();
  node.add("name", text(parameter.name));
  node.add("in", text(parameter.in == In::path    ? "path"
                      : parameter.in == In::query ? "query"
                                                  : "header"));
  node.add("description", text(parameter.description));
  if (parameter.in == In::path) node.add("required", Node{true, own});
  Node schema = use_of(*parameter.schema);
  if (parameter.most > 1) {
    Node repeated = map();
    repeated.add("type", text("array"));
    repeated.add("items", std::move(schema));
    repeated.add("maxItems", Node{static_cast<std::int64_t>(parameter.most), own});
    schema = std::move(repeated);
  }
  node.add("schema", std::move(schema));
  return node;
}

/// Which scheme lets the caller in, and with which scopes.
Node security(const plan::Plan& plan, std::string_view scope) {
  Node node = list();
  const auto add = [&](const char* scheme) {
    Node scopes = list();
    if (!scope.empty()) scopes.push(text(scope));
    Node alternative = map();
    alternative.add(scheme, std::move(scopes));
    node.push(std::move(alternative));
  };
  if (plan.auth.tokens) add("token");
  if (plan.auth.api_keys) add("apiKey");
  return node;
}

Node security_schemes(const plan::Plan& plan) {
  Node schemes = map();
  const auto add = [&](const char* name, std::string_view format, std::string description,
                       const char* at) {
    const Origin origin{Origin::Kind::derived, at};
    Node scheme{Node::Map{}, origin};
    scheme.add("type", {"http", origin});
    scheme.add("scheme", {"bearer", origin});
    if (!format.empty()) scheme.add("bearerFormat", {format, origin});
    scheme.add("description", {std::move(description), origin});
    schemes.add(name, std::move(scheme));
  };
  if (plan.auth.tokens) {
    std::string algorithms;
    for (const auto& algorithm : plan.auth.algorithms) {
      algorithms += (algorithms.empty() ? "" : ", ") + algorithm;
    }
    add("token", "JWT",
        "A JWT of " + plan.auth.issuer + " for " + plan.auth.audience + ", signed with " +
            algorithms + ". The claim " + plan.auth.tenant_claim +
            " names the tenant; exp is required; scope lists read and write, without it both.",
        "/auth/tokens");
  }
  if (plan.auth.api_keys) {
    add("apiKey", "", "An API key of the tenant, csk_<key id>_<secret>.", "/auth/api-keys");
  }
  return schemes;
}

std::string_view tag_of(const api::Operation& operation) {
  if (operation.id == api::OperationId::who_am_i) return "identity";
  return operation.path.starts_with(api::watch_path) ? "changes" : "records";
}

Node paths(const plan::Plan& plan) {
  Node paths = map();
  for (const auto& operation : api::operations()) {
    const std::string path(operation.path);
    Node* item = paths.find(path);
    if (item == nullptr) item = &paths.add(path, map());
    std::string method(operation.method);
    std::ranges::transform(method, method.begin(),
                           [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    Node node = map();
    node.add("operationId", text(operation.name));
    node.add("summary", text(operation.summary));
    if (!operation.description.empty()) node.add("description", text(operation.description));
    Node tags = list();
    tags.push(text(tag_of(operation)));
    node.add("tags", std::move(tags));
    node.add("security", security(plan, operation.scope));
    Node parameters = list();
    for (const auto& parameter : parameters_of(plan, operation)) {
      parameters.push(parameter_node(parameter));
    }
    if (!parameters.empty()) node.add("parameters", std::move(parameters));
    if (operation.body != nullptr) {
      Node body = map();
      body.add("required", Node{true, own});
      body.add("content", content("application/json", use_of(*operation.body)));
      node.add("requestBody", std::move(body));
    }
    node.add("responses", responses(operation));
    item->add(std::move(method), std::move(node));
  }
  return paths;
}

/// One response for every status: its codes tell its occurrences apart.
Node problem_responses() {
  std::map<int, std::vector<api::Code>> by_status;
  for (const auto code : problem_codes()) by_status[api::info(code).status].push_back(code);
  Node responses = map();
  for (const auto& [status, codes] : by_status) {
    Node types = list();
    std::string description;
    for (const auto code : codes) {
      const auto& info = api::info(code);
      types.push({std::string(api::problem_type_prefix) + std::string(info.name), own});
      description += (description.empty() ? "" : "; ") + std::string(info.name) + ": " +
                     std::string(info.title);
    }
    Node type = map();
    type.add("enum", std::move(types));
    Node value = map();
    value.add("const", Node{status, own});
    Node properties = map();
    properties.add("type", std::move(type));
    properties.add("status", std::move(value));
    Node narrowed = map();
    narrowed.add("properties", std::move(properties));
    Node all = list();
    all.push(reference("schemas", api::problem.name));
    all.push(std::move(narrowed));
    Node schema = map();
    schema.add("allOf", std::move(all));

    Node fields = map();
    add_common_fields(fields);
    if (status == 401) {
      fields.add("WWW-Authenticate", field_node("Bearer", string_type(), true));
    }
    if (status == 429 || status == 503) {
      fields.add("Retry-After",
                 field_node("Seconds until it is worth another try", string_type(), true));
    }
    Node response = map();
    response.add("description", {description, own});
    response.add("headers", std::move(fields));
    response.add("content", content(api::problem_media_type, std::move(schema)));
    responses.add(problem_name(status), std::move(response));
  }
  return responses;
}

Node components(const plan::Plan& plan) {
  Node schemas = map();
  for (const auto* schema : api::components()) {
    schemas.add(std::string(schema->name), schema_node(*schema));
  }
  Node headers = map();
  headers.add("Caisson-Request-Id",
              field_node("Id of the request, a UUIDv7; in the server's log", string_type(), true));
  headers.add(
      "RateLimit",
      field_node("What the tenant has left, where its tier has a rate: \"tenant\";r=<requests "
                 "now>;t=<seconds until all>",
                 string_type(), false));
  headers.add("RateLimit-Policy", field_node("The tenant's rate: \"tenant\";q=<burst>;w=<seconds>",
                                             string_type(), false));
  Node node = map();
  node.add("schemas", std::move(schemas));
  node.add("responses", problem_responses());
  node.add("headers", std::move(headers));
  node.add("securitySchemes", security_schemes(plan));
  return node;
}

std::string port_suffix(std::uint16_t port, std::uint16_t usual) {
  return port == usual ? std::string{} : ":" + std::to_string(port);
}

Node server(Node url, std::string_view description) {
  Node node = map();
  node.add("url", std::move(url));
  node.add("description", text(description));
  return node;
}

Node servers(const plan::Plan& plan) {
  const auto with_tenant = [&](Node node, const std::string& url) {
    if (url.find("{tenant}") == std::string::npos) return node;
    Node variable = map();
    if (plan.tenants.empty()) {
      variable.add("default", text("tenant"));
    } else {
      const auto& first = plan.tenants.front();
      variable.add("default", {first.slug, first.origin});
    }
    variable.add("description", text("Slug of the tenant"));
    Node variables = map();
    variables.add("tenant", std::move(variable));
    node.add("variables", std::move(variables));
    return node;
  };
  Node node = list();
  const auto url = tenant_url(plan);
  node.push(with_tenant(server({url, plan.domain.origin}, "A tenant's own host"), url));
  const auto scheme = url.substr(0, url.find("//") + 2);
  const auto port = url.substr(std::min(url.find(':', scheme.size()), url.size()));
  if (plan.auth.by_subdomain) {
    for (const auto& tenant : plan.tenants) {
      for (const auto& domain : tenant.domains) {
        std::string own_url = scheme;
        own_url.append(domain).append(port);
        node.push(server({own_url, tenant.origin}, "A tenant's own domain"));
      }
    }
  }
  if (plan.targets.local) {
    const auto local = "http://" + std::string(plan.auth.by_subdomain ? "{tenant}." : "") +
                       plan.domain.value + ":" + std::to_string(plan.targets.local_port.value);
    node.push(with_tenant(server({local, plan.domain.origin}, "Target local: caisson up"), local));
  }
  return node;
}

template <class T>
void add_limit(Node& node, const char* name, const std::optional<plan::Traced<T>>& limit) {
  if (limit) node.add(name, Node{*limit});
}

}  // namespace

std::string tenant_url(const plan::Plan& plan) {
  const auto& edge = plan.edge;
  const bool secure =
      edge.proxy.value == plan::Edge::Proxy::none || edge.tls.value != plan::Edge::Tls::off;
  const auto port = edge.proxy.value == plan::Edge::Proxy::none ? std::string{}
                    : secure                                    ? port_suffix(edge.https.value, 443)
                                                                : port_suffix(edge.http.value, 80);
  return (secure ? "https://" : "http://") +
         std::string(plan.auth.by_subdomain ? "{tenant}." : "") + plan.domain.value + port;
}

std::vector<std::string_view> tenant_signals(const plan::Plan& plan) {
  std::vector<std::string_view> signals;
  if (plan.auth.by_subdomain) signals.emplace_back("subdomain");
  if (plan.auth.by_header) signals.emplace_back("header");
  if (plan.auth.by_token) signals.emplace_back("token");
  return signals;
}

std::vector<api::Parameter> parameters_of(const plan::Plan& plan, const api::Operation& operation) {
  std::vector<api::Parameter> parameters(operation.parameters.begin(), operation.parameters.end());
  if (plan.auth.by_header) {
    parameters.push_back({.in = api::Parameter::In::field,
                          .name = "Caisson-Tenant",
                          .schema = &api::tenant_slug,
                          .description = "The tenant. All that names it has to agree."});
  }
  return parameters;
}

std::vector<api::Code> problem_codes() {
  std::set<api::Code> codes;
  for (const auto& operation : api::operations()) {
    const auto some = api::problems_of(operation);
    codes.insert(some.begin(), some.end());
  }
  return {codes.begin(), codes.end()};
}

Node tiers_of(const plan::Plan& plan) {
  Node tiers = map();
  for (const auto& tier : plan.tiers) {
    Node limits{Node::Map{}, tier.origin};
    add_limit(limits, "requests-per-second", tier.limits.requests_per_second);
    add_limit(limits, "burst", tier.limits.burst);
    add_limit(limits, "concurrent", tier.limits.concurrent);
    add_limit(limits, "body-bytes", tier.limits.body_bytes);
    add_limit(limits, "storage-bytes", tier.limits.storage_bytes);
    tiers.add(tier.name, std::move(limits));
  }
  return tiers;
}

Node modules_of(const plan::Plan& plan) {
  Node modules = map();
  for (const auto& module : plan.modules) {
    const auto names = [&](const std::vector<std::string>& values) {
      Node node{Node::List{}, module.origin};
      for (const auto& value : values) node.push({value, module.origin});
      return node;
    };
    Node node{Node::Map{}, module.origin};
    node.add("manifest", module.manifest);
    node.add("handlers", names(module.handlers));
    node.add("types", names(module.types));
    node.add("versions", names(module.versions));
    node.add("topics", names(module.topics));
    modules.add(module.service, std::move(node));
  }
  return modules;
}

Node openapi_document(const plan::Plan& plan) {
  Node info = map();
  info.add("title", {plan.name.value + " data API", plan.name.origin});
  info.add("version", plan.version);
  info.add("summary", text("Records of the tenants, kept apart"));
  info.add("description",
           text("Every request is for one tenant, whom the credential names. The host below the "
                "domain, the header Caisson-Tenant and the credential have to agree wherever they "
                "name one. Refusals are problems (RFC 9457) whose type ends with a code. What a "
                "tenant may use depends on its tier: x-caisson-tiers."));
  Node tags = list();
  for (const auto& [name, description] : {std::pair{"records", "JSON values in collections"},
                                          std::pair{"changes", "What has changed, as it happens"},
                                          std::pair{"identity", "Who calls"}}) {
    Node tag = map();
    tag.add("name", text(name));
    tag.add("description", text(description));
    tags.push(std::move(tag));
  }
  Node document = map();
  document.add("openapi", text("3.1.0"));
  document.add("info", std::move(info));
  document.add("servers", servers(plan));
  document.add("tags", std::move(tags));
  document.add("paths", paths(plan));
  document.add("components", components(plan));
  document.add("x-caisson-tenant-signals", [&] {
    Node signals{Node::List{}, Origin{Origin::Kind::derived, "/auth/resolve"}};
    for (const auto signal : tenant_signals(plan)) {
      signals.push({signal, Origin{Origin::Kind::derived, "/auth/resolve"}});
    }
    return signals;
  }());
  document.add("x-caisson-tiers", tiers_of(plan));
  if (!plan.modules.empty()) document.add("x-caisson-modules", modules_of(plan));
  return document;
}

}  // namespace caisson::render
