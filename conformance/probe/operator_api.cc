#include "conformance/probe/operator_api.h"

#include <boost/json.hpp>

namespace caisson::conformance {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// The objects of the array member `name`; empty when the answer has none.
std::vector<json::object> objects_in(const std::string& body, std::string_view name) {
  std::vector<json::object> out;
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return out;
  const json::value* list = value.get_object().if_contains(name);
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& entry : list->get_array()) {
    if (entry.is_object()) out.push_back(entry.get_object());
  }
  return out;
}

}  // namespace

Result<HttpResponse> OperatorApi::call(const std::string& method, const std::string& target,
                                       const std::string& body, std::chrono::seconds limit) const {
  HttpRequest request{.method = method,
                      .target = target,
                      .host = endpoint_.authority(),
                      .headers = {{"Authorization", "Bearer " + token_}, {"Connection", "close"}},
                      .body = body};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  return exchange(endpoint_, request, within(limit));
}

Result<HttpResponse> OperatorApi::require(const std::string& method, const std::string& target,
                                          const std::string& body) const {
  auto response = call(method, target, body);
  if (!response) return response;
  if (response->status < 200 || response->status > 299) {
    std::string why = json_string(response->body, "detail");
    for (const json::object& fault : objects_in(response->body, "errors"))
      why += ", " + text_of(fault, "pointer") + " " + text_of(fault, "detail");
    return fail("the operator API answered " + response->summary() + " to " + method + " " +
                target + (why.empty() ? "" : ": " + why));
  }
  return response;
}

Result<OperatorApi::Key> OperatorApi::make_key(const std::string& slug,
                                               const std::string& name) const {
  const json::object body{{"name", name}, {"scopes", json::array{"read", "write"}}};
  const auto response = require("POST", "/v1/tenants/" + slug + "/keys", json::serialize(body));
  if (!response) return tl::unexpected(response.error());
  Key key{.id = json_string(response->body, "id"), .text = json_string(response->body, "key")};
  // csk_<key id>_<secret>
  if (key.id.empty() && key.text.starts_with("csk_")) {
    key.id = key.text.substr(4, key.text.find('_', 4) - 4);
  }
  if (key.text.empty())
    return fail("the operator API made a key of " + slug + " and did not show it");
  return key;
}

Result<std::vector<std::string>> OperatorApi::keys_named(const std::string& slug,
                                                         const std::string& name) const {
  const auto response = require("GET", "/v1/tenants/" + slug + "/keys");
  if (!response) return tl::unexpected(response.error());
  std::vector<std::string> ids;
  for (const json::object& key : objects_in(response->body, "keys")) {
    if (text_of(key, "name") == name) ids.push_back(text_of(key, "id"));
  }
  return ids;
}

Result<void> OperatorApi::delete_key(const std::string& slug, const std::string& id) const {
  const auto response = call("DELETE", "/v1/tenants/" + slug + "/keys/" + id);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404 || response->status / 100 == 2) return {};
  return fail("the operator API answered " + response->summary() + " when a key of " + slug +
              " was to go");
}

Result<std::string> OperatorApi::create(const NewTenant& tenant) const {
  boost::system::error_code error;
  json::object body{{"slug", tenant.slug}, {"name", tenant.slug}};
  if (!tenant.tier.empty()) body["tier"] = tenant.tier;
  if (!tenant.owner.empty()) body["owner"] = tenant.owner;
  body["limits"] = json::parse(tenant.limits_json, error);
  body["metadata"] = json::parse(tenant.metadata_json, error);
  if (!tenant.synthetic_until.empty()) body["synthetic_until"] = tenant.synthetic_until;
  const auto response = require("POST", "/v1/tenants", json::serialize(body));
  if (!response) return tl::unexpected(response.error());
  return json_string(response->body, "id");
}

Result<OperatorApi::Found> OperatorApi::find(const std::string& slug) const {
  const auto response = require("GET", "/v1/tenants/" + slug);
  if (!response) return tl::unexpected(response.error());
  boost::system::error_code error;
  const json::value value = json::parse(response->body, error);
  const auto member = [&](const std::string& pointer) -> const json::value* {
    boost::system::error_code missing;
    return error ? nullptr : value.find_pointer(pointer, missing);
  };
  const json::value* limits = member("/limits");
  json::object rate;
  for (const std::string limit : {"requests-per-second", "burst"}) {
    const json::value* from = member("/from/limits/" + limit);
    const bool by_operator = from != nullptr && *from == "operator";
    rate[limit] = by_operator ? *member("/limits/" + limit) : json::value(nullptr);
  }
  return Found{.id = json_string(response->body, "id"),
               .limits_json = limits == nullptr ? "{}" : json::serialize(*limits),
               .rate_json = json::serialize(rate)};
}

Result<void> OperatorApi::set_limits(const std::string& slug,
                                     const std::string& limits_json) const {
  const auto response = require("PATCH", "/v1/tenants/" + slug, "{\"limits\":" + limits_json + "}");
  if (!response) return tl::unexpected(response.error());
  return {};
}

Result<void> OperatorApi::remove(const std::string& slug) const {
  const auto response = call("DELETE", "/v1/tenants/" + slug);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404 || response->status / 100 == 2) return {};
  return fail("the operator API answered " + response->summary() + " when " + slug + " was to go");
}

Result<std::string> OperatorApi::snapshot(const std::string& slug) const {
  const auto response = require("POST", "/v1/tenants/" + slug + "/snapshots");
  if (!response) return tl::unexpected(response.error());
  return json_string(response->body, "id");
}

Result<void> OperatorApi::delete_snapshot(const std::string& slug, const std::string& id) const {
  const auto response = call("DELETE", "/v1/tenants/" + slug + "/snapshots/" + id);
  if (!response) return tl::unexpected(response.error());
  if (response->status == 404 || response->status / 100 == 2) return {};
  return fail("the operator API answered " + response->summary() + " when a snapshot of " + slug +
              " was to go");
}

Result<void> OperatorApi::must_be(const std::string& deployment,
                                  const std::string& instance) const {
  const auto status = call("GET", "/v1/status");
  if (!status)
    return fail("nobody answers at the operator API of " + instance + ": " + status.error().text());
  if (status->status == 401)
    return fail("the operator API of " + instance + " refuses the operator's token");
  const std::string name = json_string(status->body, "deployment");
  const std::string who = json_string(status->body, "instance");
  if (status->status == 200 && name == deployment && who == instance) return {};
  return fail("what answers at the operator API of " + instance + " is not it: " +
              status->summary() + (name.empty() ? "" : ", '" + who + "' of '" + name + "'"));
}

Result<std::uint64_t> OperatorApi::newest_refusal() const {
  const auto response = require("GET", "/v1/audit?log=refusals&newest=1");
  if (!response) return tl::unexpected(response.error());
  std::uint64_t newest = 0;
  for (const json::object& record : objects_in(response->body, "records")) {
    boost::system::error_code error;
    if (const json::value* seq = record.if_contains("seq"))
      newest = std::max(newest, seq->to_number<std::uint64_t>(error));
  }
  return newest;
}

Result<std::vector<AuditRecord>> OperatorApi::refusals_after(std::uint64_t after) const {
  static constexpr std::size_t page = 1000;
  std::vector<AuditRecord> records;
  for (;;) {
    const auto response = require("GET", "/v1/audit?log=refusals&after=" + std::to_string(after) +
                                             "&limit=" + std::to_string(page));
    if (!response) return tl::unexpected(response.error());
    const auto found = objects_in(response->body, "records");
    for (const json::object& record : found) {
      boost::system::error_code error;
      const json::value* seq = record.if_contains("seq");
      AuditRecord entry{.action = text_of(record, "action"),
                        .actor = text_of(record, "actor"),
                        .tenant = text_of(record, "tenant"),
                        .request_id = text_of(record, "request_id"),
                        .outcome = text_of(record, "outcome"),
                        .reason = text_of(record, "reason"),
                        .from = text_of(record, "from"),
                        .to = text_of(record, "to")};
      if (const json::value* count = record.if_contains("count"))
        entry.count = count->to_number<std::uint64_t>(error);
      if (seq != nullptr) entry.seq = seq->to_number<std::uint64_t>(error);
      after = std::max(after, entry.seq);
      records.push_back(std::move(entry));
    }
    if (found.size() < page) return records;
  }
}

}  // namespace caisson::conformance
