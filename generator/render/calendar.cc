#include "generator/render/calendar.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace caisson::render {

namespace {

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The parts of `text` between the separators, without empty ones.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// Which values of `low` to `high` a field names, by value.
std::vector<bool> chosen(std::string_view field, int low, int high) {
  std::vector<bool> values(static_cast<std::size_t>(high) + 1, false);
  for (const auto part : split(field, ',')) {
    const auto slash = part.find('/');
    const auto range = part.substr(0, slash);
    const bool stepped = slash != std::string_view::npos;
    const auto dash = range.find('-');
    int first = low;
    int last = high;
    if (range != "*") {
      first = number(range.substr(0, dash));
      // `5/15` is from 5 on.
      if (dash != std::string_view::npos) {
        last = number(range.substr(dash + 1));
      } else if (!stepped) {
        last = first;
      }
    }
    const int step = stepped ? number(part.substr(slash + 1)) : 1;
    for (int value = first; value <= last; value += step) {
      values[static_cast<std::size_t>(value)] = true;
    }
  }
  return values;
}

/// The chosen values as `*`, or a list of values and `a..b` (or what is said for ".."), as `name`
/// writes each.
template <class Name>
std::string listed(const std::vector<bool>& values, std::size_t low, const Name& name,
                   std::string_view to = "..") {
  std::string out;
  const bool every = std::all_of(values.begin() + static_cast<std::ptrdiff_t>(low), values.end(),
                                 [](bool one) { return one; });
  if (every) return "*";
  for (std::size_t first = low; first < values.size(); ++first) {
    if (!values[first]) continue;
    auto last = first;
    while (last + 1 < values.size() && values[last + 1]) ++last;
    if (!out.empty()) out += ',';
    out += name(first);
    if (last > first) out += std::string(last == first + 1 ? "," : to) + name(last);
    first = last;
  }
  return out;
}

std::string two_digits(std::size_t value) {
  auto text = std::to_string(value);
  return text.size() == 1 ? "0" + text : text;
}

std::string weekday(std::size_t value) {
  constexpr std::array<std::string_view, 7> names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  return std::string(names.at(value));
}

/// The chosen days of the week, of which cron's day `first` is the first; Sunday is 0 and 7.
std::vector<bool> days_of_week(std::string_view field, std::size_t first) {
  const auto cron = chosen(field, 0, 7);
  std::vector<bool> days(7, false);
  for (std::size_t day = 0; day < cron.size(); ++day) {
    if (cron[day]) days[(day + 7 - first) % 7] = true;
  }
  return days;
}

/// crontab(5): a field that begins with `*` restricts together with the other, else either is
/// enough.
bool is_either(const std::vector<std::string_view>& fields) {
  return !fields.at(2).starts_with('*') && !fields.at(4).starts_with('*');
}

}  // namespace

std::vector<std::string> calendar_events(std::string_view cron) {
  const auto fields = split(cron, ' ');
  const auto part = [&](std::size_t field, int low, int high) {
    return listed(chosen(fields.at(field), low, high), static_cast<std::size_t>(low), two_digits);
  };
  const auto time = " " + part(1, 0, 23) + ":" + part(0, 0, 59) + ":00 UTC";
  const auto day = part(2, 1, 31);
  const auto month = part(3, 1, 12);
  const auto of_week = listed(days_of_week(fields.at(4), 1), 0, weekday);
  const auto event = [&](const std::string& days_of_week, const std::string& day_of_month) {
    return (days_of_week == "*" ? std::string{} : days_of_week + " ") + "*-" + month + "-" +
           day_of_month + time;
  };
  if (!is_either(fields)) return {event(of_week, day)};
  if (day == "*" || of_week == "*") return {event("*", "*")};
  return {event("*", day), event(of_week, "*")};
}

std::string kubernetes_schedule(std::string_view cron) {
  const auto fields = split(cron, ' ');
  const auto number_text = [](std::size_t value) { return std::to_string(value); };
  const auto part = [&](std::size_t field, int low, int high) {
    return listed(chosen(fields.at(field), low, high), static_cast<std::size_t>(low), number_text,
                  "-");
  };
  auto day = part(2, 1, 31);
  auto of_week = listed(days_of_week(fields.at(4), 0), 0, number_text, "-");
  // Every day is one that is enough, and beside `*` the other would restrict.
  if (is_either(fields) && (day == "*" || of_week == "*")) day = of_week = "*";
  return part(0, 0, 59) + " " + part(1, 0, 23) + " " + day + " " + part(3, 1, 12) + " " + of_week;
}

}  // namespace caisson::render
