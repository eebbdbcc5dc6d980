#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/scan/canary.h"
#include "conformance/stack/running.h"

namespace caisson::conformance {

/// Keeps one tenant's requests below its rate limit, so that probes see what they ask about and not
/// 429. Thread-safe.
class Pace {
 public:
  /// `per_second` 0: unlimited.
  Pace(double per_second, double burst);
  /// Returns when the next request may go.
  void wait();

 private:
  std::mutex mutex_;
  double interval_us_ = 0;
  double slack_us_ = 0;  ///< how far ahead of its time a request may go: the burst
  std::chrono::steady_clock::time_point next_;
};

/// A tenant under test, as attacker or as victim, with the credentials and canaries that the
/// harness gave it.
struct Actor {
  std::string slug{};
  std::string tier{};
  std::string isolation{};
  std::string host{};  ///< "<slug>.<domain>"
  const RunningInstance* instance = nullptr;
  bool synthetic = false;  ///< made for the run; may be thrown about
  std::string id{};        ///< tenant id
  std::string key_id{};
  std::string credential{};            ///< what it proves itself with: API key, else token
  bool by_token = false;               ///< the credential is a token
  std::string collection{};            ///< holds its records of this run
  std::vector<std::string> records{};  ///< ids
  std::vector<Canary> canaries{};
  std::shared_ptr<Pace> pace{};  ///< null: it may ask as fast as it can

  // Of the plan's own tenants, before the run changed anything.
  std::string limits_json{};    ///< the limits in force, as the operator API tells them
  std::string rate_json{};      ///< what gives it its rate back, once that was lifted
  std::string lifted_limits{};  ///< what it has during the run instead; empty when unchanged

  [[nodiscard]] const Canary& canary(std::string_view sink) const;
};

}  // namespace caisson::conformance
