#include "cli/lsp.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/App.hpp>
#include <poll.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/aside.h"
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

/// For so long somebody looks closer: far longer than the largest spec takes.
constexpr std::chrono::seconds longest{60};

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
  const Rendering rendering{.environment = options.environment,
                            .targets = {},
                            .blueprints = {},
                            .strict = options.strict};
  const auto judged = judge(source, rendering, spec);
  if (!judged) {
    // A target cannot render what is right so far, and does not say where.
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

/// Carries messages between the streams and the server until the client goes.
class Conversation {
 public:
  explicit Conversation(editor::Surroundings surroundings)
      : server_(std::move(surroundings), [this](const std::string& message) {
          open_ &= write_all(STDOUT_FILENO, editor::frame(message)) == 0;
        }) {}

  int run(Console& console) {
    while (open_ && !server_.exit()) {
      // What has come is read before anything is answered: it may cancel it, or make it stale.
      while (listens_ && !server_.is_full() && has_input(0)) read_some();
      if (!frames_.broken().empty()) {
        console.error("caisson lsp: " + frames_.broken() + "\n");
        return static_cast<int>(Exit::findings);
      }
      if (!server_.step() && open_ && !wait()) break;
    }
    return server_.exit().value_or(server_.exit_when_left());
  }

 private:
  static bool has_input(int timeout_ms) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    return poll(&input, 1, timeout_ms) > 0;
  }

  /// Until there is something to do; false when nothing more can come.
  bool wait() {
    if (aside_.version() != server_.version()) aside_.end();
    if (!aside_.runs() && server_.has_more_to_find()) {
      if (listens_ && has_input(pause_ms)) return true;
      if (!aside_.start(server_.version(), [this] { return server_.find_more(); }))
        server_.tell_more({}, server_.version());
      return true;
    }
    if (!aside_.runs() && !listens_) return false;
    // The output is looked at for a client that does not read it any more.
    std::array<pollfd, 3> all{{{.fd = listens_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
                               {.fd = aside_.descriptor(), .events = POLLIN, .revents = 0},
                               {.fd = STDOUT_FILENO, .events = 0, .revents = 0}}};
    if (poll(all.data(), all.size(), look_for_client_ms) <= 0) return !is_gone(server_);
    if (all[1].revents != 0)
      if (const auto found = aside_.take()) server_.tell_more(*found, aside_.version());
    return all[2].revents == 0;
  }

  void read_some() {
    const auto got = read(STDIN_FILENO, block_.data(), block_.size());
    if (got < 0 && errno == EINTR) return;
    listens_ = got > 0;
    if (!listens_) return;
    frames_.feed({block_.data(), static_cast<std::size_t>(got)});
    while (auto message = frames_.next()) server_.receive(*std::move(message));
  }

  editor::FrameReader frames_;
  Aside aside_{longest};
  bool listens_ = true;  ///< more may come from the client
  bool open_ = true;     ///< and it may read more
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
      .read_file = read_beside,
      .judge = [options](editor::Analysis& analysis, const editor::ReadFile& read_file) {
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
