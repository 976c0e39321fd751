// A backup of the catalog: all of the box's PostgreSQL, taken by pg_basebackup while everybody works on.
//
// It brings the piece of PostgreSQL's log along that makes it consistent, so it can be restored by itself. Blocks for
// as long as the catalog takes at the given rate. A backup that fails or is killed is not listed, and what it left is
// removed by the next one. One thread, as the box's user.
#pragma once

#include <string>

#include "backup/manifest.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

// `settings`: of the running box; `bin_dir`: PostgreSQL's programs. Errors: conflict (another backup is under way,
// another box's directory), unavailable (no box runs), limit (disk full), permission.
Result<Manifest> create_backup(const config::Settings& settings, const std::string& bin_dir);

}  // namespace boathouse::backup
