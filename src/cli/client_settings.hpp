// How a command comes in as any client of the running box does: as POSTGRES_USER, with the password.
//
// One thread. The password is the one that was configured, or the one that the box has generated, where that can be
// read.
#pragma once

#include "cli/command.hpp"

namespace boathouse::cli {

// Errors: configuration (the password is not known here).
Result<config::Settings> client_settings(const Invocation& invocation);

}  // namespace boathouse::cli
