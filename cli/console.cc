#include "cli/console.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <unistd.h>

namespace caisson::cli {
namespace {

bool wants_colour(Colour colour, int fd) {
  if (colour != Colour::automatic) return colour == Colour::always;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::string_view(term) != "dumb" && isatty(fd) == 1;
}

void write(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace

bool Console::colour_out() const { return wants_colour(colour_, STDOUT_FILENO); }
bool Console::colour_error() const { return wants_colour(colour_, STDERR_FILENO); }

void Console::print(std::string_view text) { write(stdout, text); }

void Console::error(std::string_view text) {
  std::fflush(stdout);
  write(stderr, text);
}

void Console::remark(std::string_view text) {
  if (!quiet_) error(std::string(text) + (text.ends_with('\n') ? "" : "\n"));
}

void Console::failure(const Failure& failure) { error("caisson: " + failure.text() + "\n"); }

bool Console::finish() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  failure({.what = "cannot write to standard output: " + std::generic_category().message(errno),
           .remedy = ""});
  return false;
}

}  // namespace caisson::cli
