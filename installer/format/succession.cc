#include "installer/format/succession.h"

#include <algorithm>
#include <string>

namespace caisson::installer {

Checked<void> check_successor(const Journal& journal, const Manifest& installed,
                              std::string_view to, const Manifest& next, bool again) {
  const auto refused = std::ranges::find(journal.refused, to, &RefusedRelease::release);
  if (refused != journal.refused.end() && !again) {
    return refuse(Code::refused_release,
                  "the release " + refused->release + " was rolled back for " + refused->code);
  }
  if (next.reads <= installed.data) return {};
  return refuse(Code::no_path_to_release,
                "the release reads data of version " + std::to_string(next.reads) +
                    " and later, and they are of version " + std::to_string(installed.data));
}

Checked<void> check_predecessor(const Manifest& installed, const Manifest& older) {
  if (installed.data <= older.data) return {};
  return refuse(Code::older_reader, "the data are of version " + std::to_string(installed.data) +
                                        ", and " + to_text(older.version) +
                                        " reads up to version " + std::to_string(older.data));
}

void remember_refused(Journal& journal, std::string_view release, Code why) {
  forget_refused(journal, release);
  journal.refused.push_back({std::string(release), std::string(entry_of(why).number)});
  if (journal.refused.size() > kMostRefused) journal.refused.erase(journal.refused.begin());
}

void forget_refused(Journal& journal, std::string_view release) {
  std::erase_if(journal.refused,
                [&](const RefusedRelease& each) { return each.release == release; });
}

}  // namespace caisson::installer
