// Who may do what in the lake's database, by PostgreSQL's own privileges: grants for the three group roles, on the
// tables that are there and on those that DuckLake's clients create later (ducklake_inlined_data_<table>_<version>).
//
// DuckLake's fixed tables belong to lake_admin, the inlined ones to lake_writer, so that any writer may drop what
// another created. An event trigger hands a new table over as its creating statement ends. A second one refuses, to
// whoever is not an admin, all other DDL: a view or a function that a writer leaves here would run with the privileges
// of whoever reads it, the engine's among them. docs/decisions/catalog-ownership.md has the whole reasoning.
//
// Called by the supervisor (grant_database_access) and the engine's main thread (the others) at start. Blocking,
// idempotent. Errors: those of Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

// The database and its schema `public`, before the lake's tables exist: nothing is for everybody, creating is for
// writers. An external catalog that does not allow this keeps what it has, with a warning. REQUIRES: the group roles
// exist.
Status grant_database_access(Connection& connection);

// On an external catalog whose role is no superuser there are no event triggers; ALTER DEFAULT PRIVILEGES for each role
// that the box may act for takes their place as far as it can. REQUIRES: the lake's tables exist.
Status grant_access(Connection& connection);

// The database's door, opened last: connecting is for readers. REQUIRES: the lake is whole, its version guarded.
Status let_clients_in(Connection& connection);

}  // namespace boathouse::catalog
