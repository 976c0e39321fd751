// COPY over the client's own stream (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-COPY): rows out as
// CopyData of a result that streams as any other, rows in as CopyData until CopyDone or CopyFail. The same in both
// protocols: start_copy() begins it for a Query's statement or an Execute, copy_done() goes on with what began it.
#include "gateway/session.hpp"
#include "pgwire/encoding.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

// The stream of COPY TO; none for COPY FROM, whose rows come as messages.
Outcome<std::unique_ptr<engine::ResultStream>> Session::start_copy(const CopyStatement& statement, Buffer& out) {
    if (auto armed = arm_engine(); !armed) return armed.error();
    if (statement.from) {
        if (read_only()) return QueryError{"25006", "cannot execute COPY FROM in a read-only transaction"};
        auto target = engine_->copy_in(statement.target, statement.options);
        if (!target) return target.error();
        copy_in_ = std::move(*target);
        const std::int16_t format = copy_in_->format().is_lines() ? 0 : 1;
        pgwire::put_copy_response(out, 'G', format, copy_in_->columns());
        return std::unique_ptr<engine::ResultStream>();
    }
    const auto moved = [&](QueryError error) {
        if (error.position > 0) error.position = statement.is_table ? 0 : error.position + statement.query.offset;
        return error;
    };
    auto parsed = engine_->parse(statement.query.text);
    if (!parsed) return moved(parsed.error());
    if (statement.options.format.kind == pgwire::CopyKind::parquet) {
        auto file = engine_->run_to_parquet(std::move(*parsed));
        if (!file) return moved(file.error());
        pgwire::put_copy_response(out, 'H', 1, 0);
        return std::move(*file);
    }
    auto stream = engine_->run(std::move(*parsed));
    if (!stream) return moved(stream.error());
    if (auto set = (*stream)->set_copy(statement.options); !set) return set.error();
    put_copy_header(statement.options.format, (*stream)->columns(), out);
    return std::move(*stream);
}

void Session::put_copy_header(const pgwire::CopyFormat& format, const std::vector<pgwire::ColumnDescription>& columns,
                              Buffer& out) {
    pgwire::put_copy_response(out, 'H', format.is_lines() ? 0 : 1, columns.size());
    if (format.header == pgwire::CopyHeader::none) return;
    Buffer names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) names.put_byte(format.delimiter);
        pgwire::put_copy_value(names, columns[i].name, format, {columns.size() == 1, false});
    }
    names.put_byte('\n');
    const pgwire::Message line(out, 'd');
    if (format.encoding.empty()) return out.put(names.view());
    pgwire::Recoder recoder("", format.encoding);
    const auto recoded = recoder.convert(names.view());
    out.put(recoded ? *recoded : names.view());
}

void Session::copy_message(const Frame& frame, Buffer& out) {
    switch (frame.type) {
        case 'd': {
            if (const auto fed = copy_in_->feed(frame.body); !fed) fail_copy(fed.error(), out);
            return;
        }
        case 'c':
            return end_copy(out);
        case 'f': {
            pgwire::Reader reader(frame.body);
            return fail_copy({"57014", "COPY from stdin failed: " + std::string(reader.cstring())}, out);
        }
        case 'H':
        case 'S':
            return;  // to be ignored here, says the protocol
        case 'X':
            closed_ = true;
            return;
        default:
            return protocol_error("unexpected message type during COPY from stdin", out);
    }
}

void Session::end_copy(Buffer& out) {
    // Alone in its script, a COPY of few rows is written together with what others insert. It stays until that is done:
    // for a table that has changed meanwhile it writes its rows itself.
    const bool is_alone = script_ && script_->parts.size() == 1;
    if (is_alone && may_gather(true)) {
        if (gather(copy_in_->few_rows(), Resumption::copy, true, out) == Gathered::joined) return;
    }
    finish_copy(out);
}

void Session::resume_gathered_copy(const Outcome<void>& fate, bool again, Buffer& out) {
    if (again) return finish_copy(out);
    if (!fate) return fail_copy(fate.error(), out);
    complete_copy(rows_joined_, out);
}

void Session::finish_copy(Buffer& out) {
    const auto count = copy_in_->finish();
    if (!count) return fail_copy(count.error(), out);
    complete_copy(*count, out);
}

void Session::complete_copy(std::uint64_t rows, Buffer& out) {
    copy_in_.reset();
    pgwire::put_command_complete(out, "COPY " + std::to_string(rows));
    if (!script_) return;  // an Execute: Sync follows
    ++script_->next;
    resume_script(out);
}

// Nothing of it is kept. What the client still sends is ignored: up to the next statement, or to Sync.
void Session::fail_copy(const QueryError& error, Buffer& out) {
    const QueryError kept = error;  // NOLINT(performance-unnecessary-copy-initialization): it may be the copy's own
    copy_in_.reset();
    if (!script_) return fail_extended(kept, out);
    put_error(kept, out);
    fail_transaction(out);
    end_script(out);
}

}  // namespace boathouse::gateway
