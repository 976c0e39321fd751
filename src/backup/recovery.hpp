// A catalog out of a backup: unpacked into a new cluster, which PostgreSQL recovers to the target and opens.
//
// The cluster lies in <data_dir>/postgres.new until adopt() gives it its name, so a restore that was cut short is no
// catalog. Its PostgreSQL listens on the private socket alone and archives nothing. One thread, as the box's user; it
// blocks for as long as the recovery takes. Destroyed before adopt(), the PostgreSQL is ended at once.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "backup/manifest.hpp"
#include "base/secret.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

// Where the recovery is to end.
struct RecoveryTarget {
    enum class Kind {
        backup,       // as soon as the backup is whole
        time,         // after the last commit at or before `value`, as PostgreSQL writes times
        transaction,  // after the commit of the transaction `value`
        end,          // at the end of what is archived
    };
    Kind kind = Kind::backup;
    std::string value{};
};

struct RecoveryOptions {
    config::Settings settings;    // of the new data directory
    std::string bin_dir;          // PostgreSQL's programs, of the backup's major version
    std::string os_user;          // whose processes may enter by the private socket
    std::string restore_command;  // what PostgreSQL runs for a piece of its log, with %f and %p
    RecoveryTarget target;
};

class RecoveredCluster {
  public:
    RecoveredCluster(const RecoveredCluster&) = delete;
    RecoveredCluster& operator=(const RecoveredCluster&) = delete;
    ~RecoveredCluster();

    const std::string& pgdata() const { return pgdata_; }

    // Stops PostgreSQL in order and gives the cluster its name.
    Status adopt();

  private:
    friend Result<std::unique_ptr<RecoveredCluster>> recover(const Store&, const Manifest&, const Secret&,
                                                             const RecoveryOptions&);
    RecoveredCluster(std::string pgdata, pid_t pid) : pgdata_(std::move(pgdata)), pid_(pid) {}
    Status wait_until_ready(const std::string& log_file);

    const std::string pgdata_;
    pid_t pid_;  // 0: has ended
};

// Errors: corrupt (a damaged backup, a piece of the log that is missing), not_found (the target is never reached),
// limit (disk full), permission (the key).
Result<std::unique_ptr<RecoveredCluster>> recover(const Store& store, const Manifest& manifest, const Secret& key,
                                                  const RecoveryOptions& options);

}  // namespace boathouse::backup
