#include "cli/running_box.hpp"

#include "supervisor/state.hpp"

namespace boathouse::cli {

Status adopt_running_box(config::Settings& settings) {
    const auto state = supervisor::read_state(settings);
    if (!state || state->pid == 0) return {};
    settings.sql_port = state->sql_port;
    settings.http_port = state->http_port;
    const bool external = state->catalog_port == 0;
    if (external && settings.catalog.empty()) {
        return Error{
            .kind = ErrorKind::configuration,
            .message = "the box on " + settings.data_dir + " has an external catalog, whose URL is not known here",
            .hint = "Set BOATHOUSE_CATALOG as it was set for the box."};
    }
    settings.listen = state->listen;
    if (external) return {};
    settings.catalog = Secret();
    settings.catalog_port = state->catalog_port;
    settings.postgres_user = state->postgres_user;
    settings.postgres_db = state->postgres_db;
    return {};
}

Result<catalog::Connection> connect_to_box(const config::Settings& settings, const std::string& database) {
    auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    if (settings.catalog.empty() && !database.empty()) endpoint->database = database;
    auto connection = catalog::Connection::open(*endpoint);
    if (connection || !settings.catalog.empty()) return connection;
    switch (connection.error().kind) {
        case ErrorKind::unavailable:
            return Error{.kind = ErrorKind::unavailable,
                         .message = "no box answers on " + settings.data_dir,
                         .hint = "Start it with `boathouse serve`, or name its directory with --data-dir.",
                         .detail = connection.error().message};
        case ErrorKind::permission:
            return Error{.kind = ErrorKind::permission,
                         .message = "the box on " + settings.data_dir + " is another user's",
                         .hint = "Run this as the user that runs the box, or as root.",
                         .detail = connection.error().message};
        default:
            return connection;
    }
}

}  // namespace boathouse::cli
