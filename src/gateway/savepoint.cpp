// SAVEPOINT, RELEASE and ROLLBACK TO, as far as they can be right on DuckDB's flat transactions: returning to a
// savepoint undoes settings, cursors and a failed statement, and is refused when something was written since
// (docs/sql-door.md).
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;

namespace {

QueryError cannot_return(const std::string& name, const char* why) {
    QueryError error{"0A000", "cannot roll back to savepoint \"" + name + "\": " + why};
    error.detail = "The lake's transactions are flat: what was written cannot be undone in part.";
    error.hint = "ROLLBACK the whole transaction and run it again.";
    return error;
}

}  // namespace

Outcome<void> Session::savepoint(const SavepointStatement& statement, Buffer& out) {
    const bool in_block = in_transaction();
    switch (statement.action) {
        case SavepointAction::define:
            if (!in_block) return QueryError{"25P01", "SAVEPOINT can only be used in transaction blocks"};
            if (auto defined = define_savepoint(statement.name); !defined) return defined;
            pgwire::put_command_complete(out, "SAVEPOINT");
            return {};
        case SavepointAction::release:
            if (!in_block) return QueryError{"25P01", "RELEASE SAVEPOINT can only be used in transaction blocks"};
            if (auto released = savepoints_.release(statement.name); !released) return released;
            pgwire::put_command_complete(out, "RELEASE");
            return {};
        case SavepointAction::rollback_to:
            if (!in_block) return QueryError{"25P01", "ROLLBACK TO SAVEPOINT can only be used in transaction blocks"};
            if (auto returned = roll_back_to(statement.name, out); !returned) return returned;
            pgwire::put_command_complete(out, "ROLLBACK");
            return {};
    }
    return {};
}

bool Session::transaction_has_written() const {
    return engine_->writes() != writes_at_begin_;
}

Outcome<void> Session::define_savepoint(const std::string& name) {
    // Known beforehand, the snapshot tells later whether a transaction that is begun again reads the same.
    if (snapshot_.empty() && !transaction_has_written()) {
        if (auto armed = arm_engine(); !armed) return armed;
        auto snapshot = engine_->snapshot();
        if (!snapshot) return snapshot.error();
        snapshot_ = *snapshot;
    }
    return savepoints_.define(name, {engine_->writes(), portals_.last_number(), settings_->values()});
}

Outcome<void> Session::roll_back_to(const std::string& name, Buffer& out) {
    const auto mark = savepoints_.find(name);
    if (!mark) return mark.error();
    if (engine_->writes() != mark->writes) return cannot_return(name, "something may have been written since");
    if (!engine_in_transaction_ || !engine_->transaction_usable()) {
        if (transaction_has_written()) return cannot_return(name, "the error has ended what was written before");
        if (auto reopened = reopen_transaction(); !reopened) return reopened;
    }
    static_cast<void>(savepoints_.roll_back_to(name));
    portals_.erase_since(mark->portals);
    take_back(settings_->restore(mark->settings), out);
    transaction_ = Transaction::block;
    return {};
}

// Nothing was written, so a transaction on the same snapshot is the same transaction. On a newer one it is only for
// who asked for no more than READ COMMITTED.
Outcome<void> Session::reopen_transaction() {
    portals_.end_transaction(false);
    roll_back_engine();
    if (auto armed = arm_engine(); !armed) return armed;
    if (auto begun = engine_->begin(); !begun) return begun;
    engine_in_transaction_ = true;
    const auto snapshot = engine_->snapshot();
    if (!snapshot) return snapshot.error();
    if (*snapshot == snapshot_ || settings_->value("transaction_isolation")->starts_with("read ")) {
        snapshot_ = *snapshot;
        return {};
    }
    roll_back_engine();
    QueryError error{"40001", "could not serialize access: the lake has changed since this transaction began"};
    error.hint = "ROLLBACK and run the transaction again.";
    return error;
}

}  // namespace boathouse::gateway
