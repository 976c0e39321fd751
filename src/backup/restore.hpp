// A lake as it was: its catalog recovered into a new data directory, and every file that it names looked for.
//
// The data files are brought from their copies to a data path of their own, below the new directory unless another is
// named. Of a backup without copies they stay where they are, and the restored lake reads them there; so that it never
// deletes a file that the lake it was copied from still uses, its keeper starts with cleanup and orphans off. Whatever
// fails, the new directory is left empty; the backups and the lake are only read. One thread; started as root, the
// process becomes the box's user for good.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/data_files.hpp"
#include "backup/manifest.hpp"
#include "backup/recovery.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

struct RestoreOptions {
    config::Settings settings;        // backup_to, backup_key, run_as, pg_bin, store's keys
    std::string path;                 // PATH
    std::string into;                 // absolute; missing or empty
    std::string to = "latest";        // target.hpp
    bool deep = false;                // read every row of every table
    std::optional<bool> with_data{};  // bring the data files; nothing: if the backup has copies
    std::string data_into{};          // where to, a directory or an s3:// URL; empty: <into>/lake/
};

struct TableRows {
    std::string schema{}, table{};
    long long rows = 0;
};

struct Restored {
    Manifest backup{};
    std::string how{};  // "as of the backup 2026…", in words
    long long snapshot = 0;
    std::string data_path{};
    bool shares_files = true;  // with the lake that it was copied from
    FileFindings files{};
    bool files_checked = false;  // not for a lake on S3 whose key comes from the AWS credential chain
    std::vector<TableRows> tables{};
};

// Restores into `options.into`. Errors: conflict (the directory is not empty), not_found (no such backup, a moment that
// is not archived, data files that are missing), corrupt, permission, limit.
Result<Restored> restore(const RestoreOptions& options);

// Restores a backup into a directory that is removed again, after every stored byte has been compared with its
// checksum. `scratch`: an existing directory with room for the catalog. The tables' rows are counted.
Result<Restored> verify_backup(const RestoreOptions& options, const std::string& scratch);

}  // namespace boathouse::backup
