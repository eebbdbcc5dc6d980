#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/base64url.h"
#include "runtime/context/configuration.h"
#include "runtime/ingress/api_key.h"
#include "runtime/ingress/signals.h"

namespace {

/// The next line of `text`, taken off it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

/// The first line is a host, every other one a field. No signal is ever anything but what it says
/// it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  http::Request request;
  request.host = take_line(text);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t colon = std::min(line.find(':'), line.size());
    request.fields.push_back(
        {.name = line.substr(0, colon), .value = line.substr(std::min(colon + 1, line.size()))});
  }

  using Kind = ingress::HostSignal::Kind;
  const ingress::HostSignal host = ingress::read_host(request.host, "acme.localhost");
  if (host.kind == Kind::slug && (!context::is_slug(host.name) ||
                                  std::string(host.name) + ".acme.localhost" != request.host)) {
    std::abort();
  }
  if (host.kind == Kind::own_domain && host.name.ends_with(".acme.localhost")) std::abort();

  const auto header = ingress::read_tenant_header(request);
  if (header && *header && (!context::is_slug(**header) || request.count("Caisson-Tenant") != 1))
    std::abort();
  if (header && !*header && request.count("Caisson-Tenant") != 0) std::abort();

  const auto bearer = ingress::read_bearer(request);
  if (bearer && *bearer) {
    const auto id = ingress::api_key_id(**bearer);
    if (id && (id->size() != 22 || (**bearer).size() != 70)) std::abort();
    const auto bytes = decode_base64url(**bearer);
    if (bytes && encode_base64url(*bytes) != **bearer) std::abort();
  }
  return 0;
}
