# Files compiled into a program.
#
#   caisson_embed(dashboard_page NAMESPACE caisson::dashboard FILES index.html app.js)
#
# makes dashboard_page.cc and dashboard_page.h in the binary folder; include the header as "dashboard_page.h":
#
#   namespace caisson::dashboard { std::span<const EmbeddedFile> dashboard_page(); }   // {path, bytes}, sorted by path
#
# Paths are relative to the folder that calls. The variable <name>_SOURCES names the generated source.

function(caisson_embed name)
  cmake_parse_arguments(ARG "" "NAMESPACE" "FILES" ${ARGN})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}.h)
  list(SORT ARG_FILES)
  set(inputs ${ARG_FILES})
  list(TRANSFORM inputs PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(
    OUTPUT ${source} ${header}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DNAMESPACE=${ARG_NAMESPACE} -DROOT=${CMAKE_CURRENT_SOURCE_DIR}
      "-DFILES=${ARG_FILES}" -DSOURCE=${source} -DHEADER=${header} -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
  set(${name}_SOURCES ${source} PARENT_SCOPE)
endfunction()
