#include "runtime/storage/database.h"

#include <cerrno>
#include <new>
#include <utility>

#include <sqlite3.h>

#include "runtime/observe/walls.h"
#include "runtime/storage/temporary.h"

namespace caisson::storage {
namespace {

// Statements look at the clock once in so many instructions of SQLite's virtual machine: every few
// microseconds, or tens of them where an instruction reads a large value.
constexpr int instructions_per_look = 100;
constexpr int page_bytes = 4096;
constexpr int longest_value = 64 * 1024 * 1024;

/// Process-wide settings, before the first connection: connections carry no locks of their own (an
/// actor has its own for itself), and nothing is preallocated per connection.
bool configure_engine() {
  return sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK &&
         sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK &&
         sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0) == SQLITE_OK &&
         sqlite3_initialize() == SQLITE_OK;
}

bool engine_ready() {
  static const bool configured = configure_engine();
  return configured;
}

bool harden(sqlite3* handle) {
  const auto set = [&](int what, int value) {
    return sqlite3_db_config(handle, what, value, nullptr) == SQLITE_OK;
  };
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, longest_value);
  return set(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0) && set(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0) &&
         set(SQLITE_DBCONFIG_DEFENSIVE, 1) && set(SQLITE_DBCONFIG_DQS_DDL, 0) &&
         set(SQLITE_DBCONFIG_DQS_DML, 0);
}

Fault fault_for(int code) {
  if (code == SQLITE_IOERR_NOMEM) return Fault::exhausted;
  switch (code & 0xff) {
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:  // the file itself is open: another one is meant
      return Fault::exhausted;
    case SQLITE_FULL:
      return Fault::full;
    case SQLITE_INTERRUPT:
      return Fault::deadline;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
      return Fault::refused;
    default:
      return Fault::broken;
  }
}

/// Whether a connection could not be opened for want of memory or of file descriptors.
bool is_want(sqlite3* handle, int code) {
  if (handle == nullptr) return true;
  const int error = sqlite3_system_errno(handle);
  if ((code & 0xff) == SQLITE_CANTOPEN)
    return error == EMFILE || error == ENFILE || error == ENOMEM;
  return fault_for(code) == Fault::exhausted;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      borrowed_(std::exchange(other.borrowed_, nullptr)),
      bound_(other.bound_) {}

Statement::~Statement() {
  if (borrowed_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  if (bound_ > 0) sqlite3_clear_bindings(statement_);
  *borrowed_ = false;
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_->fail(code);
}

Statement& Statement::text(std::string_view value) {
  // A null pointer would bind NULL, not an empty text.
  const char* data = value.data() == nullptr ? "" : value.data();
  if (statement_ != nullptr) {
    check(
        sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  return *this;
}

Statement& Statement::blob(std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  if (statement_ != nullptr) {
    check(sqlite3_bind_blob64(statement_, ++bound_, data, value.size(), SQLITE_STATIC));
  }
  return *this;
}

Statement& Statement::integer(std::int64_t value) {
  if (statement_ != nullptr) check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::real(double value) {
  if (statement_ != nullptr) check(sqlite3_bind_double(statement_, ++bound_, value));
  return *this;
}

Statement& Statement::null() {
  if (statement_ != nullptr) check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

bool Statement::step() {
  if (statement_ == nullptr || database_->fault_ != Fault::none) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(code);
  return false;
}

bool Statement::run() {
  while (step()) {
  }
  return database_->fault_ == Fault::none;
}

std::int64_t Statement::integer_at(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::text_at(int column) const {
  const auto* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_, column);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
}

std::string_view Statement::blob_at(int column) const {
  const void* blob = sqlite3_column_blob(statement_, column);
  if (blob == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_, column);
  return {static_cast<const char*>(blob), static_cast<std::size_t>(size)};
}

bool Statement::null_at(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::filesystem::path& file, const Options& options) {
  if (!engine_ready()) return caisson::fail("cannot initialise sqlite");

  Database database;
  database.bounds_ = std::make_unique<Bounds>();
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (is_down(Wall::no_path_check) ? 0 : SQLITE_OPEN_NOFOLLOW);
  const int code = sqlite3_open_v2(file.c_str(), &database.handle_, flags, nullptr);
  if (code != SQLITE_OK && is_want(database.handle_, code)) throw std::bad_alloc();
  const auto cannot = [&] {
    if (database.fault() == Fault::exhausted) throw std::bad_alloc();
    const bool taken = (sqlite3_errcode(database.handle_) & 0xff) == SQLITE_BUSY;
    return caisson::fail(
        "cannot open database " + file.string() + ": " + sqlite3_errmsg(database.handle_),
        taken ? "another process has it open: stop the runtime that serves this data"
              : "check its owner, and that of its directory");
  };
  if (code != SQLITE_OK || !harden(database.handle_)) return cannot();
  sqlite3_progress_handler(database.handle_, instructions_per_look, out_of_bounds,
                           database.bounds_.get());
  const std::string cache = "PRAGMA cache_size=-" + std::to_string(options.cache_kib);
  if (options.read_only) {
    if (!database.execute("PRAGMA temp_store=MEMORY") || !database.execute(cache.c_str()))
      return cannot();
    return database;
  }
  const char* locking =
      is_down(Wall::no_path_check) ? "PRAGMA locking_mode=NORMAL" : "PRAGMA locking_mode=EXCLUSIVE";
  const char* synchronous = options.durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF";
  if (!database.execute(locking) || !database.execute(synchronous) ||
      !database.execute("PRAGMA journal_mode=WAL;"
                        "PRAGMA secure_delete=ON;"
                        "PRAGMA temp_store=MEMORY;"
                        "PRAGMA journal_size_limit=8388608") ||
      !database.execute(cache.c_str())) {
    return cannot();
  }
  if (options.max_bytes > 0) database.set_max_bytes(options.max_bytes);
  return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      fault_(other.fault_),
      fault_text_(std::move(other.fault_text_)),
      bounds_(std::move(other.bounds_)),
      statements_(std::move(other.statements_)) {}

Database& Database::operator=(Database&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::exchange(other.handle_, nullptr);
    fault_ = other.fault_;
    fault_text_ = std::move(other.fault_text_);
    bounds_ = std::move(other.bounds_);
    statements_ = std::move(other.statements_);
  }
  return *this;
}

Database::~Database() { close(); }

void Database::close() {
  for (const auto& [text, cached] : statements_) sqlite3_finalize(cached.statement);
  statements_.clear();
  sqlite3_close_v2(std::exchange(handle_, nullptr));
}

sqlite3_stmt* Database::compile(std::string_view sql) {
  if (fault_ != Fault::none) return nullptr;
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return statement;
}

Statement Database::prepare(Sql sql) {
  Cached& cached = statements_[sql.text().data()];
  if (cached.borrowed) return {this, compile(sql.text()), nullptr};
  if (cached.statement == nullptr) cached.statement = compile(sql.text());
  cached.borrowed = true;
  return {this, cached.statement, &cached.borrowed};
}

Statement Database::prepare(const ComposedSql& sql) { return {this, compile(sql.text()), nullptr}; }

bool Database::execute(const char* script) {
  if (fault_ != Fault::none) return false;
  const int code = sqlite3_exec(handle_, script, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
  return code == SQLITE_OK;
}

void Database::fail(int code) noexcept {
  if (fault_ != Fault::none) return;
  fault_ = fault_for(code);
  try {
    fault_text_ = sqlite3_errmsg(handle_);
  } catch (const std::bad_alloc&) {
    fault_text_.clear();
  }
}

void Database::fail(Fault fault) noexcept {
  if (fault_ == Fault::none) fault_ = fault;
}

int Database::out_of_bounds(void* bounds) {
  const auto& [deadline, pace] = *static_cast<const Bounds*>(bounds);
  if (pace == nullptr && deadline == std::chrono::steady_clock::time_point::max()) return 0;
  const auto now = std::chrono::steady_clock::now();
  return now >= deadline || (pace != nullptr && !pace->go_on(now)) ? 1 : 0;
}

void Database::clear_fault() {
  fault_ = Fault::none;
  fault_text_.clear();
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::set_max_bytes(std::int64_t bytes) {
  const std::int64_t pages = bytes > 0 ? std::max<std::int64_t>(bytes / page_bytes, 1) : 0xfffffffe;
  execute(("PRAGMA max_page_count=" + std::to_string(pages)).c_str());
}

std::int64_t Database::bytes() {
  Statement all = prepare("PRAGMA page_count");
  Statement free = prepare("PRAGMA freelist_count");
  return all.step() && free.step() ? (all.integer_at(0) - free.integer_at(0)) * page_bytes : 0;
}

bool Database::checkpoint() {
  if (fault_ != Fault::none) return false;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
  return code == SQLITE_OK;
}

void set_temporary_directory(const std::filesystem::path& directory) {
  if (!engine_ready()) return;  // no connection will open either
  char* const name = sqlite3_mprintf("%s", directory.c_str());
  sqlite3_mutex* const guard = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS1);  // the engine's own
  sqlite3_mutex_enter(guard);
  sqlite3_free(std::exchange(sqlite3_temp_directory, name));
  sqlite3_mutex_leave(guard);
}

}  // namespace caisson::storage
