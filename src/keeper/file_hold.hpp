// Whoever copies the lake's files holds them: meanwhile the keeper ends no snapshot and deletes no file.
//
// An advisory lock of the box's database, shared by those who copy and taken alone by the keeper for a step that
// deletes. It goes with its connection, so a copy that is killed holds nothing back. Free functions on a connection to
// the box's database as the engine's role; one thread a connection. Errors: those of Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::keeper {

// Until the connection is closed. Blocks for as long as a step that deletes takes.
Status hold_files(catalog::Connection& box);

// Whether the keeper may delete now; if so, until end_deleting() nobody begins to copy.
Result<bool> begin_deleting(catalog::Connection& box);
Status end_deleting(catalog::Connection& box);

}  // namespace boathouse::keeper
