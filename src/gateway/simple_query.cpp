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
    const std::vector<ScriptPart> parts = split_script(script.text);
    for (const ScriptPart& part : parts) {
        Script::Part& added = script.parts.emplace_back();
        added.offset = part.offset;
        if (auto prepared = prepare_part(added, part.text, parts.size() == 1); !prepared)
            return fail(prepared.error(), part.offset);
    }
    return true;
}

// `alone`: the only one of its script, so that its text may have a plan that is kept.
Outcome<void> Session::prepare_part(Script::Part& part, std::string_view text, bool alone) {
    if (alone) part.kept = look_for_kept(answer_key(text));
    if (part.kept.rows) return {};
    if (alone) part.plan = repeated_.find(text);
    if (part.plan) return {};
    part.statement = classify(text);
    if (!std::holds_alternative<EngineStatement>(part.statement)) return {};
    auto relayed = relayed_statement(text);
    if (!relayed) return relayed.error();
    part.relayed = std::move(*relayed);
    if (part.relayed) return {};
    if (auto armed = arm_engine(); !armed) return armed;
    auto parsed = engine_->parse(text);
    if (!parsed) return parsed.error();
    part.parsed.emplace(std::move(*parsed));
    if (!alone || transaction_ != Transaction::none || !repeated_.is_repeated(text)) return {};
    if (!engine_->is_self_contained(*part.parsed)) return {};
    auto plan = engine_->prepare(std::move(*part.parsed), {});
    part.parsed.reset();
    if (!plan) return plan.error();
    part.plan = std::move(*plan);
    repeated_.keep(text, part.plan);
    return {};
}

// Runs one statement up to its first rows; true if it is complete.
Outcome<bool> Session::run_part(Script& script, Script::Part& part, Buffer& out) {
    if (refused_in_failed_block(part.statement)) {
        return QueryError{"25P02", "current transaction is aborted, commands ignored until end of transaction block"};
    }
    if (script.next > 0) restart_clock();
    const auto* copy = std::get_if<CopyStatement>(&part.statement);
    const bool runs_in_engine = part.parsed || part.plan || copy ||
                                std::holds_alternative<DeclareStatement>(part.statement) ||
                                std::holds_alternative<ExecuteStatement>(part.statement);
    const bool is_last = script.next + 1 == script.parts.size();
    if (part.parsed && may_gather(is_last) && part.parsed->notices().empty()) {
        auto armed = arm_engine();
        if (!armed) return armed.error();
        switch (gather(engine_->evaluate(*part.parsed, judged(is_last)), Resumption::script, is_last, out)) {
            case Gathered::no:
                break;
            case Gathered::answered:
                return true;
            case Gathered::joined:
                return false;
        }
    }
    if (runs_in_engine && (script.parts.size() > 1 || !gathered_.empty())) {
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
    if (part.kept.rows) {
        script.answer = answer_with(std::make_shared<Rows>(Rows{std::move(part.kept.rows)}), form, out);
        return false;
    }
    if (!part.parsed && !part.plan) {
        auto rest = run_session_statement(part.statement, form, out);
        if (!rest) return rest.error();
        script.answer = std::move(*rest);
        return !script.answer.has_value();
    }
    if (auto armed = arm_engine(); !armed) return armed.error();
    const auto& notices = part.plan ? part.plan->notices() : part.parsed->notices();
    const bool has_notices = !notices.empty();
    put_notices(notices, out);
    auto stream = part.plan ? engine_->run(*part.plan, {}) : engine_->run(std::move(*part.parsed));
    if (!stream) return stream.error();
    auto rows = keep(std::move(*stream), has_notices, part.kept);
    script.answer = answer_with(std::make_shared<Rows>(Rows{std::move(rows)}), form, out);
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
        if (complete && (copy_in_ || member_)) return;  // its rows come as messages, or are on their way
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
