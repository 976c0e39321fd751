// The cluster in <data_dir>/postgres: made once, whole or absent, and left alone by every process of an earlier box.
//
// initdb works in postgres.new/, which becomes postgres/ by one rename after everything in it is durable; whatever was
// killed in between starts again from nothing. Owned by the supervisor's one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "supervisor/child.hpp"
#include "supervisor/postgres_installation.hpp"

namespace boathouse::supervisor {

// Ends PostgreSQL's processes that still work in `pgdata` or in the unfinished cluster beside it, those of a box or a
// postmaster that was killed, and waits until they are gone. Blocks for seconds at most. Errors: conflict (names those
// that do not go). REQUIRES: the data directory's lock.
Status end_processes_in_cluster(const std::string& pgdata);

// Removes an unfinished cluster, and the lock files that outlived their postmaster: PostgreSQL would take any process
// that has got the same number since for a living one. REQUIRES: the data directory's lock, and none of those
// processes.
Status clear_remains(const std::string& pgdata, const std::string& socket_dir);

// How to run initdb into postgres.new/.
ChildOptions initdb_options(const PostgresInstallation& postgres, const std::string& pgdata);

// After initdb has succeeded: makes the cluster in postgres.new/ include our settings.
Status configure_new_cluster(const std::string& pgdata);

// The same, and gives it its name.
Status adopt_new_cluster(const std::string& pgdata);

// The postmaster's word on itself in postmaster.pid: "starting", "ready", "stopping"…; empty before it has written one,
// or when the file is another process's.
std::string postmaster_status(const std::string& pgdata, pid_t postmaster);

}  // namespace boathouse::supervisor
