// What this build is: numbers that the build system knows, in one place for the command line, /metrics and the log.
#pragma once

namespace boathouse::config {

const char* version();                   // of Boathouse, "0.1.0"
const char* duckdb_version();            // the pinned DuckDB, "1.5.5"
const char* ducklake_catalog_version();  // the catalog version that the box creates and serves, "1.0"

}  // namespace boathouse::config
