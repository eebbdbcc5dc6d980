# Writes SOURCE and HEADER: a function NAMESPACE::NAME() that returns the bytes of FILES below ROOT.

set(declaration "/// A file compiled into the program.
struct EmbeddedFile {
  std::string_view path;
  std::string_view bytes;
};
")
file(CONFIGURE OUTPUT ${HEADER} @ONLY CONTENT "#pragma once

#include <span>
#include <string_view>

namespace @NAMESPACE@ {

@declaration@
[[nodiscard]] std::span<const EmbeddedFile> @NAME@();

}  // namespace @NAMESPACE@
")

set(arrays "")
set(entries "")
set(number 0)
foreach(path IN LISTS FILES)
  file(READ ${ROOT}/${path} hex HEX)
  string(LENGTH "${hex}" length)
  math(EXPR size "${length} / 2")
  # An array of characters, not a string literal: hexadecimal escapes in a literal swallow what follows them.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND arrays "constexpr char file_${number}[] = {${bytes}'\\0'};\n")
  string(APPEND entries "    {\"${path}\", std::string_view(file_${number}, ${size})},\n")
  math(EXPR number "${number} + 1")
endforeach()
get_filename_component(header_name ${HEADER} NAME)
file(WRITE ${SOURCE} "#include \"${header_name}\"

namespace ${NAMESPACE} {
namespace {

${arrays}
constexpr EmbeddedFile files[] = {
${entries}};

}  // namespace

std::span<const EmbeddedFile> ${NAME}() { return files; }

}  // namespace ${NAMESPACE}
")
