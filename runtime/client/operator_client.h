#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace caisson::client {

/// One call of the operator API.
struct OperatorQuestion {
  std::string_view method;
  std::string target;  ///< path and query, encoded
  std::string body;    ///< JSON, or empty
};

struct OperatorReply {
  int status = 0;
  std::string body;
};

/// The answer of the operator listener `listen` of this machine, as a configuration names it,
/// within ten minutes and 64 MiB. Fails when nobody answers, or not all of it.
[[nodiscard]] Result<OperatorReply> ask_operator(const std::string& listen,
                                                 const std::string& token,
                                                 const OperatorQuestion& question);

/// A refusal in words: its status, title, detail and what is wrong with which member.
[[nodiscard]] std::string problem_text(const OperatorReply& reply);

}  // namespace caisson::client
