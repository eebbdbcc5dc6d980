#include "runtime/observe/problem.h"

#include "base/json_text.h"
#include "runtime/observe/walls.h"

namespace caisson::observe {
namespace {

/// Of what a client is told: a text that repeats what it sent may be as long as that was.
constexpr std::size_t longest_text = 1024;

void append_member(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  out += key;
  out += "\":";
  append_json_string(out, value, longest_text);
}

}  // namespace

std::string problem_body(const Problem& problem, std::string_view request_id) {
  const CodeInfo& code = info(problem.code);
  std::string out = R"({"type":")";
  out += api::problem_type_prefix;
  out += code.name;
  out += R"(","title":")";
  out += code.title;
  out += R"(","status":)";
  out += std::to_string(code.status);
  const bool silent = problem.code == Code::internal;
  if (is_down(Wall::stack_traces)) {
    append_member(out, "detail",
                  problem.detail + " (" __FILE__ ":" + std::to_string(__LINE__) + ")");
  } else if (!problem.detail.empty() && !silent) {
    append_member(out, "detail", problem.detail);
  }
  out += R"(,"instance":"urn:caisson:request:)";
  out += request_id;
  out += '"';
  if (!problem.errors.empty() && !silent) {
    out += R"(,"errors":[)";
    for (const Fault& fault : problem.errors) {
      if (out.back() != '[') out += ',';
      out += R"({"pointer":)";
      append_json_string(out, fault.pointer);
      append_member(out, "detail", fault.detail);
      out += '}';
    }
    out += ']';
  }
  out += '}';
  return out;
}

int retry_after(const Problem& problem) noexcept {
  if (problem.retry_after_s > 0) return problem.retry_after_s;
  const int status = info(problem.code).status;
  return status == 429 || status == 503 ? 1 : 0;
}

}  // namespace caisson::observe
