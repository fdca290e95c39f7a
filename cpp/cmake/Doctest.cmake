# doctest, one header for the C++ tests: the system's (Debian: doctest-dev), else an archive fetched once and checked
# by its hash. Where neither can be had the tests are left out, with one line that says so.
# Makes the target trimatte_doctest if there is one.
set(fetched "${PROJECT_BINARY_DIR}/doctest")

function(fetch_doctest url hash)
  if(EXISTS "${fetched}/doctest/doctest.h")
    return()
  endif()
  get_filename_component(name "${url}" NAME)
  set(archive "${fetched}/${name}")
  file(DOWNLOAD "${url}" "${archive}" STATUS status TIMEOUT 60 INACTIVITY_TIMEOUT 15)
  list(GET status 0 failed)
  if(failed)
    file(REMOVE "${archive}")
    return()
  endif()
  file(SHA256 "${archive}" got)
  if(NOT got STREQUAL hash)
    message(FATAL_ERROR "${url}: expected SHA256 ${hash}, got ${got}")
  endif()
  file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${fetched}")
  file(GLOB header "${fetched}/*/doctest/doctest.h")
  file(COPY "${header}" DESTINATION "${fetched}/doctest")
endfunction()

# The system's header is copied into a folder of its own: where another system is compiled for, the folder that holds it
# has the building machine's headers too.
if(NOT doctest_include)
  find_path(doctest_system_include doctest/doctest.h NO_CMAKE_FIND_ROOT_PATH)
  if(doctest_system_include)
    file(COPY "${doctest_system_include}/doctest/doctest.h" DESTINATION "${fetched}/doctest")
  else()
    fetch_doctest(https://github.com/doctest/doctest/archive/refs/tags/v2.4.12.tar.gz
                  73381c7aa4dee704bd935609668cf41880ea7f19fa0504a200e13b74999c2d70)
    fetch_doctest(https://deb.debian.org/debian/pool/main/d/doctest/doctest_2.4.9~ds.orig.tar.xz
                  7cc78169975bea36e70ab9d67e7de9b03d89b38653499ad03243e3944429b1ab)
  endif()
  find_path(doctest_include doctest/doctest.h PATHS "${fetched}" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
endif()
if(NOT doctest_include)
  message(STATUS "C++ tests: left out, doctest is not installed (Debian: doctest-dev) and could not be fetched")
  return()
endif()
message(STATUS "C++ tests: doctest from ${doctest_include}")

add_library(trimatte_doctest INTERFACE)
target_include_directories(trimatte_doctest SYSTEM INTERFACE "${doctest_include}")
