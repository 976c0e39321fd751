// What the box does to its PostgreSQL so that a DuckLake can live in it: roles, database, then, once DuckDB has
// created the lake's tables, everything that makes them fit for service. Each step is idempotent and runs at each
// start, so a box that was killed between two of them goes on where it was.
//
// Blocking; called by the supervisor (prepare_server) and the engine (tune_catalog) while nothing else is served.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::catalog {

// The group roles, in lake_roles() order of power: lake_reader < lake_writer < lake_admin.
const std::vector<std::string>& lake_roles();

// Names that no person's role may have: the box's own roles and those that PostgreSQL keeps for itself.
bool is_reserved_role(const std::string& name);

// Before the engine starts: the group roles, POSTGRES_USER with its password, the database POSTGRES_DB, which nobody
// but the engine may enter yet. On an external catalog whose role may not create roles, says so in a warning and goes
// on with what is there. Errors: permission, conflict (a database with a foreign encoding), unavailable.
Status prepare_server(const config::Settings& settings);

// After the lake's tables exist: indexes, autovacuum settings, the guard on `version`, grants and default
// privileges (also for tables that DuckLake creates later); then the database is POSTGRES_USER's, and clients may
// enter.
Status tune_catalog(const config::Settings& settings);

// Drops the mirror's database and ends the connections to it; the engine makes it anew when somebody needs it. Nothing
// happens if there is none. `connection` is the superuser's, in another database.
Status drop_mirror(Connection& connection, const config::Settings& settings);

// The lake as its catalog describes it, without DuckDB. not_found when the database holds no lake.
struct LakeRecord {
    std::string version;    // "1.0"
    std::string data_path;  // as stored
    bool encrypted = false;
    long long snapshot = 0;
};
Result<LakeRecord> read_lake_record(Connection& connection);

}  // namespace boathouse::catalog
