#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/application.h"

namespace caisson::runtime {

/// A deployment for tests: a temporary directory with a configuration of the tenants `globex` and
/// `initech` (domain acme.localhost, HS256 tokens), removed at the end.
class TestDeployment {
 public:
  /// `extra` is put into the configuration as further members, for example `"drain-ms": 1,`.
  explicit TestDeployment(std::string_view extra = "");
  ~TestDeployment();
  TestDeployment(const TestDeployment&) = delete;
  TestDeployment& operator=(const TestDeployment&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path configuration_file() const {
    return directory_ / "runtime.json";
  }
  /// Writes the configuration again with these ports; 0 takes a free one.
  void write_configuration(std::uint16_t data_port, std::uint16_t operator_port,
                           std::string_view extra = "", std::uint16_t metrics_port = 0) const;

  /// Starts an application in this process; its log goes to `runtime.log`.
  [[nodiscard]] std::unique_ptr<Application> start() const;
  [[nodiscard]] std::string log() const;

  static constexpr std::string_view operator_token = "operator-token-of-the-test-deployment";

 private:
  std::filesystem::path directory_;
  int log_;
};

/// An HS256 token of the test deployment for `tenant`, valid for an hour.
[[nodiscard]] std::string token_for(std::string_view tenant, std::string_view scope = "read write",
                                    std::string_view subject = "alice");

/// The bytes of a request of `tenant` to its own host.
[[nodiscard]] std::string tenant_request(std::string_view tenant, std::string_view method,
                                         std::string_view target, std::string_view body = "",
                                         std::string_view fields = "");

/// The bytes of a call of the operator API, with the token of the test deployment.
[[nodiscard]] std::string operator_request(std::string_view method, std::string_view target,
                                           std::string_view body = "");

}  // namespace caisson::runtime
