#include "runtime/modules/idempotency.h"

#include "base/digest.h"
#include "runtime/modules/answer.h"

namespace caisson::modules {
namespace {

/// Two requests are the same when everything that decides about their effect is.
std::string fingerprint_of(const RecordsRequest& request) {
  std::string text;
  for (const auto part : {request.method, request.path, request.query,
                          request.if_match.value_or(std::string_view()), request.body}) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  return bytes_of(sha256(text));
}

}  // namespace

std::optional<RecordsAnswer> recall_answer(const RecordsRequest& request,
                                           storage::TenantStore& store) {
  auto row = store.prepare(
      "SELECT fingerprint,status,body,etag,location FROM idempotency WHERE key=? AND created>?");
  row.text(*request.idempotency_key).integer(request.now_ms - idempotency_lifetime_ms);
  if (!row.step()) return std::nullopt;
  if (row.blob_at(0) != fingerprint_of(request)) {
    return problem("idempotency-mismatch",
                   "this Idempotency-Key was used for another request; use a new key");
  }
  return RecordsAnswer{.status = static_cast<int>(row.integer_at(1)),
                       .body = std::string(row.text_at(2)),
                       .etag = std::string(row.text_at(3)),
                       .location = std::string(row.text_at(4)),
                       .replayed = true};
}

void remember_answer(const RecordsRequest& request, const RecordsAnswer& answer,
                     storage::TenantStore& store) {
  const auto oldest = request.now_ms - idempotency_lifetime_ms;
  // The key itself may have an expired answer, which must go now; of the others some.
  store
      .prepare(
          "DELETE FROM idempotency WHERE key IN("
          "SELECT key FROM idempotency WHERE created<=? ORDER BY created LIMIT 16)")
      .integer(oldest)
      .run();
  const auto fingerprint = fingerprint_of(request);
  store
      .prepare(
          "INSERT OR REPLACE INTO idempotency(key,fingerprint,created,status,body,etag,location) "
          "VALUES(?,?,?,?,?,?,?)")
      .text(*request.idempotency_key)
      .blob(fingerprint)
      .integer(request.now_ms)
      .integer(answer.status)
      .text(answer.body)
      .text(answer.etag)
      .text(answer.location)
      .run();
}

}  // namespace caisson::modules
