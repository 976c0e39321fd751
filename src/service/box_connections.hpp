// Connections to the lake's database and to the box's own, for one call of a function at the SQL door.
//
// Both as the engine's role; one thread. Errors: those of catalog::Connection.
#pragma once

#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "keeper/policy.hpp"

namespace boathouse::service {

struct BoxConnections {
    catalog::Connection lake;
    catalog::Connection box;
    keeper::Databases both() { return {lake, box}; }
};

Result<BoxConnections> open_box_connections(const config::Settings& settings);

}  // namespace boathouse::service
