#include "generator/spec/tenant_file.h"

#include <string>
#include <vector>

#include "generator/spec/csv.h"
#include "generator/spec/json_lines.h"
#include "generator/spec/tables.h"

namespace caisson::spec {

std::optional<Node> read_tenant_file(const source::SourceFile& source, std::uint32_t file,
                                     source::Diagnostics& diagnostics) {
  const std::string_view name = source.name();
  const bool csv = name.ends_with(".csv");
  if (!csv && !name.ends_with(".ndjson")) {
    diagnostics.report({.code = "E0015",
                        .where = {file, 0, 0},
                        .message = "a tenant list is .csv or .ndjson",
                        .remedy = "rename the file, or write the list under 'tenants'"});
    return std::nullopt;
  }
  if (!check_text(source, file, diagnostics)) return std::nullopt;
  return csv ? read_csv(source, file, tenant_columns(), diagnostics)
             : read_json_lines(source, file, diagnostics);
}

std::span<const std::string> tenant_columns() {
  static const std::vector<std::string> columns = [] {
    std::vector<std::string> names;
    for (const Field& field : tenant_type.shape.fields) {
      const std::string key(field.key);
      if (field.shape->fields.empty()) names.push_back(key);
      for (const Field& inner : field.shape->fields) {
        names.push_back(key + '.' + std::string(inner.key));
      }
    }
    return names;
  }();
  return columns;
}

}  // namespace caisson::spec
