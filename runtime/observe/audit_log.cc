#include "runtime/observe/audit_log.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <new>
#include <utility>

#include "base/json_text.h"
#include "runtime/observe/audit_files.h"

namespace caisson::observe {
namespace {

constexpr std::chrono::milliseconds retry_pause{200};
constexpr Actor by_runtime{.kind = Actor::Kind::runtime};

AuditVerification verify_view(const AuditView& view) {
  // Without a head, a chain may begin anywhere; the log's own beginning is known.
  std::optional<ChainEnd> start;
  if (view.head && view.head->first == 1) start.emplace();
  ChainVerifier verifier(start);
  bool torn = false;
  for (const AuditView::File& file : view.files) {
    const std::uint64_t end = for_each_line(file, 0, [&](std::string_view line) {
      if (!verifier.end() && view.head && claimed_seq(line) != view.head->first) {
        verifier.break_at(view.head->first, "the record is missing or out of place");
        return false;
      }
      return verifier.add(line);
    });
    const bool last = &file == &view.files.back();
    torn = torn || end < file.bytes;
    if (torn && !last)
      verifier.break_at(verifier.end() ? verifier.end()->seq + 1 : 1, "the record is cut");
  }
  const ChainEnd end = verifier.end().value_or(ChainEnd{});
  if (!view.head) {
    verifier.break_at(end.seq + 1, "audit.head is missing or unreadable");
  } else if (end.seq < view.head->end.seq) {
    verifier.break_at(end.seq + 1, "records are missing at the end");
  } else if (end.seq == view.head->end.seq && end.hash != view.head->end.hash) {
    verifier.break_at(end.seq, "the last record is not the one that was noted");
  }
  AuditVerification result = verifier.result();
  if (view.head) {
    result.retired = view.head->first - 1;
    result.has_refusals = view.head->refusals;
  }
  return result;
}

AuditVerification verify_one_file(const AuditView::File& file) {
  ChainVerifier verifier(std::nullopt);
  const std::uint64_t end =
      for_each_line(file, 0, [&](std::string_view line) { return verifier.add(line); });
  if (end < file.bytes)
    verifier.break_at(verifier.end() ? verifier.end()->seq + 1 : 1, "the record is cut");
  return verifier.result();
}

}  // namespace

class AuditLog::Files : public AuditFiles {
 public:
  explicit Files(AuditFiles&& files) : AuditFiles(std::move(files)) {}
};

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& directory,
                                                 const Clock& clock, const Log& log,
                                                 Metrics& metrics, AuditBounds bounds) {
  auto files = AuditFiles::open(directory, bounds.file_bytes, bounds.files);
  if (!files) return tl::unexpected(files.error());
  std::unique_ptr<AuditLog> audit(
      new AuditLog(std::make_unique<Files>(std::move(*files)), clock, log, metrics, bounds));
  // Before anything is written: the head says until then that nothing is known of later records.
  audit->find_unfinished();
  if (const std::string& damage = audit->files_->damage(); !damage.empty()) {
    log.error("the audit log was damaged; its verification tells where", {{"damage", damage}});
    audit->append(
        {.actor = by_runtime, .action = "audit.damaged", .outcome = "failed", .reason = damage});
  }
  audit->writer_ = std::thread([writing = audit.get()] { writing->run(); });
  return audit;
}

AuditLog::AuditLog(std::unique_ptr<Files> files, const Clock& clock, const Log& log,
                   Metrics& metrics, AuditBounds bounds)
    : files_(std::move(files)),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      bounds_(bounds),
      end_(files_->end()),
      durable_(end_.seq) {}

AuditLog::~AuditLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
}

std::uint64_t AuditLog::append(const AuditEvent& event) {
  std::uint64_t seq = 0;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return pending_.size() < bounds_.pending_bytes || !healthy_; });
    if (pending_.size() >= bounds_.pending_bytes) {
      ++lost_;
      return 0;
    }
    seq = append_locked({&event, 1});
  }
  changed_.notify_all();
  return seq;
}

bool AuditLog::try_append(const AuditEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    if (!healthy_ || pending_.size() >= bounds_.pending_bytes) return false;
    append_locked({&event, 1});
  }
  changed_.notify_all();
  return true;
}

void AuditLog::append_soon(std::span<const AuditEvent> events) {
  {
    const std::lock_guard lock(mutex_);
    append_locked(events);
  }
  changed_.notify_all();
}

std::uint64_t AuditLog::append_locked(std::span<const AuditEvent> events) {
  const std::string time = rfc3339(clock_.unix_ms());
  ChainEnd end = end_;
  std::string lines;
  std::set<std::uint64_t> opened;
  for (const AuditEvent& event : events) {
    lines += chain_line(event, time, end);
    if (event.outcome == intent_outcome) opened.insert(end.seq);
  }
  pending_ += lines;
  // Memory may run out up to here, and then nothing was added; nothing fails from here on.
  open_.merge(opened);
  for (const AuditEvent& event : events) {
    open_.erase(event.intent);
    metrics_.audited();
  }
  end_ = std::move(end);
  return end_.seq;
}

std::uint64_t AuditLog::oldest_open() const { return open_.empty() ? 0 : *open_.begin(); }

void AuditLog::find_unfinished() {
  const std::uint64_t from = files_->unsettled_from();
  std::map<std::uint64_t, UnfinishedAct> found;
  const AuditView view = files_->view();
  for (std::size_t i = 0; i < view.files.size(); ++i) {
    const std::uint64_t next = i + 1 < view.files.size() ? view.files[i + 1].first : 0;
    if (next != 0 && next <= from) continue;
    for_each_line(view.files[i], offset_after(view.files[i], from - 1), [&](std::string_view line) {
      const AuditRecord record = read_record(line);
      if (record.outcome == intent_outcome) {
        found[record.seq] = {.seq = record.seq,
                             .time_ms = parse_rfc3339(record.time).value_or(0),
                             .action = record.action,
                             .tenant = record.tenant,
                             .tenant_id = record.tenant_id,
                             .request_id = record.request_id,
                             .reason = record.reason};
      }
      found.erase(record.intent);
      return true;
    });
  }
  for (auto& [seq, act] : found) {
    open_.insert(seq);
    unfinished_.push_back(std::move(act));
  }
}

bool AuditLog::flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = end_.seq;
  changed_.wait(lock, [&] { return durable_ >= target || !healthy_; });
  return durable_ >= target;
}

bool AuditLog::healthy() const {
  const std::lock_guard lock(mutex_);
  return healthy_;
}

bool AuditLog::has_refusals() const { return files_->has_refusals(); }

bool AuditLog::note_refusals() { return files_->note_refusals(); }

void AuditLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !pending_.empty() || stopping_; });
    if (pending_.empty()) return;
    const std::string records = std::exchange(pending_, {});
    writing_ = end_;  // needs no memory: every hash is as long as the one that is there
    const std::uint64_t open = oldest_open();
    lock.unlock();
    while (!write(records, open)) {
      lock.lock();
      if (std::exchange(healthy_, false))
        log_.error("the audit log cannot be written",
                   {{"pending", static_cast<std::int64_t>(records.size())}});
      changed_.notify_all();
      if (stopping_) return;
      changed_.wait_for(lock, retry_pause, [&] { return stopping_; });
      lock.unlock();
    }
    lock.lock();
    durable_ = writing_.seq;
    healthy_ = true;
    append_own();
    changed_.notify_all();
  }
}

bool AuditLog::write(std::string_view records, std::uint64_t open) {
  try {
    return files_->write(records, writing_, open, removed_);
  } catch (const std::bad_alloc&) {
    return false;  // tried again, as when the disk refuses it
  }
}

/// Adds what the log has to say of itself; when memory runs out, after the next write.
void AuditLog::append_own() {
  try {
    if (lost_ > 0) {
      const std::string what = std::to_string(lost_) + " records while the disk refused writes";
      const AuditEvent lost{
          .actor = by_runtime, .action = "audit.lost", .outcome = "failed", .reason = what};
      append_locked({&lost, 1});
      lost_ = 0;
    }
    if (!removed_.empty()) {
      const AuditEvent retired{
          .actor = by_runtime, .action = "audit.retire", .outcome = "ok", .reason = removed_};
      append_locked({&retired, 1});
      removed_.clear();
    }
  } catch (const std::bad_alloc&) {
    return;  // what is not told stays to be told
  }
}

namespace {

/// From the newest file back, as far as it takes.
std::vector<std::string> newest_of(const AuditView& view, const AuditQuery& query,
                                   const std::function<bool(std::string_view)>& matches) {
  std::deque<std::string> found;
  for (std::size_t i = view.files.size(); i-- > 0 && found.size() < query.limit;) {
    const std::size_t room = query.limit - found.size();
    std::deque<std::string> of_file;
    const AuditView::File& file = view.files[i];
    for_each_line(file, offset_after(file, query.after), [&](std::string_view line) {
      if (matches(line)) of_file.emplace_back(line);
      if (of_file.size() > room) of_file.pop_front();
      return true;
    });
    found.insert(found.begin(), std::make_move_iterator(of_file.begin()),
                 std::make_move_iterator(of_file.end()));
  }
  return {std::make_move_iterator(found.begin()), std::make_move_iterator(found.end())};
}

}  // namespace

std::vector<std::string> AuditLog::query(const AuditQuery& query) {
  static_cast<void>(flush());  // what is durable is shown in any case
  std::string wanted;
  if (!query.tenant.empty()) {
    // Quotes inside values are escaped, so that this text can only be the member itself.
    wanted = R"(,"tenant":)";
    append_json_string(wanted, query.tenant);
    wanted += ',';
  }
  const auto matches = [&](std::string_view line) {
    return wanted.empty() || line.find(wanted) != std::string_view::npos;
  };
  const AuditView view = files_->view();
  if (query.newest) return newest_of(view, query, matches);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < view.files.size() && found.size() < query.limit; ++i) {
    const std::uint64_t next = i + 1 < view.files.size() ? view.files[i + 1].first : 0;
    if (next != 0 && next <= query.after + 1) continue;
    const AuditView::File& file = view.files[i];
    for_each_line(file, offset_after(file, query.after), [&](std::string_view line) {
      if (matches(line)) found.emplace_back(line);
      return found.size() < query.limit;
    });
  }
  return found;
}

AuditVerification AuditLog::verify() {
  static_cast<void>(flush());
  return verify_view(files_->view());
}

Result<AuditVerification> verify_audit_log(const std::filesystem::path& path) {
  std::error_code error;
  const bool directory = std::filesystem::is_directory(path, error);
  const std::filesystem::path folder = directory                    ? path
                                       : path.parent_path().empty() ? "."
                                                                    : path.parent_path();
  const bool whole = directory || (path.filename() == "audit.ndjson" &&
                                   std::filesystem::exists(folder / "audit.head", error));
  if (whole) {
    const auto view = view_audit(folder);
    if (!view) return tl::unexpected(view.error());
    return verify_view(*view);
  }
  const auto file = view_file(path);
  if (!file) return tl::unexpected(file.error());
  return verify_one_file(*file);
}

}  // namespace caisson::observe
