#include <map>

#include <boost/json.hpp>

#include "base/base64url.h"
#include "conformance/report/escape.h"
#include "conformance/report/report.h"

namespace caisson::conformance {
namespace {

namespace json = boost::json;

/// Sorted members all the way down; Boost.JSON keeps insertion order.
void write_canonical(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    std::map<std::string_view, const json::value*> members;
    for (const auto& member : *object) members[member.key()] = &member.value();
    out += '{';
    for (const auto& [key, member] : members) {
      if (out.back() != '{') out += ',';
      out += json::serialize(json::string(key)) + ':';
      write_canonical(*member, out);
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const json::value& element : *array) {
      if (&element != array->data()) out += ',';
      write_canonical(element, out);
    }
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

std::string canonical(const json::value& value) {
  std::string out;
  write_canonical(value, out);
  return out;
}

json::object to_json(const Evidence& evidence) {
  return {{"step", well_formed(evidence.step)},         {"expected", evidence.expected},
          {"observed", well_formed(evidence.observed)}, {"sent", well_formed(evidence.sent)},
          {"received", well_formed(evidence.received)}, {"verdict", name_of(evidence.verdict)}};
}

json::object to_json(const Cell& cell) {
  json::array evidence;
  for (const Evidence& piece : cell.evidence) evidence.push_back(to_json(piece));
  return {{"accessor", cell.accessor},         {"owner", cell.owner},
          {"verdict", name_of(cell.verdict)},  {"reason", well_formed(cell.reason)},
          {"observations", cell.observations}, {"evidence", std::move(evidence)}};
}

json::object to_json(const ProbeResult& probe) {
  json::array cells;
  for (const Cell& cell : probe.cells) cells.push_back(to_json(cell));
  return {{"id", probe.id},
          {"title", probe.title},
          {"resource", name_of(probe.resource)},
          {"level", probe.level},
          {"verdict", name_of(probe.verdict)},
          {"reason", well_formed(probe.reason)},
          {"retried", probe.retried},
          {"started-us", probe.started_us},
          {"elapsed-us", probe.elapsed_us},
          {"observations", probe.attempts()},
          {"cells", std::move(cells)}};
}

json::object to_json(const RunReport& report) {
  json::array tenants;
  for (const ReportedTenant& tenant : report.tenants) {
    tenants.push_back(json::object{{"slug", tenant.slug},
                                   {"tier", tenant.tier},
                                   {"instance", tenant.instance},
                                   {"isolation", tenant.isolation},
                                   {"synthetic", tenant.synthetic}});
  }
  json::array probes;
  for (const ProbeResult& probe : report.probes) probes.push_back(to_json(probe));
  return {{"format", "caisson-conformance/1"},
          {"run", report.run},
          {"deployment", report.deployment},
          {"version", report.version},
          {"environment", report.environment},
          {"target", report.target},
          {"attached", report.attached},
          {"tool-version", report.tool_version},
          {"plan-digest", report.plan_digest},
          {"level", report.level},
          {"started", report.started},
          {"elapsed-us", report.elapsed_us},
          {"verdict", name_of(report.verdict())},
          {"exit-status", report.exit_status()},
          {"scanned-bytes", report.scanned_bytes},
          {"canaries", report.canaries},
          {"tenants", std::move(tenants)},
          {"probes", std::move(probes)},
          {"not-tested", report.count(Verdict::not_tested)},
          {"require-all", report.require_all},
          {"notes", json::value_from(report.notes)}};
}

}  // namespace

std::string to_canonical_json(const ProbeResult& probe) { return canonical(to_json(probe)); }

std::string to_canonical_json(const RunReport& report) { return canonical(to_json(report)); }

Result<std::string> to_signed_json(const RunReport& report, const SigningKey& key) {
  const std::string body = to_canonical_json(report);
  const auto signature = key.sign(body);
  if (!signature) return tl::unexpected(signature.error());
  const json::object seal{{"algorithm", "Ed25519"},
                          {"public-key", encode_base64(key.public_raw())},
                          {"value", encode_base64(*signature)}};
  return R"({"report":)" + body + R"(,"signature":)" + canonical(seal) + "}\n";
}

Result<void> verify_signed_json(std::string_view text, std::string_view trusted) {
  boost::system::error_code error;
  const json::value whole = json::parse({text.data(), text.size()}, error);
  if (error) return fail("the report is not JSON: " + error.message());
  const json::value* report = whole.find_pointer("/report", error);
  const json::value* key = error ? nullptr : whole.find_pointer("/signature/public-key", error);
  const json::value* value = error ? nullptr : whole.find_pointer("/signature/value", error);
  if (value == nullptr || !value->is_string() || !key->is_string()) {
    return fail("the report has no signature");
  }
  const std::string public_key = decode_base64(key->get_string()).value_or("");
  if (!trusted.empty() && public_key != trusted) {
    return fail("the report is signed by another key than the trusted one");
  }
  if (!verify_ed25519(public_key, canonical(*report),
                      decode_base64(value->get_string()).value_or(""))) {
    return fail("the signature does not fit: the report was changed after it was signed");
  }
  return {};
}

}  // namespace caisson::conformance
