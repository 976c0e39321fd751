// What a client of the SQL door may not do, whoever it is: leave the lake. Files and the network from SQL, other
// databases (PostgreSQL's catalog itself is one, attached by DuckLake with the box's rights), extensions, secrets.
//
// Two gates. refuse_statement() reads the parse tree, before anything is bound. The plan check runs in DuckDB after
// binding (PlannerExtension::post_bind_function), with views and macros expanded, on connections that protect() has
// marked; DuckLake's own connections are not. Both let pass what they know and refuse the rest.
//
// Private to src/engine/. install_guard() is called once a database; the rest from any thread.
#pragma once

#include <duckdb.hpp>

namespace boathouse::engine {

void install_guard(duckdb::DatabaseInstance& database);

// Marks a connection as a client's.
void protect(duckdb::ClientContext& context);

// Throws PermissionException.
void refuse_statement(const duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
