// A backup of the catalog: all of the box's PostgreSQL, taken by pg_basebackup while everybody works on.
//
// It brings the piece of PostgreSQL's log along that makes it consistent, so it can be restored by itself, and on
// demand a copy of each data file that has none yet. The files are copied before the catalog and those that were new
// meanwhile after it; until then the keeper deletes none. Blocks for as long as all this takes at the given rate. A
// backup that fails or is killed is not listed, and what it left is removed by the next one. One thread, as the box's
// user.
#pragma once

#include <string>

#include "backup/manifest.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

struct CreateOptions {
    config::Settings settings;  // of the running box
    std::string bin_dir;        // PostgreSQL's programs
    bool with_data = false;     // copy the data files too
};

struct Created {
    Manifest manifest{};
    long long elsewhere = 0;  // data files that lie outside of the lake's data path and are not copied
};

// Errors: conflict (another backup is under way, another box's directory), unavailable (no box runs), limit (disk
// full), permission; with data also not_found and corrupt (a data file that the catalog names).
Result<Created> create_backup(const CreateOptions& options);

}  // namespace boathouse::backup
