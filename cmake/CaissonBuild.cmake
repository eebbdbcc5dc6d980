# How every folder of Caisson is built: one static library per folder, its tests beside it.
#
#   caisson_library(spec
#     SOURCES document.cc decode.cc
#     LINK caisson_source              # seen by those who link this folder
#     LINK_PRIVATE yaml-cpp)           # an implementation detail
#   caisson_test(spec SOURCES document_test.cc LINK rapidcheck)
#   caisson_fuzz(document SOURCES document_fuzz.cc CORPUS specs LINK caisson_spec)
#   caisson_program(caisson SOURCES main.cc LINK caisson_spec)

add_library(caisson_flags INTERFACE)
target_compile_options(caisson_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
  # Designated initialisers leave out what keeps its default; that is their point.
  -Wno-missing-field-initializers
  -fstack-protector-strong
  # GCC 12 reports std::string concatenation at -O2 as overlapping copies (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # libstdc++ 12 itself uses what it deprecates, and clang says so.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
target_include_directories(caisson_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(caisson_flags INTERFACE
  CAISSON_VERSION="${PROJECT_VERSION}"
  $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(CAISSON_SANITIZE)
  # What sanitizers add to a program looks wrong to some of GCC's warnings, so that its manual advises against -Werror with
  # them; the same sources are built without sanitizers, and with it.
  target_compile_options(caisson_flags INTERFACE
    -fsanitize=${CAISSON_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-error
    # A null pointer ends a program by itself; asking before each use is an eighth of what compiling costs.
    -fno-sanitize=null)
  target_link_options(caisson_flags INTERFACE -fsanitize=${CAISSON_SANITIZE})
endif()
if(CAISSON_FUZZ)
  target_compile_options(caisson_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)

# Archives where a package offers both kinds: shipped programs link statically, and a linker that is given
# the path of a shared library quietly makes a dynamic program instead.
set(Boost_USE_STATIC_LIBS ${CAISSON_STATIC})
set(OPENSSL_USE_STATIC_LIBS ${CAISSON_STATIC})
set(ZLIB_USE_STATIC_LIBS ${CAISSON_STATIC})
find_package(ZLIB REQUIRED)

function(caisson_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;LINK_PRIVATE" ${ARGN})
  add_library(caisson_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(caisson_${name} PUBLIC caisson_flags ${ARG_LINK} PRIVATE ${ARG_LINK_PRIVATE})
endfunction()

# Tests are as long as what they test and run a moment: what is optimised and looked at from every side is the latter. A wrong
# type ends a test under AddressSanitizer too. That is half of what compiling them costs.
add_library(caisson_test_flags INTERFACE)
target_compile_options(caisson_test_flags INTERFACE -O0 -U_FORTIFY_SOURCE)
if(CAISSON_SANITIZE)
  target_compile_options(caisson_test_flags INTERFACE -fno-sanitize=alignment,vptr,object-size)
endif()

# What every test includes is read once. The preprocessor says so to ccache.
function(caisson_test_headers)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/test_headers.cc CONTENT "")
  add_executable(caisson_test_headers ${CMAKE_BINARY_DIR}/test_headers.cc)
  target_link_libraries(caisson_test_headers PRIVATE caisson_flags caisson_test_flags GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_options(caisson_test_flags INTERFACE -fpch-preprocess)
  target_precompile_headers(caisson_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <chrono> <filesystem> <fstream> <optional> <ranges> <span> <thread>)
endfunction()

# A test program `caisson_<name>_test`; every TEST() in it is one ctest test. CASES is how often each
# RapidCheck property is tried (100 without it). NEEDS names ctest fixtures. An OPTIMISED one computes for minutes.
function(caisson_test name)
  cmake_parse_arguments(ARG "OPTIMISED" "TIMEOUT;CASES" "SOURCES;LINK;LABELS;NEEDS" ${ARGN})
  if(NOT TARGET GTest::gtest_main)
    find_package(GTest REQUIRED)
  endif()
  if(NOT TARGET caisson_test_headers AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    caisson_test_headers()
  endif()
  include(GoogleTest)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABELS)
    list(APPEND properties LABELS "${ARG_LABELS}")
  endif()
  if(ARG_NEEDS)
    list(APPEND properties FIXTURES_REQUIRED "${ARG_NEEDS}")
  endif()
  if(ARG_CASES)
    list(APPEND properties ENVIRONMENT "RC_PARAMS=max_success=${ARG_CASES}")
  endif()
  add_executable(caisson_${name}_test ${ARG_SOURCES})
  target_link_libraries(caisson_${name}_test PRIVATE
    caisson_flags caisson_${name} ${ARG_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  if(CAISSON_SANITIZE OR NOT ARG_OPTIMISED)
    target_link_libraries(caisson_${name}_test PRIVATE caisson_test_flags)
    if(TARGET caisson_test_headers)
      target_precompile_headers(caisson_${name}_test REUSE_FROM caisson_test_headers)
    endif()
  endif()
  target_compile_definitions(caisson_${name}_test PRIVATE CAISSON_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    CAISSON_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(caisson_${name}_test
    DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES ${properties})
endfunction()

# A libFuzzer target `fuzz_<name>` under the fuzz preset; elsewhere the same entry point is linked with
# a driver that replays the corpus, so that every build tests what fuzzing found.
function(caisson_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;LINK" ${ARGN})
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE caisson_flags ${ARG_LINK})
  if(CAISSON_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_replay.cc)
  endif()
  add_test(NAME fuzz_replay_${name} COMMAND fuzz_${name} -runs=0 ${CMAKE_SOURCE_DIR}/${ARG_CORPUS})
  set_tests_properties(fuzz_replay_${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()

# A shipped program: static and position independent unless a sanitizer forbids it.
find_package(Python3 COMPONENTS Interpreter QUIET)
find_program(CAISSON_DPKG dpkg-query)
if(CAISSON_STATIC AND NOT CAISSON_SANITIZE AND CAISSON_DPKG AND Python3_FOUND)
  set(CAISSON_PARTS ON)
endif()

# A SHIPPED program says which packages of the system are in it, where dpkg can tell.
function(caisson_program name)
  cmake_parse_arguments(ARG "SHIPPED" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE caisson_flags ${ARG_LINK} Threads::Threads)
  if(CAISSON_STATIC AND NOT CAISSON_SANITIZE)
    # Packed relocations: they are 7 % of a program that holds OpenSSL.
    target_link_options(${name} PRIVATE -static-pie -Wl,-z,relro,-z,now,-z,pack-relative-relocs)
    add_test(NAME ${name}_is_static
      COMMAND sh -c "! readelf -lW '$<TARGET_FILE:${name}>' | grep INTERP")
    if(ARG_SHIPPED AND CAISSON_PARTS)
      set(script ${CMAKE_SOURCE_DIR}/scripts/program-parts)
      target_link_options(${name} PRIVATE -Wl,-Map,$<TARGET_FILE:${name}>.map)
      set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${script})
      add_custom_command(TARGET ${name} POST_BUILD VERBATIM COMMAND
        ${Python3_EXECUTABLE} ${script} $<TARGET_FILE:${name}>.map ${CMAKE_BINARY_DIR} $<TARGET_FILE:${name}>)
    endif()
  endif()
endfunction()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

include(CaissonEmbed)
