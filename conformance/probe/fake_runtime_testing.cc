#include "conformance/probe/fake_runtime_testing.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

std::string field_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto start = at + name.size() + 4;
  return head.substr(start, head.find("\r\n", start) - start);
}

}  // namespace

FakeRuntime::FakeRuntime() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(listener_, 64);
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  endpoint_.port = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FakeRuntime::~FakeRuntime() {
  stop_ = true;
  thread_.join();
  close(listener_);
}

void FakeRuntime::add(const std::string& slug, const std::string& key, const std::string& record_id,
                      const std::string& value) {
  const std::scoped_lock lock(mutex_);
  tenants_.push_back({slug, key, {{record_id, value}}});
}

std::string FakeRuntime::record_of(const std::string& slug) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(tenants_, slug, &Tenant::slug);
  return found->records.empty() ? "" : found->records.begin()->second;
}

void FakeRuntime::serve() {
  while (!stop_) {
    pollfd entry{listener_, POLLIN, 0};
    if (poll(&entry, 1, 5) <= 0) continue;
    const int peer = accept(listener_, nullptr, nullptr);
    if (peer < 0) continue;
    one(peer);
    close(peer);
  }
}

void FakeRuntime::one(int peer) {
  std::string bytes;
  std::array<char, 4096> block{};
  std::size_t end = std::string::npos;
  const auto more = [&] {
    const auto got = recv(peer, block.data(), block.size(), 0);
    if (got <= 0) return false;
    bytes.append(block.data(), static_cast<std::size_t>(got));
    return true;
  };
  while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return;
  }
  const std::string head = bytes.substr(0, end);
  const std::string length = field_of(head, "Content-Length");
  const std::size_t expected = end + 4 + (length.empty() ? 0 : std::stoul(length));
  while (bytes.size() < expected) {
    if (!more()) return;
  }
  const auto first = head.find(' ');
  const auto second = head.find(' ', first + 1);
  const Asked asked{.method = head.substr(0, first),
                    .target = head.substr(first + 1, second - first - 1),
                    .host = field_of(head, "Host"),
                    .authorization = field_of(head, "Authorization"),
                    .tenant_header = field_of(head, "Caisson-Tenant"),
                    .body = bytes.substr(end + 4)};
  // A UUIDv7 of 2023-11-14T22:13:20.000Z.
  const std::string request_id =
      "018bcfe5-6800-7000-8000-" + std::to_string(100'000'000'000 + next_id_++);
  const std::scoped_lock lock(mutex_);
  Answer given = twist ? twist(asked) : Answer{.status = 0};
  if (given.status == 0) given = answer(asked, request_id);
  if (!given.problem.empty()) {
    given.body = R"({"type":"urn:caisson:problem:)" + given.problem +
                 R"(","instance":"urn:caisson:request:)" + request_id + "\"}";
    const bool refusal = given.status == 401 || given.status == 403 || given.status == 429;
    if (refusal && writes_audit && count_record.empty()) {
      const std::string actor = given.status == 401 ? "anonymous" : "api-key:k";
      audit_.push_back(R"("request_id":")" + request_id + R"(","actor":")" + actor +
                       R"(","outcome":"refused","reason":")" +
                       (audit_reason.empty() ? given.problem : audit_reason) + '"');
    }
  }
  const std::string answer =
      "HTTP/1.1 " + std::to_string(given.status) + " X\r\nCaisson-Request-Id: " + request_id +
      "\r\nContent-Length: " + std::to_string(given.body.size()) + "\r\nConnection: close\r\n\r\n" +
      (asked.method == "HEAD" ? "" : given.body);
  send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
}

FakeRuntime::Answer FakeRuntime::answer(const Asked& asked, const std::string& /*request_id*/) {
  if (asked.target.starts_with("/v1/audit")) {
    const std::size_t after = std::stoul(asked.target.substr(asked.target.find("after=") + 6));
    if (!count_record.empty() && after == 0)
      return {.body = R"({"records":[{"seq":1,)" + count_record + "}]}"};
    std::string list;
    for (std::size_t seq = after + 1; seq <= audit_.size(); ++seq) {
      list += (list.empty() ? "" : ",") + std::string(R"({"seq":)") + std::to_string(seq) + "," +
              audit_[seq - 1] + "}";
    }
    return {.body = R"({"records":[)" + list + "]}"};
  }
  const auto tenant = std::ranges::find_if(
      tenants_, [&](const Tenant& t) { return asked.authorization == "Bearer " + t.key; });
  if (tenant == tenants_.end()) return {.status = 401, .problem = "invalid-credential"};
  const std::string label = asked.host.substr(0, asked.host.find('.'));
  const bool other_host = asked.host.find('.') != std::string::npos && label != tenant->slug;
  const bool other_header = !asked.tenant_header.empty() && asked.tenant_header != tenant->slug;
  if (other_host || other_header) return {.status = 403, .problem = "tenant-mismatch"};
  return data(asked, *tenant);
}

FakeRuntime::Answer FakeRuntime::data(const Asked& asked, Tenant& tenant) {
  if (asked.target == "/v1/whoami") return {.body = R"({"tenant":")" + tenant.slug + "\"}"};
  if (asked.target == "/v1/records")
    return {.body = R"({"collections":)" + std::to_string(tenant.records.size()) + "}"};
  const auto query = asked.target.find('?');
  if (query != std::string::npos) {
    std::string list;
    for (const auto& [id, value] : tenant.records) list += id + "=" + value + ";";
    return {.body = list};
  }
  const std::string id = asked.target.substr(asked.target.rfind('/') + 1);
  const auto record = tenant.records.find(id);
  if (record == tenant.records.end()) return {.status = 404, .problem = "not-found"};
  if (asked.method == "DELETE") {
    tenant.records.erase(record);
    return {.status = 204};
  }
  return {.body = record->second};
}

}  // namespace caisson::conformance
