// Functions that give rows: in PostgreSQL's SELECT list generate_series(1, 3) is three rows, in DuckDB's a list.
//
// Private to src/engine/. Pure functions on a parse tree.
#pragma once

#include <duckdb.hpp>
#include <duckdb/parser/query_node/select_node.hpp>

#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

// Puts unnest() around such functions in the SELECT list, and the function that makes the list of rows in their place.
void make_rows(duckdb::SelectNode& select, Readers readers);

}  // namespace boathouse::engine
