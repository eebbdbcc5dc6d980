#include "runtime/test_deployment.h"

#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/digest.h"

namespace caisson::runtime {
namespace {

constexpr std::string_view token_key = "a secret of the test deployment, 32 bytes and more";

void write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

TestDeployment::TestDeployment(std::string_view extra) {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "caisson-runtime-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = pattern;
  write_file(directory_ / "token.key", token_key);
  write_file(directory_ / "operator.token", operator_token);
  write_configuration(0, 0, extra);
  log_ =
      ::open((directory_ / "runtime.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

TestDeployment::~TestDeployment() {
  ::close(log_);
  std::filesystem::remove_all(directory_);
}

void TestDeployment::write_configuration(std::uint16_t data_port, std::uint16_t operator_port,
                                         std::string_view extra, std::uint16_t metrics_port) const {
  std::string text = R"({"deployment": "acme", "instance": "runtime", "domain": "acme.localhost",
    "listen": {"data": "127.0.0.1:)" +
                     std::to_string(data_port) + R"(", "operator": "127.0.0.1:)" +
                     std::to_string(operator_port) + R"(", "metrics": "127.0.0.1:)" +
                     std::to_string(metrics_port) + R"("},
    "data": "data", "threads": 2, "modules": ["records"],
    )";
  text += extra;
  text += R"("auth": {"resolve": ["subdomain", "header", "token"], "api-keys": true,
      "tokens": {"issuer": "https://id.acme.test", "audience": "acme", "key-file": "token.key",
                 "algorithms": ["HS256"]}},
    "operator": {"token-file": "operator.token"},
    "log": {"level": "debug"},
    "tiers": {"free": {"isolation": "database", "retention-ms": 0}},
    "tenants": [{"slug": "globex", "tier": "free"}, {"slug": "initech", "tier": "free",
                 "domains": ["initech.test"]}]})";
  write_file(configuration_file(), text);
}

std::unique_ptr<Application> TestDeployment::start() const {
  const auto configuration = context::load_configuration(configuration_file());
  if (!configuration) {
    const auto& fault = configuration.error().front();
    throw std::runtime_error(fault.pointer + ": " + fault.detail);
  }
  auto application = Application::start(*configuration, log_);
  if (!application) throw std::runtime_error(application.error().text());
  return std::move(*application);
}

std::string TestDeployment::log() const {
  std::ifstream in(directory_ / "runtime.log", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string token_for(std::string_view tenant, std::string_view scope, std::string_view subject) {
  const auto now = std::time(nullptr);
  const std::string claims = R"({"iss":"https://id.acme.test","aud":"acme","sub":")" +
                             std::string(subject) + R"(","tid":")" + std::string(tenant) +
                             R"(","scope":")" + std::string(scope) + R"(","iat":)" +
                             std::to_string(now) + R"(,"exp":)" + std::to_string(now + 3600) + "}";
  const std::string signed_part =
      encode_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + encode_base64url(claims);
  return signed_part + "." + encode_base64url(bytes_of(hmac_sha256(token_key, signed_part)));
}

std::string tenant_request(std::string_view tenant, std::string_view method,
                           std::string_view target, std::string_view body,
                           std::string_view fields) {
  std::string request;
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  request.append(tenant).append(".acme.localhost\r\nAuthorization: Bearer ");
  request.append(token_for(tenant)).append("\r\n").append(fields);
  if (!body.empty()) {
    request.append("Content-Type: application/json\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n");
  }
  return request.append("\r\n").append(body);
}

std::string operator_request(std::string_view method, std::string_view target,
                             std::string_view body) {
  std::string request;
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: o\r\n");
  request.append("Authorization: Bearer ").append(TestDeployment::operator_token);
  request.append("\r\nContent-Type: application/json\r\nContent-Length: ");
  return request.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}

}  // namespace caisson::runtime
