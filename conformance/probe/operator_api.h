#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/wire/http.h"

namespace caisson::conformance {

/// A record of the audit log, as far as probes look at it.
struct AuditRecord {
  std::uint64_t seq = 0;
  std::string action{};
  std::string actor{};
  std::string tenant{};
  std::string request_id{};
  std::string outcome{};
  std::string reason{};
  // Of a record that stands for several refusals:
  std::uint64_t count = 0;  ///< how many; 0: it stands for one
  std::string from{};       ///< time of the first
  std::string to{};         ///< time of the last
};

/// What the harness asks of one instance's operator API (docs/runtime.md). Each call is bounded to
/// ten seconds, unless it says otherwise.
class OperatorApi {
 public:
  static constexpr std::chrono::seconds usual_limit{10};

  OperatorApi(Endpoint endpoint, std::string token)
      : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  struct Key {
    std::string id{};
    std::string text{};
  };
  struct NewTenant {
    std::string slug{};
    std::string tier{};
    std::string owner{};
    std::string limits_json = "{}";
    std::string metadata_json = "{}";
    std::string synthetic_until{};  ///< RFC 3339; empty: a tenant like any other (docs/runtime.md)
  };

  /// Any request, as it comes.
  [[nodiscard]] Result<HttpResponse> call(const std::string& method, const std::string& target,
                                          const std::string& body = {},
                                          std::chrono::seconds limit = usual_limit) const;
  /// The same, and anything but a 2xx answer is a failure.
  [[nodiscard]] Result<HttpResponse> require(const std::string& method, const std::string& target,
                                             const std::string& body = {}) const;

  [[nodiscard]] Result<Key> make_key(const std::string& slug, const std::string& name) const;
  /// Every key of that name that the tenant has.
  [[nodiscard]] Result<std::vector<std::string>> keys_named(const std::string& slug,
                                                            const std::string& name) const;
  [[nodiscard]] Result<void> delete_key(const std::string& slug, const std::string& id) const;
  /// Returns the id of the tenant.
  [[nodiscard]] Result<std::string> create(const NewTenant& tenant) const;
  struct Found {
    std::string id{};
    std::string limits_json{};  ///< what is in force: the tenant's own over its tier's
    std::string rate_json{};    ///< for `set_limits`: what its rate and burst are to be again
  };
  [[nodiscard]] Result<Found> find(const std::string& slug) const;
  /// Changes the limits that `limits_json` names; null withdraws what the operator said of one.
  [[nodiscard]] Result<void> set_limits(const std::string& slug,
                                        const std::string& limits_json) const;
  /// Fine when there is no such tenant.
  [[nodiscard]] Result<void> remove(const std::string& slug) const;
  [[nodiscard]] Result<std::string> snapshot(const std::string& slug) const;
  /// Fine when there is no such snapshot.
  [[nodiscard]] Result<void> delete_snapshot(const std::string& slug, const std::string& id) const;
  /// Fails when another deployment or instance answers than these, or none.
  [[nodiscard]] Result<void> must_be(const std::string& deployment,
                                     const std::string& instance) const;
  /// `seq` of the newest refusal; 0 when there is none.
  [[nodiscard]] Result<std::uint64_t> newest_refusal() const;
  /// Records after `after`, of all tenants, in order; reads every page.
  [[nodiscard]] Result<std::vector<AuditRecord>> refusals_after(std::uint64_t after) const;

 private:
  Endpoint endpoint_;
  std::string token_;
};

}  // namespace caisson::conformance
