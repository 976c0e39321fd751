// Statements about the system catalogs: told apart from the lake's by the router, answered by PostgreSQL in the mirror.
//
// They run in a transaction of their own, also within a client's block, because a lake's transaction and a PostgreSQL's
// are two: they see the lake as it is committed. What fails there fails the block.
#include "base/log.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;

namespace {

constexpr const char* kInformationSchema = "information_schema";

// The names of a search_path, without quotes and without "$user", for which nobody makes schemas here.
std::vector<std::string> path_elements(const std::string& path) {
    std::vector<std::string> names;
    std::string name;
    for (std::size_t i = 0; i <= path.size(); ++i) {
        if (i < path.size() && path[i] != ',') {
            if (path[i] != ' ' && path[i] != '"') name += path[i];
            continue;
        }
        if (!name.empty() && name != "$user") names.push_back(std::exchange(name, {}));
    }
    return names;
}

// As PostgreSQL writes it, every name in quotes, the lake's names as the mirror has them.
std::string mirror_path(const std::vector<std::string>& names, mirror::Mirror& mirror) {
    std::string path;
    for (const std::string& name : names) {
        path += path.empty() ? "\"" : ", \"";
        for (const char c : mirror.shown_schema(name)) path += c == '"' ? std::string("\"\"") : std::string(1, c);
        path += '"';
    }
    return path.empty() ? "\"\"" : path;
}

}  // namespace

// Errors: what neither DuckDB nor PostgreSQL could answer.
Outcome<bool> Session::is_postgres(std::string_view text) {
    if (services_.exchange == nullptr) return false;
    const std::string path = settings_->value("search_path").value_or("");
    if (path.find(kInformationSchema) == std::string::npos && !relay::may_be_postgres(text)) {
        last_route_ = "duckdb: names nothing of PostgreSQL's";
        return false;
    }
    const auto statements = syntax::parse(text);
    if (!statements || statements->size() != 1) {
        last_route_ = "duckdb: its own grammar";
        return false;
    }
    relay::Route route = relay::route(statements->front(), services_.exchange->vocabulary, path_elements(path));
    last_route_ = std::move(route.reason);
    log_debug("gateway", "route: {}", last_route_);
    if (route.refusal) return *route.refusal;
    return route.brain == relay::Brain::postgres;
}

relay::Relay& Session::relay() {
    if (!relay_) {
        const std::lock_guard lock(engine_mutex_);
        relay_ =
            std::make_unique<relay::Relay>(services_.exchange->pool, settings_->value("session_authorization").value());
        if (interrupted()) relay_->cancel();
    }
    return *relay_;
}

relay::Settings Session::mirror_settings() const {
    relay::Settings settings;
    for (const char* name : {"TimeZone", "application_name", "statement_timeout", "lock_timeout", "client_min_messages",
                             "extra_float_digits"}) {
        if (const auto value = settings_->value(name)) settings.emplace_back(name, *value);
    }
    const auto path = path_elements(settings_->value("search_path").value_or(""));
    settings.emplace_back("search_path", mirror_path(path, services_.exchange->pool.mirror()));
    return settings;
}

Outcome<std::shared_ptr<Rows>> Session::relay_text(std::string_view text) {
    auto stream = relay().run(text, mirror_settings());
    if (!stream) return stream.error();
    return std::make_shared<Rows>(Rows{std::move(*stream)});
}

Outcome<std::shared_ptr<Rows>> Session::relay_portal(const PreparedStatement& statement, const Portal& portal) {
    relay::Arguments arguments{portal.parameter_formats, portal.parameters, portal.result_formats};
    auto stream = relay().run(*statement.relayed, arguments, mirror_settings());
    if (!stream) return stream.error();
    return std::make_shared<Rows>(Rows{std::move(*stream)});
}

}  // namespace boathouse::gateway
