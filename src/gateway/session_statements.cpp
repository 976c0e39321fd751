// Statements that the session answers itself: SET and SHOW and their kin.
#include <algorithm>

#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Severity;

Outcome<void> Session::run_session_statement(const Statement& statement, bool with_description, Buffer& out) {
    if (const auto* begin = std::get_if<BeginStatement>(&statement)) return begin_block(*begin, out);
    if (const auto* end = std::get_if<CommitStatement>(&statement)) return commit(*end, out);
    if (const auto* end = std::get_if<RollbackStatement>(&statement)) return rollback(*end, out);
    if (const auto* point = std::get_if<SavepointStatement>(&statement)) return savepoint(*point, out);
    if (const auto* show_one = std::get_if<ShowStatement>(&statement)) return show(*show_one, with_description, out);

    if (const auto* refused = std::get_if<RefusedStatement>(&statement))
        return QueryError{refused->sqlstate, refused->message};

    std::string tag;
    if (const auto* assignment = std::get_if<SetStatement>(&statement)) {
        if (auto done = set(*assignment, out); !done) return done;
        tag = "SET";
    } else if (const auto* options = std::get_if<SetTransactionStatement>(&statement)) {
        if (auto done = set_transaction(*options); !done) return done;
        tag = "SET";
    } else if (const auto* reset = std::get_if<ResetStatement>(&statement)) {
        if (reset->name.empty()) {
            take_back(settings_->check_reset_all(), out);
        } else {
            const auto change = settings_->check_reset(reset->name);
            if (!change) return change.error();
            if (auto done = apply(*change, out); !done) return done;
            settings_->apply(*change, false);
        }
        tag = "RESET";
    } else if (const auto* target = std::get_if<DiscardStatement>(&statement)) {
        if (auto done = discard(*target, out); !done) return done;
        tag = target->target == DiscardTarget::all ? "DISCARD ALL" : "DISCARD";
    } else if (const auto* named = std::get_if<DeallocateStatement>(&statement)) {
        if (named->name.empty()) {
            statements_.clear();
        } else if (statements_.erase(named->name) == 0) {
            return QueryError{"26000", "prepared statement \"" + named->name + "\" does not exist"};
        }
        tag = named->name.empty() ? "DEALLOCATE ALL" : "DEALLOCATE";
    } else if (const auto* ignored = std::get_if<IgnoredStatement>(&statement)) {
        if (!ignored->notice.empty()) put_notice(Severity::notice, "00000", ignored->notice, out);
        tag = ignored->tag;
    }
    pgwire::put_command_complete(out, tag);
    return {};
}

Outcome<void> Session::set(const SetStatement& statement, Buffer& out) {
    const auto change = settings_->check(statement.name, statement.values);
    if (!change) return change.error();
    if (statement.local && transaction_ == Transaction::none) {
        put_notice(Severity::warning, "25P01", "SET LOCAL can only be used in transaction blocks", out);
        return {};
    }
    if (auto done = apply(*change, out); !done) return done;
    settings_->apply(*change, statement.local);
    return {};
}

// The isolation levels all mean the lake's own, snapshot isolation; only the rest has an effect to remember.
Outcome<void> Session::set_transaction(const SetTransactionStatement& statement) {
    for (const auto& [name, value] : statement.options) {
        std::string text = value;
        if (name == "transaction_read_only" || name == "transaction_deferrable") text = value == "0" ? "off" : "on";
        const auto change = settings_->check(name, {text});
        if (!change) return change.error();
        settings_->apply(*change, transaction_ != Transaction::none);
    }
    return {};
}

Outcome<void> Session::apply(const SettingChange& change, Buffer& out) {
    switch (change.effect) {
        case SettingEffect::none:
            break;
        case SettingEffect::time_zone: {
            if (auto opened = open_engine(); !opened) return opened;
            if (auto done = engine_->set_time_zone(change.value); !done) return done;
            break;
        }
        case SettingEffect::search_path: {
            if (auto opened = open_engine(); !opened) return opened;
            if (auto done = set_search_path(change.value); !done) return done;
            break;
        }
        case SettingEffect::dialect: {
            if (auto opened = open_engine(); !opened) return opened;
            if (auto done = engine_->set_dialect(change.value == "duckdb"); !done) return done;
            break;
        }
    }
    if (change.reported) pgwire::put_parameter_status(out, change.name, change.value);
    return {};
}

// Values go back to what they were: they were good once, so a failure now is the engine's and changes nothing else.
void Session::take_back(const std::vector<SettingChange>& changes, Buffer& out) {
    for (const SettingChange& change : changes) {
        if (auto done = apply(change, out); !done)
            put_notice(Severity::warning, done.error().sqlstate, done.error().message, out);
        settings_->apply(change, false);
    }
}

// PostgreSQL takes any names; DuckDB wants schemas that exist, so those that do not are left out.
Outcome<void> Session::set_search_path(const std::string& path) {
    std::vector<std::string> schemas;
    std::string name;
    for (std::size_t i = 0; i <= path.size(); ++i) {
        if (i < path.size() && path[i] != ',') {
            if (path[i] != ' ' && path[i] != '"') name += path[i];
            continue;
        }
        if (name == "public") name = "main";
        if (!name.empty() && name != "$user" && name != "pg_catalog" && name != "pg_temp") schemas.push_back(name);
        name.clear();
    }
    return engine_->set_search_path(schemas);
}

std::vector<pgwire::ColumnDescription> Session::show_columns(const ShowStatement& statement) {
    std::vector<pgwire::ColumnDescription> columns;
    const auto add = [&](const std::string& name) {
        pgwire::ColumnDescription column;
        column.name = name;
        columns.push_back(column);
    };
    if (statement.name == "all") {
        for (const char* name : {"name", "setting", "description"}) add(name);
    } else {
        add(statement.name);
    }
    return columns;
}

Outcome<void> Session::show(const ShowStatement& statement, bool with_description, Buffer& out) {
    std::vector<std::vector<std::string>> rows;
    std::vector<pgwire::ColumnDescription> columns = show_columns(statement);
    if (statement.name == "all") {
        for (const auto& [name, value] : settings_->all()) rows.push_back({name, value, ""});
    } else {
        const auto value = settings_->show(statement.name);
        if (!value) return value.error();
        columns[0].name = value->first;
        rows.push_back({value->second});
    }
    if (with_description) pgwire::put_row_description(out, columns, {});
    for (const auto& row : rows) pgwire::put_text_row(out, row);
    pgwire::put_command_complete(out, "SHOW");
    return {};
}

Outcome<void> Session::discard(const DiscardStatement& statement, Buffer& out) {
    if (statement.target == DiscardTarget::all) {
        if (transaction_ == Transaction::block) {
            return QueryError{"25001", "DISCARD ALL cannot run inside a transaction block"};
        }
        portals_.clear();
        statements_.clear();
        take_back(settings_->check_reset_all(), out);
    }
    const bool drops_tables = statement.target == DiscardTarget::all || statement.target == DiscardTarget::temporary;
    if (drops_tables && engine_) return engine_->drop_temporary_tables();
    return {};
}

}  // namespace boathouse::gateway
