#include "conformance/stacks.h"

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "base/shell.h"
#include "conformance/ground.h"
#include "conformance/stack/compose.h"
#include "conformance/stack/local.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/process.h"
#include "conformance/stack/state.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

/// The same for every way to write the path of a file; "-" is standard input.
std::string canonical(const std::string& path) {
  if (path == "-") return path;
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path), error);  // it may be gone
  return error ? fs::absolute(path).lexically_normal().string() : whole.string();
}

/// A state directory as messages name it.
std::string whole(const fs::path& state) { return fs::absolute(state).lexically_normal().string(); }

/// `up` or `down` as it has to be typed for this stack. What is stopped needs neither answers nor
/// blueprints, which may be gone by then.
std::string command(const std::string& verb, const Subject& subject, const StackOptions& options) {
  const bool starts = verb == "up";
  std::string out = "caisson " + verb + " " + typed_word(subject.path);
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) out += std::string(" ") + option + " " + typed_word(value);
  };
  add("--env", subject.environment);
  if (starts) add("--answers", subject.answers_file);
  if (starts) add("--blueprints", subject.blueprints_from);
  add("--target", options.target);
  add("--state", options.state.string());
  if (starts) add("--runtime", options.runtime.string());
  return out;
}

Origin origin_of(const plan::Plan& plan, const Subject& subject, const StackOptions& options) {
  const Subject anywhere{.path = canonical(subject.path), .environment = subject.environment};
  StackOptions there = options;
  if (!there.state.empty()) there.state = whole(there.state);
  return {.target = options.target,
          .spec = anywhere.path,
          .name = plan.name.value,
          .version = plan.version.value,
          .environment = subject.environment,
          .down = command("down", anywhere, there)};
}

/// "`caisson down d.yaml --state DIR` stops acme 1.0.0"
std::string stops(const std::string& down, const Origin& origin) {
  return "`" + down + "` stops " + in_words(origin);
}

/// Whether another file, which is there, is what a stack was made from. One that has gone is not
/// needed to stop it.
bool is_anothers(const Origin& origin, const Subject& subject) {
  std::error_code error;
  return origin.spec != canonical(subject.path) && fs::exists(origin.spec, error);
}

/// "the stack in DIR was started from another spec (acme 1.0.0, environment demo, /a/d.yaml)"
std::string from_another(const fs::path& state, const Origin& origin, const plan::Plan& plan,
                         const Subject& subject) {
  const bool same = origin.name == plan.name.value && origin.version == plan.version.value &&
                    origin.environment == subject.environment;
  std::string more;
  if (origin.spec != canonical(subject.path)) {
    more = ", " + origin.spec;
  } else if (same) {
    more = ", with other content";
  }
  return "the stack in " + whole(state) + " was started from another spec (" + in_words(origin) +
         more + ")";
}

/// Fails when the stack of another file is there.
Result<void> check_owner(const fs::path& state, const plan::Plan& plan, const Subject& subject) {
  const auto origin = read_origin(state);
  if (!origin || !is_anothers(*origin, subject)) return {};
  return fail(
      from_another(state, *origin, plan, subject),
      "stop it with `" + down_of(state, *origin) + "`, or name another directory with --state");
}

/// What `up` generates of this spec for the target.
Result<std::map<std::string, std::string>> files_of(const plan::Plan& plan, const Subject& subject,
                                                    const StackOptions& options) {
  return options.target == "compose" ? compose_files(plan, subject.blueprints)
                                     : local_tree(plan, subject.blueprints);
}

/// The commands after which this spec's own stack runs, whatever is in its directory now.
std::string anew(const fs::path& state, const Subject& subject, const StackOptions& options) {
  const auto origin = read_origin(state);
  const bool its_own =
      origin && (is_anothers(*origin, subject) || origin->target != options.target);
  const std::string down = its_own ? down_of(state, *origin) : down_command(subject, options);
  return "remove it and its data with `" + down + "`, and start this spec's with `" +
         command("up", subject, options) + "`";
}

/// What stands in default directories and says how it is stopped: none of `prove`.
std::vector<std::pair<fs::path, Origin>> noted_stacks() {
  std::vector<std::pair<fs::path, Origin>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(default_state("x").parent_path(), error)) {
    auto origin = read_origin(entry.path());
    if (origin && !origin->down.empty()) found.emplace_back(entry.path(), *std::move(origin));
  }
  return found;
}

/// The commands that stop what is in other default directories and may be meant: stacks of the same
/// file, and those of the same name whose file has gone, for it may be this one.
std::string stops_others(const plan::Plan& plan, const Subject& subject) {
  std::string out;
  std::error_code error;
  for (const auto& [state, origin] : noted_stacks()) {
    const bool same = origin.spec == canonical(subject.path);
    const bool moved = origin.name == plan.name.value && !fs::exists(origin.spec, error);
    if (!same && !moved) continue;
    const StackOptions there{.target = origin.target, .state = state};
    out += (out.empty() ? "" : ", ") +
           stops(same ? down_of(state, origin) : down_command(subject, there), origin) +
           (same ? "" : " of " + origin.spec);
  }
  return out;
}

std::function<void(const std::string&)> progress_to(const Output& output) {
  return [&output](const std::string& line) { output.progress << line << '\n' << std::flush; };
}

/// Fails when what is there is of another target than the one that was asked for.
Result<void> check_target(const fs::path& state, const Result<Origin>& origin,
                          const StackOptions& options) {
  if (!origin || origin->target == options.target) return {};
  return fail("the stack in " + whole(state) + " is one of target " + origin->target,
              "stop it with `" + down_of(state, *origin) + "`");
}

Result<void> take_down(const fs::path& state, const StackOptions& options, const Output& output) {
  return options.target == "compose" ? down_compose(state, progress_to(output))
                                     : down_local(state, progress_to(output));
}

}  // namespace

fs::path state_of(const plan::Plan& plan, const Subject& subject, const StackOptions& options) {
  if (!options.state.empty()) return options.state;
  const std::string key = canonical(subject.path) + '\n' + subject.environment;
  const std::string name = plan.name.value + "-" + sha256_hex(key).substr(0, 8);
  return default_state(options.target == "local" ? name : name + "-" + options.target);
}

std::string down_command(const Subject& subject, const StackOptions& options) {
  return command("down", subject, options);
}

std::string down_of(const fs::path& state, const Origin& origin) {
  return origin.down.find(" --state ") == std::string::npos
             ? origin.down + " --state " + typed_word(whole(state))
             : origin.down;
}

bool stands(const fs::path& state) {
  std::error_code error;
  if (fs::exists(state / "compose", error)) return true;
  if (!fs::exists(state / "state.json", error)) return false;
  const auto owner = read_file(state / "owner");
  return !owner || owner_lives(*owner) || runs_in(state);
}

Result<RunningStack> start_stack(const plan::Plan& plan, const Subject& subject,
                                 const StackOptions& options, const Output& output, bool owned) {
  const fs::path state = state_of(plan, subject, options);
  if (stands(state)) {
    if (auto ours = check_owner(state, plan, subject); !ours) return tl::unexpected(ours.error());
  }
  auto files = files_of(plan, subject, options);
  if (!files) return tl::unexpected(files.error());
  if (options.target == "compose") {
    const auto runtime = options.runtime.empty() ? find_program("caisson-runtime")
                                                 : Result<fs::path>(options.runtime);
    if (!runtime) return tl::unexpected(runtime.error());
    return up_compose(plan, *files,
                      {.state = state,
                       .spec_directory = fs::path(subject.path).parent_path(),
                       .runtime = *runtime,
                       .owned = owned,
                       .origin = origin_of(plan, subject, options),
                       .stop_with = down_command(subject, options),
                       .progress = progress_to(output)});
  }
  LocalOptions how = local_options(plan, subject, state);
  how.owned = owned;
  how.origin = origin_of(plan, subject, options);
  how.stop_with = down_command(subject, options);
  how.progress = progress_to(output);
  if (!options.runtime.empty()) how.programs["caisson-runtime"] = options.runtime;
  return up_local(*files, how);
}

Result<RunningStack> attach_stack(const plan::Plan& plan, const Subject& subject,
                                  const StackOptions& options) {
  const fs::path state = state_of(plan, subject, options);
  const auto origin = read_origin(state);
  if (!origin) {
    return fail("nothing says from which spec the stack in " + whole(state) +
                    " was started: " + origin.error().what,
                anew(state, subject, options));
  }
  if (origin->target != options.target) {
    return fail(
        "the stack in " + whole(state) + " is one of target " + origin->target,
        "attack it with --target " + origin->target + ", or " + anew(state, subject, options));
  }
  const auto files = files_of(plan, subject, options);
  if (!files) return tl::unexpected(files.error());
  if (origin->environment != subject.environment || origin->digest != digest_of(*files)) {
    return fail(from_another(state, *origin, plan, subject), anew(state, subject, options));
  }
  auto stack = options.target == "compose" ? attach_compose(plan, state) : attach_local(state);
  if (!stack) stack.error().remedy = anew(state, subject, options);
  return stack;
}

Result<void> stop_stack(const plan::Plan& plan, const Subject& subject, const StackOptions& options,
                        const Output& output) {
  const fs::path state = state_of(plan, subject, options);
  if (auto ours = check_owner(state, plan, subject); !ours) return ours;
  const auto origin = read_origin(state);
  if (auto fits = check_target(state, origin, options); !fits) return fits;
  if (origin && (origin->spec != canonical(subject.path) ||
                 origin->environment != subject.environment || origin->name != plan.name.value)) {
    output.error << from_another(state, *origin, plan, subject)
                 << ": it is stopped, and its data are removed\n"
                 << std::flush;
  }
  auto stopped = take_down(state, options, output);
  if (!stopped && options.state.empty() && !fs::exists(state)) {
    if (const auto others = stops_others(plan, subject); !others.empty())
      stopped.error().remedy = others;
  }
  return stopped;
}

Result<void> stop_unread(const std::string& path, const std::string& environment,
                         const StackOptions& options, const Output& output) {
  const auto is_of_file = [&](const Origin& origin) {
    return path != "-" && origin.spec == canonical(path);
  };
  if (!options.state.empty()) {
    const auto origin = read_origin(options.state);
    if (!fs::exists(options.state))
      return fail("there is no stack in " + whole(options.state), "name its directory");
    if (!origin || !is_of_file(*origin) || origin->environment != environment) {
      return fail("nothing says that the stack in " + whole(options.state) + " is this spec's",
                  origin ? "stop it with `" + down_of(options.state, *origin) + "`"
                         : "stop it with the spec as it was");
    }
    if (auto fits = check_target(options.state, origin, options); !fits) return fits;
    return take_down(options.state, options, output);
  }
  auto known = noted_stacks();
  std::erase_if(known, [&](const auto& stack) { return !is_of_file(stack.second); });
  auto meant = known;
  std::erase_if(meant, [&](const auto& stack) {
    return stack.second.environment != environment || stack.second.target != options.target;
  });
  if (meant.size() == 1) return take_down(meant.front().first, options, output);
  std::string which;
  for (const auto& [state, origin] : meant.empty() ? known : meant)
    which += (which.empty() ? "" : ", ") + stops(down_of(state, origin), origin);
  const std::string from = "started from " + typed_word(path) +
                           (environment.empty() ? "" : " with --env " + typed_word(environment));
  if (!meant.empty()) return fail("several stacks were " + from + ", and none is stopped", which);
  return fail("no stack of target " + options.target + " is known that was " + from,
              which.empty() ? "mend the spec, or name the stack's directory with --state" : which);
}

}  // namespace caisson::conformance
