// ALTER TABLE v RENAME TO w where v is a view: PostgreSQL takes it, and tools that do not care which of both a relation
// is send it (dbt); DuckDB wants ALTER VIEW.
//
// Private to src/engine/; the thread that parses.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

void rename_as_view(duckdb::ClientContext& context, duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
