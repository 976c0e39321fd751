# Warnings are errors, in our own code only. Sanitizers are a property of the whole build.
set(BOATHOUSE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

add_library(boathouse_flags INTERFACE)
target_compile_options(boathouse_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2
    $<$<BOOL:${BOATHOUSE_WERROR}>:-Werror>)
if(BOATHOUSE_SANITIZE)
    add_compile_options(-fsanitize=${BOATHOUSE_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${BOATHOUSE_SANITIZE})
    if(BOATHOUSE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-tsan)  # Asio has a memory fence, of which ThreadSanitizer knows nothing
    endif()
endif()
