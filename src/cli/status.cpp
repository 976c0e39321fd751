// `boathouse status`: how the box on a data directory is, by its own account and by its HTTP door's.
#include <boost/json.hpp>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/readiness.hpp"
#include "supervisor/state.hpp"

namespace boathouse::cli {
namespace {

using supervisor::ChildState;
using supervisor::Phase;
using supervisor::State;

bool is_running(const State& state) {
    return state.pid != 0;
}

std::string utc(std::int64_t unix_seconds) {
    const auto seconds = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::ostringstream out;
    out << std::put_time(&parts, "%Y-%m-%dT%H:%M:%SZ");
    return out.str();
}

std::string child_line(const ChildState& child) {
    std::string out = child.pid == 0 ? "not running" : "process " + std::to_string(child.pid);
    if (child.restarts > 0) out += ", started again " + std::to_string(child.restarts) + " times";
    if (!child.last_exit.empty()) out += ", last time " + child.last_exit;
    return out;
}

void print_line(const char* name, const std::string& text) {
    if (!text.empty()) std::cout << std::left << std::setw(12) << name << text << "\n";
}

void print_text(const State& state, const Readiness& readiness) {
    const std::string phase = supervisor::phase_name(state.phase);
    print_line("box", state.status.empty() || state.status == phase ? phase : phase + ": " + state.status);
    print_line("problem", state.last_error);
    if (!is_running(state)) return;
    print_line("supervisor", "process " + std::to_string(state.pid) + " since " + utc(state.started_at_unix_seconds) +
                                 ", Boathouse " + state.version);
    print_line("PostgreSQL", state.catalog_port == 0 ? "external" : child_line(state.postgres));
    print_line("engine", child_line(state.engine));
    const auto door = [&](std::int64_t port) { return state.listen + " port " + std::to_string(port); };
    if (state.catalog_port != 0) print_line("catalog", door(state.catalog_port));
    print_line("SQL", door(state.sql_port));
    print_line("HTTP", door(state.http_port));
    print_line("ready", (readiness.ready ? "" : "no: ") + readiness.text);
}

boost::json::object child_json(const ChildState& child) {
    return {{"pid", child.pid}, {"restarts", child.restarts}, {"last_exit", child.last_exit}};
}

void print_json(const State& state, const Readiness& readiness) {
    std::cout << boost::json::object{{"phase", supervisor::phase_name(state.phase)},
                                     {"status", state.status},
                                     {"last_error", state.last_error},
                                     {"ready", readiness.ready},
                                     {"readyz", readiness.json},
                                     {"pid", state.pid},
                                     {"version", state.version},
                                     {"started_at_unix_seconds", state.started_at_unix_seconds},
                                     {"ready_at_unix_seconds", state.ready_at_unix_seconds},
                                     {"listen", state.listen},
                                     {"catalog_port", state.catalog_port},
                                     {"sql_port", state.sql_port},
                                     {"http_port", state.http_port},
                                     {"postgres", child_json(state.postgres)},
                                     {"engine", child_json(state.engine)}}
              << "\n";
}

int print_status(const Invocation& invocation, bool json) {
    const auto settings = read_settings(invocation);
    if (!settings) return fail(settings.error());
    auto state = supervisor::read_state(*settings);
    if (!state && state.error().kind == ErrorKind::not_found) {
        if (!json) {
            fail(state.error());
            return kExitUnavailable;
        }
        State none;
        none.phase = Phase::stopped;
        none.status = state.error().message;
        state = none;
    }
    if (!state) return fail(state.error());
    Readiness readiness;
    if (is_running(*state)) {
        readiness = ask_readiness({.host = reachable_host(state->listen), .port = state->http_port});
    }
    json ? print_json(*state, readiness) : print_text(*state, readiness);
    return state->phase == Phase::ready && readiness.ready ? kExitOk : kExitUnavailable;
}

}  // namespace

void add_status(CLI::App& root, Invocation& invocation) {
    CLI::App& command = add_command(
        root, {.name = "status",
               .summary = "Say how the box on a data directory is",
               .teaching = "Asks as the user that runs the box, or as root.\n\n"
                           "Examples:\n"
                           "  boathouse status --data-dir ./box\n"
                           "  until boathouse status > /dev/null; do sleep 1; done    wait until it is ready\n"
                           "  boathouse status --json | jq .engine.restarts\n\n"
                           "Exit codes:\n"
                           "  0   ready: a query on the lake has succeeded\n"
                           "  69  no box runs here, or it is not ready; the text says why\n"
                           "  77  the box is another user's"});
    accept_settings(command, invocation, {"config_file", "data_dir"});
    auto json = std::make_shared<bool>(false);
    command.add_flag("--json", *json, "Print one JSON object");
    command.callback(
        [&invocation, json] { invocation.run = [&invocation, json] { return print_status(invocation, *json); }; });
}

}  // namespace boathouse::cli
