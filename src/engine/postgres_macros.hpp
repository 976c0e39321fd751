// PostgreSQL's functions and types that DuckDB lacks, in DuckDB's system catalog, where every session of this server
// finds them and no lake keeps them.
//
// Most are macros over DuckDB's own functions; what a macro cannot say is C++ (postgres_functions.cpp). Names that
// begin with boathouse_ are what postgres_meaning.hpp puts in place of a function of DuckDB that means something else.
// Private to src/engine/. Called once a database, before clients come.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

void install_postgres_macros(duckdb::DatabaseInstance& database);
void install_postgres_functions(duckdb::DatabaseInstance& database);

}  // namespace boathouse::engine
