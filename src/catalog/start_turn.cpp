#include "catalog/start_turn.hpp"

#include <spdlog/fmt/fmt.h>

namespace boathouse::catalog {
namespace {

constexpr const char* kTake = "SELECT pg_catalog.pg_advisory_lock(7089056989193793910)";
constexpr const char* kLockNotAvailable = "55P03";

}  // namespace

Result<Connection> take_start_turn(const config::Settings& settings) {
    const auto endpoint = box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connection = Connection::open(*endpoint);
    if (!connection) return connection;
    if (auto bounded = connection->execute(fmt::format("SET lock_timeout = '{}s'", kStartTurnSeconds)); !bounded)
        return bounded.error();
    const auto taken = connection->query(kTake);
    if (!taken && connection->last_sqlstate() == kLockNotAvailable) {
        return Error{ErrorKind::unavailable,
                     fmt::format("another box has been preparing the catalog for {} s", kStartTurnSeconds),
                     "If none is starting, end the PostgreSQL session that holds an advisory lock in the lake's "
                     "database.",
                     ""};
    }
    if (!taken) return taken.error();
    if (auto unbounded = connection->execute("RESET lock_timeout"); !unbounded) return unbounded.error();
    return connection;
}

}  // namespace boathouse::catalog
