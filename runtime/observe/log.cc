#include "runtime/observe/log.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <new>

#include <unistd.h>

#include "base/json_text.h"

namespace caisson::observe {
namespace {

constexpr std::size_t field_bytes = 512;
constexpr std::size_t max_fields = 24;
constexpr std::string_view no_memory =
    "{\"level\":\"error\",\"message\":\"a line of the log is missing: no memory\"}\n";
constexpr std::array<std::string_view, 5> level_names{"trace", "debug", "info", "warn", "error"};

struct AppendValue {
  std::string& out;

  void operator()(std::string_view text) const { append_json_string(out, text, field_bytes); }
  void operator()(std::int64_t number) const { append_number(number); }
  void operator()(bool truth) const { out += truth ? "true" : "false"; }
  void operator()(double number) const {
    if (std::isfinite(number)) {
      append_number(number);
    } else {
      out += "null";
    }
  }

  template <class Number>
  void append_number(Number number) const {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
  }
};

void write_line(int fd, std::string_view line) noexcept {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return;  // nowhere left to report that the log is gone
    }
  }
}

}  // namespace

std::string_view name(Level level) noexcept { return level_names[static_cast<std::size_t>(level)]; }

Log::Log(int fd, Level level, std::string_view instance, const Clock& clock)
    : fd_(fd), level_(level), clock_(clock) {
  append_json_string(instance_, instance, field_bytes);
}

void Log::write(Level level, std::string_view message,
                std::initializer_list<LogField> fields) const noexcept {
  if (!enabled(level)) return;
  try {
    write_line(fd_, text_of(level, message, fields));
  } catch (const std::bad_alloc&) {
    write_line(fd_, no_memory);
  }
}

std::string_view Log::text_of(Level level, std::string_view message,
                              std::initializer_list<LogField> fields) const {
  thread_local std::string line;
  line.assign(R"({"time":")");
  line += rfc3339(clock_.unix_ms());
  line += R"(","level":")";
  line += name(level);
  line += R"(","instance":)";
  line += instance_;
  line += R"(,"message":)";
  append_json_string(line, message, field_bytes);
  std::size_t count = 0;
  for (const LogField& field : fields) {
    if (++count > max_fields) break;
    line += ',';
    append_json_string(line, field.key, field_bytes);
    line += ':';
    std::visit(AppendValue{line}, field.value);
  }
  line += "}\n";
  return line;
}

}  // namespace caisson::observe
