#include "cli/run_program.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

/// In the child: files for the streams, so that no pipe can fill up.
[[noreturn]] void become(std::vector<std::string> words, std::vector<std::string> environment,
                         const fs::path& directory, const Scratch& streams) {
  const int in = open((streams / "in").c_str(), O_RDONLY);
  const int out = open((streams / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  const int error = open((streams / "error").c_str(), O_WRONLY | O_CREAT, 0600);
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(error, 2) < 0 || chdir(directory.c_str()) != 0) {
    _exit(126);
  }
  execvpe(words[0].c_str(), pointers(words).data(), pointers(environment).data());
  _exit(127);
}

}  // namespace

Ran run_program(const std::vector<std::string>& words, const Surroundings& surroundings) {
  const Scratch streams;
  streams.write("in", surroundings.input);
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent"};
  for (const auto& [name, value] : surroundings.environment)
    environment.push_back(name + "=" + value);

  const pid_t child = fork();
  if (child == 0) become(words, environment, surroundings.directory, streams);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return {};
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .out = streams.read("out"),
          .error = streams.read("error")};
}

Ran caisson(std::vector<std::string> arguments, const Surroundings& surroundings) {
  arguments.insert(arguments.begin(), CAISSON_BINARY_DIR "/bin/caisson");
  return run_program(arguments, surroundings);
}

}  // namespace caisson::cli
