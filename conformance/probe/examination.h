#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/probe/arena.h"
#include "conformance/verdict/result.h"

namespace caisson::conformance {

/// One attack of a probe: what is sent, and what a standing wall answers.
struct Attack {
  std::string step{};  ///< for the report: "GET a record of initech"
  HttpRequest request{};
  Way way = Way::direct;
  const RunningInstance* at = nullptr;  ///< null: the attacker's own instance
  /// "403 tenant-mismatch"; any of them is the expected refusal. `no_route` where there is none.
  std::vector<std::string> refusals{};
  /// What the audit log says of why, where the answer does not tell: "the key was revoked"; any.
  std::vector<std::string> causes{};
  std::optional<HttpRequest>
      ghost{};       ///< the same for an id that never existed; answers must be equal
  std::string id{};  ///< the id in `request` that `ghost_id` stands for
  std::string ghost_id{};
  bool success_is_leak =
      true;  ///< a 2xx answer means that the wall is down (else only that a pass is not earned)
};

/// One attacker, one victim, one probe. Collects observations and turns them into a verdict: a PASS
/// only when the victim was served before and after, every refusal was the expected one, nothing
/// foreign was received, the victim's state is unchanged and every refusal that must be is in the
/// audit log.
class Examination {
 public:
  Examination(const Arena& arena, const Actor& attacker, const Actor& victim);

  [[nodiscard]] const Arena& arena() const { return arena_; }
  [[nodiscard]] const Actor& attacker() const { return attacker_; }
  [[nodiscard]] const Actor& victim() const { return victim_; }
  [[nodiscard]] bool same_instance() const { return attacker_.instance == victim_.instance; }

  /// Sends the attack and judges the answer. Returns it for further looks (nullopt: none came).
  std::optional<HttpResponse> attack(const Attack& attack);

  /// A request that the attacker may make: must succeed, act as the attacker and show nothing
  /// foreign.
  std::optional<HttpResponse> own(const std::string& step, const HttpRequest& request,
                                  Way way = Way::direct);

  /// Judges an answer that `attack` could not get: it must be the refusal `expected`, which is
  /// looked up in the audit log when it belongs there.
  void refusal(const std::string& step, const HttpResponse& response, const std::string& expected);

  /// Judges bytes that the attacker received otherwise: LEAK when any foreign canary is in them.
  void received(const std::string& step, std::string_view bytes);

  /// A fact that must hold; `verdict` when it does not.
  void expect(const std::string& step, bool holds, const std::string& expected,
              const std::string& observed, Verdict otherwise = Verdict::leak);

  /// The same of an answer: INCONCLUSIVE, not LEAK, when none came.
  void expect_of(const std::string& step, const Result<HttpResponse>& answer, bool holds,
                 const std::string& expected);

  /// The answer to a request that `actor` made with its own credential must be its own. LEAK when
  /// it is another's; INCONCLUSIVE when there is none or nobody was there to give one (`unserved`).
  void expect_own(const std::string& step, const Actor& actor, const Result<HttpResponse>& answer);

  void leak(const std::string& step, const std::string& expected, const std::string& observed);
  void inconclusive(const std::string& reason);
  /// This pair has no such surface; nothing more is judged.
  void skip(const std::string& reason);
  /// Another thing was tried that counts as an observation.
  void count(std::uint64_t observations = 1) { cell_.observations += observations; }

  /// The victim's own request succeeds and shows its canary; the state is as before. Called by the
  /// runner before and after; probes that need it in between call it themselves.
  bool control();
  /// The victim's state, as the victim sees it: SHA-256 over its records of this run and its
  /// collections.
  [[nodiscard]] std::string state() const;
  void begin();
  void finish();
  /// The victim's state may change in this probe (the probe judges it itself).
  void ignore_state() { check_state_ = false; }

  [[nodiscard]] const Cell& cell() const { return cell_; }
  [[nodiscard]] const Cell& control_cell() const { return control_; }

  /// The refusals that a request of the attacker naming the victim must get at `at`.
  [[nodiscard]] std::vector<std::string> refusals_at(const RunningInstance* at) const;

 private:
  void note(Evidence evidence);
  /// The foreign canaries in what the attacker received, as text; empty for none.
  [[nodiscard]] std::string foreign_in(std::string_view bytes) const;
  /// How a report calls a tenant: no customer of a deployment in use is named.
  [[nodiscard]] std::string shown(const std::string& tenant) const;
  void judge(const Attack& attack, const HttpResponse& response);
  void compare_with_ghost(const Attack& attack, const HttpResponse& response);

  const Arena& arena_;
  const Actor& attacker_;
  const Actor& victim_;
  Cell cell_;
  Cell control_;
  std::string state_before_;
  bool check_state_ = true;
  bool skipped_ = false;
  std::vector<Refused> must_be_audited_;
};

/// A 404 of a runtime's router: nobody looked for anything, so that it is no refusal of a record.
inline constexpr std::string_view no_route = "404 not-found, no such route";

/// "403 tenant-mismatch"; `no_route` when the router said it.
[[nodiscard]] std::string answer_of(const HttpResponse& response);

/// Whether an answer only says that nobody served the request just then (429, 502, 503, 504): it
/// tells nothing of any wall.
[[nodiscard]] bool unserved(const HttpResponse& response);

/// A response as it looks to somebody who must not learn which id was asked for: without dates,
/// request ids and quota counters, with `id` replaced.
[[nodiscard]] std::string indistinct(const HttpResponse& response, std::string_view id);

}  // namespace caisson::conformance
