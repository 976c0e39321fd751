// The engine's process, from start to stop: settings, lake, doors, signals.
//
// serve() is main()'s one call. Exit codes are the contract with the supervisor (ARCHITECTURE.md): 0 asked to stop, 78
// an error that a restart cannot mend, 1 anything else. The reason of a failure goes to the log and, as
// BOATHOUSE_FAILED, to the supervisor.
#pragma once

namespace boathouse::service {

int serve();

}  // namespace boathouse::service
