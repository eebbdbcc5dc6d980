#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace caisson {

/// A failure of the environment (disk, process, network, git): what happened, to what, and what to
/// do about it. A mistake of the user in a spec is a `source::Diagnostic`.
struct Failure {
  std::string what;    ///< lower case, names the file, process or address, no full stop
  std::string remedy;  ///< what the reader can do next; may be empty
  int error = 0;       ///< the system's error number where there is one

  /// `what` and `remedy` on one line, as the command line prints it.
  [[nodiscard]] std::string text() const { return remedy.empty() ? what : what + "; " + remedy; }
};

/// What every fallible operation of the tool side returns. An exception is a bug.
template <class T>
using Result = tl::expected<T, Failure>;

[[nodiscard]] inline tl::unexpected<Failure> fail(std::string what, std::string remedy = {}) {
  return tl::unexpected<Failure>(Failure{.what = std::move(what), .remedy = std::move(remedy)});
}

}  // namespace caisson
