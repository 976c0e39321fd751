// Whether a statement means the same for as long as the session's settings do: a SELECT of constants and of functions
// that DuckDB brings, of nothing that lies in a database where another session may change it.
//
// Private to src/engine/. Looks into DuckDB's own catalog alone, so it costs no round trip. A function of DuckDB's own
// counts as such even if the lake has a macro of the same name, as pg_catalog comes first in PostgreSQL.
#pragma once

#include <duckdb.hpp>
#include <string>

namespace duckdb {
class TableFunctionRef;
}

namespace boathouse::engine {

bool is_self_contained(duckdb::ClientContext& context, duckdb::SQLStatement& statement);

// Whether DuckDB brings a function of that name. In a transaction.
bool is_own_function(duckdb::ClientContext& context, const std::string& name);

// A table function that makes its rows of its arguments: others tell of databases.
bool makes_rows(const duckdb::TableFunctionRef& reference);

}  // namespace boathouse::engine
