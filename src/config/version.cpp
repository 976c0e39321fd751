#include "config/version.hpp"

namespace boathouse::config {

const char* version() {
    return BOATHOUSE_VERSION;
}
const char* duckdb_version() {
    return BOATHOUSE_DUCKDB_VERSION;
}
const char* ducklake_catalog_version() {
    return "1.0";
}

}  // namespace boathouse::config
