# The pinned nanoarrow: Apache Arrow's format, read and written. A version bump is an edit of this file and of nothing else.
#
# From the source distribution of its Python package, which brings along what it needs of flatcc and LZ4; zstd is Debian's.
# Set NANOARROW_ROOT to use an unpacked source distribution of that layout.
enable_language(C)
set(BOATHOUSE_NANOARROW_VERSION 0.9.0)

# kind | package | version | file | sha256
set(BOATHOUSE_NANOARROW_PINS
    "source|nanoarrow|0.9.0|nanoarrow-0.9.0.tar.gz|1ce15bbed8532839347faa78824c5dbd3769bff60661003e34c6fba5dd881bd3")

if(NANOARROW_ROOT)
    set(BOATHOUSE_NANOARROW_DIR ${NANOARROW_ROOT})
else()
    execute_process(
        COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch nanoarrow-${BOATHOUSE_NANOARROW_VERSION} ${BOATHOUSE_NANOARROW_PINS}
        OUTPUT_VARIABLE BOATHOUSE_NANOARROW_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE
        RESULT_VARIABLE BOATHOUSE_FETCH_RESULT)
    if(NOT BOATHOUSE_FETCH_RESULT EQUAL 0)
        message(FATAL_ERROR "nanoarrow ${BOATHOUSE_NANOARROW_VERSION} could not be fetched; what failed is said above. "
                            "Run the same command again to resume, or set NANOARROW_ROOT to an unpacked source distribution.")
    endif()
    set(BOATHOUSE_NANOARROW_DIR ${BOATHOUSE_NANOARROW_PREFIX}/source)
endif()
set(nanoarrow ${BOATHOUSE_NANOARROW_DIR}/subprojects/arrow-nanoarrow/src)
set(lz4 ${BOATHOUSE_NANOARROW_DIR}/subprojects/lz4-1.10.0/lib)
file(GLOB flatcc ${BOATHOUSE_NANOARROW_DIR}/subprojects/flatcc-*)
if(NOT EXISTS ${nanoarrow}/nanoarrow/nanoarrow_ipc.h OR NOT flatcc)
    message(FATAL_ERROR "${BOATHOUSE_NANOARROW_DIR} is not the source distribution of nanoarrow ${BOATHOUSE_NANOARROW_VERSION}")
endif()

# Names of its own: DuckDB brings another nanoarrow along.
string(REPLACE "." ";" version ${BOATHOUSE_NANOARROW_VERSION})
list(GET version 0 NANOARROW_VERSION_MAJOR)
list(GET version 1 NANOARROW_VERSION_MINOR)
list(GET version 2 NANOARROW_VERSION_PATCH)
set(NANOARROW_VERSION ${BOATHOUSE_NANOARROW_VERSION})
set(NANOARROW_NAMESPACE_DEFINE "#define NANOARROW_NAMESPACE Boathouse")
configure_file(${nanoarrow}/nanoarrow/nanoarrow_config.h.in ${CMAKE_BINARY_DIR}/nanoarrow/nanoarrow/nanoarrow_config.h)

add_library(nanoarrow STATIC
    ${nanoarrow}/nanoarrow/common/array.c ${nanoarrow}/nanoarrow/common/array_stream.c
    ${nanoarrow}/nanoarrow/common/schema.c ${nanoarrow}/nanoarrow/common/utils.c
    ${nanoarrow}/nanoarrow/ipc/codecs.c ${nanoarrow}/nanoarrow/ipc/decoder.c ${nanoarrow}/nanoarrow/ipc/encoder.c
    ${nanoarrow}/nanoarrow/ipc/writer.c
    ${flatcc}/src/runtime/builder.c ${flatcc}/src/runtime/emitter.c ${flatcc}/src/runtime/verifier.c
    ${flatcc}/src/runtime/refmap.c
    ${lz4}/lz4.c ${lz4}/lz4frame.c ${lz4}/lz4hc.c ${lz4}/xxhash.c)
target_include_directories(nanoarrow SYSTEM PUBLIC ${nanoarrow} ${CMAKE_BINARY_DIR}/nanoarrow ${flatcc}/include
                                            PRIVATE ${lz4})
target_compile_definitions(nanoarrow PRIVATE NDEBUG NANOARROW_IPC_WITH_ZSTD NANOARROW_IPC_WITH_LZ4 XXH_NAMESPACE=boathouse_lz4_)
target_compile_options(nanoarrow PRIVATE -w) # not ours to mend
target_link_libraries(nanoarrow PRIVATE ${ZSTD_LIBRARY})
