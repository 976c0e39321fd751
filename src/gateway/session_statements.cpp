// Statements that the session answers itself: SET and SHOW and their kin.
#include <algorithm>

#include "gateway/session.hpp"

namespace boathouse::gateway {

namespace {

// What the router decided last: docs/sql-door.md.
constexpr const char* kLastRoute = "boathouse.last_route";
// SHOW tells of what is kept, too.
constexpr const char* kCache = "boathouse.cache";

}  // namespace

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Severity;

Outcome<Session::Rest> Session::run_session_statement(const Statement& statement, const Form& form, Buffer& out) {
    const auto done = [](const Outcome<void>& outcome) -> Outcome<Rest> {
        if (!outcome) return outcome.error();
        return Rest();
    };
    if (const auto* begin = std::get_if<BeginStatement>(&statement)) return done(begin_block(*begin, out));
    if (const auto* end = std::get_if<CommitStatement>(&statement)) return done(commit(*end, out));
    if (const auto* end = std::get_if<RollbackStatement>(&statement)) return done(rollback(*end, out));
    if (const auto* point = std::get_if<SavepointStatement>(&statement)) return done(savepoint(*point, out));
    if (const auto* named = std::get_if<ShowStatement>(&statement))
        return done(show(*named, form.with_description, out));
    if (const auto* rows = std::get_if<FetchStatement>(&statement)) return fetch(*rows, form, out);
    if (const auto* named = std::get_if<ExecuteStatement>(&statement)) return execute_by_name(*named, form, out);
    if (const auto* cursor = std::get_if<DeclareStatement>(&statement)) {
        if (auto declared = declare(*cursor, form); !declared) return declared.error();
        pgwire::put_command_complete(out, "DECLARE CURSOR");
        return Rest();
    }
    const auto tag = run_tagged_statement(statement, out);
    if (!tag) return tag.error();
    pgwire::put_command_complete(out, *tag);
    return Rest();
}

// Statements that answer with their tag alone.
Outcome<std::string> Session::run_tagged_statement(const Statement& statement, Buffer& out) {
    const auto tagged = [](const Outcome<void>& outcome, const char* tag) -> Outcome<std::string> {
        if (!outcome) return outcome.error();
        return std::string(tag);
    };
    if (const auto* refused = std::get_if<RefusedStatement>(&statement)) {
        QueryError error{refused->sqlstate, refused->message};
        error.hint = refused->hint;
        return error;
    }
    if (const auto* assignment = std::get_if<SetStatement>(&statement)) return tagged(set(*assignment, out), "SET");
    if (const auto* options = std::get_if<SetTransactionStatement>(&statement))
        return tagged(set_transaction(*options, out), "SET");
    if (const auto* named = std::get_if<ResetStatement>(&statement)) return tagged(reset(*named, out), "RESET");
    if (const auto* target = std::get_if<DiscardStatement>(&statement)) {
        constexpr const char* kTags[] = {"DISCARD ALL", "DISCARD PLANS", "DISCARD SEQUENCES", "DISCARD TEMP"};
        return tagged(discard(*target, out), kTags[static_cast<int>(target->target)]);
    }
    if (const auto* named = std::get_if<PrepareStatement>(&statement))
        return tagged(prepare_by_name(*named), "PREPARE");
    if (const auto* cursor = std::get_if<CloseStatement>(&statement))
        return tagged(close_cursor(*cursor), cursor->name.empty() ? "CLOSE CURSOR ALL" : "CLOSE CURSOR");
    if (const auto* channel = std::get_if<ListenStatement>(&statement)) return tagged(listen(*channel), "LISTEN");
    if (std::holds_alternative<UnlistenStatement>(statement)) {
        unlisten();
        return std::string("UNLISTEN");
    }
    if (const auto* named = std::get_if<DeallocateStatement>(&statement)) {
        if (named->name.empty()) {
            statements_.clear();
            return std::string("DEALLOCATE ALL");
        }
        if (const auto found = statements_.find(named->name); !found) return found.error();
        statements_.erase(named->name);
        return std::string("DEALLOCATE");
    }
    const auto& ignored = std::get<IgnoredStatement>(statement);
    if (!ignored.notice.empty()) put_notice(Severity::notice, "00000", ignored.notice, out);
    return ignored.tag;
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

Outcome<void> Session::reset(const ResetStatement& statement, Buffer& out) {
    if (statement.name.empty()) {
        const std::vector<SettingChange> changes = settings_->check_reset_all();
        take_back(changes, out);
        for (const SettingChange& change : changes) settings_->apply(change, false);
        return {};
    }
    const auto change = settings_->check_reset(statement.name);
    if (!change) return change.error();
    if (auto done = apply(*change, out); !done) return done;
    settings_->apply(*change, false);
    return {};
}

// The isolation levels all mean the lake's own, snapshot isolation; only the rest has an effect.
Outcome<void> Session::set_transaction(const SetTransactionStatement& statement, Buffer& out) {
    if (!statement.for_session && transaction_ == Transaction::none) {
        put_notice(Severity::warning, "25P01", "SET TRANSACTION can only be used in transaction blocks", out);
        return {};
    }
    for (const auto& [name, value] : statement.options) {
        const auto change = settings_->check(statement.for_session ? "default_" + name : name, {value});
        if (!change) return change.error();
        if (auto done = apply(*change, out); !done) return done;
        settings_->apply(*change, !statement.for_session);
    }
    return {};
}

Outcome<void> Session::apply(const SettingChange& change, Buffer& out) {
    repeated_.clear();
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
            if (auto done = engine_->set_search_path(schemas_of(change.value)); !done) return done;
            break;
        }
        case SettingEffect::dialect: {
            if (auto opened = open_engine(); !opened) return opened;
            if (auto done = engine_->set_dialect(change.value == "duckdb"); !done) return done;
            break;
        }
        case SettingEffect::engine: {
            if (auto opened = open_engine(); !opened) return opened;
            if (auto done = engine_->set_option(change.name, change.value); !done) return done;
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
    }
}

// What set_config() has set in the statement that is complete now.
Outcome<void> Session::apply_set_config(Buffer& out) {
    if (!sql_settings_) return {};
    for (const SqlSettings::Wish& wish : sql_settings_->take()) {
        if (wish.local && transaction_ == Transaction::none) continue;
        if (auto done = apply(wish.change, out); !done) return done;
        settings_->apply(wish.change, wish.local);
    }
    return {};
}

// PostgreSQL takes any names; DuckDB wants schemas that exist, so those that do not are left out.
std::vector<std::string> schemas_of(const std::string& path) {
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
    return schemas;
}

std::vector<pgwire::ColumnDescription> Session::show_columns(const ShowStatement& statement) const {
    std::vector<pgwire::ColumnDescription> columns;
    const auto add = [&](const std::string& name) {
        pgwire::ColumnDescription column;
        column.name = name;
        columns.push_back(column);
    };
    if (statement.name == "all") {
        for (const char* name : {"name", "setting", "description"}) add(name);
    } else {
        const auto known = settings_->show(statement.name);
        add(known ? known->first : statement.name);
    }
    if (services_.answers != nullptr && statement.name == kCache) {
        for (const char* name : {"answers", "bytes", "bytes_max", "hits", "misses", "stale", "evicted"}) add(name);
    }
    return columns;
}

Outcome<void> Session::show(const ShowStatement& statement, bool with_description, Buffer& out) {
    std::vector<std::vector<std::string>> rows;
    std::vector<pgwire::ColumnDescription> columns = show_columns(statement);
    if (statement.name == "all") {
        for (const auto& [name, value] : settings_->all()) rows.push_back({name, value, ""});
    } else {
        const auto value = statement.name == kLastRoute
                               ? Outcome<std::pair<std::string, std::string>>(
                                     std::pair<std::string, std::string>(kLastRoute, last_route_))
                               : settings_->show(statement.name);
        if (!value) return value.error();
        rows.push_back({value->second});
        if (columns.size() > 1) {
            const cache::Results::Counts counts = services_.answers->results.counts();
            for (const std::uint64_t count :
                 {std::uint64_t{counts.answers}, std::uint64_t{counts.bytes}, std::uint64_t{counts.bytes_max},
                  counts.hits, counts.misses, counts.stale, counts.evicted})
                rows.back().push_back(std::to_string(count));
        }
    }
    if (with_description) pgwire::put_row_description(out, columns, {});
    for (const auto& row : rows) pgwire::put_text_row(out, row);
    pgwire::put_command_complete(out, "SHOW");
    return {};
}

Outcome<void> Session::discard(const DiscardStatement& statement, Buffer& out) {
    if (statement.target == DiscardTarget::all) {
        if (transaction_ != Transaction::none) {
            return QueryError{"25001", "DISCARD ALL cannot run inside a transaction block"};
        }
        portals_.clear();
        statements_.clear();
        notifications_.reset();
        if (auto done = reset({}, out); !done) return done;
    }
    const bool drops_tables = statement.target == DiscardTarget::all || statement.target == DiscardTarget::temporary;
    if (drops_tables && engine_) return engine_->drop_temporary_tables();
    return {};
}

}  // namespace boathouse::gateway
