#include "installer/format/succession.h"

#include <algorithm>
#include <string>

namespace caisson::installer {

Checked<void> check_successor(const Journal& journal, const Manifest& installed,
                              const Successor& next) {
  const auto refused = std::ranges::find(journal.refused, next.release, &RefusedRelease::release);
  if (refused != journal.refused.end() && !next.again) {
    return refuse(Code::refused_release,
                  "the release " + refused->release + " was rolled back for " + refused->code);
  }
  if (next.manifest.reads > installed.data) {
    return refuse(Code::no_path_to_release,
                  "the release reads data of version " + std::to_string(next.manifest.reads) +
                      " and later, and they are of version " + std::to_string(installed.data));
  }
  if (next.moves == nullptr) return {};
  return check_moves(installed, next.manifest, journal.form, *next.moves);
}

Checked<void> check_predecessor(const Manifest& installed, const Manifest& older, Form form,
                                const AcceptedMoves& moves) {
  if (installed.data > older.data) {
    return refuse(Code::older_reader, "the data are of version " + std::to_string(installed.data) +
                                          ", and " + to_text(older.version) +
                                          " reads up to version " + std::to_string(older.data));
  }
  return check_moves(installed, older, form, moves);
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
