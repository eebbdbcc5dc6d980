#include "cli/lsp.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/App.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/judge.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "cli/today.h"
#include "editor/framing.h"
#include "editor/server.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(An editor starts it and speaks the Language Server Protocol 3.17 with it over standard input and output:
every mistake of `caisson validate` while you type, in the spec and in the files that it names, and how to
mend it; completion, hover with what a value becomes on each target, definitions, references, renaming, an
outline, folding and formatting. It reads the files that an open spec names below the workspace, writes none,
and does nothing over a network. docs/editors.md sets it up for VS Code, Neovim, Helix, Emacs and JetBrains.

examples:
  caisson lsp                    the command that an editor starts
  caisson lsp --env production   reports on this environment

exit codes:
  0  the editor said `shutdown` and went
  1  the editor went without a word, or did not speak the protocol
  2  the command line makes no sense
)";

struct Options {
  std::string environment;
  bool strict = strict_by_default();
};

/// How often the client's process is looked for; a client that ends closes the pipe, as a rule.
constexpr int look_for_client_ms = 10'000;

/// For so long nobody types before somebody looks closer.
constexpr int pause_ms = 200;

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool is_gone(const editor::Server& server) {
  if (!server.client()) return false;
  const auto process = static_cast<pid_t>(*server.client());
  return process > 0 && process == *server.client() && kill(process, 0) != 0 && errno == ESRCH;
}

/// Adds what `generate` says of a spec that is right so far.
void judge_spec(const Options& options, editor::Analysis& analysis,
                const editor::ReadFile& read_file) {
  const SpecSource source{.name = analysis.sources.front().name(),
                          .text = std::string(analysis.sources.front().text()),
                          .read_file = read_file,
                          .sample_answers = true};
  LoadedSpec spec{.sources = std::move(analysis.sources),
                  .diagnostics = {},
                  .loaded = std::move(analysis.loaded),
                  .sha256 = {}};
  for (auto& diagnostic : analysis.diagnostics) spec.diagnostics.report(std::move(diagnostic));
  const auto judged = judge(source,
                            {.environment = options.environment,
                             .targets = {},
                             .blueprints = {},
                             .strict = options.strict},
                            spec);
  if (!judged) {
    spec.diagnostics.report({.code = "E0308",
                             .where = {},
                             .message = judged.error().what,
                             .remedy = judged.error().remedy,
                             .related = {}});
  }
  analysis.sources = std::move(spec.sources);
  analysis.loaded = std::move(spec.loaded);
  analysis.diagnostics = spec.diagnostics.sorted();
}

/// A copy of this process that finds something out, and is ended when nobody wants to know it any
/// more: what somebody types does not wait for it.
class Aside {
 public:
  Aside() = default;
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() { end(); }

  [[nodiscard]] bool runs() const { return process_ > 0; }
  [[nodiscard]] std::size_t version() const { return version_; }
  /// What can be read when there is more of the answer.
  [[nodiscard]] int descriptor() const { return answers_.get(); }

  /// False when there can be no other process.
  bool start(std::size_t version, const std::function<std::string()>& find) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    answers_ = Descriptor(ends[0]);
    Descriptor written(ends[1]);
    process_ = fork();
    if (process_ == 0) {
      const bool told = write_all(written.get(), find());
      _exit(told ? 0 : 1);
    }
    version_ = version;
    found_.clear();
    if (process_ < 0) answers_ = Descriptor();
    return process_ > 0;
  }

  /// Takes what there is of the answer; all of it when that was the rest.
  std::optional<std::string> take() {
    std::array<char, 65'536> block{};
    const auto got = read(answers_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (got > 0) {
      found_.append(block.data(), static_cast<std::size_t>(got));
      return std::nullopt;
    }
    end();
    return std::move(found_);
  }

  void end() {
    if (!runs()) return;
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    answers_ = Descriptor();
  }

 private:
  pid_t process_ = 0;
  Descriptor answers_;
  std::size_t version_ = 0;
  std::string found_;
};

/// Carries messages between the streams and the server until the client goes.
class Conversation {
 public:
  explicit Conversation(editor::Surroundings surroundings)
      : server_(std::move(surroundings), [this](const std::string& message) {
          open_ &= write_all(STDOUT_FILENO, editor::frame(message));
        }) {}

  int run(Console& console) {
    while (open_ && !server_.exit()) {
      // What has come is read before anything is answered: it may cancel it, or make it stale.
      while (open_ && !server_.is_full() && has_input(0)) read_some();
      if (!frames_.broken().empty()) {
        console.error("caisson lsp: " + frames_.broken() + "\n");
        return static_cast<int>(Exit::findings);
      }
      if (server_.step() || !open_) continue;
      if (!wait() && is_gone(server_)) break;
    }
    return server_.exit().value_or(server_.exit_when_left());
  }

 private:
  static bool has_input(int timeout_ms) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return poll(&input, 1, timeout_ms) > 0;
  }

  /// Until something comes; false when nothing has for long.
  bool wait() {
    if (aside_.runs() && aside_.version() != server_.version()) aside_.end();
    if (!aside_.runs()) {
      if (!server_.has_more_to_find()) return has_input(look_for_client_ms);
      if (has_input(pause_ms)) return true;
      if (!aside_.start(server_.version(), [this] { return server_.find_more(); }))
        server_.tell_more(server_.find_more(), server_.version());
      return true;
    }
    std::array<pollfd, 2> both{{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                {.fd = aside_.descriptor(), .events = POLLIN, .revents = 0}}};
    if (poll(both.data(), both.size(), look_for_client_ms) <= 0) return false;
    if (both[1].revents != 0)
      if (const auto found = aside_.take()) server_.tell_more(*found, aside_.version());
    return true;
  }

  void read_some() {
    const auto got = read(STDIN_FILENO, block_.data(), block_.size());
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) {
      open_ = false;
      while (server_.step()) {
      }
      if (server_.has_more_to_find()) server_.tell_more(server_.find_more(), server_.version());
      return;
    }
    frames_.feed({block_.data(), static_cast<std::size_t>(got)});
    while (auto message = frames_.next()) server_.receive(*std::move(message));
  }

  editor::FrameReader frames_;
  Aside aside_;
  bool open_ = true;
  editor::Server server_;
  std::array<char, 65'536> block_{};
};

int run(const Options& options, Console& console) {
  // A client that is gone is noticed when writing to it fails.
  std::signal(SIGPIPE, SIG_IGN);
  editor::Surroundings surroundings{
      .environment = options.environment,
      .strict = options.strict,
      .today = today,
      .read_file =
          [](const std::filesystem::path& path) {
            return read_file(path, "paths in a spec are relative to it");
          },
      .judge =
          [options](editor::Analysis& analysis, const editor::ReadFile& read_file) {
            judge_spec(options, analysis, read_file);
          }};
  return std::make_unique<Conversation>(std::move(surroundings))->run(console);
}

}  // namespace

Command lsp_command(CLI::App& root) {
  auto* app =
      root.add_subcommand("lsp", "serve editors with the Language Server Protocol")->group("spec");
  auto options = std::make_shared<Options>();
  add_environment(*app, options->environment);
  add_strict(*app, options->strict);
  // What editors add by habit; there is no other way to speak.
  app->add_flag("--stdio")->description("speak over standard input and output, as it always does");
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli
