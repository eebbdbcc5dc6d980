#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/scan/disclosure.h"
#include "generator/bundle/progress.h"
#include "generator/bundle/source.h"
#include "generator/bundle/stage.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// A file that is installed.
struct Content {
  std::string path;
  bool executable = false;
  Source source;
};

/// How files become chunks.
struct Packing {
  int level = 9;         ///< of zstd, 1 to 19
  unsigned threads = 0;  ///< 0: as many as there are processors; the result does not depend on it
};

/// Cuts the files into chunks, compresses them and writes them into the stage: a small file shares
/// a chunk with the others of its directory, any other has chunks of its own. Looks at every byte
/// with `scan`. Fails on a file that changes meanwhile.
[[nodiscard]] Result<std::vector<installer::Pack>> pack(std::vector<Content> contents,
                                                        const Packing& packing, Stage& stage,
                                                        conformance::DisclosureScan& scan,
                                                        Progress& progress);

}  // namespace caisson::bundle
