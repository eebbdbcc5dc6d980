#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace caisson::observe {

enum class Level : std::uint8_t { trace, debug, info, warn, error };

struct LogField {
  std::string_view key;  ///< a literal: [a-z_]+
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

/// The structured log: one JSON object a line, one write(2) a line.
///
///   {"time":"...","level":"info","instance":"runtime","message":"listening","address":"127.0.0.1:8080"}
///
/// String values are escaped and cut at 512 bytes, a line carries at most 24 fields: no value can
/// forge a field or a line, and a line is at most 64 KiB. Secrets never go in; callers log ids of
/// keys, not keys. Safe to use from every thread. Passed to whoever logs; there is no global one.
class Log {
 public:
  /// Writes to `fd`, which must outlive the log. `instance` is copied into every line.
  Log(int fd, Level level, std::string_view instance, const Clock& clock);

  [[nodiscard]] bool enabled(Level level) const noexcept { return level >= level_; }

  void write(Level level, std::string_view message,
             std::initializer_list<LogField> fields = {}) const noexcept;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept {
    write(Level::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept {
    write(Level::info, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept {
    write(Level::warn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const noexcept {
    write(Level::error, message, fields);
  }

 private:
  /// Of this thread, until its next line.
  [[nodiscard]] std::string_view text_of(Level level, std::string_view message,
                                         std::initializer_list<LogField> fields) const;

  int fd_;
  Level level_;
  std::string instance_;  ///< already JSON text
  const Clock& clock_;
};

/// The level of that name (`info`), as `log.level` of the configuration spells it.
[[nodiscard]] std::string_view name(Level level) noexcept;

}  // namespace caisson::observe
