#include "cli/passphrase.h"

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::cli {
namespace {

constexpr std::size_t kMost = 1024;

/// The terminal does not show what is typed as long as this lives.
class Unseen {
 public:
  explicit Unseen(int terminal) : terminal_(terminal) {
    if (tcgetattr(terminal, &before_) != 0) return;
    auto unseen = before_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(terminal, TCSAFLUSH, &unseen) == 0;
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  [[nodiscard]] bool holds() const { return changed_; }

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

Result<std::string> ask(const std::string& question) {
  constexpr auto remedy = "give it with --passphrase-file FILE";
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return fail(question + ": there is no terminal to ask on", remedy);
  const Unseen unseen(terminal.get());
  if (!unseen.holds()) return fail(question + ": the terminal cannot hide what is typed", remedy);
  (void)write_all(terminal.get(), question + ": ");
  std::string line;
  line.reserve(kMost);
  char c = 0;
  ssize_t count = 0;
  while ((count = ::read(terminal.get(), &c, 1)) == 1 && c != '\n' && line.size() < kMost) {
    line += c;
  }
  (void)write_all(terminal.get(), "\n");
  if (count == 1 && c == '\n') return line;
  signing::wipe(line);
  return fail(question + ": nothing was typed", remedy);
}

}  // namespace

Result<std::string> passphrase_in(const std::string& file) {
  auto text = read_file(file, kMost, Links::follow);
  if (!text) return text;
  auto line = text->substr(0, text->find('\n'));
  signing::wipe(*text);
  if (line.empty()) return fail("the first line of " + file + " is empty");
  return line;
}

signing::AskPassphrase passphrase_from(std::string file) {
  return [file = std::move(file)](const std::filesystem::path& key) {
    return file.empty() ? ask("passphrase of " + key.string()) : passphrase_in(file);
  };
}

Result<std::string> new_passphrase() {
  auto first = ask("new passphrase");
  if (!first) return first;
  auto second = ask("the same again");
  const bool same = second && *first == *second;
  if (second) signing::wipe(*second);
  if (same && !first->empty()) return first;
  signing::wipe(*first);
  if (!second) return second;
  return fail(same ? "the passphrase is empty" : "the two passphrases differ");
}

}  // namespace caisson::cli
