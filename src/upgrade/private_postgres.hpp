// A PostgreSQL that runs on a cluster for this process alone: on a private socket, under a port that is no network's,
// with nothing archived and no vacuum. It dies with the process. What it says goes to a file of its own.
//
// One thread, as the box's user; start() blocks until it is ready, which after a crash takes its recovery. Destroyed
// before stop() it is ended at once, which the cluster survives.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::upgrade {

class PrivatePostgres {
  public:
    struct Options {
        config::Settings settings;  // of the data directory
        std::string pgdata;
        std::string bin_dir;
        std::string os_user;  // who this process is
        int port = 0;         // part of the socket's name
        std::string log_file;
        // Its log belongs to somebody's archive: it is left for the box to hand over.
        bool keeps_log = false;
    };
    // Writes the cluster's boathouse.conf, which the box writes anew at each start. Errors: unavailable, with what
    // PostgreSQL said last.
    static Result<std::unique_ptr<PrivatePostgres>> start(Options options);
    PrivatePostgres(const PrivatePostgres&) = delete;
    PrivatePostgres& operator=(const PrivatePostgres&) = delete;
    ~PrivatePostgres();

    // The way to a database, as the superuser.
    catalog::Endpoint endpoint(const std::string& database) const;

    // In order, with a checkpoint: everything is on the disk afterwards.
    Status stop();

  private:
    PrivatePostgres(Options options, pid_t pid) : options_(std::move(options)), pid_(pid) {}
    Status wait_until_ready();

    const Options options_;
    pid_t pid_;  // 0: has ended
};

}  // namespace boathouse::upgrade
