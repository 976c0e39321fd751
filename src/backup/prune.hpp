// Which backups may go: those that no moment within the retention is restored from.
//
// The newest backup from before the retention began is kept, because every later moment needs a backup from before it;
// so is the newest of all. A backup's manifest goes first, so a prune that is cut short leaves no half one listed.
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
};

// Errors: conflict (a backup is being made), permission.
Result<Pruned> prune(const config::Settings& settings, double oldest_moment_unix);

}  // namespace boathouse::backup
