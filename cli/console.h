#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace caisson::cli {

/// When to colour. `automatic`: on a terminal, unless NO_COLOR is set (no-color.org) or TERM is
/// "dumb".
enum class Colour { automatic, always, never };

/// What the program says. Results go to standard output; remarks and failures to standard error.
class Console {
 public:
  void set_colour(Colour colour) { colour_ = colour; }
  void set_quiet(bool quiet) { quiet_ = quiet; }

  [[nodiscard]] bool quiet() const { return quiet_; }
  [[nodiscard]] bool colour_out() const;
  [[nodiscard]] bool colour_error() const;

  /// Part of the result.
  void print(std::string_view text);
  /// Diagnostics and everything else that must be seen even under --quiet.
  void error(std::string_view text);
  /// Lines that help but are not the result; silent under --quiet.
  void remark(std::string_view text);
  /// "caisson: what; remedy".
  void failure(const Failure& failure);

  /// Flushes the result. False, after saying so, when it could not be written: an exit code of 0
  /// must mean that the reader has got everything.
  [[nodiscard]] bool finish();

 private:
  Colour colour_ = Colour::automatic;
  bool quiet_ = false;
};

}  // namespace caisson::cli
