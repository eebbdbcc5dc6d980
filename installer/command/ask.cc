#include "installer/command/ask.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::installer {
namespace {

/// A terminal that shows nothing of what is typed, as long as this lives.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    silent_ = tcgetattr(terminal_, &before_) == 0;
    if (!silent_) return;
    auto now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent_ = tcsetattr(terminal_, TCSAFLUSH, &now) == 0;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (silent_) tcsetattr(terminal_, TCSADRAIN, &before_);
  }
  [[nodiscard]] bool silent() const { return silent_; }

 private:
  int terminal_;
  termios before_{};
  bool silent_ = false;
};

void write_to(int out, std::string_view text) {
  while (!text.empty()) {
    const auto count = write(out, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// The next line; nothing at the end of the input. Byte by byte, so that nothing of the line that
/// follows is taken away from whoever reads next.
std::optional<std::string> line_of(int in) {
  std::string line;
  for (char c = 0; line.size() <= kMostOfAnswer;) {
    const auto count = read(in, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
  return line;
}

std::string prompt_of(const Reply& reply) {
  const auto& question = *reply.question;
  std::string text = "\n" + question.text + "\n";
  if (!reply.fault.empty()) text += "  the answer that is kept " + reply.fault + "\n";
  std::string choices;
  for (const auto& choice : question.choices) choices += (choices.empty() ? "" : ", ") + choice;
  text += "  " + (choices.empty() ? std::string(form_of(question.type)) : choices);
  text += "\n" + question.name;
  if (question.preset) text += " [" + *question.preset + "]";
  return text + ": ";
}

}  // namespace

Checked<Answers> read_answers_file(const std::string& path,
                                   const std::vector<Question>& questions) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return refuse(Code::host_read, path + " cannot be read: " +
                                       (file ? "it is no regular file" : system_words(errno)));
  }
  const auto text = read_all(file.get(), path, kMostOfAnswers);
  if (!text) return refuse(Code::host_read, text.error().what);
  auto answers = read_answers(path, *text);
  if (!answers) return answers;
  for (const auto& question : questions) {
    if (question.type != AnswerType::secret || !answers->contains(question.name)) continue;
    if ((status.st_mode & 077) != 0) {
      std::string what = path;
      what.append(" has the secret '").append(question.name);
      what.append("' and is open to others: chmod 600 ").append(path);
      return refuse(Code::wrong_answer, std::move(what));
    }
  }
  return answers;
}

Checked<Answers> ask(const std::vector<Reply>& replies, int in, int out) {
  Answers answers;
  for (const auto& reply : replies) {
    if (reply.kind != Reply::Kind::missing && reply.kind != Reply::Kind::preset) continue;
    const auto& question = *reply.question;
    for (;;) {
      std::optional<std::string> line;
      if (question.type == AnswerType::secret) {
        // Before the prompt, so that nothing is shown to somebody who types at once.
        const Silence silence(in);
        write_to(out, prompt_of(reply));
        line = line_of(in);
        if (silence.silent()) write_to(out, "\n");
      } else {
        write_to(out, prompt_of(reply));
        line = line_of(in);
      }
      if (!line) return refuse(Code::missing_answer, question.name + ": " + question.text);
      if (line->empty() && question.preset) line = question.preset;
      const auto fault = fault_of_answer(question, *line);
      if (fault.empty()) {
        answers[question.name] = *std::move(line);
        break;
      }
      write_to(out, "that " + fault + "\n");
    }
  }
  return answers;
}

}  // namespace caisson::installer
