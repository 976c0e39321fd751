// The values that a box runs with, each in the unit its name ends with.
//
// One field an option; the table in options.hpp says for each its flag, environment variable, file key, bounds and
// prose, and load.hpp fills a Settings from them. Plain data: copied freely, never changed after start.
#pragma once

#include <cstdint>
#include <string>

#include "base/secret.hpp"

namespace boathouse::config {

struct Settings {
    // The box.
    std::string config_file;
    std::string data_dir;
    std::string run_as;  // user that a box started as root becomes; empty: "boathouse", else "postgres"
    std::string listen;  // address of all three doors
    std::int64_t catalog_port = 0;
    std::int64_t sql_port = 0;
    std::int64_t http_port = 0;
    std::int64_t shutdown_grace_seconds = 0;
    std::string log_level;   // debug, info, warning, error
    std::string log_format;  // text, json

    // Who may enter.
    std::string postgres_user;
    Secret postgres_password;
    std::string postgres_password_file;
    std::string postgres_db;
    std::string tls;  // off, on, require
    std::string tls_cert_file;
    std::string tls_key_file;

    // The catalog.
    Secret catalog;      // postgresql:// URL of an external catalog, which may hold a password; empty: a child
    std::string pg_bin;  // directory of postgres, initdb …; empty: searched for
    std::int64_t catalog_max_connections = 0;

    // The lake.
    std::string data_path;  // local directory or s3:// URL; empty: s3_bucket_url, else <data_dir>/lake/
    std::string s3_bucket_url;
    std::string s3_endpoint;
    std::string s3_url_style;  // path, vhost
    bool s3_use_ssl = true;
    std::string aws_region;
    Secret aws_access_key_id;
    Secret aws_secret_access_key;
    Secret aws_session_token;
    std::string lake_compression;  // the lake's options at its creation
    std::int64_t lake_target_file_size_mb = 0;
    std::int64_t lake_row_group_rows = 0;
    std::int64_t lake_inlining_rows = 0;
    bool lake_encrypted = false;

    // The engine.
    std::string extension_dir;         // holds v<version>/<platform>/*.duckdb_extension
    std::int64_t memory_limit_mb = 0;  // 0: from the cgroup or the machine
    std::int64_t threads = 0;          // 0: one a core
    std::int64_t engine_restart_max = 0;

    // The SQL door.
    std::int64_t sql_connections_max = 0;
    std::int64_t sql_running_max = 0;  // statements at once
    std::int64_t sql_waiting_max = 0;  // statements beyond those
    std::int64_t cache_mb = 0;         // memory for kept answers
    std::int64_t small_tables_mb = 0;  // memory for kept tables

    // The HTTP door.
    std::int64_t http_body_mb = 0;              // of one request
    std::int64_t http_bodies_mb = 0;            // of all requests at once
    std::int64_t http_requests_per_second = 0;  // of one user; 0: as many as there are
    bool http_plain_passwords = false;          // take passwords from other machines without TLS

    // The keeper: a policy each for the whole lake (policy.hpp), and those for schemas and tables.
    std::string snapshot_age;
    std::string snapshots_max;
    std::string merge_files;
    std::string flush_rows;
    std::string flush_age;
    std::string rewrite_deleted;
    std::string cleanup_age;
    std::string orphan_age;
    std::string backup_retention;
    std::string consumer_age;
    std::string window;
    std::string policy;  // "sales.orders.merge_files = off; sales.flush_age = 2 hours"

    // Backups.
    std::string backup_to;            // directory or s3:// URL; empty: none are made
    Secret backup_key;                // 64 hexadecimal digits; empty: not encrypted
    std::int64_t backup_rate_mb = 0;  // a second; 0: unbounded
};

// Where the lake's files are: data_path, else s3_bucket_url, else <data_dir>/lake/; always ends with '/'.
std::string effective_data_path(const Settings& settings);

// The data directory's parts.
std::string postgres_dir(const Settings& settings);  // PGDATA
std::string run_dir(const Settings& settings);       // lock, private sockets; mode 0700
std::string tls_dir(const Settings& settings);
std::string secrets_dir(const Settings& settings);
std::string spill_dir(const Settings& settings);
std::string log_dir(const Settings& settings);

// Where a password that the box generated is kept (mode 0600), and where the running box describes itself.
std::string generated_password_file(const Settings& settings);
std::string state_file(const Settings& settings);

// What PostgreSQL's archive command needs to know, as a file of settings (mode 0600); written at each start.
std::string backup_settings_file(const Settings& settings);

// Whether `url_or_path` is on S3 rather than in a local directory.
bool is_s3(const std::string& url_or_path);

// Whether nothing beyond this machine reaches `listen` (127.0.0.0/8, ::1).
bool is_loopback(const std::string& listen);

}  // namespace boathouse::config
