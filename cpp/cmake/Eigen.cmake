# Finds Eigen's headers in one of two places and nowhere else, so that a system copy is never taken by accident:
#   1. cmeel-eigen in the Python that builds (pinned in pyproject.toml),
#   2. cpp/third_party/eigen, which a source distribution carries.
# When the source distribution is being made, copies the first to the second.
set(TRIMATTE_EIGEN_VERSION 3.4.1)
set(carried "${CMAKE_CURRENT_SOURCE_DIR}/cpp/third_party/eigen")

find_package(Python COMPONENTS Interpreter)
set(prefixes "")
if(Python_Interpreter_FOUND)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import os, sys; print(';'.join(p for s in sys.path for p in [os.path.join(s, 'cmeel.prefix')] if os.path.isdir(p)))"
    OUTPUT_VARIABLE prefixes
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(TO_CMAKE_PATH "${prefixes}" prefixes)
endif()

unset(eigen_include CACHE)
# The folders are the building machine's also where a toolchain file names a sysroot.
find_path(eigen_include Eigen/Core PATHS ${prefixes} PATH_SUFFIXES include/eigen3 NO_DEFAULT_PATH
          NO_CMAKE_FIND_ROOT_PATH)
if(eigen_include)
  set(TRIMATTE_EIGEN_SOURCE "cmeel-eigen")
elseif(EXISTS "${carried}/Eigen/Core")
  set(eigen_include "${carried}")
  set(TRIMATTE_EIGEN_SOURCE "source distribution")
else()
  message(FATAL_ERROR "Eigen: expected cmeel-eigen==${TRIMATTE_EIGEN_VERSION} in ${Python_EXECUTABLE} "
                      "(pip install cmeel-eigen==${TRIMATTE_EIGEN_VERSION}); a system copy is not used")
endif()

file(STRINGS "${eigen_include}/Eigen/src/Core/util/Macros.h" lines REGEX "#define EIGEN_(WORLD|MAJOR|MINOR)_VERSION")
string(REGEX REPLACE "[^0-9]*([0-9]+)[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2.\\3" version "${lines}")
if(NOT version VERSION_EQUAL TRIMATTE_EIGEN_VERSION)
  message(FATAL_ERROR "Eigen: expected ${TRIMATTE_EIGEN_VERSION}, got ${version} in ${eigen_include}")
endif()
message(STATUS "Eigen ${version} from ${TRIMATTE_EIGEN_SOURCE}: ${eigen_include}")

if(SKBUILD_STATE STREQUAL "sdist" AND TRIMATTE_EIGEN_SOURCE STREQUAL "cmeel-eigen")
  file(REMOVE_RECURSE "${carried}")
  file(COPY "${eigen_include}/Eigen" DESTINATION "${carried}")
  # The wheel of headers has no licence file.
  file(WRITE "${carried}/README.md"
       "Headers of Eigen ${TRIMATTE_EIGEN_VERSION} (https://eigen.tuxfamily.org), unchanged, from cmeel-eigen on PyPI.\n\n"
       "Licence: Mozilla Public License 2.0, https://mozilla.org/MPL/2.0/; a few files have a more permissive one.\n"
       "Each file names its authors and its licence. trimatte compiles with EIGEN_MPL2_ONLY.\n")
endif()

add_library(trimatte_eigen INTERFACE)
target_include_directories(trimatte_eigen SYSTEM INTERFACE "${eigen_include}")
target_compile_definitions(trimatte_eigen INTERFACE EIGEN_MPL2_ONLY)
if(NOT MSVC)
  target_compile_options(trimatte_eigen INTERFACE "SHELL:-include \"${CMAKE_CURRENT_LIST_DIR}/separate_products.hpp\"")
endif()
