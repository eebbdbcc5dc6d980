#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/hint.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/render/json.h"
#include "generator/render/plan_report.h"
#include "generator/source/codes.h"
#include "generator/spec/spec.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes = R"(Without arguments every field and every code is listed.

examples:
  caisson explain runtime.replicas         a field: type, default, constraint, meaning
  caisson explain tiers.NAME.limits        the same inside a map; any name does
  caisson explain E0204                    a diagnostic: why, and how to mend it
  caisson explain deployment.yaml compose/compose.yaml:/services/runtime/mem_limit
                                           the line of the spec that a generated value comes from

exit codes:
  0  it was explained
  1  there is no such field, code, artifact or value; or the spec has errors
  2  the command line makes no sense
  3  the spec cannot be read
)";

struct Options {
  std::string subject;
  std::string place;
  Rendering rendering;
};

int not_found(const std::string& what, Console& console) {
  console.error("caisson explain: " + what + "\n");
  return static_cast<int>(Exit::findings);
}

std::vector<std::string> code_names() {
  std::vector<std::string> names;
  for (const auto& code : source::codes()) names.emplace_back(code.code);
  return names;
}

bool looks_like_a_code(const std::string& subject) {
  return subject.size() > 1 && (subject[0] == 'E' || subject[0] == 'W') &&
         std::all_of(subject.begin() + 1, subject.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

int explain_code(const std::string& name, Console& console) {
  const auto* code = source::find_code(name);
  if (code == nullptr)
    return not_found("no code '" + name + "'" + hint(name, code_names()), console);
  console.print(name + ": " + std::string(code->title) + "\n\n" + std::string(code->explanation) +
                "\n");
  return static_cast<int>(Exit::ok);
}

int explain_field(const std::string& path, Console& console) {
  const auto text = spec::explain_field(path);
  if (!text) return not_found(text.error().text(), console);
  console.print(*text);
  return static_cast<int>(Exit::ok);
}

int list_subjects(Console& console) {
  for (const auto& path : spec::field_paths()) console.print(path + "\n");
  for (const auto& code : source::codes()) {
    console.print(std::string(code.code) + "  " + std::string(code.title) + "\n");
  }
  return static_cast<int>(Exit::ok);
}

/// The value at a pointer of an artifact, and where it comes from. What has no structure comes
/// whole from the field that the file exists for.
int explain_value(const render::Artifact& artifact, const std::string& pointer,
                  const render::Locate& locate, Console& console) {
  if (pointer.empty() || artifact.tree == nullptr) {
    const bool written = !locate(artifact.owner).empty();
    const render::Origin owner(
        written ? render::Origin::Kind::spec : render::Origin::Kind::defaulted, artifact.owner);
    console.print(artifact.path + "\n  origin: " + origin_text(owner, locate) + "\n");
    if (!pointer.empty())
      console.remark("this file has no values that could be followed one by one");
    return static_cast<int>(Exit::ok);
  }
  const auto* node = artifact.tree->at(pointer);
  if (node == nullptr) {
    return not_found("'" + artifact.path + "' has nothing at '" + pointer +
                         "'; pointers look like /services/runtime/image",
                     console);
  }
  console.print(artifact.path + ":" + pointer + "\n  value:  " + render::to_json_line(*node) +
                "\n  origin: " + origin_text(node->origin(), locate) + "\n");
  return static_cast<int>(Exit::ok);
}

int explain_artifact(const Options& options, Console& console) {
  const auto source = read_spec(options.subject);
  const auto blueprints = load_blueprints(options.rendering.blueprints);
  if (!source || !blueprints) {
    console.failure(!source ? source.error() : blueprints.error());
    return static_cast<int>(Exit::environment);
  }
  const auto spec = load_spec(*source, options.rendering.environment, options.rendering.strict);
  if (!spec.loaded) {
    report(spec, console);
    return static_cast<int>(Exit::findings);
  }
  const auto generated = generate(spec, options.rendering, *blueprints);
  if (!generated) return not_found(generated.error().text(), console);

  const auto colon = options.place.find(":/");
  const auto path = options.place.substr(0, colon);
  const auto pointer = colon == std::string::npos ? "" : options.place.substr(colon + 1);
  std::vector<std::string> paths;
  for (const auto& artifact : generated->artifacts) {
    if (artifact.path == path) {
      return explain_value(artifact, pointer, locator(spec), console);
    }
    paths.push_back(artifact.path);
  }
  return not_found("no artifact '" + path + "'" + hint(path, paths), console);
}

int run(const Options& options, Console& console) {
  if (!options.place.empty()) return explain_artifact(options, console);
  if (options.subject.empty()) return list_subjects(console);
  return looks_like_a_code(options.subject) ? explain_code(options.subject, console)
                                            : explain_field(options.subject, console);
}

}  // namespace

std::vector<std::string> explain_subjects() {
  auto subjects = spec::field_paths();
  const auto codes = code_names();
  subjects.insert(subjects.end(), codes.begin(), codes.end());
  return subjects;
}

Command explain_command(CLI::App& root) {
  auto* app =
      root.add_subcommand("explain", "tell what a field, a diagnostic or a generated value means")
          ->group("spec");
  auto options = std::make_shared<Options>();
  app->add_option("SUBJECT", options->subject,
                  "a field path, a diagnostic's code, or before PLACE a spec")
      ->type_name("FILE");
  app->add_option("PLACE", options->place, "FILE:POINTER, a value in an artifact of that spec")
      ->type_name("PLACE");
  add_rendering(*app, options->rendering);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli
