#include "runtime/tenancy/batch_run.h"

#include <utility>

namespace caisson::tenancy {

using storage::Fault;
using storage::TenantStore;

bool BatchRun::reserve(std::size_t most) noexcept {
  try {
    jobs_.reserve(most);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void BatchRun::add(std::unique_ptr<Task> task) {
  Job& job = jobs_.emplace_back(Job{.task = std::move(task)});
  if (is_late(job)) return;
  if (!job.writes()) return read(job);
  if (!transaction_ && !begin()) return;
  write(job);
}

bool BatchRun::finish() {
  turn_.pause();  // others compute while this one waits for the disk
  if (transaction_ && !lost_ && !broken_) {
    if (commit(written_)) {
      for (Job& job : jobs_) job.settled = true;
    }
  }
  if (lost_ && !broken_) one_by_one();
  return !broken_;
}

void BatchRun::release() {
  for (Job& job : jobs_) {
    job.task->release(job.settled ? job.refusal : Refusal::unavailable);
  }
}

void BatchRun::settle(Job& job, std::optional<Refusal> refusal) {
  job.settled = true;
  job.refusal = refusal;
}

bool BatchRun::is_late(Job& job) {
  if (std::chrono::steady_clock::now() < job.task->deadline) return false;
  settle(job, Refusal::deadline);
  return true;
}

bool BatchRun::begin() {
  transaction_ = store_.begin();
  if (!transaction_) lose();
  return transaction_;
}

/// The transaction did not begin, or did not commit. A full disk or a lack of memory is no damage:
/// each job is tried again.
void BatchRun::lose() {
  const Fault fault = store_.database().fault();
  lost_ = fault == Fault::full || fault == Fault::exhausted;
  broken_ = !lost_;
}

/// In a transaction a read has seen what is not durable yet, and is settled with it.
void BatchRun::read(Job& job) {
  if (!turn_.begin_job(job.task->deadline)) return settle(job, Refusal::deadline);
  const Fault fault =
      store_.read([&](TenantStore& view) { job.task->run(view); }, job.task->deadline, &turn_);
  broken_ = broken_ || fault == Fault::broken;
  if (fault != Fault::none || !transaction_) settle(job, refusal_for(fault));
}

void BatchRun::write(Job& job) {
  if (!turn_.begin_job(job.task->deadline)) return settle(job, Refusal::deadline);
  const auto outcome =
      store_.run([&](TenantStore& view) { job.task->run(view); }, job.task->deadline, &turn_);
  if (outcome.fault != Fault::none) settle(job, refusal_for(outcome.fault));
  broken_ = broken_ || outcome.fault == Fault::broken;
  lost_ = lost_ || outcome.transaction_lost;
  if (!job.settled) ++written_;
}

bool BatchRun::commit(std::size_t writes) {
  const auto began = std::chrono::steady_clock::now();
  if (!store_.commit()) {
    ++meter_.failures;
    lose();
    return false;
  }
  if (writes > 0) {
    meter_.seconds.observe_ns((std::chrono::steady_clock::now() - began).count());
  }
  committed_ += writes;
  return true;
}

/// After the transaction was lost: every job that is not settled yet, in a transaction of its own.
void BatchRun::one_by_one() {
  for (Job& job : jobs_) {
    store_.roll_back();
    transaction_ = lost_ = false;
    if (job.settled || is_late(job)) continue;
    if (!job.writes()) {
      read(job);
    } else if (begin()) {
      write(job);
      turn_.pause();
      if (!job.settled && !lost_ && !broken_ && commit(1)) settle(job, std::nullopt);
    }
    if (broken_) return;
    // Without a fault the engine undid a transaction because of this job.
    if (!job.settled) settle(job, refusal_for(store_.database().fault()).value_or(Refusal::failed));
  }
  store_.roll_back();
}

}  // namespace caisson::tenancy
