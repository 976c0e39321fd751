// Statements about the system catalogs: told apart from the lake's by the router, answered by PostgreSQL in the mirror.
//
// They run in a transaction of their own, also within a client's block, because a lake's transaction and a PostgreSQL's
// are two: they see the lake as it is committed. What fails there fails the block.
#include <cctype>

#include "base/log.hpp"
#include "gateway/session.hpp"
#include "syntax/privilege_statement.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;

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

// In quotes where it must be: clients take the path apart and look for the names in it.
std::string path_name(const std::string& name) {
    const bool is_plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
                          name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (is_plain) return name;
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

// As PostgreSQL writes it, the lake's names as the mirror has them.
std::string mirror_path(const std::vector<std::string>& names, mirror::Mirror& mirror) {
    std::string path;
    for (const std::string& name : names) path += (path.empty() ? "" : ", ") + path_name(mirror.shown_schema(name));
    return path.empty() ? "\"\"" : path;
}

// The change counts, but a mirror that is made anew would not have it.
QueryError not_kept(const Error& error) {
    QueryError failed{"58000", "the privileges have been changed, but could not be written down: " + error.message};
    failed.hint = "They are written down with the next change, or when the box is started.";
    return failed;
}

}  // namespace

// Errors: what neither DuckDB nor PostgreSQL could answer.
Outcome<std::shared_ptr<relay::RelayedStatement>> Session::relayed_statement(std::string_view text) {
    const std::shared_ptr<relay::RelayedStatement> none;
    if (services_.exchange == nullptr) return none;
    const std::string path = settings_->value("search_path").value_or("");
    if (path.find(kInformationSchema) == std::string::npos && !relay::may_be_postgres(text)) {
        last_route_ = "duckdb: names nothing of PostgreSQL's";
        return none;
    }
    mirror::Mirror& mirror = services_.exchange->pool.mirror();
    if (auto privileges = syntax::privilege_statement(text, {mirror.shown_schema("main"), mirror.database()})) {
        if (!privileges->refusal.empty()) {
            last_route_ = "refused: " + privileges->kind;
            QueryError error{"0A000", privileges->refusal};
            error.hint = privileges->hint;
            return error;
        }
        last_route_ = "postgres: " + privileges->kind;
        auto statement = std::make_shared<relay::RelayedStatement>();
        statement->text = std::move(privileges->text);
        statement->changes_roles = true;
        statement->changes_privileges = true;
        return statement;
    }
    const auto statements = syntax::parse(text);
    if (!statements || statements->size() != 1) {
        last_route_ = "duckdb: its own grammar";
        return none;
    }
    relay::Route route = relay::route(statements->front(), services_.exchange->vocabulary, path_elements(path));
    last_route_ = std::move(route.reason);
    log_debug("gateway", "route: {}", last_route_);
    if (route.refusal) return *route.refusal;
    if (route.brain == relay::Brain::duckdb) return none;
    auto statement = std::make_shared<relay::RelayedStatement>();
    statement->text = text;
    statement->changes_roles = route.changes_roles;
    return statement;
}

relay::Relay& Session::relay() {
    if (!relay_) {
        const std::lock_guard lock(engine_mutex_);
        relay_ = std::make_unique<relay::Relay>(services_.exchange->pool, settings_->role());
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

Outcome<std::shared_ptr<Rows>> Session::run_relayed(const relay::RelayedStatement& statement,
                                                    const relay::Arguments& arguments) {
    // A transaction of PostgreSQL's own could not be rolled back with the lake's.
    if (statement.changes_roles && in_transaction()) {
        QueryError error{"25001", "statements about roles and privileges cannot run inside a transaction block"};
        error.hint = "They are committed by themselves.";
        return error;
    }
    auto stream = relay().run(statement, arguments, mirror_settings());
    if (!stream) return stream.error();
    if (statement.changes_privileges) {
        if (const auto kept = services_.exchange->pool.mirror().keep_privileges(); !kept) return not_kept(kept.error());
    }
    return std::make_shared<Rows>(Rows{std::move(*stream)});
}

}  // namespace boathouse::gateway
