# What comes from Debian's packages; scripts/packages lists their names.
find_package(Threads REQUIRED)
find_package(PostgreSQL REQUIRED)          # libpq only: the server is found at run time
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(ZLIB REQUIRED)
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
    find_package(GTest REQUIRED)
endif()
find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
find_library(ACL_LIBRARY acl REQUIRED)
