#include "supervisor/state.hpp"

#include <array>
#include <boost/json.hpp>

#include "base/file.hpp"
#include "supervisor/data_lock.hpp"

namespace boathouse::supervisor {
namespace {

struct PhaseName {
    Phase phase;
    const char* name;
};

constexpr std::array kPhaseNames = {
    PhaseName{Phase::starting, "starting"}, PhaseName{Phase::ready, "ready"},
    PhaseName{Phase::degraded, "degraded"}, PhaseName{Phase::stopping, "stopping"},
    PhaseName{Phase::stopped, "stopped"},   PhaseName{Phase::failed, "failed"},
};

boost::json::object child_to_json(const ChildState& child) {
    return {{"pid", child.pid}, {"restarts", child.restarts}, {"last_exit", child.last_exit}};
}

ChildState child_from_json(const boost::json::value& value) {
    const auto& object = value.as_object();
    return ChildState{.pid = object.at("pid").as_int64(),
                      .restarts = object.at("restarts").as_int64(),
                      .last_exit = std::string(object.at("last_exit").as_string())};
}

std::string text(const boost::json::object& object, const char* key) {
    return std::string(object.at(key).as_string());
}

Error no_box_has_run(const config::Settings& settings) {
    return {.kind = ErrorKind::not_found,
            .message = "no box has run on the data directory " + settings.data_dir,
            .hint = "start one with 'boathouse serve', or name its directory with --data-dir"};
}

// It takes the lock first and writes its state a moment later.
Error box_has_just_begun(const config::Settings& settings) {
    return {.kind = ErrorKind::unavailable,
            .message = "the box on " + settings.data_dir + " has just begun to start and says nothing of itself yet",
            .hint = "ask again in a second"};
}

}  // namespace

const char* phase_name(Phase phase) {
    for (const auto& entry : kPhaseNames) {
        if (entry.phase == phase) return entry.name;
    }
    return "unknown";
}

std::optional<Phase> phase_from_name(const std::string& name) {
    for (const auto& entry : kPhaseNames) {
        if (entry.name == name) return entry.phase;
    }
    return std::nullopt;
}

std::string to_json(const State& state) {
    return boost::json::serialize(boost::json::object{
               {"phase", phase_name(state.phase)},
               {"status", state.status},
               {"last_error", state.last_error},
               {"pid", state.pid},
               {"started_at_unix_seconds", state.started_at_unix_seconds},
               {"ready_at_unix_seconds", state.ready_at_unix_seconds},
               {"version", state.version},
               {"listen", state.listen},
               {"catalog_port", state.catalog_port},
               {"sql_port", state.sql_port},
               {"http_port", state.http_port},
               {"postgres_user", state.postgres_user},
               {"postgres_db", state.postgres_db},
               {"postgres", child_to_json(state.postgres)},
               {"engine", child_to_json(state.engine)},
           }) +
           "\n";
}

Result<State> state_from_json(const std::string& json) {
    // Boost.JSON throws on a missing key or another type; the exception ends here.
    try {
        const auto value = boost::json::parse(json);
        const auto& object = value.as_object();
        const auto phase = phase_from_name(text(object, "phase"));
        if (!phase) throw std::invalid_argument("unknown phase " + text(object, "phase"));
        return State{.phase = *phase,
                     .status = text(object, "status"),
                     .last_error = text(object, "last_error"),
                     .pid = object.at("pid").as_int64(),
                     .started_at_unix_seconds = object.at("started_at_unix_seconds").as_int64(),
                     .ready_at_unix_seconds = object.at("ready_at_unix_seconds").as_int64(),
                     .version = text(object, "version"),
                     .listen = text(object, "listen"),
                     .catalog_port = object.at("catalog_port").as_int64(),
                     .sql_port = object.at("sql_port").as_int64(),
                     .http_port = object.at("http_port").as_int64(),
                     .postgres_user = text(object, "postgres_user"),
                     .postgres_db = text(object, "postgres_db"),
                     .postgres = child_from_json(object.at("postgres")),
                     .engine = child_from_json(object.at("engine"))};
    } catch (const std::exception& failure) {
        return Error{.kind = ErrorKind::corrupt,
                     .message = "the box's state is not readable as JSON of this version",
                     .hint = "a box of another version may have written it; restart the box",
                     .detail = failure.what()};
    }
}

Status write_state(const config::Settings& settings, const State& state) {
    return write_file(config::state_file(settings), to_json(state), 0600);
}

Result<State> read_state(const config::Settings& settings) {
    const auto held = DataLock::is_held(config::run_dir(settings));
    if (!held && held.error().kind == ErrorKind::not_found) return no_box_has_run(settings);
    if (!held && held.error().kind == ErrorKind::permission) {
        return Error{.kind = ErrorKind::permission,
                     .message = "the box on " + settings.data_dir + " belongs to another user",
                     .hint = "ask as the user who runs it, or as root",
                     .detail = held.error().message};
    }
    if (!held) return held.error();
    auto json = read_file(config::state_file(settings));
    if (!json && json.error().kind == ErrorKind::not_found) {
        return *held ? box_has_just_begun(settings) : no_box_has_run(settings);
    }
    if (!json) return json.error();
    auto state = state_from_json(*json);
    if (state && !*held && state->phase != Phase::failed) {
        state->phase = Phase::stopped;
        state->postgres.pid = state->engine.pid = state->pid = 0;
    }
    return state;
}

}  // namespace boathouse::supervisor
