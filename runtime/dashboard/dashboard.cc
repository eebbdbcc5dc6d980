#include "runtime/dashboard/dashboard.h"

#include <array>
#include <map>
#include <memory>
#include <utility>

#include <boost/json.hpp>

#include "dashboard_page.h"

namespace caisson::dashboard {
namespace {

struct File {
  std::string_view type;
  std::string body;
};

using Files = std::map<std::string, File, std::less<>>;

std::string_view media_type(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/javascript; charset=utf-8";
}

Files files_of(const Configuration& configuration) {
  Files files;
  for (const auto& [path, bytes] : dashboard_page()) {
    const File file{.type = media_type(path), .body = std::string(bytes)};
    files.emplace("/dashboard/" + std::string(path), file);
    if (path == "index.html") {
      files.emplace("/", file);
      files.emplace("/dashboard/", file);
    }
  }
  files.emplace("/dashboard/deployment.json",
                File{.type = "application/json",
                     .body = boost::json::serialize(boost::json::object{
                         {"deployment", configuration.deployment},
                         {"domain", configuration.domain},
                     })});
  for (const char* health : {"/livez", "/readyz"}) {
    files.emplace(health, File{.type = "text/plain", .body = "ok\n"});
  }
  return files;
}

// The page runs its own two files and talks to its own origin; everything else is refused by the
// browser, so that a record's value can never become script (W3C Content Security Policy 3).
http::Response with_headers(int status, std::string_view type, std::string body) {
  return {.status = status,
          .fields = {{"Content-Type", std::string(type)},
                     {"Content-Security-Policy",
                      "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
                      "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'"},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Referrer-Policy", "no-referrer"},
                     {"Cross-Origin-Opener-Policy", "same-origin"},
                     {"Cache-Control", "no-cache"}},
          .body = std::move(body)};
}

http::Response answer(const Files& files, const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = with_headers(405, "text/plain", "the dashboard only answers GET and HEAD\n");
    response.fields.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (request.path == "/dashboard") {
    auto response = with_headers(308, "text/plain", "");
    response.fields.emplace_back("Location", "/dashboard/");
    return response;
  }
  const auto file = files.find(request.path);
  if (file == files.end()) return with_headers(404, "text/plain", "there is no such page\n");
  return with_headers(200, file->second.type, file->second.body);
}

}  // namespace

Result<Configuration> parse_configuration(std::string_view json) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(json, error);
  if (error) return fail("dashboard.json is not JSON: " + error.message());
  if (!parsed.is_object()) return fail("dashboard.json is not a JSON object");

  Configuration configuration;
  const std::array<std::pair<std::string_view, std::string*>, 3> keys{{
      {"deployment", &configuration.deployment},
      {"domain", &configuration.domain},
      {"listen", &configuration.listen},
  }};
  for (const auto& [key, member] : keys) {
    const auto* value = parsed.get_object().if_contains(key);
    if (value == nullptr || !value->is_string()) {
      return fail("dashboard.json: '" + std::string(key) + "' must be a string");
    }
    *member = value->get_string();
  }
  for (const auto& entry : parsed.get_object()) {
    const auto known = [&](const auto& key) { return key.first == entry.key(); };
    if (std::none_of(keys.begin(), keys.end(), known)) {
      return fail("dashboard.json: unknown key '" + std::string(entry.key()) + "'",
                  "the keys are deployment, domain and listen");
    }
  }
  return configuration;
}

http::Handler handler(const Configuration& configuration) {
  return [files = std::make_shared<const Files>(files_of(configuration))](
             http::Request&& request, http::Reply&& reply) { reply(answer(*files, request)); };
}

}  // namespace caisson::dashboard
