#include "editor/server.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "editor/uri.h"

namespace caisson::editor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view watch_id = "caisson-files";

Encoding encoding_of(const json::value& params) {
  // UTF-16 is what every client can do and what is meant when it says nothing.
  const json::value* offered = member(params, {"capabilities", "general", "positionEncodings"});
  if (offered == nullptr || !offered->is_array()) return Encoding::utf16;
  for (const json::value& encoding : offered->get_array()) {
    if (!encoding.is_string()) continue;
    if (encoding.get_string() == "utf-8") return Encoding::utf8;
    if (encoding.get_string() == "utf-32") return Encoding::utf32;
    if (encoding.get_string() == "utf-16") return Encoding::utf16;
  }
  return Encoding::utf16;
}

std::string_view name_of(Encoding encoding) {
  return encoding == Encoding::utf8 ? "utf-8" : encoding == Encoding::utf32 ? "utf-32" : "utf-16";
}

bool mentions(const json::value* list, std::string_view word) {
  return list != nullptr && list->is_array() &&
         std::ranges::any_of(list->get_array(), [word](const json::value& each) {
           return each.is_string() && each.get_string() == word;
         });
}

/// What the server can do, for the answer to `initialize`.
json::object capabilities(Encoding encoding) {
  return {{"positionEncoding", name_of(encoding)},
          {"textDocumentSync", json::object{{"openClose", true},
                                            {"change", 2},  // Incremental
                                            {"save", json::object{{"includeText", false}}}}},
          {"completionProvider",
           json::object{{"triggerCharacters", json::array{" ", ":", "{", "\"", ","}}}},
          {"hoverProvider", true},
          {"definitionProvider", true},
          {"referencesProvider", true},
          {"documentHighlightProvider", true},
          {"renameProvider", json::object{{"prepareProvider", true}}},
          {"documentSymbolProvider", true},
          {"foldingRangeProvider", true},
          {"documentFormattingProvider", true},
          {"codeActionProvider", json::object{{"codeActionKinds", json::array{"quickfix"}}}},
          {"workspace",
           json::object{{"workspaceFolders",
                         json::object{{"supported", true}, {"changeNotifications", true}}}}}};
}

}  // namespace

Server::Server(Surroundings surroundings, std::function<void(std::string)> send)
    : send_(std::move(send)),
      workspace_(std::move(surroundings)),
      features_(workspace_, agreement_) {}

bool Server::is_full() const { return waiting_.size() >= most_waiting; }

void Server::receive(const std::string& text) {
  ErrorCode error{};
  json::value id;
  auto message = read_message(text, error, id);
  if (!message) {
    send_(failure(id, error,
                  error == ErrorCode::parse_error ? "the message is not JSON"
                                                  : "the message is not JSON-RPC 2.0"));
    return;
  }
  if (message->method == "$/cancelRequest") {
    const json::value* cancelled = member(message->params, {"id"});
    const bool waits =
        cancelled != nullptr && std::ranges::any_of(waiting_, [&](const Message& other) {
          return other.id == *cancelled && !other.method.empty();
        });
    if (waits) cancelled_.insert(json::serialize(*cancelled));
    return;
  }
  waiting_.push_back(*std::move(message));
}

bool Server::step() {
  if (exit_) return false;
  if (waiting_.empty()) {
    if (!stale_ || state_ != State::running) return false;
    publish();
    return true;
  }
  const Message message = std::move(waiting_.front());
  waiting_.pop_front();
  try {
    handle(message);
  } catch (const std::exception& bug) {
    log(std::string("this is a bug: ") + bug.what());
    if (message.id) send_(failure(*message.id, ErrorCode::internal_error, bug.what()));
  }
  return true;
}

void Server::handle(const Message& message) {
  if (message.method.empty()) return;  // an answer to what the server asked
  if (!message.id) {
    handle_notification(message);
  } else if (cancelled_.erase(json::serialize(*message.id)) > 0) {
    send_(failure(*message.id, ErrorCode::request_cancelled, "cancelled"));
  } else {
    handle_request(message);
  }
}

void Server::handle_request(const Message& message) {
  const json::value& id = *message.id;
  const bool first = message.method == "initialize";
  if (state_ == State::shut_down || (first && state_ != State::fresh)) {
    send_(failure(id, ErrorCode::invalid_request,
                  first ? "the server is initialized already" : "the server is shut down"));
  } else if (first) {
    send_(answer(id, initialize(message.params)));
  } else if (state_ == State::fresh) {
    send_(failure(id, ErrorCode::server_not_initialized, "'initialize' comes first"));
  } else if (message.method == "shutdown") {
    state_ = State::shut_down;
    send_(answer(id, nullptr));
  } else if (!Features::knows(message.method)) {
    send_(failure(id, ErrorCode::method_not_found, "unknown method '" + message.method + "'"));
  } else {
    auto result = features_.answer(message.method, message.params);
    send_(result ? answer(id, *std::move(result))
                 : failure(id, result.error().code, result.error().message));
  }
}

void Server::handle_notification(const Message& message) {
  const std::string& method = message.method;
  if (method == "exit") {
    exit_ = exit_when_left();
  } else if (state_ != State::running) {
    return;  // LSP 3.17: dropped
  } else if (method == "initialized") {
    ask_for_watching();
  } else if (method == "textDocument/didOpen") {
    open(message.params);
  } else if (method == "textDocument/didChange") {
    change(message.params);
  } else if (method == "textDocument/didClose") {
    close(message.params);
  } else if (method == "textDocument/didSave" || method == "workspace/didChangeWatchedFiles") {
    workspace_.forget();
    grow_stale();
  } else if (method == "workspace/didChangeWorkspaceFolders") {
    change_folders(message.params);
  }
}

json::value Server::initialize(const json::value& params) {
  state_ = State::running;
  const auto text_document =
      [&](std::initializer_list<std::string_view> way) -> const json::value* {
    const json::value* found = member(params, {"capabilities", "textDocument"});
    return found == nullptr ? nullptr : member(*found, way);
  };
  agreement_.encoding = encoding_of(params);
  agreement_.document_changes =
      flag_at(params, {"capabilities", "workspace", "workspaceEdit", "documentChanges"});
  agreement_.watches_files = flag_at(
      params, {"capabilities", "workspace", "didChangeWatchedFiles", "dynamicRegistration"});
  agreement_.markdown = mentions(text_document({"hover", "contentFormat"}), "markdown");
  agreement_.markdown_items =
      mentions(text_document({"completion", "completionItem", "documentationFormat"}), "markdown");
  agreement_.nested_symbols = flag_at(params, {"capabilities", "textDocument", "documentSymbol",
                                               "hierarchicalDocumentSymbolSupport"});
  client_ = integer_at(params, {"processId"});

  const json::value* folders = member(params, {"workspaceFolders"});
  if (folders != nullptr && folders->is_array()) {
    for (const json::value& folder : folders->get_array())
      if (auto uri = string_at(folder, {"uri"})) folders_.insert(*std::move(uri));
  } else if (auto root = string_at(params, {"rootUri"})) {
    folders_.insert(*std::move(root));
  }
  change_folders(nullptr);
  return json::object{
      {"capabilities", capabilities(agreement_.encoding)},
      {"serverInfo", json::object{{"name", "caisson"}, {"version", CAISSON_VERSION}}}};
}

void Server::change_folders(const json::value& params) {
  const auto each = [&](std::string_view list, const auto& act) {
    const json::value* folders = member(params, {"event", list});
    if (folders == nullptr || !folders->is_array()) return;
    for (const json::value& folder : folders->get_array())
      if (const auto uri = string_at(folder, {"uri"})) act(*uri);
  };
  each("removed", [this](const std::string& uri) { folders_.erase(uri); });
  each("added", [this](const std::string& uri) { folders_.insert(uri); });
  std::vector<fs::path> paths;
  for (const std::string& uri : folders_)
    if (auto path = path_of(uri)) paths.push_back(*std::move(path));
  workspace_.set_folders(std::move(paths));
  grow_stale();
}

void Server::ask_for_watching() {
  if (!agreement_.watches_files) return;
  json::array watchers;
  for (const std::string_view ending : {"yaml", "yml", "json", "csv", "ndjson"})
    watchers.push_back(json::object{{"globPattern", "**/*." + std::string(ending)}});
  send_(request(
      watch_id, "client/registerCapability",
      json::object{{"registrations",
                    json::array{json::object{
                        {"id", watch_id},
                        {"method", "workspace/didChangeWatchedFiles"},
                        {"registerOptions", json::object{{"watchers", std::move(watchers)}}}}}}}));
}

void Server::open(const json::value& params) {
  const auto uri = string_at(params, {"textDocument", "uri"});
  auto text = string_at(params, {"textDocument", "text"});
  if (!uri || !text) return log("'didOpen' without 'uri' or 'text'");
  Document document{.uri = *uri,
                    .path = {},
                    .language = string_at(params, {"textDocument", "languageId"}).value_or(""),
                    .version = integer_at(params, {"textDocument", "version"}).value_or(0),
                    .text = Text(*std::move(text))};
  if (!workspace_.open(std::move(document)))
    return log("too many documents are open: " + *uri + " is left alone");
  grow_stale();
}

void Server::change(const json::value& params) {
  const auto uri = string_at(params, {"textDocument", "uri"});
  Document* document = uri ? workspace_.change(*uri) : nullptr;
  if (document == nullptr) return log("'didChange' of a document that is not open");
  document->version =
      integer_at(params, {"textDocument", "version"}).value_or(document->version + 1);
  const json::value* changes = member(params, {"contentChanges"});
  if (changes == nullptr || !changes->is_array()) return log("'didChange' without changes");
  for (const json::value& change : changes->get_array()) {
    const auto text = string_at(change, {"text"});
    const json::value* range = member(change, {"range"});
    if (!text) {
      log("a change without a text is left out");
    } else if (range == nullptr) {
      document->text = Text(*text);
    } else if (const auto where = read_range(*range)) {
      document->text.replace(*where, agreement_.encoding, *text);
    } else {
      log("a change whose range makes no sense is left out");
    }
  }
  grow_stale();
}

void Server::close(const json::value& params) {
  const auto uri = string_at(params, {"textDocument", "uri"});
  if (!uri) return;
  workspace_.close(*uri);
  grow_stale();
}

void Server::grow_stale() {
  stale_ = true;
  ++version_;
}

/// What there is to say of every file.
std::map<std::string, json::array> Server::collect() {
  std::map<std::string, json::array> found;
  for (auto& [key, spec] : workspace_.specs()) {
    for (auto& [uri, list] : features_.diagnostics(*spec)) {
      // A file may belong to several specs, and each has its own to say of it.
      json::array& all = found[uri];
      if (all.empty()) {
        all = std::move(list);
        continue;
      }
      for (json::value& each : list)
        if (std::ranges::find(all, each) == all.end()) all.push_back(std::move(each));
    }
  }
  return found;
}

void Server::publish() {
  stale_ = false;
  auto found = collect();
  unjudged_ = std::ranges::any_of(workspace_.specs(), [this](const auto& each) {
    return !workspace_.analysis(*each.second).judged;
  });
  tell(std::move(found));
}

bool Server::has_more_to_find() const { return state_ == State::running && !stale_ && unjudged_; }

std::string Server::find_more() {
  for (auto& [key, spec] : workspace_.specs()) workspace_.judge(*spec);
  json::object found;
  for (auto& [uri, list] : collect()) found[uri] = std::move(list);
  return json::serialize(found);
}

void Server::tell_more(std::string_view found, std::size_t version) {
  if (version != version_ || !has_more_to_find()) return;
  unjudged_ = false;
  boost::system::error_code error;
  json::value read = json::parse(found, error);
  if (error || !read.is_object()) return log("what is generated from the spec was not looked at");
  std::map<std::string, json::array> by_uri;
  for (auto& [uri, list] : read.get_object())
    if (list.is_array()) by_uri[std::string(uri)] = std::move(list.get_array());
  tell(std::move(by_uri));
}

void Server::tell(std::map<std::string, json::array> found) {
  // What nobody speaks of any more has no mistakes.
  for (const auto& [uri, told] : told_) found[uri];
  for (auto& [uri, list] : found) {
    const Document* document = workspace_.find(uri);
    Told fresh{.version = document == nullptr ? std::nullopt : std::optional(document->version),
               .diagnostics = std::move(list)};
    const auto known = told_.find(uri);
    if (known != told_.end() && known->second.version == fresh.version &&
        known->second.diagnostics == fresh.diagnostics) {
      continue;
    }
    json::object params{{"uri", uri}, {"diagnostics", fresh.diagnostics}};
    if (fresh.version) params["version"] = *fresh.version;
    send_(notification("textDocument/publishDiagnostics", std::move(params)));
    told_[uri] = std::move(fresh);
  }
  // Documents come and go for as long as an editor runs.
  std::erase_if(told_, [](const auto& each) {
    return !each.second.version && each.second.diagnostics.empty();
  });
}

void Server::log(std::string_view message) {
  send_(notification("window/logMessage",
                     json::object{{"type", 2}, {"message", "caisson: " + std::string(message)}}));
}

}  // namespace caisson::editor
