#include "conformance/attached.h"

#include <chrono>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "conformance/stack/site.h"
#include "conformance/stack/state.h"
#include "conformance/wire/http.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

fs::path whole(const fs::path& site) { return fs::absolute(site).lexically_normal(); }

}  // namespace

Result<RunningStack> attach_site(const plan::Plan& plan, const fs::path& site) {
  auto stack = read_site(site);
  if (!stack) return stack;
  if (auto fits = fit_to_plan(*stack, plan); !fits) return tl::unexpected(fits.error());
  stack->state = state_of_site(stack->name, site);
  return stack;
}

void leave_out_closed_edge(RunningStack& stack) {
  const RunningInstance* edge = stack.edge();
  if (edge == nullptr || !edge->data) return;
  // Every edge routes this path, and no tenant is needed for it.
  const auto answer =
      exchange(*edge->data,
               {.target = "/v1/ping", .host = stack.domain, .headers = {{"Connection", "close"}}},
               within(std::chrono::seconds(10)));
  const bool closed = !answer || (answer->status >= 502 && answer->status <= 504);
  if (!closed) return;
  stack.edge_left_out = answer ? "the edge answers " + answer->summary() : answer.error().text();
  std::erase_if(stack.instances, [](const RunningInstance& each) { return each.role == "edge"; });
}

fs::path state_of_site(const std::string& deployment, const fs::path& site) {
  return default_state(deployment + "-at-" + sha256_hex(whole(site).string()).substr(0, 8));
}

Result<void> keep_site(const fs::path& state, const fs::path& site) {
  if (auto made = make_directory(state, 0711); !made) return made;
  return write_file(state / "site", whole(site).string() + "\n", 0600);
}

void drop_site(const fs::path& state) {
  std::error_code error;
  if (fs::exists(state / "journal", error) && !fs::remove(state / "journal", error)) return;
  fs::remove(state / "site", error);
  fs::remove(state, error);
}

fs::path site_in(const fs::path& state) {
  auto path = read_file(state / "site");
  if (!path) return {};
  while (path->ends_with('\n')) path->pop_back();
  return *path;
}

}  // namespace caisson::conformance
