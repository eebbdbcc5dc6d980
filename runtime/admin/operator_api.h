#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "base/time.h"
#include "runtime/admin/workers.h"
#include "runtime/context/configuration.h"
#include "runtime/http/message.h"
#include "runtime/http/reply.h"
#include "runtime/http/visit.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/log.h"
#include "runtime/observe/metrics.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::admin {

struct Entry;

/// The operator API of docs/runtime.md. Everything but `GET /livez` answers to the operator's
/// bearer token alone. A call that changes something is in the audit log before it begins, and so
/// is its outcome before its answer leaves.
class OperatorApi {
 public:
  /// All outlive this.
  struct Services {
    const context::Configuration& configuration;
    const Clock& clock;
    const observe::Log& log;
    observe::Metrics& metrics;
    observe::Audit& audit;
    tenancy::Registry& registry;
    tenancy::Tenants& tenants;
    std::function<observe::ConnectionReadings()> connections;  ///< of the data listener
    /// Whether the tenants are as the tenants file says.
    std::function<bool()> tenants_current = [] { return true; };
    /// What the process allows a tenant at the most, whatever is said; none: no such bound.
    tenancy::Limits most{};
    std::size_t most_body = std::size_t{9} << 20;     ///< bytes of a call
    std::size_t most_import = std::size_t{32} << 20;  ///< bytes of an import of records
  };

  explicit OperatorApi(Services services);
  OperatorApi(const OperatorApi&) = delete;
  OperatorApi& operator=(const OperatorApi&) = delete;
  /// Answers what waits, then stops.
  ~OperatorApi() = default;

  /// Lets in, by its head alone, whoever has the operator's token, with as large a body as the
  /// call may have.
  [[nodiscard]] http::Admission admit(const http::Request& head);

  /// Answers at once what needs no disk (`/livez`, and whoever is refused), and the rest later, on
  /// threads of its own: calls that copy or read whole stores have threads apart from those of all
  /// other calls, and calls that change one tenant are done one after the other. 256 and 64 may
  /// wait; more are told to come back.
  void handle(http::Request&& request, http::Reply&& reply);

  /// Answers now, on the calling thread.
  [[nodiscard]] http::Response answer(const http::Request& request);

 private:
  class Visitor;
  /// The answer to a request that needs the operator's token and has it not; of its head alone.
  [[nodiscard]] std::optional<http::Response> refuse_stranger(const http::Request& head) const;
  /// A request that may be answered, and what it asks for.
  struct Asked {
    std::string request_id;
    const Entry* entry = nullptr;
    std::string slug;  ///< of the path
    std::string id;    ///< second part of the path that varies
  };

  /// What is asked for, or the answer that needs no disk.
  [[nodiscard]] tl::expected<Asked, http::Response> read(const http::Request& request) const;
  [[nodiscard]] http::Response perform(const http::Request& request, const Asked& asked);

  Services services_;
  const std::shared_ptr<Visitor> caller_;
  const std::shared_ptr<Visitor> importer_;
  const std::int64_t started_ns_;
  Workers workers_;
};

}  // namespace caisson::admin
