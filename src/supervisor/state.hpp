// What the running box says of itself in <data_dir>/run/state.json, for `boathouse status` and for people.
//
// The supervisor alone writes it, whole and atomically (a new file, renamed), whenever something changes; readers never
// see half of it. After a SIGKILL the file outlives the box: read_state() tells by the lock on the data directory
// whether a box is still there. Reading needs the box's user or root, as run/ is private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::supervisor {

enum class Phase {
    starting,  // PostgreSQL or the engine has not answered yet
    ready,     // a query on the lake has succeeded
    degraded,  // was ready; PostgreSQL or the engine died and is being started again
    stopping,  // asked to stop
    stopped,   // all children are gone
    failed,    // gave up; last_error says why
};

const char* phase_name(Phase phase);
std::optional<Phase> phase_from_name(const std::string& name);

// A child of the box.
struct ChildState {
    std::int64_t pid = 0;  // 0: not running, or (PostgreSQL) not ours to run
    std::int64_t restarts = 0;
    std::string last_exit;  // "killed by signal 9 (Killed)", "exited with code 1"; empty: has not ended yet
};

struct State {
    Phase phase = Phase::starting;
    std::string status;      // what it is doing, in words
    std::string last_error;  // empty: none
    std::int64_t pid = 0;    // the supervisor's
    std::int64_t started_at_unix_seconds = 0;
    std::int64_t ready_at_unix_seconds = 0;  // 0: not yet
    std::string version;                     // of Boathouse
    std::string listen;
    std::int64_t catalog_port = 0;  // 0: external catalog
    std::int64_t sql_port = 0;
    std::int64_t http_port = 0;
    std::string postgres_user;
    std::string postgres_db;
    ChildState postgres;
    ChildState engine;
};

std::string to_json(const State& state);
Result<State> state_from_json(const std::string& json);

// Errors: limit (disk full), permission.
Status write_state(const config::Settings& settings, const State& state);

// The last state, with phase `stopped` where no box holds the data directory's lock any more. Errors: not_found (no
// box has run here), permission (another user's box), corrupt.
Result<State> read_state(const config::Settings& settings);

}  // namespace boathouse::supervisor
