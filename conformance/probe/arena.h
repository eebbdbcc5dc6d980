#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/journal/journal.h"
#include "conformance/probe/actor.h"
#include "conformance/probe/operator_api.h"
#include "conformance/scan/scanner.h"
#include "conformance/stack/running.h"
#include "conformance/wire/http.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

/// Which way a request takes to the data API.
enum class Way : std::uint8_t {
  direct,  ///< straight to an instance's data listener
  edge,    ///< through the edge, by host
};

/// A refusal that has to be in the audit log, and what its record has to say.
struct Refused {
  std::string request_id;
  std::string problem;  ///< `tenant-mismatch`
  /// What may stand behind it, where one answer has many causes: "the key was revoked". Any text
  /// when empty.
  std::vector<std::string> causes{};
  std::string tenant{};  ///< the only one that it may name; empty: whichever
};

/// Everything that probes share in one run: the plan they take their expectations from, the stack
/// they attack, the tenants, and the scanner that knows every canary. Immutable while probes run,
/// except for counters and caches that guard themselves.
class Arena {
 public:
  Arena(const plan::Plan& plan, const RunningStack& stack, std::string run, int level,
        Journal& journal);

  [[nodiscard]] const plan::Plan& plan() const { return plan_; }
  [[nodiscard]] const RunningStack& stack() const { return stack_; }
  [[nodiscard]] const std::string& run() const { return run_; }
  [[nodiscard]] int level() const { return level_; }
  [[nodiscard]] Journal& journal() const { return journal_; }
  [[nodiscard]] const std::vector<Actor>& actors() const { return actors_; }
  [[nodiscard]] const Scanner& scanner() const { return *scanner_; }

  /// Sets the tenants under test and builds the scanner over their canaries and the stack's
  /// secrets.
  void enrol(std::vector<Actor> actors);

  /// Leaves out what is in the audit logs by now: nothing of it is the run's.
  [[nodiscard]] Result<void> skip_refusals();

  /// The ordered pairs (attacker, victim) that probes run on: one for every way in which two
  /// tenants can be placed.
  [[nodiscard]] std::vector<std::pair<const Actor*, const Actor*>> pairs() const;

  [[nodiscard]] OperatorApi operator_of(const RunningInstance& instance) const;
  [[nodiscard]] const RunningInstance* shared_instance() const;

  /// Sends one request. The endpoint is the edge, or `at` (the actor's own instance when null).
  /// Waits out 429 unless `keep_429`; `actor` may be null for a caller without a tenant.
  [[nodiscard]] Result<HttpResponse> send(const Actor* actor, HttpRequest request, Way way,
                                          const RunningInstance* at = nullptr,
                                          bool keep_429 = false) const;

  /// A request of `actor` with its credential and host.
  [[nodiscard]] HttpRequest request_of(const Actor& actor, std::string method, std::string target,
                                       std::string body = {}) const;

  /// What is wrong with the record of a refusal in the audit log of any instance, empty when it
  /// says what it has to: with this request id, or a count of such refusals that covers its time
  /// and has room for it. Waits at most two seconds.
  [[nodiscard]] std::string wrong_in_audit(const Refused& refused) const;

  /// Removes every credential and secret that the harness knows from a text that goes into a
  /// report.
  [[nodiscard]] std::string redact(std::string text) const;
  /// For credentials made inside a probe.
  void remember_secret(const std::string& secret) const;

  /// A token for a tenant, signed with the stack's key; further claims and header members as JSON
  /// fragments
  /// (`,"a":1`). Empty without tokens.
  struct TokenParts {
    std::string tenant{};
    std::string issuer{};    ///< default: the plan's
    std::string audience{};  ///< default: the plan's
    std::int64_t expires_in = 600;
    std::string header_extra{};
    std::string claims_extra{};
  };
  [[nodiscard]] std::string token(const TokenParts& parts) const;
  [[nodiscard]] std::string token_header() const;
  [[nodiscard]] std::string token_claims(const TokenParts& parts) const;
  [[nodiscard]] bool has_tokens() const { return plan_.auth.tokens && !stack_.signing_key.empty(); }

  /// "cz<run>-<suffix>", and another for every further tenant of that suffix: a probe may be run
  /// again.
  [[nodiscard]] std::string new_slug(const std::string& suffix) const;

  void count_scanned(std::uint64_t bytes) const { scanned_ += bytes; }
  [[nodiscard]] std::uint64_t scanned() const { return scanned_; }

 private:
  struct AuditCache {
    std::mutex mutex;
    std::map<std::string, std::uint64_t> last_seq;
    std::map<std::string, AuditRecord> records;  ///< by request id
    std::vector<AuditRecord> counts;             ///< each `count` is how many more it may cover
  };
  /// Reads what is new in the audit logs. With the cache's mutex.
  void read_refusals() const;

  const plan::Plan& plan_;
  const RunningStack& stack_;
  std::string run_;
  int level_;
  Journal& journal_;
  std::vector<Actor> actors_;
  std::unique_ptr<Scanner> scanner_;
  std::unique_ptr<AuditCache> audit_;
  mutable std::mutex slugs_mutex_;
  mutable std::map<std::string, int> slugs_;  ///< how many tenants were made of each suffix
  mutable std::mutex secrets_mutex_;
  mutable std::vector<std::string> secrets_;
  mutable std::atomic<std::uint64_t> scanned_{0};
};

}  // namespace caisson::conformance
