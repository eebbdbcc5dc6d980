#include "generator/image/tar.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace caisson::image {
namespace {

/// What GNU tar says about an archive.
std::string listed(const std::string& archive) {
  const auto file =
      std::filesystem::temp_directory_path() / ("caisson-tar-" + std::to_string(getpid()) + ".tar");
  std::ofstream(file, std::ios::binary) << archive;
  FILE* pipe = popen(("TZ=UTC tar --numeric-owner -tvf " + file.string() + " 2>&1").c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer{};
  while (const auto size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), size);
  }
  pclose(pipe);
  std::filesystem::remove(file);
  return out;
}

TEST(ToTar, IsWhatGnuTarReads) {
  const auto archive =
      to_tar({{.path = "bin", .mode = 0755, .directory = true},
              {.path = "bin/program", .bytes = "1234567", .mode = 0755},
              {.path = "var", .mode = 0700, .uid = 10001, .gid = 10002, .directory = true}},
             86400);
  EXPECT_EQ(archive.size() % 512, 0U);
  EXPECT_EQ(listed(archive),
            "drwxr-xr-x 0/0               0 1970-01-02 00:00 bin/\n"
            "-rwxr-xr-x 0/0               7 1970-01-02 00:00 bin/program\n"
            "drwx------ 10001/10002       0 1970-01-02 00:00 var/\n");
}

/// Paths at every length around what the fields of a header hold, with a '/' where the header could
/// break the path and without one.
TEST(ToTar, KeepsLongPaths) {
  for (const std::size_t length : {99U, 100U, 101U, 155U, 156U, 254U, 255U, 256U, 257U, 300U}) {
    for (const bool deep : {false, true}) {
      std::string path(length, 'x');
      if (deep) {
        for (std::size_t i = 40; i + 1 < length; i += 41) path[i] = '/';
      }
      const auto archive = to_tar({{.path = path, .bytes = "ab"}, {.path = "end"}}, 0);
      EXPECT_EQ(listed(archive), "-rw-r--r-- 0/0               2 1970-01-01 00:00 " + path +
                                     "\n-rw-r--r-- 0/0               0 1970-01-01 00:00 end\n")
          << length;
    }
  }
}

TEST(ToTar, GivesEqualBytesForEqualEntries) {
  const std::vector<TarEntry> entries{{.path = "a", .bytes = "x"}, {.path = std::string(300, 'y')}};
  EXPECT_EQ(to_tar(entries, 7), to_tar(entries, 7));
  EXPECT_NE(to_tar(entries, 7), to_tar(entries, 8));
}

}  // namespace
}  // namespace caisson::image
