// Parse, Bind, Describe, Execute, Close, Sync: the extended query protocol
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
//
// Statements between two Syncs share a transaction, as PostgreSQL's do. A statement that is followed by Sync at once
// commits by itself, which means the same and lets its result stream.
#include "gateway/script.hpp"
#include "gateway/session.hpp"
#include "pgwire/types.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

namespace {

QueryError failed_block() {
    return {"25P02", "current transaction is aborted, commands ignored until end of transaction block"};
}

QueryError no_portal(std::string_view name) {
    return {"34000", "portal \"" + std::string(name) + "\" does not exist"};
}

}  // namespace

void Session::fail_extended(const QueryError& error, Buffer& out, std::string_view text) {
    put_error(error, out, text);
    fail_transaction(out);
    skipping_to_sync_ = true;
}

void Session::parse(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_parse(frame);
    if (!message) return protocol_error(message.error().message, out);
    if (refusal_) return fail_extended(*std::exchange(refusal_, std::nullopt), out);
    const std::string name(message->statement);
    if (const auto free = statements_.check_new(name); !free) return fail_extended(free.error(), out);
    auto prepared = prepare(message->query, message->parameter_types);
    if (!prepared) return fail_extended(prepared.error(), out, message->query);
    statements_.add(name, std::move(*prepared));
    pgwire::put_empty(out, '1');
}

Outcome<std::shared_ptr<PreparedStatement>> Session::prepare(std::string_view text,
                                                             const std::vector<std::uint32_t>& types) {
    auto prepared = std::make_shared<PreparedStatement>();
    const std::vector<ScriptPart> parts = split_script(text);
    if (parts.size() > 1) return QueryError{"42601", "cannot insert multiple commands into a prepared statement"};
    prepared->empty = parts.empty();
    if (parts.empty()) return prepared;

    prepared->statement = classify(parts[0].text);
    if (refused_in_failed_block(prepared->statement)) return failed_block();
    // A cursor's query is planned as if it stood alone: its parameters are the statement's.
    const auto* cursor = std::get_if<DeclareStatement>(&prepared->statement);
    if (!cursor && !std::holds_alternative<EngineStatement>(prepared->statement)) return prepared;

    const std::size_t offset = cursor ? cursor->query.offset + parts[0].offset : 0;
    const auto moved = [offset](QueryError error) {
        if (error.position > 0) error.position += offset;
        return error;
    };
    const std::string_view query = cursor ? std::string_view(cursor->query.text) : parts[0].text;
    const auto postgres = relayed_statement(query);
    if (!postgres) return moved(postgres.error());
    if (*postgres) {
        auto relayed = relay().prepare(query, types, mirror_settings());
        if (!relayed) return moved(relayed.error());
        prepared->relayed = std::move(*relayed);
        prepared->relayed->changes_roles = (*postgres)->changes_roles;
        prepared->parameter_types = prepared->relayed->parameter_types;
        if (!cursor) prepared->columns = prepared->relayed->columns;
        return prepared;
    }
    prepared->said_types = types;
    if (cursor) {
        if (auto planned = plan(*prepared, cursor->query.text); !planned) return moved(planned.error());
        prepared->parameter_types = prepared->plan->parameter_types();
        return prepared;
    }
    prepared->text = text;
    if (auto described = describe_statement(*prepared); !described) return described.error();
    return prepared;
}

// Its parameters and columns: as another client was told, or by its plan.
Outcome<void> Session::describe_statement(PreparedStatement& prepared) {
    const auto key = description_key(prepared.text, prepared.said_types);
    const auto look = key ? services_.answers->descriptions.look(*key) : cache::Descriptions::Look();
    constexpr long long kUnknown = -1;
    const auto lake_schema = [this] {
        const auto newest = services_.answers->newest.ask();
        return newest ? newest->schema : kUnknown;
    };
    const long long schema = look.is_repeated ? lake_schema() : kUnknown;
    if (look.description && schema == look.description->schema) {
        prepared.parameter_types = look.description->parameter_types;
        prepared.columns = look.description->columns;
        return {};
    }
    if (auto planned = plan(prepared, prepared.text); !planned) return planned;
    prepared.parameter_types = prepared.plan->parameter_types();
    prepared.columns = prepared.plan->columns();
    const bool is_lasting = prepared.plan->repeats() != engine::Repeats::never && prepared.plan->notices().empty();
    if (schema != kUnknown && is_lasting && lake_schema() == schema)
        services_.answers->descriptions.keep(*key, {prepared.parameter_types, prepared.columns, schema});
    return {};
}

Outcome<void> Session::plan(PreparedStatement& prepared, std::string_view text) {
    if (auto armed = arm_engine(); !armed) return armed;
    auto parsed = engine_->parse(text);
    if (!parsed) return parsed.error();
    auto plan = engine_->prepare(std::move(*parsed), prepared.said_types);
    if (!plan) return plan.error();
    prepared.plan = std::move(*plan);
    return {};
}

void Session::bind(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_bind(frame);
    if (!message) return protocol_error(message.error().message, out);
    if (refusal_) return fail_extended(*std::exchange(refusal_, std::nullopt), out);
    const auto found = statements_.find(std::string(message->statement));
    if (!found) return fail_extended(found.error(), out);
    const std::shared_ptr<PreparedStatement>& statement = *found;
    if (refused_in_failed_block(statement->statement)) return fail_extended(failed_block(), out);
    const std::string name(message->portal);
    if (const auto free = portals_.check_new(name); !free) return fail_extended(free.error(), out);
    const std::size_t wanted = statement->parameter_types.size();
    if (message->parameters.size() != wanted) {
        return fail_extended({"08P01", "bind message supplies " + std::to_string(message->parameters.size()) +
                                           " parameters, but prepared statement \"" + std::string(message->statement) +
                                           "\" requires " + std::to_string(wanted)},
                             out);
    }
    Portal portal;
    portal.statement = statement;
    portal.parameter_formats = message->parameter_formats;
    portal.result_formats = message->result_formats;
    for (const auto& parameter : message->parameters) {
        portal.parameters.push_back(parameter ? std::optional<std::string>(*parameter) : std::nullopt);
    }
    portals_.add(name, std::move(portal));
    pgwire::put_empty(out, '2');
}

// The columns of the answer, which for FETCH and EXECUTE are those of what they name.
Outcome<std::vector<pgwire::ColumnDescription>> Session::columns_of(const PreparedStatement& statement) {
    if (const auto* show = std::get_if<ShowStatement>(&statement.statement)) return show_columns(*show);
    if (const auto* fetch = std::get_if<FetchStatement>(&statement.statement); fetch && !fetch->move) {
        const Portal* cursor = portals_.find(fetch->name);
        if (cursor && cursor->rows) return cursor->rows->stream->columns();
        return std::vector<pgwire::ColumnDescription>();
    }
    if (const auto* execute = std::get_if<ExecuteStatement>(&statement.statement)) {
        const auto named = statements_.find(execute->name);
        if (!named) return named.error();
        return (*named)->columns;
    }
    return statement.columns;
}

void Session::describe(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_target(frame);
    if (!message) return protocol_error(message.error().message, out);
    const std::string name(message->name);
    if (message->kind == 'S') {
        const auto statement = statements_.find(name);
        if (!statement) return fail_extended(statement.error(), out);
        const auto columns = columns_of(**statement);
        if (!columns) return fail_extended(columns.error(), out);
        pgwire::put_parameter_description(out, (*statement)->parameter_types);
        if (columns->empty()) return pgwire::put_empty(out, 'n');
        return pgwire::put_row_description(out, *columns, {});
    }
    const Portal* portal = portals_.find(name);
    if (!portal) return fail_extended(no_portal(name), out);
    const auto columns = portal->rows ? portal->rows->stream->columns() : columns_of(*portal->statement);
    if (!columns) return fail_extended(columns.error(), out);
    if (columns->empty()) return pgwire::put_empty(out, 'n');
    pgwire::put_row_description(out, *columns, portal->result_formats);
}

void Session::execute(const Frame& frame, bool sync_follows, Buffer& out) {
    const auto message = pgwire::decode_execute(frame);
    if (!message) return protocol_error(message.error().message, out);
    if (refusal_) return fail_extended(*std::exchange(refusal_, std::nullopt), out);
    const std::string name(message->portal);
    Portal* portal = portals_.find(name);
    if (!portal) return fail_extended(no_portal(name), out);
    if (portal->statement) {
        if (refused_in_failed_block(portal->statement->statement)) return fail_extended(failed_block(), out);
        if (portal->statement->empty) return pgwire::put_empty(out, 'I');
    }
    if (portal->started && !(portal->answer && portal->answer->may_go_on()))
        return fail_extended({"55000", "portal \"" + name + "\" cannot be run"}, out);
    run_portal(name, sync_follows, message->rows_max <= 0 ? UINT64_MAX : static_cast<std::uint64_t>(message->rows_max),
               out);
}

void Session::run_portal(const std::string& name, bool sync_follows, std::uint64_t rows_max, Buffer& out) {
    Portal* portal = portals_.find(name);
    if (!portal->started) {
        portal->started = true;
        if (portal->statement && portal->statement->plan) put_notices(portal->statement->plan->notices(), out);
        if (auto started = start_portal(name, *portal, sync_follows, out); !started)
            return fail_extended(started.error(), out);
        // A statement that is complete may have ended the transaction, and the portal with it.
        portal = portals_.find(name);
        if (copy_in_ || member_ || deferred_) return;  // its rows come as messages, are on their way, or will be
        if (!portal || !portal->answer) return restart_clock();
    }
    executing_ = Executing{name, portal->answer->is_copy ? UINT64_MAX : rows_max};
    resume_execute(out);
}

// Runs what the portal holds up to its first rows.
Outcome<void> Session::start_portal(const std::string& name, Portal& portal, bool sync_follows, Buffer& out) {
    const Form form{false, portal.result_formats, &portal};
    if (portal.rows) {  // a cursor, executed by the protocol
        portal.answer = answer_with(portal.rows, form, out);
        return {};
    }
    const std::shared_ptr<PreparedStatement> statement = portal.statement;
    const bool is_engines = std::holds_alternative<EngineStatement>(statement->statement);
    const auto* copy = std::get_if<CopyStatement>(&statement->statement);
    const bool runs_one =
        (is_engines && !statement->relayed) || copy || std::holds_alternative<ExecuteStatement>(statement->statement);
    if (is_engines && statement->plan && !found_ && may_gather(sync_follows)) {
        if (auto armed = arm_engine(); !armed) return armed;
        auto rows = may_block_ ? engine_->evaluate(*statement->plan, values_of(portal), judged(sync_follows))
                               : engine_->evaluate_at_once(*statement->plan, values_of(portal));
        portal_joined_ = name;
        if (gather(std::move(rows), Resumption::execute, sync_follows, out) != Gathered::no) return {};
        deferred_ = !may_block_;
        if (deferred_) return {};
    }
    if (runs_one && ((transaction_ == Transaction::none && !sync_follows) || !gathered_.empty())) {
        if (auto begun = begin_implicit(); !begun) return begun;
    }
    if (copy) return start_copy_portal(portal, *copy, out);
    if (is_engines) {
        auto rows = run_plan(*statement, portal);
        if (!rows) return rows.error();
        portal.answer = answer_with(std::move(*rows), form, out);
        return {};
    }
    auto rest = run_session_statement(statement->statement, form, out);
    if (!rest) return rest.error();
    // A statement that drops portals has no rows to answer with.
    if (*rest) portal.answer = std::move(**rest);
    return {};
}

std::vector<engine::ParameterValue> Session::values_of(const Portal& portal) {
    std::vector<engine::ParameterValue> values;
    for (std::size_t i = 0; i < portal.parameters.size(); ++i) {
        engine::ParameterValue value;
        value.format = pgwire::format_of(portal.parameter_formats, i);
        if (portal.parameters[i]) value.bytes = *portal.parameters[i];
        values.push_back(value);
    }
    return values;
}

Outcome<std::shared_ptr<Rows>> Session::run_plan(PreparedStatement& statement, const Portal& portal) {
    if (statement.relayed)
        return run_relayed(*statement.relayed, {portal.parameter_formats, portal.parameters, portal.result_formats});
    Kept kept = look_for_kept(answer_key(statement.text, &portal, statement.said_types));
    if (kept.rows) {
        if (auto same = engine::check_shape(statement.columns, kept.rows->columns()); !same) return same.error();
        return std::make_shared<Rows>(Rows{std::move(kept.rows)});
    }
    if (!statement.plan) {
        if (auto planned = plan(statement, statement.text); !planned) return planned.error();
        if (auto same = engine::check_shape(statement.columns, statement.plan->columns()); !same) return same.error();
    }
    if (auto armed = arm_engine(); !armed) return armed.error();
    auto stream = engine_->run(*statement.plan, values_of(portal));
    if (!stream) return stream.error();
    auto rows = keep(std::move(*stream), !statement.plan->notices().empty(), kept);
    return std::make_shared<Rows>(Rows{std::move(rows)});
}

Outcome<void> Session::start_copy_portal(Portal& portal, const CopyStatement& copy, Buffer& out) {
    auto stream = start_copy(copy, out);
    if (!stream) return stream.error();
    if (*stream) portal.answer = copy_answer(std::move(*stream));
    return {};
}

void Session::resume_execute(Buffer& out) {
    Portal* portal = portals_.find(executing_->portal);
    const auto progress = send_rows(*portal->answer, executing_->rows_left, out);
    if (!progress) {
        executing_.reset();
        return fail_extended(progress.error(), out);
    }
    if (*progress == Progress::more) return;
    if (*progress == Progress::suspended) pgwire::put_empty(out, 's');
    executing_.reset();
    restart_clock();
}

void Session::close(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_target(frame);
    if (!message) return protocol_error(message.error().message, out);
    // Closing what is not there is no error.
    if (message->kind == 'S') {
        statements_.erase(std::string(message->name));
    } else {
        portals_.erase(std::string(message->name));
    }
    pgwire::put_empty(out, '3');
}

void Session::sync(Buffer& out) {
    skipping_to_sync_ = false;
    refusal_.reset();
    if (!gathered_.empty() && join(Resumption::sync)) return;
    if (auto ended = end_implicit(out); !ended) put_error(ended.error(), out);
    put_ready(out);
}

}  // namespace boathouse::gateway
