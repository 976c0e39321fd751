// What `boathouse doctor` found: one finding a check, each with what to do about it.
//
// Plain values. Checks are grouped by what they look at, one file a group; each stands for itself, so one failure does
// not hide the next, and says "skipped" where something it needs failed before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/connection.hpp"
#include "cli/http_get.hpp"
#include "config/settings.hpp"

namespace boathouse::cli {

enum class Level {
    ok,
    note,     // good to know
    warning,  // works, but not as it should
    failure,  // does not work
    skipped,  // could not be looked at
};

struct Finding {
    std::string check;  // "password"
    Level level = Level::ok;
    std::string message;
    std::string hint = {};  // what to do
};

using Findings = std::vector<Finding>;

// Name, port and password of the catalog: reachable, let in, encrypted. Gives the connection that worked, if any.
std::optional<catalog::Connection> check_way_in(const catalog::Endpoint& endpoint, Findings& findings);

// PostgreSQL's settings, its clock, the lake's version and entries, sessions that hold locks.
void check_catalog(catalog::Connection& connection, Findings& findings);

// Through boathouse-engine: DuckDB and its extensions, the data path from here, the lake.
void check_engine(const config::Settings& settings, const catalog::Endpoint& endpoint, Findings& findings);

// The HTTP door: does it answer, and does it say that the box is ready.
void check_http(const HttpAddress& address, bool is_local, Findings& findings);

// The box's own machine: its lock and state, space on its disks.
void check_box(const config::Settings& settings, Findings& findings);

// Clients of this user: DuckDB's extensions in HOME, Python's packages.
void check_client(const config::Settings& settings, Findings& findings);

}  // namespace boathouse::cli
