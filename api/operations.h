#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/problems.h"
#include "api/schema.h"

namespace caisson::api {

enum class OperationId : std::uint8_t {
  who_am_i,
  list_collections,
  list_records,
  create_record,
  read_record,
  replace_record,
  delete_record,
  run_batch,
  watch_changes,
  issue_ticket,
};

struct Parameter {
  enum class In : std::uint8_t { path, query, field };
  In in = In::query;
  std::string_view name;
  const Schema* schema = nullptr;
  std::string_view description;
  std::size_t most = 1;  ///< times that it may be given
};

/// A field of an answer.
struct AnswerField {
  std::string_view name;
  std::string_view description;
  bool always = true;
};

/// One request of the data API and its answer. HEAD is answered wherever GET is, but for sockets.
struct Operation {
  OperationId id;
  std::string_view name;    ///< "createRecord"
  std::string_view method;  ///< "POST"
  std::string_view path;    ///< "/v1/records/{collection}"
  /// "read" or "write", which the credential needs; empty: none, or those of its steps.
  std::string_view scope;
  std::string_view summary;
  std::string_view description{};
  std::span<const Parameter> parameters{};
  const Schema* body = nullptr;    ///< application/json
  int status = 200;                ///< of success
  const Schema* answer = nullptr;  ///< application/json; null: no content
  std::span<const AnswerField> fields{};
  /// Of a WebSocket, which the answer 101 opens: the JSON text of each message of the server.
  const Schema* message = nullptr;

  [[nodiscard]] const Parameter* parameter(std::string_view parameter_name) const;
};

/// The WebSocket protocol of a watch, and what precedes a ticket that is offered as another.
inline constexpr std::string_view watch_path = "/v1/watch";
inline constexpr std::string_view watch_protocol = "caisson.watch.v1";
inline constexpr std::string_view ticket_protocol = "caisson.ticket.";

/// All of them, each path's together.
[[nodiscard]] std::span<const Operation> operations();

/// What a request to a path asks for.
struct Call {
  const Operation* operation = nullptr;  ///< null: the path does not answer the method
  std::string_view collection;           ///< `{collection}` of the path
  std::string_view id;                   ///< `{id}` of the path, as sent
  std::string_view path;                 ///< the template
};

/// Finds the operation of a path still percent-encoded, without its query. Nothing when there is
/// nothing at the path.
[[nodiscard]] std::optional<Call> resolve(std::string_view method, std::string_view path);

/// The methods that a path (a template) answers, as `Allow` lists them.
[[nodiscard]] std::string allowed_methods(std::string_view path);

/// The scope that the operation needs and that is not among `scopes`; empty when it may be done.
/// Asked for every request and for every step of a batch alike.
[[nodiscard]] std::string_view missing_scope(const Operation& operation,
                                             std::span<const std::string> scopes);

/// The operation that does alone what a step of a batch with this `op` does; null when there is no
/// such step.
[[nodiscard]] const Operation* batch_step(std::string_view op);

/// Why an operation may be refused, in the order of the codes.
[[nodiscard]] std::vector<Code> problems_of(const Operation& operation);

/// What the data listener answers without a tenant, for its own host and the edge alone: no edge
/// routes it from outside, and it is in no document for clients.
inline constexpr std::array<std::string_view, 3> host_paths{"/ask", "/livez", "/readyz"};

}  // namespace caisson::api
