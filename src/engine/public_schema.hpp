// `public`, which clients of PostgreSQL have written into them, is the lake's schema `main`; a lake that has a schema
// of its own called public keeps it.
//
// Private to src/engine/. Pure functions on a parse tree.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

// Whether the statement names the schema anywhere.
bool names_public(duckdb::SQLStatement& statement);

void rename_public(duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
