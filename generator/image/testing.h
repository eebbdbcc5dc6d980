#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include <elf.h>

namespace caisson::image::testing {

/// The least that is a program for a machine, with one segment: a static one without PT_INTERP.
inline std::string program(std::uint16_t machine = EM_X86_64, std::uint32_t segment = PT_LOAD) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = machine;
  header.e_phoff = sizeof(header);
  header.e_phnum = 1;
  Elf64_Phdr load{};
  load.p_type = segment;
  std::string bytes(sizeof(header) + sizeof(load), '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), &load, sizeof(load));
  return bytes;
}

}  // namespace caisson::image::testing
