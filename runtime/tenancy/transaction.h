#pragma once

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

}  // namespace caisson::tenancy
