// DECLARE, FETCH, MOVE and CLOSE: cursors over a result that streams, so forward only. WITH HOLD, and any other
// statement while a cursor is open, takes the rest of its rows into memory that spills (ResultStream::settle).
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;

namespace {

QueryError no_cursor(const std::string& name) {
    return {"34000", "cursor \"" + name + "\" does not exist"};
}

QueryError forward_only() {
    QueryError error{"55000", "cursor can only scan forward"};
    error.hint = "Rows are not kept once they are fetched: fetch them again with a new cursor.";
    return error;
}

// Rows to pass over and rows to give, seen from where the cursor stands. Errors: 55000 it would have to go back.
struct Steps {
    std::uint64_t skipped = 0;
    std::uint64_t given = 0;
};

Outcome<Steps> steps_of(const FetchStatement& statement, std::uint64_t taken) {
    const bool is_forward = statement.count > 0;
    const auto count = static_cast<std::uint64_t>(statement.count);
    switch (statement.direction) {
        case FetchDirection::forward:
            if (statement.count == kFetchAll) return Steps{0, UINT64_MAX};
            if (is_forward) return Steps{0, count};
            break;
        case FetchDirection::relative:
            if (is_forward) return Steps{count - 1, 1};
            break;
        case FetchDirection::absolute:
            if (is_forward && count > taken) return Steps{count - taken - 1, 1};
            break;
        case FetchDirection::backward:
            break;
    }
    return forward_only();
}

}  // namespace

Outcome<void> Session::declare(const DeclareStatement& statement, const Form& form) {
    if (!statement.hold && transaction_ == Transaction::none)
        return QueryError{"25P01", "DECLARE CURSOR can only be used in transaction blocks"};
    if (statement.scroll) {
        QueryError error{"0A000", "cursors that scroll backwards are not supported"};
        error.hint = "Leave out SCROLL; rows are given in their order, once.";
        return error;
    }
    if (auto free = portals_.check_new(statement.name); !free) return free;
    if (statement.name.empty()) return QueryError{"34000", "invalid cursor name: must not be empty"};
    if (auto armed = arm_engine(); !armed) return armed;

    Portal cursor;
    cursor.hold = statement.hold;
    if (statement.binary) cursor.result_formats = {1};
    if (form.portal) {
        auto rows = run_plan(*form.portal->statement, *form.portal);
        if (!rows) return rows.error();
        cursor.rows = std::move(*rows);
    } else {
        const auto moved = [&](QueryError error) {
            if (error.position > 0) error.position += statement.query.offset;
            return error;
        };
        const auto postgres = relayed_statement(statement.query.text);
        if (!postgres) return moved(postgres.error());
        if (*postgres) {
            if ((*postgres)->changes_roles) return QueryError{"42601", "a cursor's query must return rows"};
            auto rows = run_relayed(**postgres, {});
            if (!rows) return moved(rows.error());
            cursor.rows = std::move(*rows);
        } else {
            auto parsed = engine_->parse(statement.query.text);
            if (!parsed) return moved(parsed.error());
            auto stream = engine_->run(std::move(*parsed));
            if (!stream) return moved(stream.error());
            cursor.rows = std::make_shared<Rows>(Rows{std::move(*stream)});
        }
    }
    if (cursor.rows->stream->columns().empty()) return QueryError{"42601", "a cursor's query must return rows"};
    const bool ends_with_statement = transaction_ == Transaction::none;
    Portal& kept = portals_.add(statement.name, std::move(cursor));
    if (!ends_with_statement) return {};
    // WITH HOLD outside a block: the statement is its own transaction, and it ends here.
    if (auto settled = kept.rows->stream->settle(); !settled) return settled;
    kept.held = true;
    return {};
}

Outcome<std::uint64_t> Session::skip_rows(Rows& rows, std::uint64_t count) {
    std::uint64_t skipped = 0;
    Buffer unseen;
    while (skipped < count) {
        unseen.clear();
        const auto progress = rows.stream->encode(unseen, {count - skipped, kOutputBytes});
        if (!progress) return progress.error();
        skipped += progress->rows;
        rows.taken += progress->rows;
        if (progress->finished) break;
    }
    return skipped;
}

// FETCH and MOVE take the portals of Bind too: Execute and they go on where the other has stopped.
Outcome<std::shared_ptr<Rows>> Session::rows_of(Portal& portal, const std::string& name) {
    if (portal.rows) return portal.rows;
    const bool is_query = portal.statement && std::holds_alternative<EngineStatement>(portal.statement->statement) &&
                          !portal.statement->columns.empty();
    if (!is_query) return no_cursor(name);
    if (!portal.started) {
        auto rows = run_plan(*portal.statement, portal);
        if (!rows) return rows.error();
        portal.started = true;
        portal.answer = Answer{std::move(*rows), portal.result_formats};
    }
    if (!portal.answer || !portal.answer->rows) return no_cursor(name);
    return portal.answer->rows;
}

Outcome<Session::Rest> Session::fetch(const FetchStatement& statement, const Form& form, Buffer& out) {
    Portal* cursor = portals_.find(statement.name);
    if (!cursor) return no_cursor(statement.name);
    const auto found = rows_of(*cursor, statement.name);
    if (!found) return found.error();
    const std::shared_ptr<Rows>& rows = *found;
    const auto steps = steps_of(statement, rows->taken);
    if (!steps) return steps.error();
    Form fetched = form;
    if (!cursor->result_formats.empty()) fetched.formats = cursor->result_formats;
    if (const auto skipped = skip_rows(*rows, steps->skipped); !skipped) return skipped.error();
    if (statement.move) {
        const auto moved = skip_rows(*rows, steps->given);
        if (!moved) return moved.error();
        pgwire::put_command_complete(out, "MOVE " + std::to_string(*moved));
        return Rest();
    }
    Answer answer = answer_with(rows, fetched, out);
    answer.left = steps->given;
    answer.tag = "FETCH";
    return Rest(std::move(answer));
}

Outcome<void> Session::close_cursor(const CloseStatement& statement) {
    if (statement.name.empty()) {
        portals_.clear();
        return {};
    }
    const Portal* cursor = portals_.find(statement.name);
    if (!cursor) return no_cursor(statement.name);
    portals_.erase(statement.name);
    return {};
}

}  // namespace boathouse::gateway
