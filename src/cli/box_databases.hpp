// Connections of a command to the lake's database and to the box's own, both as the engine's role.
//
// One thread. PostgreSQL opens the private socket to the box's user and to root; an external catalog's URL says the
// rest.
#pragma once

#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "keeper/policy.hpp"

namespace boathouse::cli {

struct BoxDatabases {
    catalog::Connection lake;
    catalog::Connection box;
    keeper::Databases both() { return {lake, box}; }
};

// Makes the keeper's schema where the keeper has not run yet. Errors: unavailable (no box runs), permission (another
// user's box; an external catalog without the box's database).
Result<BoxDatabases> connect_to_databases(config::Settings& settings);

}  // namespace boathouse::cli
