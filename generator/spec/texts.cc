// Texts: free text, paths, digests, dates, schedules, pointers, environment values.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/suggestion.h"
#include "generator/spec/scalars.h"

namespace caisson::spec {
namespace {

constexpr std::size_t longest_text = 4096;

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<int> small_number(std::string_view text) {
  int value = 0;
  if (!is_digits(text) || text.size() > 4) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Parsed<std::string> parse_text(std::string_view text) {
  if (text.empty()) return tl::unexpected<std::string>("it is empty; leave the key out instead");
  if (has_control(text)) return tl::unexpected<std::string>("one line without control characters");
  if (text.size() > longest_text) return tl::unexpected<std::string>("at most 4096 bytes");
  return std::string(text);
}

Parsed<std::string> parse_path(std::string_view text) {
  if (text.starts_with('/'))
    return tl::unexpected<std::string>("write a path relative to the spec");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    if (rest.substr(0, slash) == "..")
      return tl::unexpected<std::string>("'..' would leave the folder of the spec");
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return parse_text(text);
}

Parsed<std::string> parse_absolute_path(std::string_view text) {
  if (!text.starts_with('/'))
    return tl::unexpected<std::string>("write an absolute path as /var/lib/app");
  if (text.find("/../") != std::string_view::npos || text.ends_with("/.."))
    return tl::unexpected<std::string>("write it without '..'");
  // Compose, Kubernetes and systemd all end a path there.
  if (text.find(':') != std::string_view::npos)
    return tl::unexpected<std::string>("write it without ':', which no target can mount");
  // PATH_MAX and NAME_MAX of Linux: systemd leaves out what is longer, with no more than a warning.
  for (std::size_t at = 0, slash = 0; at < text.size(); at = slash) {
    slash = std::min(text.find('/', at + 1), text.size());
    if (text.size() > 4095 || slash - at > 256)
      return tl::unexpected<std::string>("write at most 4095 bytes, and 255 between two '/'");
  }
  return parse_text(text);
}

Parsed<std::string> parse_route(std::string_view text) {
  if (!text.starts_with('/') || text.find(' ') != std::string_view::npos)
    return tl::unexpected<std::string>("write the path of a URL as /healthz");
  return parse_text(text);
}

Parsed<std::string> parse_url(std::string_view text) {
  const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  if (scheme == 0)
    return tl::unexpected<std::string>("write a URL that starts with https:// or http://");
  const std::string_view host = text.substr(scheme, text.find_first_of("/?#", scheme) - scheme);
  if (host.empty() || text.find(' ') != std::string_view::npos)
    return tl::unexpected<std::string>("write a URL as https://id.example.com/");
  if (host.find('@') != std::string_view::npos)
    return tl::unexpected<std::string>("a URL holds no user or password here; use a secret");
  return parse_text(text);
}

Parsed<std::string> parse_location(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return parse_text(text);
  const std::string_view rest = text.substr(scheme + 3);
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos)
    return tl::unexpected<std::string>("a URL holds no user or password here; use a secret");
  return parse_text(text);
}

Parsed<std::string> parse_jwks(std::string_view text) {
  return text.find("://") == std::string_view::npos ? parse_path(text) : parse_url(text);
}

Parsed<std::string> parse_sha256(std::string_view text) {
  const bool hex = std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (hex && text.size() == 64) return std::string(text);
  if (text.starts_with("sha256:")) return tl::unexpected<std::string>("write the 64 digits alone");
  return tl::unexpected<std::string>(
      "write 64 hexadecimal digits in lower case, as sha256sum prints them");
}

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

Parsed<std::string> parse_date(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const auto year = small_number(text.substr(0, 4));
    const auto month = small_number(text.substr(5, 2));
    const auto day = small_number(text.substr(8, 2));
    if (year && month && day && *month >= 1 && *month <= 12 && *day >= 1 &&
        *day <=
            days[static_cast<std::size_t>(*month - 1)] + (*month == 2 && is_leap(*year) ? 1 : 0)) {
      return std::string(text);
    }
    return tl::unexpected<std::string>("there is no such day");
  }
  return tl::unexpected<std::string>("write a date as 2027-01-31");
}

// One field of a cron line: lists of `*`, `a`, `a-b`, each with an optional `/step`.
bool is_cron_field(std::string_view field, int low, int high) {
  for (;;) {
    const std::size_t comma = field.find(',');
    std::string_view part = field.substr(0, comma);
    if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
      const auto step = small_number(part.substr(slash + 1));
      if (!step || *step < 1 || *step > high) return false;
      part = part.substr(0, slash);
    }
    if (part != "*") {
      const std::size_t dash = part.find('-');
      const auto from = small_number(part.substr(0, dash));
      const auto to = dash == std::string_view::npos ? from : small_number(part.substr(dash + 1));
      if (!from || !to || *from < low || *to > high || *from > *to) return false;
    }
    if (comma == std::string_view::npos) return true;
    field.remove_prefix(comma + 1);
  }
}

/// Whether a field that is right includes `number`.
bool has(std::string_view field, int number) {
  for (;;) {
    const std::size_t comma = field.find(',');
    std::string_view part = field.substr(0, comma);
    int step = 1;
    if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
      step = *small_number(part.substr(slash + 1));
      part = part.substr(0, slash);
    }
    if (part == "*") {
      if ((number - 1) % step == 0) return true;  // days and months begin with 1
    } else {
      const std::size_t dash = part.find('-');
      const int from = *small_number(part.substr(0, dash));
      const int to = dash == std::string_view::npos ? from : *small_number(part.substr(dash + 1));
      if (number >= from && number <= to && (number - from) % step == 0) return true;
    }
    if (comma == std::string_view::npos) return false;
    field.remove_prefix(comma + 1);
  }
}

/// Whether any of the days is in any of the months, in some year.
bool ever_comes(std::string_view days, std::string_view months) {
  constexpr std::array<int, 12> most{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month) {
    if (!has(months, month)) continue;
    for (int day = 1; day <= most[static_cast<std::size_t>(month - 1)]; ++day) {
      if (has(days, day)) return true;
    }
  }
  return false;
}

Parsed<std::string> parse_cron(std::string_view text) {
  constexpr std::string_view form =
      "write five fields: minute, hour, day, month, day of the week, as \"0 3 * * *\"";
  if (text.find(' ') == std::string_view::npos) return tl::unexpected(std::string(form));
  constexpr std::array<std::pair<int, int>, 5> bounds{{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}};
  constexpr std::array<std::string_view, 5> names{"minute", "hour", "day of the month", "month",
                                                  "day of the week"};
  std::array<std::string_view, bounds.size()> fields;
  std::size_t count = 0;
  for (std::string_view rest = text; !rest.empty(); ++count) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (count < fields.size()) fields.at(count) = rest.substr(0, end);
    if (count < bounds.size() &&
        !is_cron_field(rest.substr(0, end), bounds[count].first, bounds[count].second)) {
      return tl::unexpected("the " + std::string(names[count]) + " is numbers from " +
                            std::to_string(bounds[count].first) + " to " +
                            std::to_string(bounds[count].second) +
                            ", '*', ranges, lists and steps");
    }
    rest.remove_prefix(std::min(rest.find_first_not_of(' ', end), rest.size()));
  }
  // cron itself wants both, and the parser of Kubernetes either.
  const auto is_step = [](std::string_view field) {
    return field.starts_with("*/") && field != "*/1";
  };
  if (count == bounds.size() && fields[2] != "*" && fields[4] != "*" &&
      (is_step(fields[2]) || is_step(fields[4]))) {
    return tl::unexpected<std::string>(
        "cron and Kubernetes read '*/' differently beside another day: write the days as numbers");
  }
  // A day of the week that is named counts besides the day of the month.
  if (count == bounds.size() && fields[4] == "*" && !ever_comes(fields[2], fields[3])) {
    return tl::unexpected<std::string>("that day is in none of those months: it never comes");
  }
  if (count == bounds.size()) return std::string(text);
  return tl::unexpected(std::string(form));
}

Parsed<std::string> parse_pointer(std::string_view text) {
  if (says_all(text) || says_nothing(text))
    return tl::unexpected<std::string>("write a pointer as /services/runtime");
  if (!text.empty() && !text.starts_with('/'))
    return tl::unexpected("a pointer starts with '/': did you mean /" +
                          std::string(text.substr(0, 40)) + "?");
  for (std::size_t i = text.find('~'); i != std::string_view::npos; i = text.find('~', i + 1)) {
    if (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))
      return tl::unexpected<std::string>("'~' is written ~0, and '/' in a key ~1");
  }
  if (text.empty()) return std::string();
  return parse_text(text);
}

Parsed<std::string> parse_claim(std::string_view text) {
  if (text.find_first_of(" \"\\") != std::string_view::npos)
    return tl::unexpected<std::string>("the name of a claim, as tid");
  return parse_text(text);
}

Parsed<std::string> parse_user(std::string_view text) {
  if (text.size() > 31) return tl::unexpected<std::string>("at most 31 characters");
  if (!text.empty() && ((text.front() >= 'a' && text.front() <= 'z') || text.front() == '_') &&
      std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
      })) {
    return std::string(text);
  }
  return tl::unexpected<std::string>(
      "a system user: lower-case letters, digits, '_' and '-', a letter first");
}

Parsed<std::string> parse_constraint(std::string_view text) {
  const bool good = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') ||
           std::string_view("<>=~^ .,|-x*").find(c) != std::string_view::npos;
  });
  if (good) return std::string(text);
  return tl::unexpected<std::string>("write versions as \">=1.28\" or \">=1.28 <1.35\"");
}

Parsed<std::string> parse_language_version(std::string_view text) {
  if (text == "v1") return std::string(text);
  return tl::unexpected<std::string>("this version of caisson reads v1");
}

constexpr Syntax<std::string> text{"String", "text", "text on one line", "E0132",
                                   "",       true,   parse_text};
constexpr Syntax<std::string> path{"Path", "path",    "a path relative to the spec", "E0125", "",
                                   false,  parse_path};
constexpr Syntax<std::string> absolute_path{
    "AbsolutePath",     "path", "an absolute path as /var/lib/app", "E0125", "^/", false,
    parse_absolute_path};
constexpr Syntax<std::string> route{
    "Route", "path", "the path of a URL as /healthz", "E0125", "^/", false, parse_route};
constexpr Syntax<std::string> url{
    "Url", "url", "a URL as https://id.example.com/", "E0124", "^https?://", false, parse_url};
constexpr Syntax<std::string> location{
    "Location", "location",    "a path, or an object store as s3://bucket/prefix", "E0124", "",
    false,      parse_location};
constexpr Syntax<std::string> jwks{
    "UrlOrPath", "location of keys", "a URL, or a file beside the spec", "E0124", "",
    false,       parse_jwks};
constexpr Syntax<std::string> sha256{
    "Sha256", "digest", "64 hexadecimal digits", "E0126", "^[0-9a-f]{64}$", true, parse_sha256};
constexpr Syntax<std::string> date{
    "Date", "date", "a date as 2027-01-31", "E0128", R"(^\d{4}-\d{2}-\d{2}$)", false, parse_date};
constexpr Syntax<std::string> cron{
    "Cron", "schedule", "five fields of cron as \"0 3 * * *\"", "E0127", R"(^\S+( +\S+){4}$)",
    false,  parse_cron};
constexpr Syntax<std::string> pointer{
    "Pointer", "pointer",    "a JSON pointer as /services/runtime", "E0129", "^(/.*)?$",
    false,     parse_pointer};
constexpr Syntax<std::string> claim{"Claim", "claim",    "the name of a claim, as tid", "E0132", "",
                                    false,   parse_claim};
constexpr Syntax<std::string> user{
    "User", "user", "a system user", "E0132", "^[a-z_][a-z0-9_-]{0,30}$", false, parse_user};
constexpr Syntax<std::string> constraint{
    "Versions", "version constraint", "versions as \">=1.28\"", "E0111", "",
    true,       parse_constraint};
constexpr Syntax<std::string> language_version{
    "LanguageVersion", "language version", "v1", "E0131", "^v1$", false, parse_language_version};

bool read_env_value(Reader& reader, const Node& node, EnvValue& value) {
  const std::string* written =
      reader.text(node, "a string, a number, true, false or ${secret:NAME}");
  if (written == nullptr) return false;
  value.text = *written;
  constexpr std::string_view opening = "${secret:";
  const std::size_t at = written->find(opening);
  if (written->find('\0') != std::string::npos) {
    return reader.refuse("E0122", node.span, "a NUL character" + reader.in_path(),
                         "no environment variable can hold one");
  }
  if (at == std::string::npos) return true;
  const std::size_t close = written->find('}');
  if (at != 0 || close != written->size() - 1) {
    return reader.refuse(
        "E0122", node.span, "a secret inside other text" + reader.in_path(),
        "${secret:NAME} must be the whole value, so that no target has to print the secret");
  }
  Node name = node;
  name.text = written->substr(opening.size(), close - opening.size());
  return secret_ref_type.read(reader, name, value.secret.emplace());
}

bool read_boolean(Reader& reader, const Node& node, bool& value) {
  const std::optional<bool> read = reader.boolean(node);
  value = read.value_or(value);
  return read.has_value();
}

}  // namespace

constinit const Type<std::string> text_type = scalar<text>;
constinit const Type<std::string> path_type = scalar<path>;
constinit const Type<std::string> absolute_path_type = scalar<absolute_path>;
constinit const Type<std::string> route_type = scalar<route>;
constinit const Type<std::string> url_type = scalar<url>;
constinit const Type<std::string> location_type = scalar<location>;
constinit const Type<std::string> jwks_type = scalar<jwks>;
constinit const Type<std::string> sha256_type = scalar<sha256>;
constinit const Type<std::string> date_type = scalar<date>;
constinit const Type<std::string> cron_type = scalar<cron>;
constinit const Type<std::string> pointer_type = scalar<pointer>;
constinit const Type<std::string> claim_type = scalar<claim>;
constinit const Type<std::string> user_type = scalar<user>;
constinit const Type<std::string> constraint_type = scalar<constraint>;
constinit const Type<std::string> language_version_type = scalar<language_version>;

constinit const Type<EnvValue> env_value_type{
    .shape = {.kind = Shape::Kind::plain,
              .name = "EnvValue",
              .note = "a string, a number, true or false, exactly as written, or ${secret:NAME}"},
    .read = read_env_value};

constinit const Type<bool> boolean_type{.shape = {.kind = Shape::Kind::boolean, .name = "bool"},
                                        .read = read_boolean};

}  // namespace caisson::spec
