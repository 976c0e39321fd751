// Transaction blocks: BEGIN to COMMIT, what a script or a pipeline shares, and the failed block that waits for its end
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT).
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Severity;

namespace {

QueryError chain_outside_block(const char* what) {
    return {"25P01", std::string(what) + " AND CHAIN can only be used in transaction blocks"};
}

}  // namespace

char Session::transaction_status() const {
    switch (transaction_) {
        case Transaction::none:
        case Transaction::implicit:
            return 'I';
        case Transaction::block:
            return 'T';
        case Transaction::failed:
            return 'E';
    }
    return 'I';
}

void Session::put_ready(Buffer& out) {
    found_.reset();
    if (may_block_) notify(out);  // else the connection sees to it
    pgwire::put_ready(out, transaction_status());
    awaits_command_ = true;
}

bool Session::refused_in_failed_block(const Statement& statement) const {
    if (transaction_ != Transaction::failed) return false;
    if (const auto* savepoint = std::get_if<SavepointStatement>(&statement))
        return savepoint->action != SavepointAction::rollback_to;
    return !std::holds_alternative<CommitStatement>(statement) && !std::holds_alternative<RollbackStatement>(statement);
}

bool Session::read_only() const {
    const Switches& switches = settings_->switches();
    return transaction_ == Transaction::none ? switches.default_read_only : switches.read_only;
}

Outcome<void> Session::begin_implicit() {
    if (!gathered_.empty()) return open_gathered();
    if (transaction_ != Transaction::none) return {};
    if (auto armed = arm_engine(); !armed) return armed;
    if (auto begun = engine_->begin(); !begun) return begun;
    engine_in_transaction_ = true;
    writes_at_begin_ = engine_->writes();
    transaction_ = Transaction::implicit;
    if (settings_->switches().default_read_only) return set_characteristics({{"transaction_read_only", "on"}});
    return {};
}

Outcome<void> Session::begin_block(const BeginStatement& statement, Buffer& out) {
    if (transaction_ == Transaction::block) {
        put_notice(Severity::warning, "25001", "there is already a transaction in progress", out);
    }
    // Statements of this message that came before BEGIN belong to the block, as in PostgreSQL.
    if (auto begun = begin_implicit(); !begun) return begun;
    transaction_ = Transaction::block;
    if (auto set = set_characteristics(statement.options); !set) return set;
    pgwire::put_command_complete(out, statement.tag);
    return {};
}

TransactionOptions Session::characteristics() const {
    TransactionOptions options;
    for (const char* name : {"transaction_isolation", "transaction_read_only", "transaction_deferrable"})
        options.emplace_back(name, settings_->value(name).value_or(""));
    return options;
}

Outcome<void> Session::set_characteristics(const TransactionOptions& options) {
    for (const auto& [name, value] : options) {
        const auto change = settings_->check(name, {value});
        if (!change) return change.error();
        settings_->apply(*change, true);
    }
    return {};
}

Outcome<void> Session::begin_chained(const TransactionOptions& options) {
    if (auto begun = begin_implicit(); !begun) return begun;
    transaction_ = Transaction::block;
    return set_characteristics(options);
}

void Session::finish_transaction(bool committed, Buffer& out) {
    transaction_ = Transaction::none;
    savepoints_.clear();
    snapshot_.clear();
    portals_.end_transaction(committed);
    settle_listening(committed, out);
    take_back(settings_->end_transaction(committed), out);
}

// Commits, or rolls back what cannot be committed: either way, the transaction is over.
Outcome<void> Session::commit_engine(Buffer& out) {
    Outcome<void> committed = gathered_.empty() ? Outcome<void>() : open_gathered();
    if (committed) committed = portals_.settle_held();
    if (committed) committed = engine_->commit();
    if (committed) engine_in_transaction_ = false;
    if (committed) own_made(out);
    roll_back_engine();
    finish_transaction(committed.has_value(), out);
    return committed;
}

// Of a rollback that fails nothing is left to be told: DuckDB drops the transaction with the next one at the latest.
void Session::roll_back_engine() {
    gathered_.clear();
    if (!engine_in_transaction_) return;
    static_cast<void>(engine_->rollback());
    engine_in_transaction_ = false;
}

Outcome<void> Session::commit(const CommitStatement& statement, Buffer& out) {
    const bool in_block = in_transaction();
    if (statement.chain && !in_block) return chain_outside_block("COMMIT");
    if (!in_block) put_notice(Severity::warning, "25P01", "there is no transaction in progress", out);
    const TransactionOptions options = characteristics();
    const char* tag = "COMMIT";
    if (transaction_ == Transaction::failed) {
        roll_back_engine();
        finish_transaction(false, out);
        tag = "ROLLBACK";
    } else if (transaction_ != Transaction::none) {
        if (auto committed = commit_engine(out); !committed) return committed;
    }
    pgwire::put_command_complete(out, tag);
    return statement.chain ? begin_chained(options) : Outcome<void>();
}

Outcome<void> Session::rollback(const RollbackStatement& statement, Buffer& out) {
    const bool in_block = in_transaction();
    if (statement.chain && !in_block) return chain_outside_block("ROLLBACK");
    if (!in_block) put_notice(Severity::warning, "25P01", "there is no transaction in progress", out);
    const TransactionOptions options = characteristics();
    if (transaction_ != Transaction::none) {
        portals_.end_transaction(false);
        roll_back_engine();
        finish_transaction(false, out);
    }
    pgwire::put_command_complete(out, "ROLLBACK");
    return statement.chain ? begin_chained(options) : Outcome<void>();
}

Outcome<void> Session::end_implicit(Buffer& out) {
    if (transaction_ == Transaction::implicit) return commit_engine(out);
    if (transaction_ == Transaction::none) finish_transaction(true, out);
    return {};
}

void Session::fail_transaction(Buffer& out) {
    switch (transaction_) {
        case Transaction::none:
            finish_transaction(false, out);
            return;
        case Transaction::failed:
            return;
        case Transaction::implicit:
            portals_.end_transaction(false);
            roll_back_engine();
            finish_transaction(false, out);
            return;
        case Transaction::block:
            // Without a savepoint to return to, a failed block keeps nothing: DuckDB's transaction ends now and frees
            // what it holds; the client's ROLLBACK comes when it comes.
            if (!engine_->transaction_usable() || !savepoints_.reachable(engine_->writes())) {
                portals_.end_transaction(false);
                roll_back_engine();
            }
            transaction_ = Transaction::failed;
            return;
    }
}

}  // namespace boathouse::gateway
