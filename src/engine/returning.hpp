// RETURNING on tables of the lake, which DuckLake's own plans do not know.
//
// The rows are taken where they pass on their way into the change: an operator below DuckLake's INSERT, UPDATE or
// DELETE keeps a copy of each (counted against the memory limit, spilled beyond it), and one above gives them out once
// the change is complete. So everything is evaluated once, defaults are filled in, and rows come in the order in which
// they were written. Temporary tables have DuckDB's own RETURNING. What cannot be right is refused: MERGE, and UPDATE …
// FROM and DELETE … USING, where a row may be met more than once.
//
// Private to src/engine/. install_returning() is called once a database; the plans run on DuckDB's threads.
#pragma once

#include <duckdb.hpp>
#include <optional>

#include "engine/query_error.hpp"

namespace boathouse::engine {

void install_returning(duckdb::DatabaseInstance& database);

// nullopt: the statement's RETURNING, if it has one, can be had.
std::optional<QueryError> refuse_returning(const duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
