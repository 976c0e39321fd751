// COPY over the client's own stream (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-COPY): rows out as
// CopyData of a result that streams as any other, rows in as CopyData until CopyDone or CopyFail.
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

Outcome<bool> Session::start_copy(Script& script, const CopyStatement& statement, Buffer& out) {
    if (auto opened = open_engine(); !opened) return opened.error();
    if (script.parts.size() > 1) {
        if (auto begun = begin_implicit(); !begun) return begun.error();
    }
    if (!statement.from) {
        auto parsed = engine_->parse(statement.query);
        if (!parsed) return parsed.error();
        auto stream = engine_->run(std::move(*parsed));
        if (!stream) return stream.error();
        script.stream = std::move(*stream);
        script.stream->set_copy(statement.format);
        put_copy_header(statement.format, script.stream->columns(), out);
        return false;
    }
    auto target = engine_->copy_in(statement.target);
    if (!target) return target.error();
    copy_in_ = std::move(*target);
    copy_reader_.emplace(statement.format, [this](const pgwire::CopyReader::Row& row) -> Status {
        auto added = copy_in_->add(row);
        if (added) return {};
        copy_error_ = added.error();
        return Error{ErrorKind::corrupt, added.error().message};
    });
    pgwire::put_copy_response(out, 'G', 0, copy_in_->columns());
    return false;
}

void Session::put_copy_header(const pgwire::CopyFormat& format, const std::vector<pgwire::ColumnDescription>& columns,
                              Buffer& out) {
    pgwire::put_copy_response(out, 'H', 0, columns.size());
    if (!format.header) return;
    const pgwire::Message line(out, 'd');
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out.put_byte(format.delimiter);
        pgwire::put_copy_value(out, columns[i].name, format, columns.size() == 1);
    }
    out.put_byte('\n');
}

void Session::copy_message(const Frame& frame, Buffer& out) {
    switch (frame.type) {
        case 'd': {
            if (const auto fed = copy_reader_->feed(frame.body); !fed) fail_copy(copy_failure(fed.error()), out);
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

QueryError Session::copy_failure(const Error& error) {
    if (!copy_error_) return {"22P04", error.message};
    QueryError failure = *copy_error_;
    failure.detail = "Line " + std::to_string(copy_reader_->line()) + " of the COPY.";
    return failure;
}

void Session::end_copy(Buffer& out) {
    if (const auto finished = copy_reader_->finish(); !finished) return fail_copy(copy_failure(finished.error()), out);
    const auto count = copy_in_->finish();
    if (!count) return fail_copy(count.error(), out);
    drop_copy();
    pgwire::put_command_complete(out, "COPY " + std::to_string(*count));
    ++script_->next;
    resume_script(out);
}

// Nothing of it is kept. What the client still sends is ignored up to the next statement.
void Session::fail_copy(const QueryError& error, Buffer& out) {
    const QueryError kept = error;
    drop_copy();
    put_error(kept, out);
    fail_transaction(out);
    end_script(out);
}

void Session::drop_copy() {
    copy_reader_.reset();
    copy_in_.reset();
    copy_error_.reset();
}

}  // namespace boathouse::gateway
