// Connections to the lake's database and to the box's own, for whoever reads or sets what the keeper goes by: a
// command, or a call of a function at the SQL door.
//
// Both as the engine's role; one thread. Opening them makes the keeper's schema where the keeper has not run yet.
#pragma once

#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "keeper/policy.hpp"

namespace boathouse::keeper {

struct Connections {
    catalog::Connection lake;
    catalog::Connection box;
    Databases both() { return {lake, box}; }
};

// Errors: unavailable (nothing answers), permission (an external catalog without the box's database).
Result<Connections> open_connections(const config::Settings& settings);

}  // namespace boathouse::keeper
