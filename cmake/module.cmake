# boathouse_module(name [DEPENDS targets...] [PRECOMPILE headers...])
#
# One folder of src/ is one static library boathouse_<name>, of all *.cpp in it; *_test.cpp become the test program
# boathouse_<name>_test. A new file needs no edit here or there.
include(GoogleTest)
function(boathouse_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;PRECOMPILE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

    add_library(boathouse_${name} STATIC ${sources})
    target_include_directories(boathouse_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(boathouse_${name} PUBLIC ${ARG_DEPENDS} PRIVATE boathouse_flags)
    if(ARG_PRECOMPILE)
        target_precompile_headers(boathouse_${name} PRIVATE ${ARG_PRECOMPILE})
        # ccache has handed out precompiled headers that the compiler then refused.
        set_target_properties(boathouse_${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
    endif()

    if(tests AND BUILD_TESTING)
        add_executable(boathouse_${name}_test ${tests})
        target_link_libraries(boathouse_${name}_test PRIVATE boathouse_${name} boathouse_flags GTest::gmock GTest::gtest_main)
        if(ARG_PRECOMPILE)
            target_precompile_headers(boathouse_${name}_test PRIVATE ${ARG_PRECOMPILE})
            set_target_properties(boathouse_${name}_test PROPERTIES CXX_COMPILER_LAUNCHER "")
        endif()
        gtest_discover_tests(boathouse_${name}_test DISCOVERY_MODE PRE_TEST)
    endif()
endfunction()
