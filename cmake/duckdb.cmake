# The pinned DuckDB. A version bump is an edit of this file and of nothing else.
#
# Library: DuckDB's own release build, as the official Node bindings ship it. Headers: the official source distribution.
# Extensions: the official signed builds. All three land in one directory of the cache, laid out as a prefix
# (include/, lib/, extensions/v<version>/<platform>/). Set DUCKDB_ROOT to use an installed DuckDB of that layout.
set(BOATHOUSE_DUCKDB_VERSION 1.5.5)
set(BOATHOUSE_DUCKDB_PLATFORM linux_amd64)

# kind | package | version | file | sha256
set(BOATHOUSE_DUCKDB_PINS
    "npm|@duckdb/node-bindings-linux-x64|1.5.5-r.5|duckdb-node-bindings-linux-x64-1.5.5-r.5.tgz|86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e"
    "sdist|duckdb|1.5.5|duckdb-1.5.5.tar.gz|72f33ee57ca7595b23957671a2cc7f7fe2be0ecc2d68f63abedcfcaa3a5c1238"
    "wheel|duckdb-extension-ducklake|1.5.5|duckdb_extension_ducklake-1.5.5-py3-none-manylinux2014_x86_64.whl|b631ae4dd4bd649b3db35a789dbcc859476fe231ef449b3f03f4fe4e2ef4a946"
    "wheel|duckdb-extension-postgres-scanner|1.5.5|duckdb_extension_postgres_scanner-1.5.5-py3-none-manylinux2014_x86_64.whl|fea9413d1b5bded7ead650aff91b3d7578c5149d832f666100b362f64404bf18"
    "wheel|duckdb-extension-httpfs|1.5.5|duckdb_extension_httpfs-1.5.5-py3-none-manylinux2014_x86_64.whl|84913dbe172ccb54368de2c4a020c38ca8b0e76f99df548f7fac37934cc7826f"
    "wheel|duckdb-extension-aws|1.5.5|duckdb_extension_aws-1.5.5-py3-none-manylinux2014_x86_64.whl|4717aff077e07b683f8b6a8d6338da3ad40b08c9082bad5fb06e1a1a86861ca6"
    "wheel|duckdb-extension-icu|1.5.5|duckdb_extension_icu-1.5.5-py3-none-manylinux2014_x86_64.whl|c25adf33d7b11a89fbe79ce385e072f50c7ffc21d7b8bad89610ba4162beac3e"
    "wheel|duckdb-extension-json|1.5.5|duckdb_extension_json-1.5.5-py3-none-manylinux2014_x86_64.whl|f5458212730208e941fa657d0c080e3905516c29821d9c21ad5ce63e1ddfedfc"
    "wheel|duckdb-extension-tpch|1.5.5|duckdb_extension_tpch-1.5.5-py3-none-manylinux2014_x86_64.whl|e734f284fd94971f1241718281111add95457b3c35ec3f19ce39770e654a21e7")

if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT DUCKDB_ROOT)
    message(FATAL_ERROR "cmake/duckdb.cmake pins DuckDB for x86_64 only; on ${CMAKE_SYSTEM_PROCESSOR} set DUCKDB_ROOT.")
endif()

if(DUCKDB_ROOT)
    set(BOATHOUSE_DUCKDB_DIR ${DUCKDB_ROOT})
else()
    execute_process(
        COMMAND ${CMAKE_SOURCE_DIR}/scripts/fetch duckdb-${BOATHOUSE_DUCKDB_VERSION} ${BOATHOUSE_DUCKDB_PINS}
        OUTPUT_VARIABLE BOATHOUSE_DUCKDB_DIR OUTPUT_STRIP_TRAILING_WHITESPACE
        RESULT_VARIABLE BOATHOUSE_FETCH_RESULT)
    if(NOT BOATHOUSE_FETCH_RESULT EQUAL 0)
        message(FATAL_ERROR "DuckDB ${BOATHOUSE_DUCKDB_VERSION} could not be fetched; what failed is said above. "
                            "Run the same command again to resume, or set DUCKDB_ROOT to an installed DuckDB.")
    endif()
endif()
foreach(part include/duckdb.hpp lib/libduckdb.so extensions/v${BOATHOUSE_DUCKDB_VERSION}/${BOATHOUSE_DUCKDB_PLATFORM}/ducklake.duckdb_extension)
    if(NOT EXISTS ${BOATHOUSE_DUCKDB_DIR}/${part})
        message(FATAL_ERROR "DUCKDB_ROOT=${BOATHOUSE_DUCKDB_DIR} lacks ${part}")
    endif()
endforeach()
set(BOATHOUSE_EXTENSION_DIR ${BOATHOUSE_DUCKDB_DIR}/extensions)
# The executables find the extensions relative to themselves (src/base/install_layout.hpp).
file(CREATE_LINK ${BOATHOUSE_EXTENSION_DIR} ${CMAKE_BINARY_DIR}/extensions SYMBOLIC)

add_library(duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb PROPERTIES
    IMPORTED_LOCATION ${BOATHOUSE_DUCKDB_DIR}/lib/libduckdb.so
    INTERFACE_INCLUDE_DIRECTORIES ${BOATHOUSE_DUCKDB_DIR}/include
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${BOATHOUSE_DUCKDB_DIR}/include)
