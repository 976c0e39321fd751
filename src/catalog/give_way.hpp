// The keeper's commits give way to everybody else's, whichever door those came through.
//
// DuckLake 1.0 lets a compaction win against a delete that is under way: the client's commit fails, or, for a small
// delete that is kept in the catalog, succeeds and is lost. So a trigger on the catalog looks at each commit of the
// keeper's, and refuses it when another transaction is open on the lake, waits for the keeper's, or has deleted from
// the table since the keeper began. docs/decisions/keeper-gives-way.md has the experiments.
//
// Called by the engine's main thread at start. Blocking, idempotent. Errors: those of Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

// The author of the keeper's snapshots and the name of its connections, by which the trigger knows them; and the words
// of its refusal.
inline constexpr const char* kKeeperAuthor = "boathouse keeper";
inline constexpr const char* kKeeperGivesWay = "the keeper gives way";

// A catalog that does not let the box make a trigger has none, and no keeper: has_give_way() tells.
Status install_give_way(Connection& connection);
Result<bool> has_give_way(Connection& connection);

}  // namespace boathouse::catalog
