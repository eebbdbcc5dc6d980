#include "runtime/dashboard/dashboard.h"

#include <gtest/gtest.h>

namespace caisson::dashboard {
namespace {

const Configuration acme{.deployment = "acme", .domain = "acme.localhost", .listen = "127.0.0.1:0"};

http::Response get(std::string_view path, std::string_view method = "GET") {
  http::Request request;
  request.method = method;
  request.path = path;
  http::Response response;
  handler(acme)(std::move(request),
                http::reply_to([&](http::Response answer) { response = std::move(answer); }));
  return response;
}

std::string field(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.fields) {
    if (key == name) return value;
  }
  return {};
}

TEST(Dashboard, ServesThePageAndItsPartsUnderAStrictPolicy) {
  for (const char* path : {"/", "/dashboard/", "/dashboard/index.html"}) {
    const auto page = get(path);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(field(page, "Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
    EXPECT_EQ(field(page, "Content-Security-Policy").find("default-src 'none'"), 0U);
  }
  EXPECT_EQ(field(get("/dashboard/app.js"), "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(field(get("/dashboard/style.css"), "Content-Type"), "text/css; charset=utf-8");
}

TEST(Dashboard, PageUsesNothingThatItsPolicyForbids) {
  const auto page = get("/").body;
  EXPECT_EQ(page.find("<style"), std::string::npos);
  EXPECT_EQ(page.find(" style="), std::string::npos);
  EXPECT_EQ(page.find("://"), std::string::npos) << "the page loads nothing from elsewhere";
  const auto script = get("/dashboard/app.js").body;
  EXPECT_EQ(script.find("innerHTML"), std::string::npos) << "values are text, never markup";
  EXPECT_EQ(script.find("localStorage"), std::string::npos);
  EXPECT_EQ(script.find("sessionStorage"), std::string::npos);
}

TEST(Dashboard, NamesItsDeployment) {
  EXPECT_EQ(get("/dashboard/deployment.json").body,
            R"({"deployment":"acme","domain":"acme.localhost"})");
}

TEST(Dashboard, RefusesOtherMethodsAndUnknownPages) {
  const auto refused = get("/", "POST");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(field(refused, "Allow"), "GET, HEAD");
  EXPECT_EQ(get("/v1/records").status, 404);
  EXPECT_EQ(get("/dashboard/../dashboard.cc").status, 404);
  EXPECT_EQ(field(get("/dashboard"), "Location"), "/dashboard/");
}

TEST(Dashboard, AnswersHealthChecks) {
  EXPECT_EQ(get("/livez").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST(DashboardConfiguration, ReadsItsThreeKeys) {
  const auto read = parse_configuration(
      R"({"deployment":"acme","domain":"acme.localhost","listen":"0.0.0.0:8080"})");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->deployment, "acme");
  EXPECT_EQ(read->domain, "acme.localhost");
  EXPECT_EQ(read->listen, "0.0.0.0:8080");
}

TEST(DashboardConfiguration, NamesTheKeyThatIsWrong) {
  const auto error = [](std::string_view json) {
    const auto read = parse_configuration(json);
    return read ? std::string("accepted") : read.error().text();
  };
  EXPECT_NE(error("{").find("is not JSON"), std::string::npos);
  EXPECT_EQ(error("[]"), "dashboard.json is not a JSON object");
  EXPECT_EQ(error(R"({"deployment":"acme","domain":1,"listen":"x"})"),
            "dashboard.json: 'domain' must be a string");
  EXPECT_EQ(error(R"({"deployment":"a","domain":"d","listen":"l","tls":true})"),
            "dashboard.json: unknown key 'tls'; the keys are deployment, domain and listen");
}

}  // namespace
}  // namespace caisson::dashboard
