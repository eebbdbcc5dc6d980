#include "runtime/admin/routes.h"

namespace caisson::admin {
namespace {

// clang-format off: one route a row reads like the table it is
constexpr std::array table{
    Entry{"GET", "/v1/tenants", "", list_tenants, "tenants list", "[limit=N] [cursor=SLUG] [status=STATUS] [owner=EMAIL]"},
    Entry{"POST", "/v1/tenants", "tenant.create", create_tenant, "tenants create", "slug=SLUG tier=TIER [name=TEXT] [owner=EMAIL] [domains:=LIST] [limits:=OBJECT] [metadata:=OBJECT]"},
    Entry{"GET", "/v1/tenants/*", "", read_tenant, "tenants show", ""},
    Entry{"PATCH", "/v1/tenants/*", "tenant.update", update_tenant, "tenants update", "[tier=TIER] [name=TEXT] [owner=EMAIL] [domains:=LIST] [limits:=OBJECT] [metadata:=OBJECT]"},
    Entry{"DELETE", "/v1/tenants/*", "tenant.delete", delete_tenant, "tenants delete", "", false, true},
    Entry{"POST", "/v1/tenants/*/suspend", "tenant.suspend", suspend_tenant, "tenants suspend", ""},
    Entry{"POST", "/v1/tenants/*/resume", "tenant.resume", resume_tenant, "tenants resume", ""},
    Entry{"GET", "/v1/tenants/*/usage", "", read_usage, "tenants usage", ""},
    Entry{"GET", "/v1/tenants/*/keys", "", list_keys, "keys list", ""},
    Entry{"POST", "/v1/tenants/*/keys", "key.create", create_key, "keys create", "name=TEXT [scopes:=LIST] [expires=TIME]"},
    Entry{"GET", "/v1/tenants/*/keys/export", "key.export", export_keys, "keys export", ""},
    Entry{"POST", "/v1/tenants/*/keys/import", "key.import", import_keys, "keys import", "- [existing=keep|revoke] (what keys export printed, on standard input)"},
    Entry{"DELETE", "/v1/tenants/*/keys/*", "key.revoke", revoke_key, "keys revoke", ""},
    Entry{"GET", "/v1/tenants/*/snapshots", "", list_snapshots, "snapshots list", ""},
    Entry{"POST", "/v1/tenants/*/snapshots", "snapshot.create", create_snapshot, "snapshots create", "", false, true},
    Entry{"DELETE", "/v1/tenants/*/snapshots/*", "snapshot.delete", delete_snapshot, "snapshots delete", "", false, true},
    Entry{"POST", "/v1/tenants/*/restore", "snapshot.restore", restore_snapshot, "snapshots restore", "snapshot=ID [from=SLUG]", false, true},
    Entry{"GET", "/v1/tenants/*/snapshots/*/records", "records.export", export_records, "records export", "[after=PLACE] [limit=N]", true, true},
    Entry{"POST", "/v1/tenants/*/records", "records.import", import_records, "records import", "- [existing=keep|replace|remove] [from=SLUG] (an exported page on standard input)", false, true},
    Entry{"GET", "/v1/migrations", "", read_migrations, "migrations show", ""},
    Entry{"POST", "/v1/migrations", "migrations.run", run_migrations, "migrations run", "[after=SLUG] [limit=N]", true, true},
    Entry{"GET", "/v1/audit", "", read_audit, "audit list", "[log=operations|refusals] [tenant=SLUG] [after=SEQ] [newest=N] [limit=N]", true, true},
    Entry{"POST", "/v1/audit/verify", "", verify_audit_log, "audit verify", "", false, true},
    Entry{"GET", "/v1/status", "", read_status, "status show", ""},
};
// clang-format on

}  // namespace

std::span<const Entry> entries() { return table; }

std::optional<PathParts> match(std::string_view pattern, std::string_view path) {
  PathParts captured;
  std::size_t captures = 0;
  while (true) {
    const std::size_t pattern_end = pattern.find('/', 1);
    const std::size_t path_end = path.find('/', 1);
    const std::string_view expected = pattern.substr(0, pattern_end);
    const std::string_view part = path.substr(0, path_end);
    if (expected == "/*") {
      if (part.size() < 2) return std::nullopt;
      captured.at(captures++) = part.substr(1);
    } else if (part != expected) {
      return std::nullopt;
    }
    const bool pattern_ends = pattern_end == std::string_view::npos;
    const bool path_ends = path_end == std::string_view::npos;
    if (pattern_ends || path_ends) {
      return pattern_ends && path_ends ? std::optional(captured) : std::nullopt;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
}

}  // namespace caisson::admin
