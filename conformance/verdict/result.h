#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conformance/verdict/verdict.h"

namespace caisson::conformance {

/// Columns of the truth table: what one tenant could reach of another.
enum class Resource : std::uint8_t {
  identity,
  records,
  files,
  process,
  network,
  secrets,
  cache,
  observability,
  noise,
  lifecycle,
  side_channel,
  supply,
};

[[nodiscard]] std::string_view name_of(Resource resource);

/// One thing that was tried, with what should and what did come back. Excerpts carry no
/// credentials.
struct Evidence {
  std::string step{};      ///< "GET a record of initech with globex's key"
  std::string expected{};  ///< "404 not-found"
  std::string observed{};  ///< "404 not-found"
  std::string sent{};      ///< excerpt of what was sent; may be empty
  std::string received{};  ///< excerpt of what came back; may be empty
  Verdict verdict = Verdict::pass;
};

/// What one tenant (`accessor`) got of another's (`owner`) resource; the two are equal for the
/// positive controls. `observations` is N: how often it was tried.
struct Cell {
  std::string accessor{};
  std::string owner{};
  Verdict verdict = Verdict::not_applicable;
  /// What the owner could do itself: when it could not, nothing was shown; when it could, nothing
  /// was attacked by that.
  bool control = false;
  /// LEAK for nothing but that the owner's state changed meanwhile, which may be another probe's.
  bool aftermath = false;
  std::string reason{};  ///< why the verdict is not PASS, or why the probe does not apply
  std::uint64_t observations = 0;
  std::vector<Evidence> evidence{};
};

/// The outcome of one probe over every pair of tenants it was run on.
struct ProbeResult {
  std::string id{};  ///< stable, "DB1"
  std::string title{};
  Resource resource = Resource::records;
  int level = 1;
  Verdict verdict = Verdict::not_applicable;
  std::string reason{};
  bool retried = false;         ///< an INCONCLUSIVE first run was repeated
  std::int64_t started_us = 0;  ///< since the start of the run
  std::int64_t elapsed_us = 0;
  std::vector<Cell> cells{};

  /// What was tried against others, without the controls.
  [[nodiscard]] std::uint64_t attempts() const;
  /// It leaked, and saw nothing of its own that did.
  [[nodiscard]] bool is_aftermath() const;
};

/// One tenant as the run saw it.
struct ReportedTenant {
  std::string slug{};
  std::string tier{};
  std::string instance{};
  std::string isolation{};
  bool synthetic = false;  ///< made for the run, gone after it
};

/// Everything a run found; every report format derives from it.
struct RunReport {
  std::string run{};  ///< run id, on everything the run created
  std::string deployment{};
  std::string version{};  ///< of the deployment
  std::string environment{};
  std::string target{};
  std::string attached{};  ///< path of the site.json that led to it; empty: a stack of the harness
  std::string tool_version{};
  std::string plan_digest{};  ///< SHA-256 of what expectations were derived from
  int level = 1;
  std::string started{};  ///< RFC 3339, UTC
  std::int64_t elapsed_us = 0;
  std::vector<ReportedTenant> tenants{};
  std::vector<ProbeResult> probes{};
  std::uint64_t scanned_bytes = 0;   ///< bytes searched for canaries
  std::uint64_t canaries = 0;        ///< patterns planted
  std::vector<std::string> notes{};  ///< what was not verified, and why
  bool require_all = false;          ///< what was not tested fails the run

  [[nodiscard]] Verdict verdict() const;
  /// As `conformance::exit_status`, and 2 when all had to be tested and not all was.
  [[nodiscard]] int exit_status() const;
  [[nodiscard]] std::size_t count(Verdict verdict) const;
  /// Those of the verdict; what has a cause of its own comes before its aftermath in others.
  [[nodiscard]] std::vector<const ProbeResult*> with(Verdict verdict) const;
  /// Attempts by family, "DB". What shows that the scanner sees is none.
  [[nodiscard]] std::map<std::string, std::uint64_t> attempts() const;
};

/// The 95 % upper bound on the rate of an event never seen in `n` tries: 3/n ("rule of three"); 1
/// for 0.
[[nodiscard]] double rule_of_three(std::uint64_t n);

}  // namespace caisson::conformance
