# Which compilers build Boathouse, and ccache where it is installed.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(minimum 12)
    set(newest_tested 12)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(minimum 15)
    set(newest_tested 15)
else()
    message(FATAL_ERROR "Boathouse is built with GCC 12 or Clang 15, or newer; CMAKE_CXX_COMPILER is ${CMAKE_CXX_COMPILER_ID}.")
endif()
if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS minimum)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} is too old for C++20: ${minimum} or newer is "
                        "needed. Install one and name it: CXX=g++-12 make build")
endif()

# A newer compiler may know warnings that nobody has seen yet: they are shown, and do not stop the build.
set(werror_default ON)
string(REGEX MATCH "^[0-9]+" major ${CMAKE_CXX_COMPILER_VERSION})
if(major GREATER newest_tested)
    set(werror_default OFF)
    message(STATUS "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} is newer than the tested ${newest_tested}: "
                   "warnings are not errors")
endif()
option(BOATHOUSE_WERROR "Treat warnings as errors" ${werror_default})

# Paths are taken relative to the source tree, so that another clone finds what this one compiled.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED ENV{CMAKE_CXX_COMPILER_LAUNCHER})
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true
        CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()
