// Which backups may go: those that no moment within the retention is restored from.
//
// The newest backup from before the retention began is kept, because every later moment needs a backup from before it;
// so is the newest of all. A backup's manifest goes first, so a prune that is cut short leaves no half one listed.
// Copies of data files go last, once no backup names them; those that are sealed with another key than the one that is
// given go when the last backup with that key has gone, since its list cannot be read.
#pragma once

#include <string>
#include <vector>

#include "backup/manifest.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

// Pure: the ids to remove, of manifests that are sorted by time.
std::vector<std::string> superseded(const std::vector<Manifest>& manifests, double oldest_moment_unix);

struct Pruned {
    std::vector<std::string> backups{};
    long long kept = 0;
    long long wal_pieces = 0;  // of PostgreSQL's log, that went along
    long long data_files = 0;  // copies that no backup names any more
};

// Errors: conflict (a backup is being made), permission.
Result<Pruned> prune(const config::Settings& settings, double oldest_moment_unix);

}  // namespace boathouse::backup
