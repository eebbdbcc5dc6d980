#include "conformance/stack/preflight.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "conformance/stack/origin.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

/// Inodes of the sockets that listen at a port, of any address.
std::set<std::string> listeners_at(std::uint16_t port) {
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream in(table);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      const auto colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;  // 0A is LISTEN
      if (std::stoul(local.substr(colon + 1), nullptr, 16) == port) inodes.insert(inode);
    }
  }
  return inodes;
}

/// Who listens at a port, as far as this user may see: "caddy (pid 12) of the stack in /x".
std::string holder_of(std::uint16_t port) {
  const auto inodes = listeners_at(port);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    std::error_code unseen;
    for (const auto& open : fs::directory_iterator(entry.path() / "fd", unseen)) {
      const std::string what = fs::read_symlink(open.path(), unseen).string();
      if (!what.starts_with("socket:[")) continue;
      if (!inodes.contains(what.substr(8, what.size() - 9))) continue;
      const std::string pid = entry.path().filename();
      std::ifstream names(entry.path() / "comm");
      std::string name;
      std::getline(names, name);
      std::string out = name + " (pid " + pid + ")";
      const fs::path cwd = fs::read_symlink(entry.path() / "cwd", unseen);
      const fs::path state = cwd.parent_path().parent_path();
      if (fs::exists(state / "state.json", unseen)) out += " of the stack in " + state.string();
      if (const auto origin = read_origin(state)) out += " (" + in_words(*origin) + ")";
      return out;
    }
  }
  return "another process";
}

/// The directory on the way to `path` that only its owner may enter; empty when everybody can read
/// it, or when it is not there.
fs::path closed_on_the_way(const fs::path& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  if ((info.st_mode & S_IROTH) == 0) return path;
  for (fs::path at = path.parent_path(); at != at.root_path(); at = at.parent_path()) {
    if (stat(at.c_str(), &info) == 0 && (info.st_mode & S_IXOTH) == 0) return at;
  }
  return {};
}

/// How a path is opened for everybody; homes stay closed.
std::string remedy_for(const fs::path& closed) {
  const auto& top = *std::next(closed.begin());
  if (top == "root" || top == "home") return "put the file below /opt or /srv";
  return "open it with chmod o+" + std::string(fs::is_directory(closed) ? "rx " : "r ") +
         closed.string();
}

/// The words of a command; a shell's script is looked into, without its quotes.
std::set<std::string> words_of(const Launch& what) {
  std::set<std::string> words{what.program.string()};
  for (std::string text : what.args) {
    for (char& c : text) {
      if (std::string_view("'\";=<>|&()").find(c) != std::string_view::npos) c = ' ';
    }
    std::istringstream in(text);
    for (std::string word; in >> word;) words.insert(word);
  }
  return words;
}

/// What hinders a listener at a port of the loopback interface; 0 when nothing does.
int hindrance_at(std::uint16_t port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  const int error = free ? 0 : errno;
  close(probe);
  return error;
}

}  // namespace

bool can_listen(std::uint16_t port) { return hindrance_at(port) == 0; }

std::uint16_t lowest_port(const Hardening& hardening) {
  if (geteuid() == 0 && hardening.users == Hardening::Users::starter && !hardening.no_capabilities)
    return 0;
  constexpr std::uint16_t usual = 1024;
  std::uint16_t port = usual;
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> port;
  return port;
}

std::string held_ports(const std::vector<std::pair<std::string, std::uint16_t>>& needed) {
  std::string out;
  for (const auto& [name, port] : needed) {
    const int error = hindrance_at(port);
    if (error == 0 || (error == EACCES && listeners_at(port).empty())) continue;
    out += "\n  " + name + " needs port " + std::to_string(port) + ", where " + holder_of(port) +
           " listens";
  }
  return out;
}

Result<void> check_ground(const StackDescription& stack,
                          const std::map<std::string, std::string>& programs,
                          std::uint16_t lowest) {
  std::string in_the_way;
  bool too_low = false;
  std::set<std::string> missing;
  std::vector<std::pair<std::string, std::uint16_t>> needed;
  for (const auto& process : stack.processes) {
    const auto replaced = programs.find(process.program);
    const std::string& program = replaced == programs.end() ? process.program : replaced->second;
    if (!find_program(program) && missing.insert(program).second) {
      in_the_way += "\n  " + process.name + " needs the program '" + program +
                    "', which is neither beside this program nor on the PATH";
    }
    for (const auto& [name, port] : process.ports) {
      needed.emplace_back(process.name, port);
      if (port >= lowest) continue;
      too_low = true;
      in_the_way += "\n  " + process.name + " needs port " + std::to_string(port) +
                    ", and its process, which has no privileges, may only listen from " +
                    std::to_string(lowest) + " on";
    }
  }
  const std::string held = held_ports(needed);
  in_the_way += held;
  if (in_the_way.empty()) return {};
  std::string remedy = missing.empty() ? "" : "install what is missing";
  if (!held.empty() || too_low) {
    remedy += std::string(remedy.empty() ? "" : ", and ") +
              (held.empty() ? "" : "stop what listens there, or ") +
              "give this stack other ports with targets.local.port";
  }
  return fail("nothing was started:" + in_the_way + "\n" + remedy);
}

std::vector<std::string> hidden_files(const Launch& what, const fs::path& spec_directory) {
  std::vector<std::string> out;
  for (const std::string& word : words_of(what)) {
    std::error_code error;
    const fs::path path(word);
    if (path.is_relative()) {
      const fs::path beside = fs::absolute(spec_directory / path, error).lexically_normal();
      if (word.find('.') != std::string::npos && fs::is_regular_file(beside, error)) {
        out.push_back("it starts in an empty directory of its own, where no " + word +
                      " is: write " + beside.string());
      }
      continue;
    }
    if (!fs::exists(path, error)) continue;
    if (what.private_mounts && (word.starts_with("/tmp/") || word.starts_with("/dev/shm/"))) {
      out.push_back("it cannot see " + word + ": it has a " +
                    (word.starts_with("/tmp/") ? "/tmp" : "/dev/shm") +
                    " of its own; put the file below /opt or /srv");
    } else if (what.user) {
      const fs::path closed = closed_on_the_way(path);
      if (closed.empty()) continue;
      out.push_back("it cannot open " + word + ": it runs as a user of its own, for whom " +
                    closed.string() + " is closed; " + remedy_for(closed));
    }
  }
  return out;
}

std::string last_lines(std::string text, const fs::path& secrets) {
  static constexpr std::size_t longest = 4096;
  std::error_code error;
  for (const auto& secret : fs::directory_iterator(secrets, error)) {
    const auto value = read_file(secret.path());
    if (!value || value->size() < 8) continue;
    for (auto at = text.find(*value); at != std::string::npos; at = text.find(*value, at)) {
      text.replace(at, value->size(), "[" + secret.path().filename().string() + "]");
    }
  }
  if (text.size() > longest) text.erase(0, text.size() - longest);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t from = text.size();
  for (int lines = 0; lines < 10 && from != std::string::npos && from > 0; ++lines) {
    from = text.rfind('\n', from - 1);
  }
  std::string out;
  std::istringstream in(text.substr(from == std::string::npos || from == 0 ? 0 : from + 1));
  for (std::string line; std::getline(in, line);) out += "\n    " + line;
  return out;
}

std::string log_tail(const fs::path& log, const fs::path& secrets) {
  // A secret that the cut goes through would not be found in what is left.
  static constexpr std::size_t most = 1 << 20;
  auto bytes = read_file(log);
  if (!bytes || bytes->empty()) return "\n  its log is empty";
  if (bytes->size() > most) bytes->erase(0, bytes->size() - most);
  return "\n  the end of " + log.string() + ":" + last_lines(std::move(*bytes), secrets);
}

}  // namespace caisson::conformance
