// The texts that PostgreSQL is started with: boathouse.conf, pg_hba.conf, pg_ident.conf. Written at each start, so that
// a changed setting, machine or user takes effect; an operator's own settings are in local.conf, which comes after
// ours.
//
// Pure but for write_postgres_config(). Durability is never traded for speed here: fsync, full_page_writes and
// synchronous_commit stay as PostgreSQL has them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::supervisor {

struct PostgresConfig {
    std::string listen;
    std::int64_t port = 0;
    std::string socket_dir;
    std::int64_t connections_max = 0;
    std::int64_t memory_mb = 0;  // of the machine or the container, to share with the engine
    std::string tls;             // off, on, require
    std::string tls_cert_file;   // empty when off
    std::string tls_key_file;
    std::string mirror_database;    // any role's, by the private socket
    std::string os_user;            // whose processes may enter by the private socket, besides root's
    std::string archive_command{};  // what keeps a piece of the log, with %p; empty: nothing is kept
};

std::string boathouse_conf(const PostgresConfig& config);

// TCP: everyone but the box's own roles, by SCRAM, into every database but the mirror. Private socket: the box's own
// roles by peer, and every role into the mirror (docs/decisions/mirror-relay.md).
std::string pg_hba_conf(const PostgresConfig& config);
std::string pg_ident_conf(const PostgresConfig& config);

// Writes the three into the cluster. Errors: permission, limit (disk full).
Status write_postgres_config(const std::string& pgdata, const PostgresConfig& config);

}  // namespace boathouse::supervisor
