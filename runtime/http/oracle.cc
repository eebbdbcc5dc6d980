#include "runtime/http/oracle.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

namespace beast = boost::beast::http;

std::string_view view(boost::beast::string_view s) { return {s.data(), s.size()}; }

/// Path and query as they stood in the target, with an absolute form's scheme and authority taken
/// off.
std::string_view relative(std::string_view target) {
  if (target.starts_with('/')) return target;
  const std::size_t authority = target.find("://") + 3;
  target.remove_prefix(std::min(target.find_first_of("/?", authority), target.size()));
  return target;
}

}  // namespace

std::string difference_to_beast(std::string_view bytes, const Request& request) {
  beast::request_parser<beast::string_body> parser;
  parser.eager(true);
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  while (!parser.is_done()) {
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    if (error) return "beast refuses: " + error.message();
    if (used == 0 && !parser.is_done()) return "beast wants more";
  }
  if (!bytes.empty())
    return "beast ends the message " + std::to_string(bytes.size()) + " bytes earlier";
  const auto& message = parser.get();
  if (view(message.method_string()) != request.method) return "method";
  std::string target(request.path);
  if (request.query.data() != nullptr) target.append("?").append(request.query);
  std::string_view theirs = relative(view(message.target()));
  const bool empty_path = theirs.empty() || theirs.starts_with('?');
  if ((empty_path ? "/" : "") + std::string(theirs) != target) return "target";
  auto own = request.fields.begin();
  for (const auto& field : message) {
    // Beast joins no fields but orders equal names together; look the pair up instead of counting
    // on order.
    const auto same = [&](const Field& candidate) {
      return candidate.name == view(field.name_string()) &&
             (candidate.value == view(field.value()) || same_name(candidate.name, "host"));
    };
    own = std::find_if(request.fields.begin(), request.fields.end(), same);
    if (own == request.fields.end() && !view(field.name_string()).empty()) {
      // Trailer fields end up among Beast's fields; ours are dropped.
      if (!message.chunked()) return "field " + std::string(view(field.name_string()));
    }
  }
  for (const auto& field : request.fields) {
    if (message.count(boost::beast::string_view(field.name.data(), field.name.size())) == 0) {
      return "a field that beast has not";
    }
  }
  if (message.body() != request.body) return "body";
  return {};
}

}  // namespace caisson::http
