// Which PostgreSQL the box runs: the newest that is found, or, for a cluster that exists, the one of its major version.
//
// Looked for in --pg-bin alone if given; else in PATH, in what pg_config says, and in Debian's
// /usr/lib/postgresql/*/bin. Runs `postgres --version` of each candidate; called once, at start.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::supervisor {

inline constexpr int kPostgresMajorMin = 14;

struct PostgresInstallation {
    std::string bin_dir;  // holds postgres and initdb
    int major = 0;        // 15
    std::string version;  // "15.18"
};

struct PostgresSearch {
    std::string pg_bin;  // empty: search
    std::string path;    // PATH
    std::string debian_root = "/usr/lib/postgresql";
    std::optional<int> major;  // of the cluster that exists
};

// "postgres (PostgreSQL) 15.18 (Debian …)" -> 15, "15.18". Nothing when it is not such a line.
std::optional<PostgresInstallation> parse_postgres_version(const std::string& bin_dir, const std::string& line);

// Errors (configuration): none found, too old, or not of the cluster's major version; the message lists what was found.
Result<PostgresInstallation> find_postgres(const PostgresSearch& search);

// The major version of the cluster in `pgdata`, from its PG_VERSION; nothing when there is no cluster. Errors: corrupt.
Result<std::optional<int>> cluster_major(const std::string& pgdata);

}  // namespace boathouse::supervisor
