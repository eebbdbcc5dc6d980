#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/disk/crash_disk_testing.h"
#include "installer/image/root.h"

/// Whatever a layer holds, nothing but its root is written, and it has no set-uid bit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  testing::Machine machine;
  const auto disk = machine.open("/top");
  if (!disk->make_directory("root", 0755)) abort();
  RootDirectory root(*disk, "root", Image{}, {.uid = 900, .gid = 901});
  TarReader reader(
      [&](const ArchiveEntry& entry) { return root.entry(entry); },
      [&](const ArchiveEntry&, std::string_view bytes) { return root.content(bytes); });
  Decompressor decompressor;
  std::size_t sum = 0;
  const Take take = [&](std::string_view bytes) -> Checked<void> {
    sum += bytes.size();
    if (sum > (std::size_t{1} << 20U)) return refuse(Code::layer_too_large, "enough");
    return reader.feed(bytes);
  };
  const std::string_view layer(reinterpret_cast<const char*>(data), size);
  auto done = decompressor.feed(layer, take);
  if (done) done = decompressor.finish();
  if (done) done = reader.finish();
  const auto names = disk->list("");
  if (!names || names->size() != 1) abort();
  const auto found = root.find("etc/../usr/bin/app");
  if (found && *found && !(*found)->empty()) {
    const auto status = disk->status(root.on_disk(**found));
    if (!status || !*status || ((*status)->mode & 06000U) != 0) abort();
  }
  return 0;
}
