#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.h"

namespace caisson::storage {

/// One change that a job made to its tenant's records, for those who follow them.
struct Change {
  enum class Op : std::uint8_t { created, replaced, deleted };
  Op op = Op::created;
  std::string collection;
  Uuid id;
  std::int64_t version = 1;  ///< after the change; of a deleted record its last one
  std::int64_t time_ms = 0;  ///< Unix time
};

}  // namespace caisson::storage
