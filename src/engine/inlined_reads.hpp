// Rows that DuckLake keeps in the catalog, and cannot read there: PostgreSQL has gone, or they hold what the extension
// for PostgreSQL does not take.
//
// DuckLake's extension (of DuckDB 1.5.5) looks at the columns of the answer before it looks whether there is one. What
// it runs into is an internal error, after which DuckDB refuses every statement until the process is started again.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

// From now on such a read fails with an error of its own, 58030, and DuckDB lives. To be called once for an instance,
// before a lake is attached.
void install_inlined_reads(duckdb::DatabaseInstance& database);

}  // namespace boathouse::engine
