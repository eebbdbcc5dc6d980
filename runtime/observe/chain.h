#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::observe {

/// Who did something. The kind is never taken from what a credential says of itself: a token whose
/// `sub` is `operator` is the actor `token:operator`.
struct Actor {
  enum class Kind : std::uint8_t {
    anonymous,      ///< nobody whose credential was verified
    token,          ///< `id` is its `sub`
    api_key,        ///< `id` is the key's id
    operator_,      ///< of the operator API
    configuration,  ///< what the configuration said at the start
    runtime,
  };
  Kind kind = Kind::anonymous;
  std::string_view id{};
};

/// `anonymous`, `operator`, `configuration`, `runtime`, `token:<sub>`, `api-key:<key id>`:
/// everything before the first colon is the kind, and only kinds with an id have one.
[[nodiscard]] std::string text(const Actor& actor);

/// Something that the audit log keeps. `tenant` is the slug and `tenant_id` the id that outlives
/// it; both are empty for what concerns no tenant.
struct AuditEvent {
  Actor actor{};
  std::string_view action{};  ///< `tenant.create`, `request.refuse`
  std::string_view tenant{};
  std::string_view tenant_id{};
  std::string_view request_id{};
  std::string_view outcome{};  ///< `intent`, `ok`, `refused`, `failed`
  std::string_view reason{};

  // What only some records have.
  std::string_view trace_id{};  ///< of the request's trace
  std::uint64_t intent = 0;     ///< seq of the intent that this is the outcome of
  std::uint64_t count = 0;      ///< of refusals that this record stands for
  std::string_view from{};      ///< time of the first of them
  std::string_view to{};        ///< time of the last of them
  std::string_view since{};     ///< since when such refusals have been counted, minute after minute
};

/// The outcome of a record that is written before what it announces begins.
inline constexpr std::string_view intent_outcome = "intent";

/// The last record of a chain; of an empty one, record 0 with a hash of zeros.
struct ChainEnd {
  std::uint64_t seq = 0;
  std::string hash = std::string(64, '0');

  friend bool operator==(const ChainEnd&, const ChainEnd&) = default;
};

/// The line, with its line feed, of `event` as the record after `end`, which moves on to it. The
/// record's `hash` is SHA-256, in hex, over the 64 characters of `prev` followed by the record's
/// canonical bytes: the line as written, without its `hash` member. Values are cut at 512 bytes.
[[nodiscard]] std::string chain_line(const AuditEvent& event, std::string_view time, ChainEnd& end);

/// One record as a verifier sees it.
struct ChainLink {
  std::uint64_t seq = 0;
  std::string_view prev;
  std::string_view hash;
};

/// The link of a line without its line feed; nothing when any byte of the line is not what was
/// written.
[[nodiscard]] std::optional<ChainLink> read_link(std::string_view line);

/// The `seq` that a line claims, unverified; nothing when it does not begin like a record.
[[nodiscard]] std::optional<std::uint64_t> claimed_seq(std::string_view line);

/// The `time` that a line claims, unverified; empty when it has none.
[[nodiscard]] std::string_view claimed_time(std::string_view line);

/// The members of a record that the runtime itself reads again; empty when the line is none.
struct AuditRecord {
  std::uint64_t seq = 0;
  std::string time;
  std::string action;
  std::string tenant;
  std::string tenant_id;
  std::string request_id;
  std::string outcome;
  std::string reason;
  std::uint64_t intent = 0;
};
[[nodiscard]] AuditRecord read_record(std::string_view line);

struct AuditVerification {
  std::uint64_t records = 0;  ///< intact ones, up to the first break
  bool valid = true;
  std::uint64_t broken_at =
      0;               ///< the record that is missing, changed or out of place; 0 when valid
  std::string reason;  ///< of the break

  // What the intact records cover; all 0 and empty without any.
  std::uint64_t first = 0;    ///< seq of the first
  std::string from;           ///< its time
  std::string to;             ///< time of the last
  std::uint64_t retired = 0;  ///< records before the first that were removed to keep the bound

  bool has_refusals = false;  ///< a log of refusals belongs to it
};

/// Follows a chain record by record and stops at the first break.
class ChainVerifier {
 public:
  /// The chain begins after `start`; without one, wherever its first record says.
  explicit ChainVerifier(std::optional<ChainEnd> start) : end_(std::move(start)) {}

  /// Takes the next line, without its line feed; false once the chain is broken.
  bool add(std::string_view line);
  void break_at(std::uint64_t seq, std::string reason);

  [[nodiscard]] const AuditVerification& result() const { return result_; }
  [[nodiscard]] const std::optional<ChainEnd>& end() const { return end_; }

 private:
  std::optional<ChainEnd> end_;
  AuditVerification result_;
};

}  // namespace caisson::observe
