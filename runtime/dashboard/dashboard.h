#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/http/reply.h"

namespace caisson::dashboard {

/// What `dashboard.json` says: one JSON object with exactly these keys.
struct Configuration {
  std::string deployment;  ///< name shown in the page's title
  std::string domain;      ///< the bare domain, where the page asks for the tenant's name
  std::string listen;      ///< "address:port"
};

/// Reads `dashboard.json`; unknown, missing and mistyped keys fail with the key's name.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view json);

/// Serves the dashboard's files: the page at `/` and `/dashboard/`, its parts below, `/livez` and
/// `/readyz`. It holds no data and no credential: the page talks to the data API of its own origin.
[[nodiscard]] http::Handler handler(const Configuration& configuration);

}  // namespace caisson::dashboard
