#include "engine/session.hpp"

#include <duckdb/parser/parsed_data/copy_info.hpp>
#include <duckdb/parser/statement/copy_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>

#include "engine/copy_file.hpp"
#include "engine/copy_source.hpp"
#include "engine/database.hpp"
#include "engine/dialect.hpp"
#include "engine/guard.hpp"
#include "engine/insert_values.hpp"
#include "engine/lake.hpp"
#include "engine/plan_origins.hpp"
#include "engine/postgres_macros.hpp"
#include "engine/postgres_meaning.hpp"
#include "engine/public_schema.hpp"
#include "engine/returning.hpp"
#include "engine/self_contained.hpp"
#include "engine/session_impl.hpp"
#include "engine/setting_functions.hpp"
#include "engine/statement_walk.hpp"
#include "engine/view_rename.hpp"

namespace boathouse::engine {

Parsed::Parsed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Parsed::Parsed(Parsed&&) noexcept = default;
Parsed& Parsed::operator=(Parsed&&) noexcept = default;
Parsed::~Parsed() = default;
const std::string& Parsed::tag() const {
    return impl_->tag;
}
const std::vector<syntax::Notice>& Parsed::notices() const {
    return impl_->notices;
}

namespace {

// Runs, gives no rows and changes nothing that a client sees.
constexpr const char* kNothing = "SET VARIABLE boathouse_nothing = NULL";

}  // namespace

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Outcome<void> Session::Impl::run_text(const std::string& sql) {
    try {
        if (auto settled = settle(); !settled) return settled.error();
        const auto result = connection.Query(sql);
        if (result->HasError()) return to_query_error(result->GetErrorObject(), scrubber);
        return {};
    } catch (const std::exception& exception) {
        return describe(exception);
    }
}

StreamBudget::Share Session::Impl::read_ahead() {
    StreamBudget::Share share = lake.database().stream_budget().take();
    connection.context->config.streaming_buffer_size = share.bytes();
    return share;
}

Outcome<std::unique_ptr<ResultStream>> Session::Impl::stream_of(duckdb::unique_ptr<duckdb::PendingQueryResult> pending,
                                                                StreamBudget::Share ahead, std::string tag,
                                                                const syntax::PositionMap& positions,
                                                                const std::vector<pgwire::ColumnDescription>* planned) {
    end_watch();
    if (pending->HasError()) return describe(pending->GetErrorObject(), positions);
    // An interruption that came before DuckDB had begun the statement was forgotten by it.
    if (interrupted) return interruption();
    auto result = pending->Execute();
    if (result->HasError()) return describe(result->GetErrorObject(), positions);
    keep_made(watch.made);
    auto impl = std::make_unique<ResultStream::Impl>(*this, std::move(result), std::move(tag));
    impl->repeats = watch.repeats;
    if (reading == impl.get()) impl->ahead = std::move(ahead);
    if (planned) {
        for (std::size_t i = 0; i < std::min(planned->size(), impl->columns.size()); ++i) {
            impl->columns[i].table = (*planned)[i].table;
            impl->columns[i].number = (*planned)[i].number;
        }
    } else {
        number_columns(impl->columns);
    }
    return std::unique_ptr<ResultStream>(new ResultStream(std::move(impl)));
}

Outcome<void> Session::Impl::check_alone(bool is_alone, const std::string& tag) {
    if (!is_alone || connection.IsAutoCommit()) return {};
    return QueryError{"25001", tag + " cannot run inside a transaction block"};
}

Outcome<std::unique_ptr<ResultStream>> Session::Impl::run_several(
    std::vector<duckdb::unique_ptr<duckdb::SQLStatement>> statements, const std::string& tag,
    const syntax::PositionMap& positions) {
    const bool commits = connection.IsAutoCommit();
    if (commits) connection.BeginTransaction();
    const auto watching = begin_watch();
    duckdb::unique_ptr<duckdb::QueryResult> result;
    for (auto& statement : statements) {
        announce(*statement, tag);
        result = connection.Query(std::move(statement));
        if (result->HasError() || interrupted) break;
        keep_made(watch.made);
    }
    end_watch();
    if (result->HasError() || interrupted) {
        if (commits) connection.Rollback();
        if (commits) forget_transaction();
        return result->HasError() ? describe(result->GetErrorObject(), positions) : interruption();
    }
    if (commits) connection.Commit();
    auto impl = std::make_unique<ResultStream::Impl>(*this, std::move(result), tag);
    return std::unique_ptr<ResultStream>(new ResultStream(std::move(impl)));
}

namespace {

// Whether there is anything to ask about it: most of what pools and monitors send names no table.
bool may_need_privileges(const duckdb::SQLStatement& statement) {
    if (statement.type != duckdb::StatementType::SELECT_STATEMENT) return true;
    bool names_table = false;
    StatementVisitor visitor;
    visitor.table = [&](const duckdb::TableRef& reference) {
        names_table = names_table || reference.type == duckdb::TableReferenceType::BASE_TABLE;
    };
    walk_statement(const_cast<duckdb::SQLStatement&>(statement), visitor);  // which this visitor does not change
    return names_table;
}

}  // namespace

void Session::Impl::announce(const duckdb::SQLStatement& statement, const std::string& tag) {
    if (watch.gate == nullptr) return;
    const auto began = std::chrono::steady_clock::now();
    if (connection.IsAutoCommit()) forget_transaction();
    unbound = statement.Copy();
    watch.text = {unbound.get(), tag == "TRUNCATE TABLE"};
    watch.was_bound = false;
    watch.needs = {};
    watch.made.clear();
    watch.gate->forget();
    if (may_need_privileges(statement)) watch.gate->expect();
    watch.announcing = std::chrono::steady_clock::now() - began;
}

void Session::Impl::keep_made(const std::vector<access::Made>& more) {
    made.insert(made.end(), more.begin(), more.end());
    if (!connection.IsAutoCommit()) watch.own.insert(watch.own.end(), more.begin(), more.end());
}

void Session::Impl::forget_transaction() {
    watch.own.clear();
    watch.base_version.reset();
    made.clear();
}

QueryError Session::Impl::describe(const duckdb::ErrorData& error, const syntax::PositionMap& positions) const {
    QueryError described = to_query_error(error, scrubber);
    if (described.position > 0) described.position = positions.to_client(described.position - 1) + 1;
    return described;
}

QueryError Session::Impl::describe(const std::exception& exception, const syntax::PositionMap& positions) const {
    return describe(duckdb::ErrorData(exception), positions);
}

void Session::Impl::speak_postgres(duckdb::SQLStatement& statement, const std::vector<std::string>& column_names) {
    name_columns(statement, column_names);
    give_postgres_meaning(statement);
    if (!names_public(statement)) return;
    if (auto settled = settle(); !settled) return;
    if (!has_own_public()) rename_public(statement);
}

Status Session::admit_clients(Lake& lake) {
    Database& database = lake.database();
    install_guard(database.instance());
    install_setting_functions(database.instance());
    install_returning(database.instance());
    install_evaluation(database.instance());
    register_copy_function(database.instance());
    try {
        lake.make_shapes();
        install_postgres_functions(database.instance());
        install_postgres_macros(database.instance());
    } catch (const std::exception& exception) {
        return Error{ErrorKind::internal, "what the SQL door needs cannot be added to DuckDB", "", exception.what()};
    }
    const std::string copies = open_copy_directory(database.instance());
    const auto locked = database.query("SET GLOBAL allowed_directories = [" + literal(lake.info().data_path) + ", " +
                                       literal(copies) + "]; SET GLOBAL enable_external_access = false");
    if (!locked) return locked.error();
    return {};
}

Outcome<std::unique_ptr<Session>> Session::open(Lake& lake, const Uses& uses) {
    Database& database = lake.database();
    try {
        auto impl = std::make_unique<Impl>(lake);
        if (auto used = impl->run_text(std::string(kPostgresDialect) +
                                       "SET SESSION TimeZone = 'UTC'; SET SESSION errors_as_json = true; USE lake");
            !used) {
            return used.error();
        }
        protect(*impl->connection.context, impl->watch);
        if (uses.settings) give_settings(*impl->connection.context, *uses.settings);
        impl->numbers = uses.numbers;
        impl->newest = uses.newest;
        impl->watch.gate = uses.gate;
        return std::unique_ptr<Session>(new Session(std::move(impl)));
    } catch (const std::exception& exception) {
        return to_query_error(duckdb::ErrorData(exception), database.scrubber());
    }
}

Outcome<Parsed> Session::parse(std::string_view text) {
    auto parsed = std::make_unique<Parsed::Impl>();
    syntax::Rewritten rewritten;
    try {
        rewritten.text = text;
        if (impl_->postgres_dialect) {
            auto result = syntax::rewrite(text);
            if (!result) return to_query_error(result.error());
            rewritten = std::move(*result);
        }
        parsed->positions = std::move(rewritten.positions);
        parsed->notices = std::move(rewritten.notices);
        parsed->is_several = rewritten.is_several;
        parsed->is_alone = rewritten.is_alone;
        auto statements = impl_->connection.ExtractStatements(rewritten.done.empty() ? rewritten.text : kNothing);
        for (auto& statement : statements) {
            if (rewritten.done.empty()) refuse_statement(*statement);
            if (const auto refused = refuse_returning(*statement)) return *refused;
            if (impl_->postgres_dialect) {
                impl_->speak_postgres(*statement, rewritten.column_names);
                rename_as_view(*impl_->connection.context, *statement);
            }
            if (impl_->numbers && statement->type == duckdb::StatementType::SELECT_STATEMENT)
                parsed->named_relations = named_relations(*statement);
            if (statements.size() == 1 && impl_->connection.IsAutoCommit()) parsed->mentions = mentions_of(*statement);
            parsed->statements.push_back(std::move(statement));
        }
        if (parsed->statements.empty()) return QueryError{"42601", "the statement is empty"};
        parsed->tag = command_word(*parsed->statements.back());
        if (!rewritten.tag.empty()) parsed->tag = rewritten.tag;
        if (!rewritten.done.empty()) parsed->tag = rewritten.done;
        return Parsed(std::move(parsed));
    } catch (const std::exception& exception) {
        QueryError error = impl_->describe(exception, parsed->positions);
        if (error.sqlstate == "42601" && error.hint.empty() && rewritten.is_postgres)
            error.hint = "PostgreSQL's grammar has this; DuckDB's, which the lake speaks, has not.";
        return error;
    }
}

bool Session::is_self_contained(const Parsed& parsed) {
    const auto& statements = parsed.impl_->statements;
    try {
        return !impl_->reading && statements.size() == 1 &&
               engine::is_self_contained(*impl_->connection.context, *statements.front());
    } catch (const std::exception&) {
        return false;  // a failed transaction, for which the statement is not run either
    }
}

Outcome<std::unique_ptr<ResultStream>> Session::run(Parsed parsed) {
    const syntax::PositionMap& positions = parsed.impl_->positions;
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        if (impl_->interrupted) return interruption();
        if (auto alone = impl_->check_alone(parsed.impl_->is_alone, parsed.impl_->tag); !alone) return alone.error();
        auto& statements = parsed.impl_->statements;
        if (parsed.impl_->is_several) return impl_->run_several(std::move(statements), parsed.impl_->tag, positions);
        const auto watching = impl_->begin_watch(parsed.impl_->named_relations, parsed.impl_->mentions);
        for (std::size_t i = 0; i + 1 < statements.size(); ++i) {
            impl_->announce(*statements[i], parsed.impl_->tag);
            const auto result = impl_->connection.Query(std::move(statements[i]));
            if (result->HasError()) return impl_->describe(result->GetErrorObject(), positions);
        }
        StreamBudget::Share ahead = impl_->read_ahead();
        auto pending = impl_->over_kept_tables<duckdb::PendingQueryResult>(parsed.impl_->mentions, [&] {
            impl_->announce(*statements.back(), parsed.impl_->tag);
            return impl_->connection.context->PendingQuery(statements.back()->Copy(), true);
        });
        if (!pending) {
            impl_->announce(*statements.back(), parsed.impl_->tag);
            pending = impl_->connection.context->PendingQuery(std::move(statements.back()), true);
        }
        return impl_->stream_of(std::move(pending), std::move(ahead), std::move(parsed.impl_->tag), positions);
    } catch (const std::exception& exception) {
        return impl_->describe(exception, positions);
    }
}

Outcome<void> Session::begin() {
    impl_->forget_transaction();
    return impl_->run_text("BEGIN TRANSACTION");
}
Outcome<void> Session::commit() {
    auto committed = impl_->run_text("COMMIT");
    if (!committed) impl_->made.clear();
    impl_->watch.own.clear();
    impl_->watch.base_version.reset();
    return committed;
}
Outcome<void> Session::rollback() {
    impl_->forget_transaction();
    return impl_->run_text("ROLLBACK");
}

Outcome<void> Session::set_dialect(bool duckdb) {
    if (auto done = impl_->run_text(duckdb ? kDuckdbDialect : kPostgresDialect); !done) return done;
    impl_->postgres_dialect = !duckdb;
    return {};
}

Outcome<void> Session::set_option(const std::string& name, const std::string& value) {
    const std::string word = value == "on" ? "true" : value == "off" ? "false" : value;
    auto done = impl_->run_text("SET SESSION " + name + " = " + literal(word));
    if (done) return done;
    QueryError error{"22023", "invalid value for parameter \"" + name + "\": \"" + value + "\""};
    error.detail = done.error().message;
    return error;
}

Outcome<void> Session::set_search_path(const std::vector<std::string>& schemas) {
    std::string path;
    for (const std::string& schema : schemas) {
        const auto found = impl_->connection.Query(
            "SELECT 1 FROM duckdb_schemas() WHERE database_name = 'lake' AND schema_name = " + literal(schema));
        if (found->HasError()) return to_query_error(found->GetErrorObject(), impl_->scrubber);
        if (found->RowCount() == 0) continue;
        path += (path.empty() ? "lake." : ",lake.") + duckdb::KeywordHelper::WriteQuoted(schema, '"');
    }
    return impl_->run_text(path.empty() ? "USE lake" : "SET search_path = " + literal(path));
}

Outcome<void> Session::drop_temporary_tables() {
    const auto tables = impl_->connection.Query("SELECT table_name FROM duckdb_tables() WHERE temporary");
    if (tables->HasError()) return to_query_error(tables->GetErrorObject(), impl_->scrubber);
    for (duckdb::idx_t row = 0; row < tables->RowCount(); ++row) {
        const std::string name = tables->GetValue(0, row).ToString();
        if (auto done = impl_->run_text("DROP TABLE temp." + duckdb::KeywordHelper::WriteQuoted(name, '"')); !done)
            return done;
    }
    return {};
}

Outcome<void> Session::set_time_zone(const std::string& name) {
    const std::optional<pgwire::Zone> zone = pgwire::Zone::find(name);
    if (!zone) return QueryError{"22023", "invalid value for parameter \"TimeZone\": \"" + name + "\""};
    if (auto set_in_duckdb = impl_->run_text("SET SESSION TimeZone = " + literal(name)); !set_in_duckdb)
        return set_in_duckdb.error();
    impl_->zone = *zone;
    return {};
}

void Session::set_read_only(bool read_only) {
    impl_->watch.read_only = read_only;
}

bool Session::has_temporary_relations() const {
    return impl_->watch.made_temporary;
}

std::uint64_t Session::writes() const {
    return impl_->writes;
}

bool Session::transaction_usable() const {
    duckdb::TransactionContext& transaction = impl_->connection.context->transaction;
    return transaction.HasActiveTransaction() && !duckdb::ValidChecker::IsInvalidated(transaction.ActiveTransaction());
}

const access::Needs& Session::needs() const {
    return impl_->watch.needs;
}

std::vector<access::Made> Session::take_made() {
    return std::exchange(impl_->made, {});
}

Outcome<std::string> Session::committed_snapshot() {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        const auto result = impl_->connection.Query("SELECT id FROM ducklake_last_committed_snapshot('lake')");
        if (result->HasError()) return to_query_error(result->GetErrorObject(), impl_->scrubber);
        if (result->RowCount() == 0 || result->GetValue(0, 0).IsNull())
            return QueryError{"55000", "this session has committed nothing to the lake"};
        return result->GetValue(0, 0).ToString();
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

Outcome<std::string> Session::snapshot() {
    try {
        if (auto settled = impl_->settle(); !settled) return settled.error();
        const auto result = impl_->connection.Query("SELECT id FROM ducklake_current_snapshot('lake')");
        if (result->HasError()) return to_query_error(result->GetErrorObject(), impl_->scrubber);
        return result->GetValue(0, 0).ToString();
    } catch (const std::exception& exception) {
        return impl_->describe(exception);
    }
}

void Session::interrupt() {
    impl_->interrupted = true;
    impl_->connection.Interrupt();
}

void Session::clear_interrupt() {
    impl_->interrupted = false;
}

}  // namespace boathouse::engine
