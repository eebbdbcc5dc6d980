#include "conformance/stack/confine.h"

#include <algorithm>
#include <string>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

bool set_limit(decltype(RLIMIT_CORE) what, std::uint64_t value) {
  rlimit now{};
  getrlimit(what, &now);
  const rlim_t wanted = std::min<rlim_t>(value, now.rlim_max);  // limits are only ever lowered
  const rlimit limit{.rlim_cur = wanted, .rlim_max = wanted};
  return setrlimit(what, &limit) == 0;
}

bool set_read_only(const char* path, bool read_only, unsigned flags) {
  mount_attr attributes{};
  (read_only ? attributes.attr_set : attributes.attr_clr) = MOUNT_ATTR_RDONLY;
  return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0;
}

bool empty_tmpfs(const char* at) {
  return mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=1777") == 0;
}

/// The current directory again under its own path, after a private /tmp has covered it.
bool show_again(const std::string& directory) {
  const mode_t former = umask(0);  // its user must be able to walk there
  for (std::size_t slash = 1; slash != std::string::npos; slash = directory.find('/', slash + 1)) {
    mkdir(directory.substr(0, slash).c_str(), 0711);
  }
  mkdir(directory.c_str(), 0711);
  umask(former);
  return mount("/proc/self/cwd", directory.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         chdir(directory.c_str()) == 0;
}

const char* make_mounts_private(const Launch& what) {
  if (unshare(CLONE_NEWNS | CLONE_NEWIPC) != 0) return "make private namespaces";
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "make mounts private";
  for (const auto& path : what.writable) {
    if (mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      return "bind a writable path";
  }
  if (!set_read_only("/", true, AT_RECURSIVE)) return "make the root read-only";
  for (const auto& path : what.writable) {
    if (!set_read_only(path.c_str(), false, 0)) return "keep a path writable";
  }
  if (!empty_tmpfs("/tmp")) return "mount a private /tmp";
  if (what.directory.native().starts_with("/tmp/") && !show_again(what.directory.native())) {
    return "show the state directory below a private /tmp";
  }
  if (access("/dev/shm", F_OK) == 0 && !empty_tmpfs("/dev/shm")) return "mount a private /dev/shm";
  // Others' processes become invisible where the kernel can do it (5.8); users keep them apart
  // anyway.
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible");
  return nullptr;
}

void drop_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    // Fails without CAP_SETPCAP: then there is nothing to give away either.
    prctl(PR_CAPBSET_DROP, capability);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

const char* become(const Launch& what) {
  if (what.no_capabilities) drop_capabilities();
  if (what.user) {
    if (setgroups(what.user->groups.size(), what.user->groups.data()) != 0) return "set the groups";
    if (setresgid(what.user->gid, what.user->gid, what.user->gid) != 0) return "set the group";
    if (setresuid(what.user->uid, what.user->uid, what.user->uid) != 0) return "set the user";
  }
  if (!what.no_capabilities) return nullptr;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[2]{};  // NOLINT(modernize-avoid-c-arrays): the kernel's own type
  if (syscall(SYS_capset, &header, none) != 0) return "give up the capabilities";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "set no_new_privs";
  return nullptr;
}

}  // namespace

const char* confine(const Launch& what, int log) {
  setsid();
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  const int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0) return "open /dev/null";
  if (dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return "set up the outputs";
  // Everything else closes when the program starts, whoever opened it.
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return "close descriptors";

  if (chdir(what.directory.c_str()) != 0) return "enter the state directory";
  if (what.private_mounts) {
    if (const char* step = make_mounts_private(what)) return step;
  }
  if (!what.work.empty() && chdir(what.work.c_str()) != 0) return "enter the working directory";
  if (!set_limit(RLIMIT_CORE, 0)) return "forbid core files";
  if (!set_limit(RLIMIT_NOFILE, what.open_files)) return "limit open files";
  if (what.processes > 0 && !set_limit(RLIMIT_NPROC, what.processes)) return "limit processes";
  umask(077);  // not before: others must pass through the directories made above
  return become(what);
}

}  // namespace caisson::conformance
