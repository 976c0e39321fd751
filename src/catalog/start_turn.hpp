// Boxes that start at once on one external catalog prepare it one after the other.
//
// Whoever holds the turn, a session's advisory lock in the lake's database, is alone at making roles, the lake and what
// makes it fit for service; the next one finds them there. Taken by the supervisor and by the engine, each for its
// part. It goes with its connection, so a box that dies holds nobody up.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::catalog {

inline constexpr int kStartTurnSeconds = 120;

// The turn lasts until the connection is closed. Waits for others, kStartTurnSeconds at most. Errors: unavailable.
Result<Connection> take_start_turn(const config::Settings& settings);

}  // namespace boathouse::catalog
