// The message Query: one or more statements, one answer each, then ReadyForQuery
// (https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.4).
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

void Session::query(const Frame& frame, Buffer& out) {
    const auto text = pgwire::decode_query(frame);
    if (!text) return protocol_error(text.error().message, out);
    // The unnamed statement and portal do not survive a Query.
    portals_.erase("");
    statements_.erase("");
    Script script;
    script.text = std::string(*text);
    script_ = std::move(script);
    if (!prepare_script(*script_, out)) return end_script(out);
    if (script_->parts.empty()) {
        pgwire::put_empty(out, 'I');
        return end_script(out);
    }
    resume_script(out);
}

// Every statement is parsed before the first one runs: a syntax error anywhere means that nothing ran.
bool Session::prepare_script(Script& script, Buffer& out) {
    for (const ScriptPart& part : split_script(script.text)) {
        Script::Part& added = script.parts.emplace_back();
        added.offset = part.offset;
        added.statement = classify(part.text);
        if (!std::holds_alternative<EngineStatement>(added.statement)) continue;
        if (auto opened = open_engine(); !opened) {
            put_error(opened.error(), out);
            fail_transaction(out);
            return false;
        }
        auto parsed = engine_->parse(part.text);
        if (!parsed) {
            put_error(parsed.error(), out, script.text, part.offset);
            fail_transaction(out);
            return false;
        }
        added.parsed.emplace(std::move(*parsed));
    }
    return true;
}

// Runs one statement up to its first rows; true if it is complete.
Outcome<bool> Session::run_part(Script& script, Script::Part& part, Buffer& out) {
    if (refused_in_failed_block(part.statement)) {
        return QueryError{"25P02", "current transaction is aborted, commands ignored until end of transaction block"};
    }
    if (const auto* copy = std::get_if<CopyStatement>(&part.statement)) {
        if (script.parts.size() > 1) {
            if (auto begun = begin_implicit(); !begun) return begun.error();
        }
        auto stream = start_copy(*copy, out);
        if (!stream) return stream.error();
        script.stream = std::move(*stream);
        return false;
    }
    if (!part.parsed) {
        auto done = run_session_statement(part.statement, true, out);
        if (!done) return done.error();
        return true;
    }
    if (script.parts.size() > 1) {
        if (auto begun = begin_implicit(); !begun) return begun.error();
    }
    auto stream = engine_->run(std::move(*part.parsed));
    if (!stream) return stream.error();
    script.stream = std::move(*stream);
    if (!script.stream->columns().empty()) pgwire::put_row_description(out, script.stream->columns(), {});
    return false;
}

void Session::resume_script(Buffer& out) {
    Script& script = *script_;
    while (script.next < script.parts.size()) {
        Script::Part& part = script.parts[script.next];
        std::optional<QueryError> failed;
        if (!script.stream) {
            const auto complete = run_part(script, part, out);
            if (!complete) {
                failed = complete.error();
            } else if (*complete) {
                ++script.next;
                continue;
            }
        }
        if (copy_in_) return;  // its rows come as messages
        if (!failed) {
            const auto progress = script.stream->encode(out, {UINT64_MAX, kOutputBytes});
            if (!progress) {
                failed = progress.error();
            } else if (!progress->finished) {
                return;  // the client takes some first
            }
        }
        if (failed) {
            script.stream.reset();
            put_error(*failed, out, script.text, part.offset);
            fail_transaction(out);
            return end_script(out);
        }
        if (std::holds_alternative<CopyStatement>(part.statement)) pgwire::put_empty(out, 'c');
        pgwire::put_command_complete(out, script.stream->command_tag());
        script.stream.reset();
        ++script.next;
    }
    end_script(out);
}

void Session::end_script(Buffer& out) {
    if (auto ended = end_implicit(out); !ended) put_error(ended.error(), out);
    script_.reset();
    pgwire::put_ready(out, transaction_status());
}

}  // namespace boathouse::gateway
