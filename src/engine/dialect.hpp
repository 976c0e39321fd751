// PostgreSQL's meaning where DuckDB has both: switches of a connection, and names of columns in a parse tree.
//
// Private to src/engine/. One thread at a time.
#pragma once

#include <duckdb.hpp>
#include <string>

namespace boathouse::engine {

// Statements that turn a connection's switches: integer division, order of NULLs, folding of names.
extern const char* const kPostgresDialect;
extern const char* const kDuckdbDialect;

// Gives each unaliased column the name that PostgreSQL's FigureColname gives it: "count", "?column?", "case". `names`
// are those of the outermost SELECT, as syntax::Rewritten has them.
void name_columns(duckdb::SQLStatement& statement, const std::vector<std::string>& names);

// PostgreSQL's word for the statement in CommandComplete, without counts.
std::string command_word(const duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
