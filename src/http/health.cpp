#include "http/health.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

#include "base/log.hpp"

namespace boathouse::http {
namespace {

namespace json = boost::json;
using boost::beast::http::status;

Response as_json(status code, const json::object& object) {
    Response response;
    response.status = code;
    response.body = json::serialize(object) + "\n";
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

Response not_ready(const char* check, const std::string& message, const std::string& hint) {
    json::object reason{{"check", check}, {"message", message}};
    if (!hint.empty()) reason["hint"] = hint;
    return as_json(status::service_unavailable, {{"ready", false}, {"reasons", json::array{reason}}});
}

// Says once in the log when the lake stops answering, and once when it answers again.
std::function<Result<long long>()> logging_changes(std::function<Result<long long>()> question) {
    return [question = std::move(question), answered = true]() mutable {
        auto snapshot = question();
        if (answered && !snapshot)
            log_warning("http", "not ready: {} ({})", snapshot.error().message, snapshot.error().detail);
        if (!answered && snapshot) log_info("http", "ready again: the newest snapshot is {}", *snapshot);
        answered = snapshot.has_value();
        return snapshot;
    };
}

}  // namespace

Health::Health(Options options, std::function<Result<long long>()> newest_snapshot, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      started_at_(clock.steady_now()),
      snapshot_(logging_changes(std::move(newest_snapshot)), clock) {}

void Health::add_routes(Router& router) {
    router.add({.path = "/healthz", .handler = [this](const Request&) { return healthz(); }, .is_blocking = false});
    router.add({.path = "/readyz", .handler = [this](const Request&) { return readyz(); }});
}

Response Health::healthz() const {
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady_now() - started_at_);
    return as_json(status::ok, {{"alive", true},
                                {"version", options_.version},
                                {"duckdb_version", options_.duckdb_version},
                                {"uptime_seconds", uptime.count()}});
}

Response Health::readyz() {
    if (stopping_) return not_ready("engine", "the box is stopping", "");
    const auto snapshot = snapshot_.ask(options_.age_max, options_.patience);
    if (!snapshot) {
        return not_ready(
            "lake", fmt::format("a query on the lake has not answered within {} s", options_.patience.count() / 1000.0),
            "PostgreSQL hangs or its machine is out of reach: look at its log and load.");
    }
    if (!*snapshot) return not_ready("lake", snapshot->error().message, snapshot->error().hint);
    return as_json(status::ok, {{"ready", true}, {"snapshot", **snapshot}, {"reasons", json::array{}}});
}

}  // namespace boathouse::http
