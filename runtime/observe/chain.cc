#include "runtime/observe/chain.h"

#include <charconv>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "base/digest.h"
#include "base/hex.h"
#include "base/json_text.h"

namespace caisson::observe {
namespace {

constexpr std::size_t value_bytes = 512;
constexpr std::size_t hash_chars = 64;
constexpr std::string_view seq_member = R"({"seq":)";
constexpr std::string_view prev_member = R"(,"prev":")";
constexpr std::string_view hash_member = R"(","hash":")";
constexpr std::string_view line_end = "\"}";

void append_member(std::string& out, std::string_view key, std::string_view value) {
  ((out += ",\"") += key) += "\":";
  append_json_string(out, value, value_bytes);
}

bool is_hash(std::string_view text) { return text.size() == hash_chars && is_hex(text); }

}  // namespace

std::string text(const Actor& actor) {
  switch (actor.kind) {
    case Actor::Kind::anonymous:
      break;
    case Actor::Kind::token:
      return "token:" + std::string(actor.id);
    case Actor::Kind::api_key:
      return "api-key:" + std::string(actor.id);
    case Actor::Kind::operator_:
      return "operator";
    case Actor::Kind::configuration:
      return "configuration";
    case Actor::Kind::runtime:
      return "runtime";
  }
  return "anonymous";
}

std::string chain_line(const AuditEvent& event, std::string_view time, ChainEnd& end) {
  std::string line(seq_member);
  line += std::to_string(++end.seq);
  append_member(line, "time", time);
  append_member(line, "actor", text(event.actor));
  append_member(line, "action", event.action);
  append_member(line, "tenant", event.tenant);
  append_member(line, "tenant_id", event.tenant_id);
  append_member(line, "request_id", event.request_id);
  append_member(line, "outcome", event.outcome);
  append_member(line, "reason", event.reason);
  const auto append_some = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) append_member(line, key, value);
  };
  const auto append_number = [&](std::string_view key, std::uint64_t value) {
    if (value > 0) (((line += ",\"") += key) += "\":") += std::to_string(value);
  };
  append_some("trace_id", event.trace_id);
  append_number("intent", event.intent);
  append_number("count", event.count);
  append_some("from", event.from);
  append_some("to", event.to);
  append_some("since", event.since);
  (line += prev_member) += end.hash;
  line += line_end;
  end.hash = hex(sha256(end.hash, line));
  line.resize(line.size() - line_end.size());
  ((line += hash_member) += end.hash) += line_end;
  line += '\n';
  return line;
}

std::string_view claimed_time(std::string_view line) {
  constexpr std::string_view member = R"(,"time":")";
  const std::size_t at = line.find(member);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + member.size());
  return rest.substr(0, rest.find('"'));
}

std::optional<std::uint64_t> claimed_seq(std::string_view line) {
  if (!line.starts_with(seq_member)) return std::nullopt;
  std::uint64_t seq = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + seq_member.size(), end, seq);
  if (error != std::errc{} || stop == end || *stop != ',' || seq == 0) return std::nullopt;
  return seq;
}

AuditRecord read_record(std::string_view line) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(line, error);
  if (error || !parsed.is_object()) return {};
  const boost::json::object& object = parsed.get_object();
  const auto text = [&](std::string_view key) {
    const boost::json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  const auto number = [&](std::string_view key) -> std::uint64_t {
    const boost::json::value* value = object.if_contains(key);
    if (value == nullptr) return 0;
    boost::system::error_code other;
    const auto read = value->to_number<std::uint64_t>(other);
    return other ? 0 : read;
  };
  return {.seq = number("seq"),
          .time = text("time"),
          .action = text("action"),
          .tenant = text("tenant"),
          .tenant_id = text("tenant_id"),
          .request_id = text("request_id"),
          .outcome = text("outcome"),
          .reason = text("reason"),
          .intent = number("intent")};
}

std::optional<ChainLink> read_link(std::string_view line) {
  // The end of a line has a fixed shape, so that it is read without trusting anything before it.
  constexpr std::size_t tail =
      prev_member.size() + hash_chars + hash_member.size() + hash_chars + line_end.size();
  const std::optional<std::uint64_t> seq = claimed_seq(line);
  if (!seq || line.size() < tail) return std::nullopt;
  std::string_view rest = line.substr(line.size() - tail);
  const auto take = [&](std::size_t size) {
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  };
  if (take(prev_member.size()) != prev_member) return std::nullopt;
  const std::string_view prev = take(hash_chars);
  const std::string_view canonical_start = line.substr(0, line.size() - rest.size());
  if (take(hash_member.size()) != hash_member) return std::nullopt;
  const std::string_view hash = take(hash_chars);
  if (rest != line_end || !is_hash(prev) || !is_hash(hash)) return std::nullopt;
  std::string canonical(canonical_start);
  canonical += line_end;
  if (hex(sha256(prev, canonical)) != hash) return std::nullopt;
  return ChainLink{.seq = *seq, .prev = prev, .hash = hash};
}

bool ChainVerifier::add(std::string_view line) {
  if (!result_.valid) return false;
  const std::optional<ChainLink> link = read_link(line);
  const std::uint64_t expected = end_ ? end_->seq + 1 : claimed_seq(line).value_or(1);
  if (!link) {
    break_at(expected, "the record is not what was written");
  } else if (link->seq != expected) {
    break_at(expected, "the record is missing or out of place");
  } else if (end_ && link->prev != end_->hash) {
    break_at(expected, "the record does not follow the one before it");
  } else {
    end_ = ChainEnd{.seq = link->seq, .hash = std::string(link->hash)};
    result_.to = claimed_time(line);
    if (result_.records++ == 0) {
      result_.first = link->seq;
      result_.from = result_.to;
    }
  }
  return result_.valid;
}

void ChainVerifier::break_at(std::uint64_t seq, std::string reason) {
  if (!result_.valid) return;
  result_.valid = false;
  result_.broken_at = seq;
  result_.reason = std::move(reason);
}

}  // namespace caisson::observe
