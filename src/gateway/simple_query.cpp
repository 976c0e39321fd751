// The message Query: one or more statements, one answer each, then ReadyForQuery
// (https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.4).
#include "gateway/script.hpp"
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
    const auto fail = [&](const QueryError& error, std::size_t offset) {
        put_error(error, out, script.text, offset);
        fail_transaction(out);
        return false;
    };
    if (refusal_) return fail(*std::exchange(refusal_, std::nullopt), 0);
    for (const ScriptPart& part : split_script(script.text)) {
        Script::Part& added = script.parts.emplace_back();
        added.offset = part.offset;
        added.statement = classify(part.text);
        if (!std::holds_alternative<EngineStatement>(added.statement)) continue;
        auto relayed = relayed_statement(part.text);
        if (!relayed) return fail(relayed.error(), part.offset);
        added.relayed = std::move(*relayed);
        if (added.relayed) continue;
        if (auto armed = arm_engine(); !armed) return fail(armed.error(), 0);
        auto parsed = engine_->parse(part.text);
        if (!parsed) return fail(parsed.error(), part.offset);
        added.parsed.emplace(std::move(*parsed));
    }
    return true;
}

// Runs one statement up to its first rows; true if it is complete.
Outcome<bool> Session::run_part(Script& script, Script::Part& part, Buffer& out) {
    if (refused_in_failed_block(part.statement)) {
        return QueryError{"25P02", "current transaction is aborted, commands ignored until end of transaction block"};
    }
    if (script.next > 0) restart_clock();
    const auto* copy = std::get_if<CopyStatement>(&part.statement);
    const bool runs_in_engine = part.parsed || copy || std::holds_alternative<DeclareStatement>(part.statement) ||
                                std::holds_alternative<ExecuteStatement>(part.statement);
    if (runs_in_engine && script.parts.size() > 1) {
        if (auto begun = begin_implicit(); !begun) return begun.error();
    }
    if (copy) {
        auto stream = start_copy(*copy, out);
        if (!stream) return stream.error();
        if (*stream) script.answer = copy_answer(std::move(*stream));
        return false;
    }
    const Form form;
    if (part.relayed) {
        auto rows = run_relayed(*part.relayed, {});
        if (!rows) return rows.error();
        script.answer = answer_with(std::move(*rows), form, out);
        return false;
    }
    if (!part.parsed) {
        auto rest = run_session_statement(part.statement, form, out);
        if (!rest) return rest.error();
        script.answer = std::move(*rest);
        return !script.answer.has_value();
    }
    if (auto armed = arm_engine(); !armed) return armed.error();
    put_notices(part.parsed->notices(), out);
    auto stream = engine_->run(std::move(*part.parsed));
    if (!stream) return stream.error();
    script.answer = answer_with(std::make_shared<Rows>(Rows{std::move(*stream)}), form, out);
    return false;
}

// Sends what there is of the present statement's rows; true if it is complete.
Outcome<bool> Session::continue_part(Script& script, Buffer& out) {
    std::uint64_t rows_max = UINT64_MAX;
    const auto progress = send_rows(*script.answer, rows_max, out);
    if (!progress) return progress.error();
    return *progress == Progress::complete;
}

void Session::resume_script(Buffer& out) {
    Script& script = *script_;
    while (script.next < script.parts.size()) {
        auto complete = script.answer ? Outcome<bool>(false) : run_part(script, script.parts[script.next], out);
        if (complete && copy_in_) return;  // its rows come as messages
        if (complete && !*complete) complete = continue_part(script, out);
        if (complete && !*complete) return;  // the client takes some first
        script.answer.reset();
        if (!complete) {
            put_error(complete.error(), out, script.text, script.parts[script.next].offset);
            fail_transaction(out);
            return end_script(out);
        }
        ++script.next;
    }
    end_script(out);
}

void Session::end_script(Buffer& out) {
    if (auto ended = end_implicit(out); !ended) put_error(ended.error(), out);
    script_.reset();
    put_ready(out);
}

}  // namespace boathouse::gateway
