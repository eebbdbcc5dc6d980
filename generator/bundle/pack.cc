#include "generator/bundle/pack.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "generator/bundle/compress.h"
#include "generator/bundle/parallel.h"

namespace caisson::bundle {
namespace {

using installer::kMostOfChunk;
using installer::Pack;

/// A file up to this size shares a chunk with its neighbours.
constexpr std::uint64_t kSmall = std::uint64_t{256} * 1024;

std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

/// A chunk that is to be made: of several small files, or a piece of one.
struct Job {
  std::size_t pack = 0;
  std::size_t piece = 0;
};

/// The digest of a file of several pieces, which are read by several threads and hashed in their
/// order.
class InOrder {
 public:
  /// Waits for the pieces before this one; false when the work has ended without them.
  template <class Hash>
  bool take(std::size_t piece, const Hash& hash) {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return ended_ || next_ == piece; });
    if (ended_) return false;
    hash(sum_);
    ++next_;
    turned_.notify_all();
    return true;
  }

  void end() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    turned_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turned_;
  std::size_t next_ = 0;
  bool ended_ = false;
  Sha256 sum_;
};

class Packer {
 public:
  Packer(std::vector<Content> contents, const Packing& packing, Stage& stage,
         conformance::DisclosureScan& scan, Progress& progress)
      : contents_(std::move(contents)),
        packing_(packing),
        stage_(stage),
        scan_(scan),
        progress_(progress) {}

  Result<std::vector<Pack>> run() {
    std::ranges::sort(contents_, {}, &Content::path);
    plan();
    std::uint64_t bytes = 0;
    for (const auto& content : contents_) bytes += content.source.size();
    progress_.begin("files", bytes);
    const auto done = in_parallel(jobs_.size(), packing_.threads, [&](std::size_t index) {
      const auto order = orders_.find(jobs_[index].pack);
      // Later pieces of the file may not wait for what never comes.
      const auto end = [&] {
        if (order != orders_.end()) order->second->end();
      };
      try {
        auto made = make(jobs_[index]);
        if (!made) end();
        return made;
      } catch (...) {
        end();
        throw;
      }
    });
    if (!done) return tl::unexpected(done.error());
    return std::move(packs_);
  }

 private:
  /// Which files share a pack, and which chunks there are to make.
  void plan() {
    std::map<std::string_view, std::size_t> open;  // directory -> the pack that takes more of it
    std::vector<std::uint64_t> held;
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      const auto& content = contents_[i];
      const auto size = content.source.size();
      const bool small = size <= kSmall;
      const auto directory = directory_of(content.path);
      const auto found = open.find(directory);
      if (small && found != open.end() && held[found->second] + size <= kMostOfChunk) {
        members_[found->second].push_back(i);
        held[found->second] += size;
        continue;
      }
      if (small) open[directory] = members_.size();
      members_.push_back({i});
      held.push_back(size);
    }
    packs_.resize(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const auto pieces = std::max<std::uint64_t>(1, (held[i] + kMostOfChunk - 1) / kMostOfChunk);
      packs_[i].chunks.resize(pieces);
      for (const auto member : members_[i]) {
        packs_[i].files.push_back({.size = contents_[member].source.size(),
                                   .executable = contents_[member].executable,
                                   .path = contents_[member].path});
      }
      if (pieces > 1) orders_.emplace(i, std::make_unique<InOrder>());
      for (std::size_t piece = 0; piece < pieces; ++piece) {
        jobs_.push_back({.pack = i, .piece = piece});
      }
    }
  }

  Result<void> make(const Job& job) {
    auto& pack = packs_[job.pack];
    thread_local std::string bytes;
    if (auto read = pack.chunks.size() > 1 ? read_piece(job, bytes) : read_files(job.pack, bytes);
        !read) {
      return read;
    }
    // One a thread: its tables and buffers are dear.
    thread_local std::optional<Compressor> compressor;
    if (!compressor || compressor->level() != packing_.level) compressor.emplace(packing_.level);
    const auto frame = compressor->frame(bytes);
    if (!frame) return tl::unexpected(frame.error());
    const auto digest = stage_.blob(*frame);
    if (!digest) return tl::unexpected(digest.error());
    pack.chunks[job.piece] = {.digest = *digest, .stored = frame->size(), .size = bytes.size()};
    progress_.advance(bytes.size());
    return {};
  }

  Result<void> read_files(std::size_t index, std::string& bytes) {
    bytes.clear();
    std::string file;
    for (std::size_t i = 0; i < members_[index].size(); ++i) {
      const auto& content = contents_[members_[index][i]];
      const bool alone = members_[index].size() == 1;
      auto& into = alone ? bytes : file;
      if (auto read = content.source.read(0, content.source.size(), into); !read) return read;
      packs_[index].files[i].digest = sha256(into);
      scan_.look(content.path, into);
      if (!alone) bytes += file;
    }
    return {};
  }

  Result<void> read_piece(const Job& job, std::string& bytes) {
    const auto& content = contents_[members_[job.pack].front()];
    const auto& source = content.source;
    const auto offset = job.piece * kMostOfChunk;
    const auto size = std::min(kMostOfChunk, source.size() - offset);
    const auto seen = std::min(size + conformance::DisclosureScan::overlap, source.size() - offset);
    if (auto read = source.read(offset, seen, bytes); !read) return read;
    scan_.look(content.path, bytes, job.piece == 0);
    bytes.resize(size);
    auto& pack = packs_[job.pack];
    const bool last = job.piece + 1 == pack.chunks.size();
    const bool taken = orders_.at(job.pack)->take(job.piece, [&](Sha256& sum) {
      sum.update(bytes);
      if (last) pack.files.front().digest = sum.finish();
    });
    return taken ? Result<void>() : fail("the work was ended");
  }

  std::vector<Content> contents_;
  const Packing& packing_;
  Stage& stage_;
  conformance::DisclosureScan& scan_;
  Progress& progress_;
  std::vector<std::vector<std::size_t>> members_;  ///< of each pack, indexes of contents
  std::vector<Pack> packs_;
  std::map<std::size_t, std::unique_ptr<InOrder>> orders_;  ///< of packs with several chunks
  std::vector<Job> jobs_;
};

}  // namespace

Result<std::vector<Pack>> pack(std::vector<Content> contents, const Packing& packing, Stage& stage,
                               conformance::DisclosureScan& scan, Progress& progress) {
  return Packer(std::move(contents), packing, stage, scan, progress).run();
}

}  // namespace caisson::bundle
