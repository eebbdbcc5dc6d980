#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/files.h"

namespace caisson::cli {

/// A copy of this process that finds something out, and is ended when nobody wants to know it any
/// more: whoever types does not wait for it. It ends with this process, whatever ends that, and has
/// none of its standard input and output. For a process without other threads.
class Aside {
 public:
  /// Whatever takes longer than the limit, at least a second, finds nothing.
  explicit Aside(std::chrono::seconds limit) : limit_(limit) {}
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() { end(); }

  [[nodiscard]] bool runs() const { return process_ > 0; }
  /// What it was started with.
  [[nodiscard]] std::size_t version() const { return version_; }
  /// Can be read when there is more of the answer; -1 when it does not run.
  [[nodiscard]] int descriptor() const { return answers_.get(); }

  /// Instead of what ran before. False when there can be no other process.
  [[nodiscard]] bool start(std::size_t version, const std::function<std::string()>& find);
  /// Takes what there is of the answer, or waits for it; all of it when that was the rest. Empty
  /// when nothing was found.
  [[nodiscard]] std::optional<std::string> take();
  void end();

 private:
  std::chrono::seconds limit_;
  pid_t process_ = 0;
  Descriptor answers_;
  std::size_t version_ = 0;
  std::string found_;
};

}  // namespace caisson::cli
