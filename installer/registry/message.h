#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caisson::installer {

/// The most bytes of the first line and the fields of an HTTP message.
inline constexpr std::size_t kMostOfHead = std::size_t{16} * 1024;

/// The head of an HTTP/1.1 message (RFC 9112), of either side.
struct Head {
  std::string method;                                       ///< of a request
  std::string target;                                       ///< of a request, as it was sent
  unsigned status = 0;                                      ///< of an answer
  std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case

  /// The value of a field; nothing when it is missing or there twice.
  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
};

/// Reads what stands before the empty line of a request, without that line.
[[nodiscard]] std::optional<Head> read_request(std::string_view text);

/// Reads what stands before the empty line of an answer, without that line.
[[nodiscard]] std::optional<Head> read_answer(std::string_view text);

/// A challenge of `WWW-Authenticate` (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;  ///< in lower case: "basic", "bearer"
  std::string realm;
  std::string service;
  std::string scope;
};

/// Reads one challenge; nothing when it has another form.
[[nodiscard]] std::optional<Challenge> read_challenge(std::string_view value);

/// The token in what a token server answers: the text of a JSON object's member "token" or
/// "access_token". Nothing when there is none, or when it is not fit for a field of HTTP.
[[nodiscard]] std::optional<std::string> read_token(std::string_view json);

}  // namespace caisson::installer
