// Parse, Bind, Describe, Execute, Close, Sync: the extended query protocol
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
//
// Statements between two Syncs share a transaction, as PostgreSQL's do. A statement that is followed by Sync at once
// commits by itself, which means the same and lets its result stream.
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

QueryError no_statement(std::string_view name) {
    return {"26000", name.empty() ? std::string("unnamed prepared statement does not exist")
                                  : "prepared statement \"" + std::string(name) + "\" does not exist"};
}

QueryError no_portal(std::string_view name) {
    return {"34000", "portal \"" + std::string(name) + "\" does not exist"};
}

}  // namespace

void Session::fail_extended(const QueryError& error, Buffer& out) {
    put_error(error, out);
    fail_transaction(out);
    skipping_to_sync_ = true;
}

void Session::parse(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_parse(frame);
    if (!message) return protocol_error(message.error().message, out);
    const std::string name(message->statement);
    if (!name.empty() && statements_.contains(name)) {
        return fail_extended({"42P05", "prepared statement \"" + name + "\" already exists"}, out);
    }
    if (statements_.size() >= kPreparedStatementsMax) {
        return fail_extended({"53400", "this session holds " + std::to_string(kPreparedStatementsMax) +
                                           " prepared statements: DEALLOCATE some"},
                             out);
    }
    auto prepared = prepare_statement(*message);
    if (!prepared) {
        put_error(prepared.error(), out, message->query, 0);
        fail_transaction(out);
        skipping_to_sync_ = true;
        return;
    }
    statements_[name] = std::move(*prepared);
    pgwire::put_empty(out, '1');
}

Outcome<std::unique_ptr<Session::PreparedStatement>> Session::prepare_statement(const pgwire::Parse& message) {
    auto prepared = std::make_unique<PreparedStatement>();
    const std::vector<ScriptPart> parts = split_script(message.query);
    if (parts.size() > 1) return QueryError{"42601", "cannot insert multiple commands into a prepared statement"};
    prepared->empty = parts.empty();
    if (parts.empty()) return prepared;

    prepared->statement = classify(parts[0].text);
    if (refused_in_failed_block(prepared->statement)) return failed_block();
    if (const auto* show = std::get_if<ShowStatement>(&prepared->statement)) prepared->columns = show_columns(*show);
    if (!std::holds_alternative<EngineStatement>(prepared->statement)) return prepared;

    if (auto opened = open_engine(); !opened) return opened.error();
    auto parsed = engine_->parse(message.query);
    if (!parsed) return parsed.error();
    auto plan = engine_->prepare(std::move(*parsed), message.parameter_types);
    if (!plan) return plan.error();
    prepared->plan = std::move(*plan);
    prepared->parameter_types = prepared->plan->parameter_types();
    prepared->columns = prepared->plan->columns();
    return prepared;
}

void Session::bind(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_bind(frame);
    if (!message) return protocol_error(message.error().message, out);
    const auto statement = statements_.find(std::string(message->statement));
    if (statement == statements_.end()) return fail_extended(no_statement(message->statement), out);
    if (refused_in_failed_block(statement->second->statement)) return fail_extended(failed_block(), out);
    const std::string name(message->portal);
    if (!name.empty() && portals_.contains(name)) {
        return fail_extended({"42P03", "cursor \"" + name + "\" already exists"}, out);
    }
    if (portals_.size() >= kPortalsMax) {
        return fail_extended({"53400", "this session holds " + std::to_string(kPortalsMax) + " portals: close some"},
                             out);
    }
    const std::size_t wanted = statement->second->parameter_types.size();
    if (message->parameters.size() != wanted) {
        return fail_extended({"08P01", "bind message supplies " + std::to_string(message->parameters.size()) +
                                           " parameters, but prepared statement \"" + std::string(message->statement) +
                                           "\" requires " + std::to_string(wanted)},
                             out);
    }
    Portal portal;
    portal.statement = statement->second;
    portal.parameter_formats = message->parameter_formats;
    portal.result_formats = message->result_formats;
    for (const auto& parameter : message->parameters) {
        portal.parameters.push_back(parameter ? std::optional<std::string>(*parameter) : std::nullopt);
    }
    portals_.insert_or_assign(name, std::move(portal));
    pgwire::put_empty(out, '2');
}

void Session::describe(const Frame& frame, Buffer& out) {
    const auto message = pgwire::decode_target(frame);
    if (!message) return protocol_error(message.error().message, out);
    const std::string name(message->name);
    const PreparedStatement* statement = nullptr;
    std::vector<std::int16_t> formats;
    if (message->kind == 'S') {
        const auto entry = statements_.find(name);
        if (entry == statements_.end()) return fail_extended(no_statement(name), out);
        statement = entry->second.get();
        pgwire::put_parameter_description(out, statement->parameter_types);
    } else {
        const auto entry = portals_.find(name);
        if (entry == portals_.end()) return fail_extended(no_portal(name), out);
        statement = entry->second.statement.get();
        formats = entry->second.result_formats;
    }
    if (statement->columns.empty()) return pgwire::put_empty(out, 'n');
    pgwire::put_row_description(out, statement->columns, formats);
}

void Session::execute(const Frame& frame, bool sync_follows, Buffer& out) {
    const auto message = pgwire::decode_execute(frame);
    if (!message) return protocol_error(message.error().message, out);
    const auto entry = portals_.find(std::string(message->portal));
    if (entry == portals_.end()) return fail_extended(no_portal(message->portal), out);
    Portal& portal = entry->second;
    const PreparedStatement& statement = *portal.statement;
    if (refused_in_failed_block(statement.statement)) return fail_extended(failed_block(), out);
    if (statement.empty) return pgwire::put_empty(out, 'I');
    const auto* copy = std::get_if<CopyStatement>(&statement.statement);
    if (!copy && !std::holds_alternative<EngineStatement>(statement.statement)) {
        // The statement may end the transaction, and the portal with it.
        const std::shared_ptr<PreparedStatement> kept = portal.statement;
        if (auto done = run_session_statement(kept->statement, false, out); !done) fail_extended(done.error(), out);
        return;
    }
    if (!portal.stream) {
        if (portal.done) return fail_extended({"55000", "portal \"" + entry->first + "\" cannot be run"}, out);
        auto started = copy ? start_copy_portal(portal, *copy, sync_follows, out) : start_portal(portal, sync_follows);
        if (!started) return fail_extended(started.error(), out);
        if (copy_in_) return;  // its rows come as messages
    }
    const bool all = message->rows_max <= 0 || copy;
    executing_ = Executing{entry->first, all ? UINT64_MAX : static_cast<std::uint64_t>(message->rows_max)};
    resume_execute(out);
}

Outcome<void> Session::start_portal(Portal& portal, bool sync_follows) {
    if (transaction_ == Transaction::none && !sync_follows) {
        if (auto begun = begin_implicit(); !begun) return begun;
    }
    std::vector<engine::ParameterValue> values;
    for (std::size_t i = 0; i < portal.parameters.size(); ++i) {
        engine::ParameterValue value;
        value.format = pgwire::format_of(portal.parameter_formats, i);
        if (portal.parameters[i]) value.bytes = *portal.parameters[i];
        values.push_back(value);
    }
    auto stream = engine_->run(*portal.statement->plan, values);
    if (!stream) return stream.error();
    portal.stream = std::move(*stream);
    portal.stream->set_formats(portal.result_formats);
    portal.done = true;
    return {};
}

Outcome<void> Session::start_copy_portal(Portal& portal, const CopyStatement& copy, bool sync_follows, Buffer& out) {
    if (transaction_ == Transaction::none && !sync_follows) {
        if (auto begun = begin_implicit(); !begun) return begun;
    }
    auto stream = start_copy(copy, out);
    if (!stream) return stream.error();
    portal.stream = std::move(*stream);
    portal.done = true;
    return {};
}

void Session::resume_execute(Buffer& out) {
    Portal& portal = portals_.at(executing_->portal);
    const auto progress = portal.stream->encode(out, {executing_->rows_left, kOutputBytes});
    if (!progress) {
        executing_.reset();
        return fail_extended(progress.error(), out);
    }
    if (executing_->rows_left != UINT64_MAX) executing_->rows_left -= progress->rows;
    if (progress->finished) {
        if (std::holds_alternative<CopyStatement>(portal.statement->statement)) pgwire::put_empty(out, 'c');
        pgwire::put_command_complete(out, portal.stream->command_tag());
        executing_.reset();
    } else if (executing_->rows_left == 0) {
        pgwire::put_empty(out, 's');
        executing_.reset();
    }
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
    if (auto ended = end_implicit(out); !ended) put_error(ended.error(), out);
    pgwire::put_ready(out, transaction_status());
}

}  // namespace boathouse::gateway
