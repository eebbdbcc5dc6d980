#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/modules/cursor.h"
#include "runtime/modules/query.h"
#include "runtime/modules/transfer.h"

/// The first byte chooses: the rest is the query of a list, a cursor, which nobody can forge, or
/// the place of an export.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (*data % 3 == 0) {
    const auto query = modules::parse_list_query(text);
    if (!query && query.error().empty()) std::abort();
    if (!query) return 0;
    if (query->page.limit < 1 || query->page.limit > api::most_records_a_page) std::abort();
    for (const auto& filter : query->filters) {
      if (filter.path.empty() || filter.path.size() > api::deepest_filter_path) std::abort();
      // Not even on bytes that are no value of a record.
      const bool equal =
          modules::matches({filter.path, modules::Filter::Op::eq, filter.value}, text);
      const bool other =
          modules::matches({filter.path, modules::Filter::Op::ne, filter.value}, text);
      if (equal == other) std::abort();
    }
  } else if (*data % 3 == 1) {
    const modules::CursorScope scope{.key = "256 bits of a key for this alone",
                                     .tenant_id = "t",
                                     .collection = "c",
                                     .shape = ""};
    const auto place = modules::read_cursor(text, scope);
    if (place && modules::write_cursor(*place, scope) != text) std::abort();
    const auto opened = modules::open_cursor(text, scope);
    if (opened && modules::seal_cursor(*opened, scope) != text) std::abort();
  } else {
    const auto place = modules::ExportPlace::parse(text);
    if (place && modules::ExportPlace::parse(place->text())->text() != place->text()) std::abort();
  }
  return 0;
}
