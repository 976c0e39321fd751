// Whether a statement means the same for as long as the session's settings do: a SELECT of constants and of functions
// that DuckDB brings, of nothing that lies in a database where another session may change it.
//
// Private to src/engine/. Looks into DuckDB's own catalog alone, so it costs no round trip. A function of DuckDB's own
// counts as such even if the lake has a macro of the same name, as pg_catalog comes first in PostgreSQL.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

bool is_self_contained(duckdb::ClientContext& context, duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
