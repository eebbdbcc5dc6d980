#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "editor/protocol.h"
#include "editor/text.h"
#include "editor/workspace.h"

namespace caisson::editor {

/// What client and server have agreed on.
struct Agreement {
  Encoding encoding = Encoding::utf16;
  bool document_changes = false;  ///< edits may name versions of documents
  bool markdown = false;          ///< hovers may be Markdown
  bool markdown_items = false;    ///< so may what is said of completions
  bool nested_symbols = false;
  bool watches_files = false;  ///< the client can be asked to tell of files that change
};

/// A request cannot be answered: the parameters make no sense, or what is asked for cannot be.
struct Refusal {
  ErrorCode code = ErrorCode::invalid_params;
  std::string message;
};

/// Answers the requests about documents. Each method takes the request's parameters.
class Features {
 public:
  Features(Workspace& workspace, const Agreement& agreement)
      : workspace_(workspace), agreement_(agreement) {}

  using Answer = tl::expected<json::value, Refusal>;

  /// Whether there is such a request.
  [[nodiscard]] static bool knows(std::string_view method);
  [[nodiscard]] Answer answer(std::string_view method, const json::value& params);

  /// Diagnostics of every file of a spec, by URI, as the client is told them.
  [[nodiscard]] std::map<std::string, json::array> diagnostics(OpenSpec& spec);

  /// More in one file are not read by anybody.
  static constexpr std::size_t most_diagnostics = 1'000;

 private:
  /// A place in a document that belongs to a deployment.
  struct Place {
    Member member;
    const Project* project = nullptr;
    std::uint32_t offset = 0;
  };

  [[nodiscard]] std::optional<Member> document(const json::value& params);
  [[nodiscard]] std::optional<Place> place(const json::value& params);
  [[nodiscard]] const Text& text_of(const source::SourceFile& source);
  [[nodiscard]] json::value location(const Place& place, source::Span span);
  [[nodiscard]] json::value workspace_edit(OpenSpec& spec, const std::vector<Edit>& edits);
  [[nodiscard]] json::value text_edits(const source::SourceFile& source,
                                       const std::vector<Edit>& edits);
  [[nodiscard]] json::object diagnostic(OpenSpec& spec, const Analysis& analysis,
                                        const source::Diagnostic& diagnostic);

  Answer completion(const json::value& params);
  Answer hover_at(const json::value& params);
  Answer definition(const json::value& params);
  Answer references(const json::value& params);
  Answer highlights(const json::value& params);
  Answer prepare_rename(const json::value& params);
  Answer rename(const json::value& params);
  Answer symbols(const json::value& params);
  Answer folds(const json::value& params);
  Answer formatting(const json::value& params);
  Answer code_actions(const json::value& params);

  Workspace& workspace_;
  const Agreement& agreement_;
  std::map<const char*, Text> texts_;  ///< of sources, by where their bytes are; for one request
};

}  // namespace caisson::editor
