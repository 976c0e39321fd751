// The box as a process tree: `boathouse serve`.
//
// run() checks the data directory, becomes the unprivileged user, starts PostgreSQL and the engine, watches both, and
// stops them in order. It returns when the box has stopped. One thread, which must be the process's only one: it forks,
// owns the signal mask and, as process 1, reaps orphans. It links no DuckDB and no server library.
//
// Failures are logged and told to the service manager here; the caller only exits with the code.
#pragma once

#include "config/load.hpp"

namespace boathouse::supervisor {

// The box's exit codes.
inline constexpr int kExitStopped = 0;  // asked to stop, and stopped
inline constexpr int kExitFailed = 1;   // something failed that may pass: a port, a disk, a child that keeps dying
inline constexpr int kExitConfiguration = 78;  // EX_CONFIG: the operator must change a setting first

// Runs the box until it is asked to stop; prints the text to copy on standard output once a query on the lake has
// succeeded. Returns one of the codes above.
int run(const config::Loaded& loaded);

}  // namespace boathouse::supervisor
