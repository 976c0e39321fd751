// The way from a command to a box that does not run: its data directory, held by this process.
//
// What works on the cluster itself needs that nobody else does. The lock is the one that a box holds; it goes with this
// process. One thread, which is the box's user from there on.
#pragma once

#include <string>

#include "base/error.hpp"
#include "cli/command.hpp"
#include "config/settings.hpp"
#include "supervisor/box_user.hpp"
#include "supervisor/data_lock.hpp"

namespace boathouse::cli {

struct StoppedBox {
    config::Settings settings;
    supervisor::BoxUser user;
    supervisor::DataLock lock;

    std::string pgdata() const { return config::postgres_dir(settings); }
};

// No box runs on it, no PostgreSQL that one has left behind, and no upgrade of its cluster is half done. Errors:
// conflict (a box runs), not_found (no box), configuration (its catalog is external), permission.
Result<StoppedBox> take_stopped_box(const Invocation& invocation);

// The major version of its cluster.
Result<int> cluster_major(const config::Settings& settings);

// The directories in which this process looks for programs.
std::string search_path(const Invocation& invocation);

}  // namespace boathouse::cli
