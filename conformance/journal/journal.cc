#include "conformance/journal/journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <utility>

#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// Field 22 of /proc/<pid>/stat: tells a process from a later one with the same number.
std::string start_of(std::int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text);
  const auto after_name = text.rfind(") ");
  if (after_name == std::string::npos) return {};
  std::size_t at = after_name + 2;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at) + 1;
  return text.substr(at, text.find(' ', at) - at);
}

json::object to_json(const char* verb, const Creation& creation) {
  return {{"do", verb},
          {"kind", creation.kind},
          {"instance", creation.instance},
          {"tenant", creation.tenant},
          {"name", creation.name}};
}

Creation from_json(const json::object& object) {
  const auto text = [&object](const char* key) {
    return json::value_to<std::string>(object.at(key));
  };
  return {.kind = text("kind"),
          .instance = text("instance"),
          .tenant = text("tenant"),
          .name = text("name")};
}

void forget(std::vector<Creation>& standing, const Creation& creation) {
  const auto found = std::ranges::find(standing, creation);
  if (found != standing.end()) standing.erase(found);
}

std::optional<LeftJournal> read_journal(const fs::path& path) {
  LeftJournal journal{.path = path};
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    boost::system::error_code error;
    const json::value value = json::parse(line, error);
    if (error || !value.is_object()) break;
    const json::object& object = value.get_object();
    try {
      const auto verb = json::value_to<std::string>(object.at("do"));
      if (verb == "open") {
        journal.run = json::value_to<std::string>(object.at("run"));
        journal.expires = object.at("expires").to_number<std::int64_t>();
        const auto pid = object.at("pid").to_number<std::int64_t>();
        const auto start = json::value_to<std::string>(object.at("start"));
        journal.owner_alive = !start.empty() && start == start_of(pid);
      } else if (verb == "create") {
        journal.standing.insert(journal.standing.begin(), from_json(object));
      } else {
        forget(journal.standing, from_json(object));
      }
    } catch (const std::exception&) {
      break;
    }
  }
  if (journal.run.empty()) return std::nullopt;
  return journal;
}

}  // namespace

Result<Journal> Journal::open(const fs::path& directory, const std::string& run,
                              std::int64_t ttl_seconds) {
  std::error_code error;
  fs::create_directories(directory, error);
  const fs::path path = directory / (run + ".journal");
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return fail("cannot make " + path.string() + ": " + std::strerror(errno));
  Journal journal(path, file);
  const json::object opening{{"do", "open"},
                             {"run", run},
                             {"pid", getpid()},
                             {"start", start_of(getpid())},
                             {"expires", std::time(nullptr) + ttl_seconds}};
  if (auto written = journal.append(json::serialize(opening)); !written) {
    return tl::unexpected(written.error());
  }
  return journal;
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      standing_(std::move(other.standing_)) {}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

Result<void> Journal::append(const std::string& line) {
  const std::string whole = line + "\n";
  if (write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()) ||
      fsync(file_) != 0) {
    return fail("cannot write " + path_.string() + ": " + std::strerror(errno));
  }
  return {};
}

Result<void> Journal::will_create(const Creation& creation) {
  const std::scoped_lock lock(mutex_);
  if (auto written = append(json::serialize(to_json("create", creation))); !written) return written;
  standing_.insert(standing_.begin(), creation);
  return {};
}

Result<void> Journal::removed(const Creation& creation) {
  const std::scoped_lock lock(mutex_);
  forget(standing_, creation);
  return append(json::serialize(to_json("remove", creation)));
}

std::vector<Creation> Journal::standing() const {
  const std::scoped_lock lock(mutex_);
  return standing_;
}

Result<void> Journal::close() {
  const std::scoped_lock lock(mutex_);
  if (!standing_.empty()) {
    return fail(std::to_string(standing_.size()) + " things of the run were not removed; " +
                    path_.string() + " names them",
                "run `caisson sweep` when the stack answers again");
  }
  std::error_code error;
  fs::remove(path_, error);
  return {};
}

std::vector<LeftJournal> left_journals(const fs::path& directory) {
  std::vector<LeftJournal> journals;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".journal") continue;
    if (auto journal = read_journal(entry.path())) journals.push_back(std::move(*journal));
  }
  std::ranges::sort(journals, {}, &LeftJournal::path);
  return journals;
}

}  // namespace caisson::conformance
