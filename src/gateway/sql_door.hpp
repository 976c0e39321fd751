// The SQL door: the lake for everything that speaks PostgreSQL's protocol.
//
// A few network threads move bytes, a bounded pool of threads runs statements (executor.hpp). Connections beyond the
// limit are told 53300, statements beyond what may run and wait 53400. start() and stop() are for the owning thread,
// once each. What fails: the port (conflict, permission), the certificate (configuration).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cache/answers.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "engine/lake.hpp"
#include "feed/snapshot_watch.hpp"
#include "gateway/executor.hpp"
#include "gateway/session.hpp"
#include "ingest/gatherer.hpp"
#include "relay/relay.hpp"

namespace boathouse::gateway {

struct SqlDoorOptions {
    std::string address;
    std::uint16_t port = 0;                   // 0: any free one, see SqlDoor::port()
    std::vector<std::string> database_names;  // that a client may name, the lake's first
    std::string mirror_database;              // whose CONNECT privilege lets roles in; empty: there is none
    std::int64_t connections_max = 0;
    std::int64_t running_max = 0;  // statements at once
    std::int64_t waiting_max = 0;  // statements beyond those
    int network_threads = 2;
    int log_in_timeout_ms = 60'000;
};

// What the door lets its clients in to; all of it must outlive the door.
struct SqlDoorParts {
    engine::Lake& lake;
    ingest::Gatherer& gatherer;
    feed::SnapshotWatch& watch;
    relay::Exchange* exchange = nullptr;  // null: no mirror
    cache::Answers* answers = nullptr;    // null: nothing is kept
};

class SqlDoor {
  public:
    static Result<std::unique_ptr<SqlDoor>> start(SqlDoorOptions options, const config::Settings& settings,
                                                  catalog::Endpoint catalog, const SqlDoorParts& parts);
    ~SqlDoor();

    // Takes no more clients and ends idle sessions (57P01), lets statements finish for `grace_ms`, then ends them too.
    void stop(int grace_ms);

    std::uint16_t port() const;

    // What the HTTP door shares with this one: log-ins and their throttle, the lake and its writers, and the threads
    // that are the bound on running statements. As long as the door.
    SessionServices& services();
    Executor& statements();

    // For the metrics; safe from any thread.
    std::int64_t open_connections() const;

  private:
    struct Impl;
    explicit SqlDoor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::gateway
