#pragma once

#include <chrono>
#include <new>
#include <thread>

#include "runtime/storage/database.h"

namespace caisson::tenancy {

/// A write transaction; undone at destruction unless committed.
class Transaction {
 public:
  explicit Transaction(storage::Database& database) : database_(database) {
    database_.clear_fault();
    database_.execute("BEGIN IMMEDIATE");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    database_.clear_fault();
    if (database_.in_transaction()) database_.execute("ROLLBACK");
  }
  /// True once durable.
  [[nodiscard]] bool commit() { return database_.execute("COMMIT"); }

 private:
  storage::Database& database_;
};

/// What has to follow a commit: `act`, which may be begun again, until there is memory for it. A
/// change that is durable and not seen would last until the next start.
template <class Act>
auto insist(Act act) {
  while (true) {
    try {
      return act();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

}  // namespace caisson::tenancy
