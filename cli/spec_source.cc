#include "cli/spec_source.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/suggestion.h"
#include "cli/today.h"
#include "installer/command/ask.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest = std::size_t{64} << 20;

Result<std::string> read_spec_text(int fd, const std::string& shown) {
  auto text = read_all(fd, shown, largest);
  if (!text && text.error().error == 0) {
    return fail(shown + " is larger than 64 MiB",
                "put a large tenant list into a file of its own: tenants: { file: tenants.csv }");
  }
  return text;
}

}  // namespace

Result<std::string> read_file(const fs::path& path, const std::string& missing_remedy) {
  const auto shown = "'" + path.string() + "'";
  // O_NONBLOCK: opening a pipe without a writer must not wait for ever.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    const int error = errno;
    return fail("cannot read " + shown + ": " + system_words(error),
                error == ENOENT ? missing_remedy : "");
  }
  struct stat status{};
  if (fstat(file.get(), &status) != 0)
    return fail("cannot read " + shown + ": " + system_words(errno));
  if (S_ISDIR(status.st_mode)) {
    return fail(shown + " is a directory",
                "name the file in it, for example " + (path / "deployment.yaml").string());
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(shown + " is not a regular file", "pipe it to `caisson ... -` instead");
  }
  return read_spec_text(file.get(), shown);
}

namespace {

/// "did you mean 'tenants.csv'? " when a file beside is called nearly so.
std::string meant_beside(const fs::path& path) {
  constexpr std::size_t most_names = 1000;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path.parent_path().empty() ? "." : path.parent_path(), error);
       !error && entry != fs::directory_iterator() && names.size() < most_names;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto meant = closest(path.filename().string(), candidates);
  return meant.empty() ? "" : "did you mean '" + std::string(meant) + "'? ";
}

}  // namespace

Result<std::string> read_beside(const fs::path& path) {
  const std::string if_missing = "paths in a spec are relative to it";
  auto text = read_file(path, if_missing);
  if (!text && text.error().remedy == if_missing) text.error().remedy.insert(0, meant_beside(path));
  return text;
}

Result<installer::Answers> read_answers(const std::string& path) {
  if (path.empty()) return installer::Answers{};
  auto answers = installer::read_answers_file(path, {});
  if (!answers) {
    const bool unread = answers.error().code == installer::Code::host_read;
    return fail(answers.error().what, unread ? "" : "a line of it is NAME=ANSWER");
  }
  return *std::move(answers);
}

Result<SpecSource> read_spec(const std::string& path, const std::string& answers_file) {
  const bool standard_input = path == "-";
  auto text = standard_input ? read_spec_text(STDIN_FILENO, "standard input")
                             : read_file(path, "`caisson init` writes a starter spec");
  if (!text) return tl::unexpected(text.error());
  auto answers = read_answers(answers_file);
  if (!answers) return tl::unexpected(answers.error());
  const auto directory = standard_input ? fs::path() : fs::path(path).parent_path();
  return SpecSource{
      .name = standard_input ? "<stdin>" : path,
      .text = *std::move(text),
      .read_file = [directory](std::string_view name) { return read_beside(directory / name); },
      .answers = *std::move(answers)};
}

Result<SpecSource> read_spec(const publish::Repository& repository,
                             const publish::Revision& revision, const std::string& revision_name) {
  auto text = revision.spec();
  if (!text) return tl::unexpected(text.error());
  return SpecSource{
      .name = revision_name + ":" + repository.spec_path(),
      .text = *std::move(text),
      .read_file = [&revision, revision_name](std::string_view name) -> Result<std::string> {
        auto file = revision.file(name);
        if (!file) return tl::unexpected(file.error());
        if (!*file) {
          return fail("'" + std::string(name) + "' does not exist at revision '" + revision_name +
                      "'");
        }
        return **std::move(file);
      }};
}

LoadedSpec load_spec(const SpecSource& source, const std::string& environment, bool strict) {
  LoadedSpec result;
  auto bytes = source.text;
  spec::LoadOptions options;
  options.environment = environment;
  options.strict = strict;
  options.today = today();
  options.answers = source.answers;
  options.spare_answers = source.spare_answers;
  options.sample_answers = source.sample_answers;
  options.read_file = [&](std::string_view path) {
    auto file = source.read_file(path);
    if (file) bytes.append("\n").append(path).append("\n").append(*file);
    return file;
  };
  result.loaded = spec::load(source.name, source.text, options, result.sources, result.diagnostics);
  result.sha256 = sha256_hex(bytes);
  return result;
}

render::Locate locator(const LoadedSpec& spec) {
  return [&spec](std::string_view pointer) -> std::string {
    const auto* node = spec::find(spec.loaded->document, pointer);
    if (node == nullptr || node->span.file >= spec.sources.size()) return {};
    const auto& file = spec.sources[node->span.file];
    return file.name() + ":" + std::to_string(file.line_at(node->span.begin));
  };
}

source::Diagnostics heard(const source::Diagnostics& all, const Console& console) {
  if (!console.quiet()) return all;
  source::Diagnostics errors;
  for (auto& diagnostic : all.sorted()) {
    if (diagnostic.severity == source::Severity::error) errors.report(std::move(diagnostic));
  }
  return errors;
}

void report(const LoadedSpec& spec, Console& console) {
  console.error(source::render(heard(spec.diagnostics, console), spec.sources, source::Format::text,
                               console.colour_error()));
  if (!spec.loaded) console.remark(spec.sources.front().name() + ": " + tally(spec.diagnostics));
}

std::string tally(const source::Diagnostics& diagnostics) {
  const auto counted = [](std::size_t count, const char* what) {
    return count == 0 ? "" : std::to_string(count) + " " + what + (count == 1 ? "" : "s");
  };
  const auto errors = counted(diagnostics.count(source::Severity::error), "error");
  const auto warnings = counted(diagnostics.count(source::Severity::warning), "warning");
  return errors + (errors.empty() || warnings.empty() ? "" : " and ") + warnings;
}

}  // namespace caisson::cli
