#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/hint.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/publish/inventory.h"
#include "generator/publish/publish.h"
#include "generator/render/json.h"
#include "generator/render/node.h"
#include "generator/render/place_hint.h"
#include "generator/render/plan_report.h"
#include "generator/render/read_tree.h"
#include "generator/render/unit_file.h"
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
  caisson explain deployment.yaml deploy/compose/compose.yaml:12
                                           the same for a line of a file, by the path on the screen

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

/// A place in the artifacts: a file, a value of it at `pointer`, or its line `line`.
struct Place {
  std::string path;
  std::string pointer;
  std::string line;
};

Place read_place(const std::string& text) {
  const auto value = text.find(":/");
  if (value != std::string::npos) return {text.substr(0, value), text.substr(value + 1), {}};
  // A line, and behind it perhaps a column, which says nothing more.
  const auto digits = text.find_last_not_of("0123456789") + 1;
  if (digits == 0 || text[digits - 1] != ':') return {text, {}, {}};
  const auto before = text.substr(0, digits - 1);
  const auto line = read_place(before);
  return line.line.empty() ? Place{before, {}, text.substr(digits)} : line;
}

/// Where the value stands as it is written: at the pointer, or as an item or the entry `key` of
/// what is there. Empty: nowhere.
std::string written_at(const std::string& pointer, const spec::Node& written,
                       const render::Node& value, const std::string& key) {
  const auto same = [&value](const spec::Node* node) {
    if (node == nullptr || node->kind != spec::Node::Kind::scalar) return false;
    const auto* text = value.text();
    return (text != nullptr ? *text : render::to_json_line(value)) == node->text;
  };
  if (same(&written)) return pointer;
  if (same(written.at(key))) return pointer + '/' + key;
  for (std::size_t i = 0; i < written.items.size(); ++i) {
    if (same(&written.items[i])) return pointer + '/' + std::to_string(i);
  }
  return {};
}

/// What stands as it is written in the spec is a value of it; anything else was only derived from
/// what is there. `value` is null for what is a line of text.
int explained(const std::string& what, const std::string& said, std::vector<render::Origin> origins,
              const render::Node* value, const LoadedSpec& spec, Console& console) {
  using Kind = render::Origin::Kind;
  auto text = what + "\n" + said;
  const auto key = what.substr(what.rfind('/') + 1);
  for (auto& origin : origins) {
    if (origin.kind == Kind::blueprint) continue;
    const auto* written = spec::find(spec.loaded->document, origin.at);
    const bool single = written != nullptr && written->kind == spec::Node::Kind::scalar;
    if (origin.kind == Kind::spec && !single) origin.kind = Kind::derived;
    if (value == nullptr || written == nullptr) continue;
    if (auto there = written_at(origin.at, *written, *value, key); !there.empty())
      origin = {Kind::spec, std::move(there)};
  }
  for (const auto& origin : origins) {
    text += (&origin == &origins.front() ? "  origin: " : "          ") +
            origin_text(origin, locator(spec)) + "\n";
  }
  console.print(text);
  return static_cast<int>(Exit::ok);
}

int explain_value(const render::Artifact& artifact, const std::string& pointer,
                  const LoadedSpec& spec, Console& console) {
  const auto* node = artifact.tree->at(pointer);
  if (node == nullptr) {
    const auto meant = render::place_hint(*artifact.tree, pointer);
    return not_found("'" + artifact.path + "' has nothing at '" + pointer + "'" +
                         (meant.empty() ? "" : "; " + meant),
                     console);
  }
  auto value = render::to_json_line(*node);
  constexpr std::size_t most = 400;  // of what is not one value but holds others
  if ((node->map() != nullptr || node->list() != nullptr) && value.size() > most) {
    value.resize(value.rfind(',', most) + 1);
    value += " ...";
  }
  return explained(artifact.path + ":" + pointer, "  value:  " + value + "\n",
                   {render::origin_at(*artifact.tree, pointer)}, node, spec, console);
}

int explain_line(const render::Artifact& artifact, const std::string& line, const LoadedSpec& spec,
                 Console& console) {
  const auto count = artifact.lines.size();
  std::size_t number = 0;
  const auto* end = line.data() + line.size();
  const bool read = std::from_chars(line.data(), end, number).ec == std::errc{};
  if (!read || number == 0 || number > count) {
    return not_found("'" + artifact.path + "' has " +
                         (count == 0 ? "no lines" : "lines 1 to " + std::to_string(count)),
                     console);
  }
  std::size_t begin = 0;
  for (std::size_t i = 1; i < number; ++i) begin = artifact.bytes.find('\n', begin) + 1;
  const auto text = artifact.bytes.substr(begin, artifact.bytes.find('\n', begin) - begin);
  return explained(artifact.path + ":" + line, "  line:   " + text + "\n",
                   artifact.lines[number - 1], nullptr, spec, console);
}

/// What begins at or after a line of a file with values: its pointer, and the line.
struct OnLine {
  std::size_t line = 0;
  bool scalar = false;
  std::string pointer;
};

/// Prefers the earliest line, and on one line a value to what it is in.
void find_on_line(const render::Node& node, std::size_t wanted, const std::string& pointer,
                  std::optional<OnLine>& best) {
  std::size_t line = 0;
  const std::string& at = node.origin().at;
  std::from_chars(at.data(), at.data() + at.size(), line);
  const bool scalar = node.map() == nullptr && node.list() == nullptr;
  const bool better = !best || line < best->line || (line == best->line && scalar && !best->scalar);
  if (line >= wanted && !pointer.empty() && better) best = OnLine{line, scalar, pointer};
  for (const auto& key : node.keys()) {
    find_on_line(*node.child(key), wanted, pointer + '/' + render::pointer_segment(key), best);
  }
}

int explain_place(const render::Artifact& artifact, const Place& place, const LoadedSpec& spec,
                  Console& console);

/// The pointer of what stands at a line of a file with values, or behind it; empty when there is
/// nothing.
Result<std::string> value_at_line(const render::Artifact& artifact, std::size_t line) {
  if (!artifact.path.ends_with(".json") && !artifact.path.ends_with(".yaml"))
    return render::unit_line(*artifact.tree, artifact.bytes, line);
  const auto lines = render::read_tree(artifact.path, artifact.bytes, [](std::size_t number) {
    return render::Origin{render::Origin::Kind::derived, std::to_string(number)};
  });
  if (!lines) return tl::unexpected(lines.error());
  std::optional<OnLine> found;
  find_on_line(*lines, line, "", found);
  return found ? found->pointer : std::string();
}

/// A line of a file with values stands for the value that begins there.
int explain_line_of_values(const render::Artifact& artifact, const std::string& line,
                           const LoadedSpec& spec, Console& console) {
  std::size_t wanted = 0;
  std::from_chars(line.data(), line.data() + line.size(), wanted);
  const auto count = static_cast<std::size_t>(std::ranges::count(artifact.bytes, '\n'));
  if (wanted == 0 || wanted > count) {
    return not_found("'" + artifact.path + "' has lines 1 to " + std::to_string(count), console);
  }
  const auto found = value_at_line(artifact, wanted);
  if (!found) return not_found(found.error().text(), console);
  if (!found->empty() && artifact.tree->at(*found) != nullptr)
    return explain_value(artifact, *found, spec, console);
  // A bracket that closes, an end of the file: what the whole is there for.
  return explain_place(artifact, {artifact.path, {}, {}}, spec, console);
}

int explain_place(const render::Artifact& artifact, const Place& place, const LoadedSpec& spec,
                  Console& console) {
  if (place.pointer.empty() && place.line.empty()) {
    const bool written = spec::find(spec.loaded->document, artifact.owner) != nullptr;
    return explained(
        artifact.path, "",
        {{written ? render::Origin::Kind::spec : render::Origin::Kind::defaulted, artifact.owner}},
        nullptr, spec, console);
  }
  if (artifact.tree != nullptr) {
    // "FILE:/" is how the whole is pointed to by those who do not leave the slash out.
    return place.line.empty()
               ? explain_value(artifact, place.pointer == "/" ? "" : place.pointer, spec, console)
               : explain_line_of_values(artifact, place.line, spec, console);
  }
  return place.pointer.empty()
             ? explain_line(artifact, place.line, spec, console)
             : not_found("'" + artifact.path + "' has lines, not values: name one as in '" +
                             artifact.path + ":1'",
                         console);
}

/// caisson.lock.json: an entry is what it is because of its file, everything else because of the
/// spec that asked for the artifacts.
Result<render::Artifact> inventory_of(const Generated& generated) {
  const auto inventory = publish::inventory_of({.artifacts = generated.artifacts,
                                                .made_from = generated.made_from,
                                                .targets = {},
                                                .places = generated.places});
  std::vector<render::Origin> owners;
  owners.reserve(inventory.files.size());
  for (const auto& [path, entry] : inventory.files) {
    owners.emplace_back(render::Origin::Kind::derived, entry.owner);
  }
  const auto text = publish::to_json(inventory);
  const auto first = text.find("    {");
  const auto head = static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), '\n'));
  auto tree = render::read_tree(std::string(publish::kInventoryName), text, [&](std::size_t line) {
    return line > head && line - head <= owners.size() ? owners[line - head - 1]
                                                       : render::own_version;
  });
  if (!tree) return tl::unexpected(tree.error());
  return render::Artifact{.path = std::string(publish::kInventoryName),
                          .bytes = text,
                          .owner = render::own_version.at,
                          .tree = std::make_shared<const render::Node>(*std::move(tree))};
}

int explain_artifact(const Options& options, Console& console) {
  const auto source = read_spec(options.subject, options.rendering.answers);
  const auto blueprints = load_blueprints(options.rendering.blueprints);
  if (!source || !blueprints) {
    return fail_with(!source ? source.error() : blueprints.error(), console);
  }
  const auto spec = load_spec(*source, options.rendering.environment, options.rendering.strict);
  if (!spec.loaded) {
    report(spec, console);
    return static_cast<int>(Exit::findings);
  }
  const auto generated = generate(*source, spec, options.rendering, *blueprints, console);
  if (!generated) {
    return fail_with(generated.error(), console, Exit::findings);
  }

  auto artifacts = generated->artifacts;
  auto inventory = inventory_of(*generated);
  if (!inventory) return not_found(inventory.error().text(), console);
  artifacts.push_back(*std::move(inventory));
  const auto place = read_place(options.place);
  // Whoever stands in the folder of an artifact sees its name alone.
  std::error_code unknown;
  const auto whole =
      std::filesystem::absolute(place.path, unknown).lexically_normal().generic_string();
  std::vector<std::string> paths;
  const render::Artifact* meant = nullptr;
  for (const auto& artifact : artifacts) {
    paths.push_back(artifact.path);
    // As it is called in the output, or as it is on the screen: below the directory of that.
    const bool below = (unknown ? place.path : whole).ends_with("/" + artifact.path);
    if (artifact.path != place.path && !below) continue;
    if (meant == nullptr || artifact.path.size() > meant->path.size()) meant = &artifact;
  }
  if (meant != nullptr) return explain_place(*meant, place, spec, console);
  return not_found("no artifact '" + place.path + "'" + hint(place.path, paths), console);
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
  app->add_option("PLACE", options->place,
                  "FILE:POINTER or FILE:LINE, a value or a line of an artifact of that spec")
      ->type_name("PLACE");
  add_rendering(*app, options->rendering);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli
