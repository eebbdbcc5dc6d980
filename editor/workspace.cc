#include "editor/workspace.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "editor/top_keys.h"
#include "editor/uri.h"
#include "generator/spec/load_document.h"

namespace caisson::editor {
namespace {

namespace fs = std::filesystem;

/// One document has one key, however a client escapes its URI.
std::string key_of(std::string_view uri) {
  const auto path = path_of(uri);
  return path ? path->string() : std::string(uri);
}

/// Whether everything is generated from it, and from each of its environments, in about a tenth of
/// a second.
bool is_small(const Analysis& analysis) {
  constexpr std::size_t most = 20;
  constexpr std::size_t most_times = 3;
  constexpr std::size_t most_text = std::size_t{32} << 10;
  std::size_t bytes = 0;
  for (const source::SourceFile& source : analysis.sources) bytes += source.text().size();
  const auto& [deployment, document] = *analysis.loaded;
  const spec::Node* environments = document.at("environments");
  const std::size_t times = 1 + (environments == nullptr ? 0 : environments->fields.size());
  return bytes <= most_text && times <= most_times &&
         (deployment.tenants.size() + deployment.services.size()) * times <= most;
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

bool Document::is_spec() const {
  if (language == "caisson") return true;
  const auto extension = path.extension();
  const bool yaml = language == "yaml" || extension == ".yaml" || extension == ".yml";
  const bool json = language == "json" || language == "jsonc" || extension == ".json";
  if (!yaml && !json) return false;
  if (has_top_key(text.bytes(), "caisson")) return true;
  // A Kubernetes Deployment often has this name too.
  const bool named = yaml && path.stem() == "deployment";
  return named && !has_top_key(text.bytes(), "apiVersion") && !has_top_key(text.bytes(), "kind");
}

void Workspace::set_folders(std::vector<fs::path> folders) {
  folders_ = std::move(folders);
  forget();
}

void Workspace::forget() {
  for (auto& [key, spec] : specs_) {
    spec->analysis.reset();
    spec->project.reset();
    spec->arrivals.clear();
  }
}

bool Workspace::open(Document document) {
  std::string key = key_of(document.uri);
  std::size_t bytes = document.text.bytes().size();
  for (const auto& [other, known] : documents_)
    if (other != key) bytes += known->text.bytes().size();
  if (bytes > most_bytes || (documents_.size() >= most_documents && !documents_.contains(key)))
    return false;
  if (const auto path = path_of(document.uri)) document.path = *path;
  specs_.erase(key);
  auto& place = documents_[key];
  place = std::make_unique<Document>(std::move(document));
  sort_out(*place);
  forget();
  return true;
}

void Workspace::close(std::string_view uri) {
  const std::string key = key_of(uri);
  specs_.erase(key);
  documents_.erase(key);
  forget();
}

Document* Workspace::change(std::string_view uri) {
  const auto found = documents_.find(key_of(uri));
  if (found == documents_.end()) return nullptr;
  forget();
  return found->second.get();
}

const Document* Workspace::find(std::string_view uri) const {
  const auto found = documents_.find(key_of(uri));
  return found == documents_.end() ? nullptr : found->second.get();
}

const Document* Workspace::find_path(const fs::path& path) const {
  const auto found = documents_.find(path.string());
  return found == documents_.end() ? nullptr : found->second.get();
}

std::map<std::string, std::unique_ptr<OpenSpec>>& Workspace::specs() {
  for (const auto& [key, document] : documents_) sort_out(*document);
  return specs_;
}

void Workspace::sort_out(const Document& document) {
  const std::string key = key_of(document.uri);
  if (!document.is_spec()) {
    specs_.erase(key);
  } else if (!specs_.contains(key)) {
    specs_[key] = std::make_unique<OpenSpec>();
    specs_[key]->document = &document;
  }
}

std::string Workspace::uri_of_file(const OpenSpec& spec, std::string_view name) const {
  if (spec.document->path.empty()) return {};
  const auto path = (spec.document->path.parent_path() / name).lexically_normal();
  const Document* open = find_path(path);
  return open != nullptr ? open->uri : uri_of(path);
}

std::optional<Member> Workspace::member(std::string_view uri) {
  const Document* document = find(uri);
  if (document == nullptr) return std::nullopt;
  sort_out(*document);
  if (const auto spec = specs_.find(key_of(uri)); spec != specs_.end())
    return Member{.spec = spec->second.get()};
  for (auto& [key, spec] : specs_) {
    const Project& files = project(*spec);
    for (std::uint32_t file = 1; file < files.sources.size(); ++file)
      if (uri_of_file(*spec, files.sources[file].name()) == document->uri)
        return Member{.spec = spec.get(), .file = file};
  }
  return std::nullopt;
}

bool Workspace::may_read(const Document& spec, const fs::path& path) const {
  std::error_code error;
  const auto real = fs::weakly_canonical(path, error);
  if (error) return false;
  const auto beside = spec.path.parent_path();
  const bool known = std::ranges::any_of(
      folders_, [&](const fs::path& folder) { return is_inside(spec.path, folder); });
  // A spec outside of every folder was opened by itself.
  if (!known) return is_inside(real, fs::weakly_canonical(beside, error));
  return std::ranges::any_of(folders_, [&](const fs::path& folder) {
    return is_inside(real, fs::weakly_canonical(folder, error));
  });
}

Result<std::string> Workspace::read(const Document& spec, std::string_view name) const {
  if (spec.path.empty())
    return fail("the spec is not a file yet", "save it; paths in a spec are relative to it");
  const auto path = (spec.path.parent_path() / name).lexically_normal();
  if (const Document* open = find_path(path)) return open->text.bytes();
  if (!may_read(spec, path))
    return fail("it leads out of the workspace", "keep it beside the spec");
  return surroundings_.read_file(path);
}

ReadFile Workspace::reader_of(const Document& spec) const {
  return [this, &spec](std::string_view name) { return read(spec, name); };
}

const Project& Workspace::project(OpenSpec& spec) const {
  if (!spec.project) {
    spec.project =
        read_project(spec.document->path.filename().string(), spec.document->text.bytes(),
                     spec.reader, reader_of(*spec.document));
  }
  return *spec.project;
}

Analysis Workspace::load(DocumentReader& reader, std::string name, std::string text,
                         const std::string& environment, const ReadFile& read_file) const {
  Analysis analysis;
  source::Diagnostics found;
  spec::LoadOptions options{.environment = environment,
                            .strict = surroundings_.strict,
                            .today = surroundings_.today(),
                            .sample_answers = true,
                            .read_file = read_file};
  analysis.sources.emplace_back(std::move(name), std::move(text));
  if (auto document = reader.read(analysis.sources[0], 0, found))
    analysis.loaded = spec::load(*std::move(document), options, analysis.sources, found);
  analysis.diagnostics = found.sorted();
  // In another environment nobody wants to know more.
  analysis.judged = !analysis.loaded || environment != surroundings_.environment;
  if (!analysis.judged && is_small(analysis)) judge(analysis, read_file);
  return analysis;
}

void Workspace::judge(Analysis& analysis, const ReadFile& read_file) const {
  if (surroundings_.judge) surroundings_.judge(analysis, read_file);
  analysis.judged = true;
}

const Analysis& Workspace::analysis(OpenSpec& spec) const {
  if (!spec.analysis) {
    spec.analysis =
        load(spec.reader, spec.document->path.filename().string(), spec.document->text.bytes(),
             surroundings_.environment, reader_of(*spec.document));
  }
  return *spec.analysis;
}

void Workspace::judge(OpenSpec& spec) const {
  if (!analysis(spec).judged) judge(*spec.analysis, reader_of(*spec.document));
}

Analysis Workspace::analysis_after(OpenSpec& spec, const std::vector<Edit>& edits) const {
  const Project& files = project(spec);
  std::map<std::string, std::string, std::less<>> changed;
  for (std::uint32_t file = 0; file < files.sources.size(); ++file) {
    std::vector<Edit> here;
    std::ranges::copy_if(edits, std::back_inserter(here),
                         [file](const Edit& edit) { return edit.place.file == file; });
    if (!here.empty())
      changed[files.sources[file].name()] = apply(files.sources[file].text(), std::move(here));
  }
  const std::string& name = files.sources[0].name();
  const auto own = changed.find(name);
  const ReadFile read_file = [&](std::string_view path) -> Result<std::string> {
    const auto other = changed.find(path);
    return other != changed.end() ? other->second : read(*spec.document, path);
  };
  return load(spec.reader, name,
              own != changed.end() ? own->second : std::string(files.sources[0].text()),
              surroundings_.environment, read_file);
}

std::vector<source::Diagnostic> Workspace::after(OpenSpec& spec,
                                                 const std::vector<Edit>& edits) const {
  return analysis_after(spec, edits).diagnostics;
}

std::string Workspace::broken_patch(OpenSpec& spec, const std::vector<Edit>& edits) const {
  const auto& before = analysis(spec).loaded;
  if (!before || before->deployment.patches.empty() ||
      before->deployment.tenants.size() > most_rendered_tenants)
    return {};
  const Analysis after = analysis_after(spec, edits);
  if (!after.loaded) return {};
  const auto old = refused_patches(*before);
  for (const std::string& message : refused_patches(*after.loaded))
    if (std::ranges::find(old, message) == old.end()) return message;
  return {};
}

std::vector<Arrival> Workspace::arrivals(OpenSpec& spec, const std::string& environment,
                                         const std::string& pointer) const {
  const std::string& chosen = environment.empty() ? surroundings_.environment : environment;
  auto known = spec.arrivals.find(chosen);
  if (known == spec.arrivals.end()) {
    ArrivalIndex index;
    const auto usable = [](const std::optional<spec::Loaded>& loaded) {
      return loaded && loaded->deployment.tenants.size() <= most_rendered_tenants;
    };
    const Analysis& here = analysis(spec);
    if (chosen == surroundings_.environment) {
      if (usable(here.loaded)) index = ArrivalIndex::of(*here.loaded);
    } else {
      const Analysis other =
          load(spec.reader, here.sources[0].name(), std::string(here.sources[0].text()), chosen,
               reader_of(*spec.document));
      if (usable(other.loaded)) index = ArrivalIndex::of(*other.loaded);
    }
    known = spec.arrivals.emplace(chosen, std::move(index)).first;
  }
  return known->second.at(pointer);
}

}  // namespace caisson::editor
