#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/context/request_context.h"
#include "runtime/http/socket.h"
#include "runtime/policy/limiter.h"

namespace caisson::watch {

class Feeds;
struct Feed;

/// Why a watch ends, beside the codes of RFC 6455; docs/runtime.md, "Watch".
namespace close_code {
inline constexpr std::uint16_t credential = 4401;  ///< expired or revoked
inline constexpr std::uint16_t suspended = 4403;   ///< the tenant is
inline constexpr std::uint16_t deleted = 4410;     ///< the tenant is
}  // namespace close_code

/// Who watches what.
struct Terms {
  tenancy::TenantPtr tenant;
  std::shared_ptr<const context::Caller> caller;
  std::uint64_t generation = 0;  ///< of the keys that verified the caller's token
  std::string request_id;
  std::vector<std::string> collections;  ///< empty: all
  std::optional<std::uint64_t> after;    ///< resume behind this change
  policy::SocketPermit permit;
};

/// One tenant's change feed on one WebSocket. It has a place in the feed and fetches what follows
/// as its peer takes it; it has no queue and holds no store. Made by `Feeds`, which outlives it.
class Watcher final : public http::SocketHandler {
 public:
  Watcher(Feeds& feeds, std::shared_ptr<Feed> feed, Terms terms);
  ~Watcher() override;

  [[nodiscard]] const Terms& terms() const { return terms_; }

  void opened(std::shared_ptr<http::SocketWaker> waker) override;
  std::optional<std::string> next() override;
  std::optional<http::SocketClose> ending() override;
  std::optional<http::SocketClose> message(std::string_view bytes, bool text) override;
  void closed(std::uint16_t code) noexcept override;

 private:
  friend class Feeds;

  Feeds& feeds_;
  const std::shared_ptr<Feed> feed_;
  const Terms terms_;
  std::atomic<bool> ends_ = false;  ///< `ending_` is set
  bool ours_ = false;               ///< the end was asked for here; of the loop's thread

  // With the feed's mutex.
  std::shared_ptr<http::SocketWaker> waker_;
  std::optional<http::SocketClose> ending_;
  std::uint64_t place_ = 0;  ///< sequence of the next change to look at
  bool announce_ = true;     ///< say where we are before any change
  bool gap_ = false;         ///< and that changes may be missing
};

}  // namespace caisson::watch
