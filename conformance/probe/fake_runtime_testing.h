#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conformance/wire/http.h"

namespace caisson::conformance {

/// A small server that answers as docs/runtime.md says for the few requests that examinations make,
/// and wrongly where a test asks for it. One request a connection.
class FakeRuntime {
 public:
  struct Asked {
    std::string method;
    std::string target;
    std::string host;
    std::string authorization;
    std::string tenant_header;
    std::string body;
  };
  struct Answer {
    int status = 200;
    std::string body{};
    std::string problem{};  ///< instead of `body`
  };
  /// Looks first; an answer with status 0 lets the fake go on as it should.
  std::function<Answer(const Asked&)> twist;
  std::atomic<bool> writes_audit{true};
  std::string audit_reason{};  ///< in place of the problem
  /// Members of the record that the audit log has instead of each refusal; empty: it has each.
  std::string count_record;

  FakeRuntime();
  FakeRuntime(const FakeRuntime&) = delete;
  FakeRuntime& operator=(const FakeRuntime&) = delete;
  ~FakeRuntime();

  /// A tenant with one record.
  void add(const std::string& slug, const std::string& key, const std::string& record_id,
           const std::string& value);
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  [[nodiscard]] std::string record_of(const std::string& slug);

 private:
  struct Tenant {
    std::string slug;
    std::string key;
    std::map<std::string, std::string> records;
  };

  void serve();
  void one(int peer);
  [[nodiscard]] Answer answer(const Asked& asked, const std::string& request_id);
  [[nodiscard]] Answer data(const Asked& asked, Tenant& tenant);

  int listener_ = -1;
  Endpoint endpoint_;
  std::mutex mutex_;
  std::vector<Tenant> tenants_;
  std::vector<std::string> audit_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> next_id_{1};
  std::thread thread_;
};

}  // namespace caisson::conformance
