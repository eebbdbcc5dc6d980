#include "generator/render/loss_table.h"

#include <algorithm>
#include <iterator>

namespace caisson::render {

namespace {

/// RFC 6901.
std::string below(std::string_view pointer, std::string_view key) {
  std::string out(pointer);
  out += '/';
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

void collect(const spec::Node& node, std::string_view field, const std::string& pointer,
             std::vector<Use>& found) {
  if (field.empty()) {
    if (node.kind != spec::Node::Kind::null) found.push_back({.pointer = pointer});
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    collect(node.items[i], field, pointer + "/" + std::to_string(i), found);
  }
  const auto dot = std::min(field.find('.'), field.size());
  const auto key = field.substr(0, dot);
  const auto rest = field.substr(std::min(dot + 1, field.size()));
  for (const auto& entry : node.fields) {
    if (key == "*" || key == entry.key) {
      collect(entry.value, rest, below(pointer, entry.key), found);
    }
  }
}

}  // namespace

bool is_refused(const Row& row) {
  return std::ranges::all_of(row.cells,
                             [](const Cell& cell) { return cell.support == Support::refused; });
}

std::vector<Use> written(const spec::Node& document, std::string_view field) {
  std::vector<Use> found;
  collect(document, field, "", found);
  return found;
}

std::vector<Use> written_in(const spec::Node& document, std::string_view section,
                            std::string_view field) {
  auto found = written(document, std::string(section) + '.' + std::string(field));
  for (auto& use : found) use.leave_out = "'" + std::string(section) + "'";
  return found;
}

bool has_name(std::string_view destination) {
  if (destination.find('/') != std::string_view::npos) return false;
  const auto host = destination.substr(0, destination.rfind(':'));
  return host.find(':') == std::string_view::npos &&
         host.find_first_not_of("0123456789.") != std::string_view::npos;
}

std::span<const Row> loss_table() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all;
    for (const auto& part : {tenancy_rows(), workload_rows(), access_rows(), operation_rows()}) {
      std::ranges::copy(part, std::back_inserter(all));
    }
    return all;
  }();
  return rows;
}

}  // namespace caisson::render
