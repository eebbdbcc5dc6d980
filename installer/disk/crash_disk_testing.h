#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "installer/disk/disk.h"

namespace caisson::installer::testing {

/// How much of one un-synced operation a crash left on the disk.
enum class Left : std::uint8_t {
  lost,
  whole,
  cut,    ///< of content: the first half of it
  zeros,  ///< of content: its length, but none of its bytes
};

/// An operation that no sync has made certain.
struct Unsure {
  std::string says;
  bool name = false;       ///< of a name in a directory; else of a file's content, mode and owner
  std::vector<Left> ways;  ///< what a crash may leave of it
};

/// Calls that a machine's disks refuse.
struct DiskFault {
  std::size_t call = 0;  ///< the first of them, counted from 0
  int error = 0;         ///< ENOSPC, which only calls that take space can meet, or EIO
  bool forever = false;  ///< all calls from there on, or that one
};

/// A machine whose file systems can lose power. It has two states: what programs read, and what
/// the disks hold. Each operation is on the disk for certain only after a sync; without one, a
/// crash keeps or loses it, whatever it does with the others. That is what POSIX allows, and as
/// little as the file systems of sites promise:
///
/// - Content, mode and owner of a file are certain after its `sync`, its name is not: "Calling
///   fsync() does not necessarily ensure that the entry in the directory containing the file has
///   also reached disk. For that an explicit fsync() on a file descriptor for the directory is also
///   needed" (fsync(2)). A name without its content is the zero-length file of ext4's delayed
///   allocation, which its option auto_da_alloc avoids only where a rename replaces a file (kernel,
///   admin-guide/ext4); btrfs has not promised even that since Linux 3.17 (GLib, merge request
///   2425). Zeros in the length that was written are what XFS left, and ext4 in data=writeback.
/// - Names are made, renamed and removed whole or not at all, since the journals of ext4 and XFS
///   and the tree of btrfs change both ends of a rename together, but in no order: btrfs lets later
///   ones overtake earlier ones (Pillai et al., "All File Systems Are Not Created Equal", OSDI
///   2014, table 1). `sync_directory` makes those of one directory certain.
/// - Content that a failed sync was to write stays unsure for ever, though programs go on reading
///   it and the next sync succeeds: Linux marks the pages clean. Names that cannot be written shut
///   the file system down, and nothing is written to it any more until the next start (Rebello et
///   al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020, for ext4, XFS and
///   btrfs). Space for them was taken when they were made.
///
/// Not modelled: torn journals, and disks that lie about a flush. One thread at a time.
class Machine {
 public:
  /// One file system, at "/".
  Machine();

  /// Mounts one more at an absolute path, below which nothing is yet.
  void mount(std::string_view path);
  /// The directory of an absolute path, which is made, for certain, where it is missing. The
  /// machine has to stay where it is while the disk is used.
  [[nodiscard]] std::unique_ptr<Disk> open(std::string_view path);

  /// What was said to people and programs outside, which no crash takes back.
  std::vector<std::string> told;
  /// What the programs that run know, which a crash takes.
  std::map<std::string, std::string> memory;

  /// How many calls the disks and their files got, those that only read included.
  [[nodiscard]] std::size_t calls() const { return calls_; }
  /// Is called before each call that writes or syncs, with words for it.
  void watch(std::function<void(const std::string& call)> before) { before_ = std::move(before); }
  /// Refuses calls from now on.
  void fail(DiskFault fault);
  /// Refuses none any more, counts from 0, and is not watched.
  void mend();
  /// The first call that was refused since `fail`; "" for none.
  [[nodiscard]] const std::string& struck() const { return struck_; }
  /// Whether a file system was shut down.
  [[nodiscard]] bool shut_down() const { return !shut_.empty(); }

  /// What a crash may lose now, in the order in which it was done.
  [[nodiscard]] std::vector<Unsure> unsure() const;
  /// The machine after a crash that left so much of each, and nothing else that was unsure.
  [[nodiscard]] Machine crash(std::span<const Left> left) const;

  /// Of everything that programs can read, of `told` and of `memory`.
  [[nodiscard]] Digest digest() const;
  /// The content of every file by its absolute path; "-> target" of links, "/" of directories.
  [[nodiscard]] std::map<std::string, std::string> files() const;

 private:
  friend class MachineDisk;
  friend class MachineFile;

  using Number = std::uint32_t;
  static constexpr Number kNone = ~Number{0};

  struct Attributes {
    unsigned mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    friend bool operator==(const Attributes&, const Attributes&) = default;
  };

  /// An inode. Without hard links it stands at one place at most.
  struct Node {
    Status::Kind kind = Status::Kind::directory;
    unsigned system = 0;  ///< the file system that it is of
    Attributes attributes;
    std::shared_ptr<const std::string> content;  ///< of a link, its target
    std::map<std::string, Number, std::less<>> names;
    Number parent = kNone;
    std::string name;
  };
  using Nodes = std::vector<Node>;

  /// An operation that is not folded into `kept_` yet.
  struct Unit {
    bool is_name = false;
    Number node = kNone;    ///< that it is about
    Number parent = kNone;  ///< of a name: the directory that the node comes to stand in, if any
    std::string name;
    std::vector<Number> unsynced;  ///< of a name: directories that have to be synced yet
    Attributes attributes;
    std::size_t from = 0;                        ///< of content: what was certain before
    std::shared_ptr<const std::string> content;  ///< all of it
    bool certain = false;
    bool doomed = false;
    std::string says;
  };

  static void place(Nodes& nodes, Number node, Number parent, std::string_view name);
  static void apply(Nodes& nodes, const Unit& unit, Left left);
  static std::vector<Left> ways_of(const Unit& unit);

  Number directory(std::string_view path);
  /// Counts a call to a file system that only reads, and says which error number it ends with; 0
  /// for none.
  int step_reading(const std::string& path);
  /// The same of one that writes.
  int step(unsigned system, const std::string& says, bool takes_space = true);
  int refusal(const std::string& says, bool takes_space);
  Number make(Status::Kind kind, unsigned mode, unsigned system, std::string content);
  void move(Number node, Number parent, std::string_view name, std::string says);
  void change(Number node, std::string says);
  template <class Mine>
  void settle(bool failed, const Mine& mine);
  void fold();
  template <class Visit>
  void visit(const Nodes& nodes, Number node, const std::string& path, const Visit& visit) const;

  Nodes now_;
  Nodes kept_;  ///< the same numbers
  std::deque<Unit> units_;
  unsigned systems_ = 1;
  std::set<unsigned> shut_;  ///< file systems that take no more writes
  std::size_t calls_ = 0;
  DiskFault fault_;
  std::string struck_;
  std::function<void(const std::string& call)> before_;
};

}  // namespace caisson::installer::testing
