// Transaction blocks: BEGIN to COMMIT, what a script or a pipeline shares, and the failed block that waits for its end
// (https://www.postgresql.org/docs/15/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT).
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Severity;

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

bool Session::refused_in_failed_block(const Statement& statement) const {
    if (transaction_ != Transaction::failed) return false;
    return !std::holds_alternative<CommitStatement>(statement) && !std::holds_alternative<RollbackStatement>(statement);
}

Outcome<void> Session::begin_implicit() {
    if (transaction_ != Transaction::none) return {};
    if (auto opened = open_engine(); !opened) return opened;
    if (auto begun = engine_->begin(); !begun) return begun;
    transaction_ = Transaction::implicit;
    return {};
}

Outcome<void> Session::begin_block(const BeginStatement& statement, Buffer& out) {
    if (transaction_ == Transaction::block) {
        put_notice(Severity::warning, "25001", "there is already a transaction in progress", out);
    }
    // Statements of this message that came before BEGIN belong to the block, as in PostgreSQL.
    if (auto begun = begin_implicit(); !begun) return begun;
    transaction_ = Transaction::block;
    if (statement.read_only) settings_->apply({SettingEffect::none, "transaction_read_only", "on", false}, true);
    pgwire::put_command_complete(out, "BEGIN");
    return {};
}

void Session::finish_transaction(bool committed, Buffer& out) {
    transaction_ = Transaction::none;
    portals_.clear();
    take_back(settings_->end_transaction(committed), out);
}

Outcome<void> Session::commit(const CommitStatement& statement, Buffer& out) {
    if (transaction_ == Transaction::failed) {
        finish_transaction(false, out);
        pgwire::put_command_complete(out, "ROLLBACK");
    } else if (transaction_ == Transaction::none) {
        put_notice(Severity::warning, "25P01", "there is no transaction in progress", out);
        pgwire::put_command_complete(out, "COMMIT");
    } else {
        portals_.clear();
        if (auto committed = engine_->commit(); !committed) {
            // Nothing was kept. The caller reports and finds no block.
            static_cast<void>(engine_->rollback());
            finish_transaction(false, out);
            return committed;
        }
        finish_transaction(true, out);
        pgwire::put_command_complete(out, "COMMIT");
    }
    if (!statement.chain) return {};
    if (auto begun = begin_implicit(); !begun) return begun;
    transaction_ = Transaction::block;
    return {};
}

Outcome<void> Session::rollback(const RollbackStatement& statement, Buffer& out) {
    if (transaction_ == Transaction::none) {
        put_notice(Severity::warning, "25P01", "there is no transaction in progress", out);
    } else {
        portals_.clear();
        if (transaction_ != Transaction::failed) {
            if (auto rolled_back = engine_->rollback(); !rolled_back) return rolled_back;
        }
        finish_transaction(false, out);
    }
    pgwire::put_command_complete(out, "ROLLBACK");
    if (!statement.chain) return {};
    if (auto begun = begin_implicit(); !begun) return begun;
    transaction_ = Transaction::block;
    return {};
}

Outcome<void> Session::end_implicit(Buffer& out) {
    if (transaction_ != Transaction::implicit) {
        if (transaction_ == Transaction::none) finish_transaction(true, out);
        return {};
    }
    portals_.clear();
    if (auto committed = engine_->commit(); !committed) {
        static_cast<void>(engine_->rollback());
        finish_transaction(false, out);
        return committed;
    }
    finish_transaction(true, out);
    return {};
}

Outcome<void> Session::savepoint(const SavepointStatement&, Buffer&) {
    QueryError error{"0A000", "savepoints are not supported: the lake's transactions are flat"};
    error.hint = "Leave out SAVEPOINT; with JDBC set autosave=never, with SQLAlchemy do not nest transactions.";
    return error;
}

void Session::fail_transaction(Buffer& out) {
    // A failed block keeps nothing, so DuckDB's transaction ends now and frees what it holds; the client's ROLLBACK
    // comes when it comes.
    portals_.clear();
    switch (transaction_) {
        case Transaction::none:
            take_back(settings_->end_transaction(false), out);
            return;
        case Transaction::failed:
            return;
        case Transaction::implicit:
            static_cast<void>(engine_->rollback());
            finish_transaction(false, out);
            return;
        case Transaction::block:
            static_cast<void>(engine_->rollback());
            transaction_ = Transaction::failed;
            return;
    }
}

}  // namespace boathouse::gateway
