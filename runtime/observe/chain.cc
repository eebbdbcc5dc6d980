#include "runtime/observe/chain.h"

#include <charconv>

#include "runtime/observe/digest.h"
#include "runtime/observe/json_text.h"

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

bool is_hash(std::string_view text) {
  return text.size() == hash_chars &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string chain_line(const AuditEvent& event, std::string_view time, ChainEnd& end) {
  std::string line(seq_member);
  line += std::to_string(++end.seq);
  append_member(line, "time", time);
  append_member(line, "actor", event.actor);
  append_member(line, "action", event.action);
  append_member(line, "tenant", event.tenant);
  append_member(line, "tenant_id", event.tenant_id);
  append_member(line, "request_id", event.request_id);
  append_member(line, "outcome", event.outcome);
  append_member(line, "reason", event.reason);
  if (!event.trace_id.empty()) append_member(line, "trace_id", event.trace_id);
  (line += prev_member) += end.hash;
  line += line_end;
  end.hash = hex(sha256(end.hash, line));
  line.resize(line.size() - line_end.size());
  ((line += hash_member) += end.hash) += line_end;
  line += '\n';
  return line;
}

std::optional<std::uint64_t> claimed_seq(std::string_view line) {
  if (!line.starts_with(seq_member)) return std::nullopt;
  std::uint64_t seq = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + seq_member.size(), end, seq);
  if (error != std::errc{} || stop == end || *stop != ',' || seq == 0) return std::nullopt;
  return seq;
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
    ++result_.records;
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
