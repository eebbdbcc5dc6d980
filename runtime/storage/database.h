#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace caisson::storage {

/// Why a statement did not do what it says. A fault sticks to its Database: until `clear_fault`
/// nothing more is executed, so a caller may look once, at the end.
enum class Fault : std::uint8_t {
  none,
  refused,    ///< the engine refused this statement: a constraint, a value too big
  full,       ///< the page limit is reached, or the disk is full
  deadline,   ///< the deadline passed while the statement ran
  exhausted,  ///< no memory, or no file descriptor, was to be had; the file is as it was
  broken,     ///< the file is damaged or unreadable
};

/// Asked by a running statement every few microseconds of its work.
class Pace {
 public:
  virtual ~Pace() = default;
  /// May hold the statement up. False ends it with Fault::deadline.
  virtual bool go_on(std::chrono::steady_clock::time_point now) = 0;
};

/// The text of one statement. Only a string literal converts to it, so that no value of a request
/// can become part of a statement.
class Sql {
 public:
  template <std::size_t N>
  consteval Sql(const char (&literal)[N]) : text_(literal, N - 1) {}  // NOLINT(*-explicit-*)
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// Several literals joined at run time, for queries whose shape depends on the request.
class ComposedSql {
 public:
  ComposedSql& operator+=(Sql part) {
    text_ += part.text();
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Database;

/// A prepared statement borrowed from its Database's cache; reset and given back at destruction.
/// Text and blobs are bound without a copy: they must outlive the last `step`.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Binds the next parameter; the first call binds ?1.
  Statement& text(std::string_view value);
  Statement& blob(std::string_view value);
  Statement& integer(std::int64_t value);
  Statement& real(double value);
  Statement& null();

  /// True when there is a row to read; false at the end and after a fault.
  [[nodiscard]] bool step();
  /// Runs a statement that returns no rows; false after a fault.
  bool run();

  /// Columns of the current row, from 0. Views are valid until the next `step`.
  [[nodiscard]] std::int64_t integer_at(int column) const;
  [[nodiscard]] std::string_view text_at(int column) const;
  [[nodiscard]] std::string_view blob_at(int column) const;
  [[nodiscard]] bool null_at(int column) const;

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* statement, bool* borrowed)
      : database_(database), statement_(statement), borrowed_(borrowed) {}
  void check(int code);

  Database* database_;
  sqlite3_stmt* statement_;  ///< null after a fault in `prepare`
  bool* borrowed_;           ///< of the cache's entry; null: this owns the statement
  int bound_ = 0;
};

/// One SQLite connection, and the only one to its file: locking_mode=EXCLUSIVE keeps any other
/// process and connection out. WAL, synchronous=FULL, defensive, no extension, no ATTACH, untrusted
/// schema. One thread at a time.
class Database {
 public:
  struct Options {
    std::int64_t cache_kib = 256;  ///< bound of the page cache
    std::int64_t max_bytes = 0;    ///< bound of the file; 0: none
    bool read_only = false;  ///< for a finished file without a log; several may read it at once
    bool durable = true;     ///< false: for a file that the caller makes durable when it is whole
  };

  /// Opens an existing file, maybe empty, not by a link. Without descriptors, too: std::bad_alloc.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file,
                                             const Options& options);

  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// The cached statement for `sql`, one statement; the cache is as large as the program has
  /// literals.
  [[nodiscard]] Statement prepare(Sql sql);
  /// Compiled anew at each call.
  [[nodiscard]] Statement prepare(const ComposedSql& sql);
  /// Runs a script that the program knows (schema, pragma).
  bool execute(const char* script);

  [[nodiscard]] Fault fault() const { return fault_; }
  /// The engine's words for the fault; for logs only.
  [[nodiscard]] const std::string& fault_text() const { return fault_text_; }
  void clear_fault();
  /// The caller met a fault of its own, which is as the engine's.
  void fail(Fault fault) noexcept;

  /// Rows changed by the last `run`.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] bool in_transaction() const;

  /// Statements that are still running at `when` end with Fault::deadline; so do those that `pace`,
  /// which outlives them, does not let go on.
  void set_deadline(std::chrono::steady_clock::time_point when, Pace* pace = nullptr) {
    *bounds_ = {.deadline = when, .pace = pace};
  }
  void clear_deadline() { *bounds_ = {}; }

  void set_max_bytes(std::int64_t bytes);
  /// Bytes of the pages that hold something: what deletes have freed is used again first.
  [[nodiscard]] std::int64_t bytes();
  /// Moves the log into the file and empties it.
  bool checkpoint();

  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  friend class Statement;
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool borrowed = false;
  };
  /// What ends a running statement.
  struct Bounds {
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    Pace* pace = nullptr;
  };

  Database() = default;
  [[nodiscard]] sqlite3_stmt* compile(std::string_view sql);
  void fail(int code) noexcept;
  void close();
  static int out_of_bounds(void* bounds);

  sqlite3* handle_ = nullptr;
  Fault fault_ = Fault::none;
  std::string fault_text_;
  std::unique_ptr<Bounds> bounds_;                      // the engine holds its address
  std::unordered_map<const char*, Cached> statements_;  // by the literal's address
};

}  // namespace caisson::storage
