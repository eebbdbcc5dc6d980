// PR: what one instance's process can do to another's.

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "conformance/probe/applies.h"
#include "conformance/probe/disguise.h"
#include "conformance/probe/probe.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

constexpr const char* one_process = "one process serves both tenants";

void read_proc(Examination& e) {
  if (e.same_instance()) return e.skip(one_process);
  const std::string proc = "/proc/" + std::to_string(e.victim().instance->process.pid) + "/";
  for (const char* name : {"environ", "maps", "mem", "auxv", "stack"}) {
    const auto seen = as_instance(*e.attacker().instance, [&] {
      const int file = open((proc + name).c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) return outcome_of(false);
      char byte = 0;
      return outcome_of(read(file, &byte, 1) >= 0);
    });
    if (!seen) return e.inconclusive(seen.error().text());
    e.expect(proc + name + " as " + e.attacker().instance->name, *seen != "allowed",
             "EACCES or invisible", *seen);
  }
  for (const char* name : {"cwd", "root", "exe", "fd/0", "fd/3"}) {
    const auto seen = as_instance(*e.attacker().instance, [&] {
      std::array<char, 512> target{};
      return outcome_of(readlink((proc + name).c_str(), target.data(), target.size()) > 0);
    });
    e.expect(proc + name + " as " + e.attacker().instance->name, seen && *seen != "allowed",
             "EACCES or invisible", seen ? *seen : seen.error().text());
  }
}

void touch_process(Examination& e) {
  if (e.same_instance()) return e.skip(one_process);
  const pid_t pid = e.victim().instance->process.pid;
  const std::vector<std::pair<std::string, std::function<std::string()>>> acts{
      {"kill(0)", [&] { return outcome_of(kill(pid, 0) == 0); }},
      {"kill(SIGCONT)", [&] { return outcome_of(kill(pid, SIGCONT) == 0); }},
      {"ptrace", [&] { return outcome_of(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0); }},
      {"process_vm_readv", [&] {
         char byte = 0;
         const iovec local{&byte, 1};
         const iovec remote{reinterpret_cast<void*>(0x400000), 1};
         const bool worked = process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0;
         // EFAULT means that only the address was wrong: access itself was given.
         return worked || errno == EFAULT ? std::string("allowed") : outcome_of(false);
       }}};
  for (const auto& [name, act] : acts) {
    const auto seen = as_instance(*e.attacker().instance, act);
    e.expect(name + " on " + e.victim().instance->name,
             seen && (*seen == "EPERM" || *seen == "ESRCH"), "EPERM",
             seen ? *seen : seen.error().text());
  }
}

std::string namespace_of(pid_t pid, const char* kind) {
  std::error_code error;
  return fs::read_symlink(
             "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/ns/" + kind,
             error)
      .string();
}

void ipc(Examination& e) {
  if (e.same_instance()) return e.skip(one_process);
  const pid_t mine = e.attacker().instance->process.pid;
  const pid_t theirs = e.victim().instance->process.pid;
  e.expect("IPC namespaces", namespace_of(mine, "ipc") != namespace_of(theirs, "ipc"), "different",
           namespace_of(mine, "ipc") + " and " + namespace_of(theirs, "ipc"));
  // Abstract sockets have no owner: whoever knows the name can connect.
  std::size_t abstract = 0;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator("/proc/" + std::to_string(theirs) + "/fd", error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    if (!target.starts_with("socket:[")) continue;
    const std::string inode = target.substr(8, target.size() - 9);
    std::ifstream table("/proc/" + std::to_string(theirs) + "/net/unix");
    for (std::string line; std::getline(table, line);) {
      if (line.find(" " + inode + " @") != std::string::npos) ++abstract;
    }
  }
  e.expect("abstract sockets of " + e.victim().instance->name, abstract == 0, "none",
           std::to_string(abstract));
}

void confinement(const Arena& arena, std::vector<Cell>& cells) {
  for (const auto& [attacker, victim] : arena.pairs()) {
    Examination e(arena, *attacker, *victim);
    e.begin();
    const RunningInstance& mine = *attacker->instance;
    auto status = status_of(mine.process.pid);
    const std::string uid = status["Uid"].substr(0, status["Uid"].find('\t'));
    const auto says = [&](const std::string& what, bool holds, const std::string& expected,
                          const std::string& observed) {
      e.expect(mine.name + ": " + what, holds, expected, observed);
    };
    says("user", uid != "0" && !uid.empty(), "not root", "uid " + uid);
    for (const char* set : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) {
      says(set, status[set] == "0000000000000000", "no capability", status[set]);
    }
    if (geteuid() == 0)
      says("CapBnd", status["CapBnd"] == "0000000000000000", "no capability", status["CapBnd"]);
    says("no_new_privs", status["NoNewPrivs"] == "1", "1", status["NoNewPrivs"]);
    if (arena.stack().hardening.private_mounts) {
      const auto root = as_instance(mine, [] {
        const int file = open("/caisson-write-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        return outcome_of(file >= 0);
      });
      says("writing to the root", root && (*root == "EROFS" || *root == "EACCES"), "EROFS",
           root ? *root : root.error().text());
    }
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

void container_sockets(Examination& e) {
  for (const char* path :
       {"/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
        "/run/podman/podman.sock", "/run/crio/crio.sock"}) {
    const auto seen = as_instance(*e.attacker().instance, [&] {
      const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::string_view(path).copy(address.sun_path, sizeof address.sun_path - 1);
      return outcome_of(connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    });
    // What is not there for anybody shows no wall.
    struct stat here{};
    const bool is_here = stat(path, &here) == 0 && S_ISSOCK(here.st_mode);
    if (!is_here && seen && *seen != "allowed") continue;
    e.expect(std::string("connect to ") + path, seen && *seen != "allowed", "ENOENT or EACCES",
             seen ? *seen : seen.error().text());
  }
  if (e.cell().observations == 0) e.skip("this host has no socket of a container engine");
}

void host_namespaces(const Arena& arena, std::vector<Cell>& cells) {
  for (const auto& [attacker, victim] : arena.pairs()) {
    Examination e(arena, *attacker, *victim);
    e.begin();
    for (const char* kind : {"mnt", "ipc"}) {
      const std::string host = namespace_of(0, kind);
      const std::string mine = namespace_of(attacker->instance->process.pid, kind);
      e.expect(attacker->instance->name + ": " + kind + " namespace", !mine.empty() && mine != host,
               "not the host's", mine);
    }
    e.finish();
    cells.push_back(e.control_cell());
    cells.push_back(e.cell());
  }
}

const std::vector<Probe> probes{
    {"PR1", "B's /proc entries", Resource::process, 2, false, needs_own_users, read_proc},
    {"PR2", "signals, ptrace and memory of B's process", Resource::process, 2, false,
     needs_own_users, touch_process},
    {"PR3", "IPC and abstract sockets", Resource::process, 2, false, needs_private_mounts, ipc},
    {"PR4", "user, capabilities, no_new_privs and root, read from the live process",
     Resource::process, 1, false, needs_processes, nullptr, confinement},
    {"PR5", "no container runtime socket", Resource::process, 2, false, needs_processes,
     container_sockets},
    {"PR6", "no host namespaces where the plan has private ones", Resource::process, 1, false,
     needs_private_mounts, nullptr, host_namespaces},
};

}  // namespace

const std::vector<Probe>& process_probes() { return probes; }

}  // namespace caisson::conformance
