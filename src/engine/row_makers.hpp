// Functions that give rows: in PostgreSQL's SELECT list generate_series(1, 3) is three rows, in DuckDB's a list; in its
// FROM unnest() takes several arrays, in DuckDB's one, and json_each() gives a key and a value.
//
// Private to src/engine/. Pure functions on a parse tree.
#pragma once

#include <duckdb.hpp>
#include <duckdb/parser/query_node/select_node.hpp>

#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

// Puts unnest() around such functions in the SELECT list, and the function that makes the list of rows in their place.
void make_rows(duckdb::SelectNode& select, Readers readers);

// Such a function in FROM: a subquery that has it in its SELECT list takes its place. Of unnest(a, b) the rows stand
// side by side, the shorter's filled up with NULL.
void make_table(duckdb::unique_ptr<duckdb::TableRef>& reference, Readers readers);

}  // namespace boathouse::engine
