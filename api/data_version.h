#pragma once

#include <cstdint>

namespace caisson::api {

/// Version of the data that this version of the runtime writes: the migrations of the registry and
/// of the tenants' stores together, so that it grows with either. A test of the runtime keeps it
/// so.
inline constexpr std::uint64_t data_version = 8;

/// The oldest version of data that the runtime reads: each of the two has its first migration.
inline constexpr std::uint64_t oldest_data_version = 2;

}  // namespace caisson::api
