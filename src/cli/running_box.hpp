// The way from a command to the box that runs on this machine.
//
// A box may have been started with flags that the command at hand was not given, so where it says something of itself
// (run/state.json), that counts. One thread; the connection is the box's own, as the superuser over the private socket,
// which PostgreSQL opens to the box's user and to root.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::cli {

// Where the running box really listens, and its user and database. Without a running box the settings stay as they are.
// Errors: configuration (its catalog is external, and the URL is not known here).
Status adopt_running_box(config::Settings& settings);

// A connection to the box's PostgreSQL, in the database `database`, or the lake's own where that is empty. Errors:
// unavailable (no box runs), permission (another user's box).
Result<catalog::Connection> connect_to_box(const config::Settings& settings, const std::string& database = "");

}  // namespace boathouse::cli
