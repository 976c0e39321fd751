// LISTEN lake_changes: what other clients, through whichever door, have committed to the lake.
//
// As in PostgreSQL, LISTEN and UNLISTEN in a transaction block count from its COMMIT on, and notifications come between
// statements: before ReadyForQuery, or while the client is idle, never within a block.
#include <boost/json.hpp>

#include "base/log.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;

namespace {

constexpr const char* kChannel = "lake_changes";
// As PostgreSQL's payloads are bounded: https://www.postgresql.org/docs/15/sql-notify.html
constexpr std::size_t kPayloadBytesMax = 8'000;

std::string payload(long long snapshot, boost::json::value tables) {
    return boost::json::serialize(boost::json::object{{"snapshot", snapshot}, {"tables", std::move(tables)}});
}

QueryError with_hint(std::string sqlstate, std::string message, std::string hint) {
    QueryError error{std::move(sqlstate), std::move(message)};
    error.hint = std::move(hint);
    return error;
}

QueryError no_such_channel(const std::string& name) {
    return with_hint("0A000", fmt::format("there is no channel \"{}\": nobody can NOTIFY here", name),
                     "LISTEN lake_changes tells of commits to the lake; channels of your own are to be had on the "
                     "catalog's port, which is a PostgreSQL.");
}

QueryError refusal_of(const Error& error) {
    return with_hint(error.kind == ErrorKind::limit ? "53400" : "57P03", error.message, error.hint);
}

}  // namespace

Outcome<void> Session::listen(const ListenStatement& statement) {
    if (statement.channel != kChannel) return no_such_channel(statement.channel);
    if (in_transaction()) {
        listens_after_commit_ = true;
        return {};
    }
    return start_listening();
}

void Session::unlisten() {
    if (in_transaction()) {
        listens_after_commit_ = false;
    } else {
        notifications_.reset();
    }
}

Outcome<void> Session::start_listening() {
    if (notifications_) return {};
    auto notifications = std::make_unique<Notifications>(services_.watch, host_.notified);
    if (auto begun = notifications->begin(); !begun) return refusal_of(begun.error());
    notifications_ = std::move(notifications);
    return {};
}

// What LISTEN and UNLISTEN of the block have come to. REQUIRES: the transaction is over.
void Session::settle_listening(bool committed, Buffer& out) {
    const auto wanted = std::exchange(listens_after_commit_, std::nullopt);
    if (!committed || !wanted) return;
    if (!*wanted) {
        notifications_.reset();
    } else if (auto begun = start_listening(); !begun) {
        put_notice(pgwire::Severity::warning, begun.error().sqlstate, begun.error().message, out);
    }
}

// Tables that the role may read nothing of are not named; a snapshot without a name to tell is none of its business.
std::optional<std::string> Session::notification_of(const feed::TableChanges& change) {
    if (change.anything) return payload(change.snapshot, nullptr);
    boost::json::array tables;
    for (const feed::ChangedTable& table : change.tables) {
        access::Needs needs;
        needs.relations.push_back({.schema = table.schema, .name = table.table, .columns = {}});
        auto* const gate = privileges();
        if (gate == nullptr || !gate->check(needs)) tables.emplace_back(table.schema + "." + table.table);
    }
    if (tables.empty()) return std::nullopt;
    std::string text = payload(change.snapshot, std::move(tables));
    return text.size() < kPayloadBytesMax ? text : payload(change.snapshot, nullptr);
}

void Session::notify(Buffer& out) {
    if (!notifications_ || in_transaction()) return;
    for (const Notifications::Change& change : notifications_->take()) {
        if (const auto text = notification_of(*change))
            pgwire::put_notification(out, cancel_key_->process_id, kChannel, *text);
    }
}

}  // namespace boathouse::gateway
