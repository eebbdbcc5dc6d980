#pragma once

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "conformance/commands.h"
#include "conformance/ground.h"
#include "conformance/stack/local.h"
#include "conformance/stack/state.h"
#include "conformance/stacks.h"
#include "generator/plan/planner.h"

// The quickstart, as tests start, attack and stop it.
namespace caisson::conformance {

inline Subject subject_of(const std::string& path, const std::string& text) {
  Subject subject{.path = path, .text = text};
  source::SourceSet sources;
  source::Diagnostics diagnostics;
  auto loaded = spec::load(path, text, {.today = "2026-01-01"}, sources, diagnostics);
  if (!loaded) throw std::runtime_error(source::render(diagnostics, sources, source::Format::text));
  subject.loaded = std::move(*loaded);
  return subject;
}

inline std::string on_port(const std::string& text, std::uint16_t port) {
  return text + "\ntargets:\n  local: { port: " + std::to_string(port) + " }\n";
}

/// The quickstart on free ports, below a state root of its own.
class Quickstart : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
    std::filesystem::permissions(root_, std::filesystem::perms::owner_all |
                                            std::filesystem::perms::group_exec |
                                            std::filesystem::perms::others_exec);
    setenv("XDG_STATE_HOME", root_.c_str(), 1);
    const std::string path =
        std::string(CAISSON_SOURCE_DIR) + "/examples/quickstart/deployment.yaml";
    const std::string text = read_file(path).value();
    const auto port = free_ports(plan::plan(subject_of(path, text).loaded));
    ASSERT_TRUE(port) << port.error().text();
    subject_ = subject_of(path, on_port(text, *port));
  }
  void TearDown() override {
    static_cast<void>(down_local(place()));
    static_cast<void>(down_local(default_state("acme")));
    std::filesystem::remove_all(root_);
  }

  /// Where the stack of the subject is by default.
  [[nodiscard]] std::filesystem::path place() const {
    return state_of(plan::plan(subject_.loaded), subject_, {});
  }

  std::size_t processes_of_the_state() {
    std::size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
      const std::string directory =
          std::filesystem::read_symlink(entry.path() / "cwd", error).string();
      if (!error && directory.starts_with(root_.string())) ++count;
    }
    return count;
  }

  [[nodiscard]] std::string told() const { return out_.str() + progress_.str() + error_.str(); }

  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("caisson-quickstart-" + std::to_string(getpid()));
  Subject subject_;
  std::ostringstream out_;
  std::ostringstream progress_;
  std::ostringstream error_;
  const Output output_{.out = out_, .progress = progress_, .error = error_};
};

}  // namespace caisson::conformance
