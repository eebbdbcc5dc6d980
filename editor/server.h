#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "editor/features.h"
#include "editor/protocol.h"
#include "editor/workspace.h"

namespace caisson::editor {

/// The language server: takes messages of the client, one after the other, and answers them in that
/// order. Diagnostics are told when nothing else is to be done, so that they are those of the
/// newest version; a request that is cancelled before its turn is refused. Reads files only through
/// its surroundings and writes none.
class Server {
 public:
  /// `send` gets the messages for the client, without their headers.
  Server(Surroundings surroundings, std::function<void(std::string message)> send);

  /// Takes a message; it has its turn in `step`.
  void receive(const std::string& message);
  /// More messages should not be taken until `step` has worked some off.
  [[nodiscard]] bool is_full() const;
  /// Does one thing that is to be done; false when there is none.
  bool step();
  /// Whether what is generated from a large spec may show more mistakes in it.
  [[nodiscard]] bool has_more_to_find() const;
  /// Finds these, which may take seconds: for another process. Changes nothing that is said.
  [[nodiscard]] std::string find_more();
  /// Tells what `find_more` has found, when `version` is still what it was when that began; empty:
  /// it came to no end.
  void tell_more(std::string_view found, std::size_t version);
  /// Counts what came in that may change what there is to find.
  [[nodiscard]] std::size_t version() const { return version_; }
  /// How the program ends, once it is to: 0 after `shutdown`, else 1.
  [[nodiscard]] std::optional<int> exit() const { return exit_; }
  /// How it ends when the client goes without a word.
  [[nodiscard]] int exit_when_left() const { return state_ == State::shut_down ? 0 : 1; }
  /// The client's process, whose end is the server's too.
  [[nodiscard]] std::optional<std::int64_t> client() const { return client_; }

  static constexpr std::size_t most_waiting = 1'000;

 private:
  enum class State : std::uint8_t { fresh, running, shut_down };

  void handle(const Message& message);
  void handle_request(const Message& message);
  void handle_notification(const Message& message);
  [[nodiscard]] json::value initialize(const json::value& params);
  void ask_for_watching();
  void open(const json::value& params);
  void change(const json::value& params);
  void close(const json::value& params);
  void change_folders(const json::value& params);
  void grow_stale();
  [[nodiscard]] std::map<std::string, json::array> collect();
  void publish();
  void tell(std::map<std::string, json::array> found);
  void log(std::string_view message);

  std::function<void(std::string)> send_;
  Workspace workspace_;
  Agreement agreement_;
  Features features_;
  State state_ = State::fresh;
  std::deque<Message> waiting_;
  std::set<std::string> cancelled_;  ///< ids as JSON
  bool stale_ = false;               ///< what has been published is not of the newest version
  bool unjudged_ = false;            ///< `find_more` may find more
  std::size_t version_ = 0;
  /// What the client has been told last of a document.
  struct Told {
    std::optional<std::int64_t> version;  ///< of an open one
    json::array diagnostics;
  };
  std::map<std::string, Told> told_;  ///< by URI
  std::set<std::string> folders_;
  std::optional<std::int64_t> client_;
  std::optional<int> exit_;
};

}  // namespace caisson::editor
