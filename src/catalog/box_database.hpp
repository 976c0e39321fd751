// The box's own database: what belongs to the box and not to the lake, beside the lake's database in the same
// PostgreSQL. A client that attaches the lake reads every table of the lake's database, so nothing of ours lies there.
//
// In the box's own PostgreSQL the database belongs to boathouse_engine, and nobody else may connect. In an external
// catalog it belongs to the URL's role, which an administrator may have to make it for. Each module keeps a schema of
// its own in it and makes it itself, as the engine's role. What lies there cannot be derived again: it is never
// dropped.
//
// prepare_box_database() is called by the engine's main thread at start; blocking. The rest is computed.
#pragma once

#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::catalog {

// "boathouse_" and the name of the lake's database: an external catalog's server may hold other boxes' lakes.
std::string box_database(const config::Settings& settings);

// The way to it as boathouse_engine, or as the external catalog's role. Fails on a malformed URL.
Result<Endpoint> box_database_endpoint(const config::Settings& settings);

// Creates what is missing; safe to be killed half-way. Errors: permission (an external catalog whose role may not
// create databases: the hint is the statement that an administrator has to run), conflict (a database of that name that
// is another role's), unavailable.
Status prepare_box_database(const config::Settings& settings);

}  // namespace boathouse::catalog
