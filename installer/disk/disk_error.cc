#include "installer/disk/disk_error.h"

#include <cerrno>
#include <new>

#include "base/files.h"

namespace caisson::installer {

tl::unexpected<Refusal> disk_error(std::string_view doing, const std::string& shown, int error,
                                   Code otherwise) {
  if (error == ENOMEM || error == EMFILE || error == ENFILE) throw std::bad_alloc();
  const bool full = error == ENOSPC || error == EDQUOT;
  const bool way = error == EEXIST || error == ENOTEMPTY || error == ELOOP || error == ENOTDIR ||
                   error == EISDIR;
  return refuse(full  ? Code::host_full
                : way ? Code::host_in_the_way
                      : otherwise,
                "cannot " + std::string(doing) + " " + shown + ": " + system_words(error));
}

}  // namespace caisson::installer
