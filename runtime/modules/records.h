#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/operations.h"
#include "runtime/observe/faults.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// A request to the records API, as far as it matters here: its credential has the scope of its
/// operation. Views outlive the call.
struct RecordsRequest {
  std::string_view method;
  std::string_view path;   ///< still percent-encoded, from "/v1/" on
  api::Call call;          ///< what method and path ask for: an operation of this module
  std::string_view query;  ///< still percent-encoded
  std::string_view body;
  std::string_view content_type;
  std::optional<std::string_view> if_match;
  std::optional<std::string_view> if_none_match;
  std::optional<std::string_view> idempotency_key;
  std::span<const std::string> scopes;  ///< that the credential has
  std::int64_t now_ms = 0;              ///< Unix time
};

/// The answer: a body, or the code of a problem (docs/runtime.md, "Errors") for the server to
/// dress.
struct RecordsAnswer {
  int status = 200;
  std::string body;     ///< application/json
  std::string problem;  ///< code; empty when all went well
  std::string detail;
  observe::Faults faults;  ///< of the body or the parameters
  std::string etag;
  std::string location;
  bool replayed = false;  ///< an Idempotency-Key's stored answer
};

/// The built-in module `records`: JSON values in collections. Stateless but for the key that
/// authenticates cursors. Thread-safe.
class Records {
 public:
  explicit Records(std::string cursor_key) : cursor_key_(std::move(cursor_key)) {}

  /// The schema of a tenant's store.
  [[nodiscard]] static std::span<const storage::Migration> schema();
  [[nodiscard]] static storage::Access access(const RecordsRequest& request);

  /// Answers `request` on `store`; may be called again for the same request after an undo.
  [[nodiscard]] RecordsAnswer handle(const RecordsRequest& request,
                                     storage::TenantStore& store) const;

 private:
  std::string cursor_key_;
};

}  // namespace caisson::modules
