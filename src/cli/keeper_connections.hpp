// A command's connections to what the keeper goes by.
//
// One thread. PostgreSQL opens the private socket to the box's user and to root; an external catalog's URL says the
// rest.
#pragma once

#include "cli/command.hpp"
#include "keeper/connections.hpp"

namespace boathouse::cli {

// To the box that the command line names. Errors: configuration, unavailable (no box runs), permission (another user's
// box; an external catalog without the box's database).
Result<keeper::Connections> connect_to_keeper(const Invocation& invocation);
// The same, for settings that have been read already.
Result<keeper::Connections> connect_to_keeper(config::Settings settings);

}  // namespace boathouse::cli
