// Casts from text that PostgreSQL's input functions define and DuckDB reads otherwise: '{a,b}' as an array, and
// '\x00ff' as two bytes. Clients that write their values into the statement (psycopg2, pgx's simple protocol) depend on
// both, with and without a cast in the statement's text.
//
// Private to src/engine/. Registered once in the database's casts, before clients come; DuckDB then calls them on its
// own threads. What is not PostgreSQL's spelling goes to DuckDB's own cast, so '[a, b]' and '\xAA\xBB' keep their
// meaning.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

void register_postgres_casts(duckdb::DatabaseInstance& database);

}  // namespace boathouse::engine
