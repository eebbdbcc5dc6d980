#include "generator/image/elf.h"

#include <cstring>
#include <utility>

#include <elf.h>

namespace caisson::image {

namespace {

/// A structure at `offset` of the file; false beyond its end.
template <class T>
bool read_at(std::string_view bytes, std::size_t offset, T& into) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(&into, bytes.data() + offset, sizeof(T));
  return true;
}

}  // namespace

Result<std::string> architecture_of(std::string_view program) {
  Elf64_Ehdr header{};
  if (!read_at(program, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      (header.e_type != ET_EXEC && header.e_type != ET_DYN)) {
    return fail("it is not a 64-bit Linux program", "give the caisson-runtime of a release");
  }
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_at(program, header.e_phoff + i * sizeof(segment), segment)) {
      return fail("it is cut short", "copy the program again");
    }
    if (segment.p_type == PT_INTERP) {
      return fail("it is dynamically linked, and nothing brings its libraries",
                  "build it with the preset `release`");
    }
  }
  for (const auto& [machine, name] :
       {std::pair{EM_X86_64, "amd64"}, std::pair{EM_AARCH64, "arm64"},
        std::pair{EM_RISCV, "riscv64"}, std::pair{EM_PPC64, "ppc64le"}}) {
    if (header.e_machine == machine) return name;
  }
  return fail(
      "it is for machine " + std::to_string(header.e_machine) + ", which no image is made for",
      "use a program for amd64, arm64, riscv64 or ppc64le");
}

}  // namespace caisson::image
