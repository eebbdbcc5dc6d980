#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace caisson {
namespace {

/// Reads exactly `digits` decimal digits at `at`; -1 when they are not there.
int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// Minutes east of UTC of `Z`, `+hh:mm` or `-hh:mm`.
std::optional<int> offset_minutes(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int hours = number_at(text, 1, 2);
  const int minutes = number_at(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

void put(char* at, int value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::int64_t unix_ms_now() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::unix_ms() const noexcept { return unix_ms_now(); }

std::int64_t SystemClock::steady_ns() const noexcept {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string rfc3339(std::int64_t unix_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds{unix_ms}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> clock{time - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  put(&text[0], static_cast<int>(date.year()), 4);
  put(&text[5], static_cast<int>(static_cast<unsigned>(date.month())), 2);
  put(&text[8], static_cast<int>(static_cast<unsigned>(date.day())), 2);
  put(&text[11], static_cast<int>(clock.hours().count()), 2);
  put(&text[14], static_cast<int>(clock.minutes().count()), 2);
  put(&text[17], static_cast<int>(clock.seconds().count()), 2);
  put(&text[20], static_cast<int>(clock.subseconds().count()), 3);
  return text;
}

std::string rfc3339_seconds(std::int64_t unix_s) { return rfc3339(unix_s * 1000).erase(19, 4); }

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int y = number_at(text, 0, 4);
  const int mo = number_at(text, 5, 2);
  const int d = number_at(text, 8, 2);
  const int h = number_at(text, 11, 2);
  const int mi = number_at(text, 14, 2);
  const int s = number_at(text, 17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59) {
    return std::nullopt;
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return std::nullopt;

  std::size_t at = 19;
  int millis = 0;
  if (text[at] == '.') {
    const std::size_t end = text.find_first_not_of("0123456789", at + 1);
    if (end == std::string_view::npos || end == at + 1) return std::nullopt;
    int unit = 100;
    for (const char c : text.substr(at + 1, std::min<std::size_t>(end - at - 1, 3))) {
      millis += (c - '0') * unit;
      unit /= 10;
    }
    at = end;
  }
  const std::optional<int> offset = offset_minutes(text.substr(at));
  if (!offset) return std::nullopt;
  const auto time =
      sys_days{date} + hours{h} + minutes{mi - *offset} + seconds{s} + milliseconds{millis};
  // An offset can lead out of the years that can be written.
  if (time < sys_days{year{0} / 1 / 1} || time >= sys_days{year{10000} / 1 / 1}) {
    return std::nullopt;
  }
  return duration_cast<milliseconds>(time.time_since_epoch()).count();
}

}  // namespace caisson
