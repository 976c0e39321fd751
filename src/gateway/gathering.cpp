// INSERTs of values outside of a transaction block, and COPY of few rows (copy.cpp): their rows are made here and
// committed by the gatherer, together with those of other clients (ingest/gatherer.hpp). Meanwhile the session waits
// without a thread.
//
// Statements of one pipeline or one script are one transaction, as in PostgreSQL: all but the last are answered when
// their rows are made, and the last, or Sync, when those of all of them are committed. Whatever else comes in between
// has to see the rows, so they are written into a transaction of DuckDB's first, which then goes on as any other.
#include <utility>

#include "engine/shape_age.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;
using pgwire::Buffer;
using pgwire::Frame;

namespace {

// Of one pipeline; more go through a transaction of DuckDB's, which writes them to a file.
constexpr std::size_t kGatheredBytesMax = std::size_t{16} << 20;
// Of the parameters of a statement whose rows are made by a network thread.
constexpr std::size_t kBytesAtOnceMax = std::size_t{16} << 10;
// Of making a statement's rows anew for a table that has changed meanwhile; then DuckDB runs the statement.
constexpr unsigned kStaleRoundsMax = 4;

std::string insert_tag(std::uint64_t rows) {
    return "INSERT 0 " + std::to_string(rows);
}

}  // namespace

bool Session::may_gather(bool is_last) {
    if (!services_.gatherer || run_alone_ || read_only() || !settings_->switches().group_commit) return false;
    if (transaction_ != Transaction::none && (transaction_ != Transaction::implicit || gathered_.empty())) return false;
    if (!is_last && gathered_.empty()) forget_older_shapes();
    return true;
}

// The statements of a pipeline are answered as they come and cannot be run again, so their tables have to be known as
// they are now.
void Session::forget_older_shapes() {
    if (services_.answers == nullptr) return;
    // A catalog that does not answer is told of by the commit.
    if (const auto newest = services_.answers->newest.ask())
        engine::forget_older_shapes(services_.lake, newest->schema);
}

engine::Session::Judged Session::judged(bool commits) const {
    return commits && gathered_.empty() ? engine::Session::Judged::later : engine::Session::Judged::now;
}

bool Session::gathers_at_once(const std::deque<Frame>& messages) {
    if (!engine_ || messages[0].type != 'B' || messages[0].body.size() > kBytesAtOnceMax) return false;
    const auto statement = statements_.find(std::string(pgwire::bound_statement(messages[0])));
    if (!statement || !(*statement)->plan) return false;
    const engine::Prepared& plan = *(*statement)->plan;
    return plan.has_plain_values() && plan.notices().empty() && may_gather(true);
}

// Rows that were committed alone, or failed: that has to be told, and nothing else is under way.
bool Session::resumes_at_once() const {
    if (!member_ || transaction_ != Transaction::none || resumption_ != Resumption::execute) return false;
    return member_->fate() == ingest::Fate::committed || member_->fate() == ingest::Fate::failed;
}

// `commits`: nothing else belongs to the transaction.
Session::Gathered Session::gather(std::optional<engine::NewRows> rows, Resumption resumption, bool commits,
                                  Buffer& out) {
    if (!rows) return Gathered::no;
    const std::uint64_t count = rows->count();
    gathered_.push_back(std::move(*rows));
    rows_joined_ = count;
    if (commits && join(resumption)) return Gathered::joined;
    if (commits) {  // no room: the statement commits by itself
        gathered_.pop_back();
        return Gathered::no;
    }
    transaction_ = Transaction::implicit;
    pgwire::put_command_complete(out, insert_tag(count));
    restart_clock();
    return Gathered::answered;
}

bool Session::join(Resumption resumption) {
    std::size_t bytes = 0;
    for (const engine::NewRows& some : gathered_) bytes += some.bytes();
    if (bytes > kGatheredBytesMax) return false;
    resumption_ = resumption;
    // Alone, the statement has not been judged.
    const bool is_alone = transaction_ == Transaction::none && services_.exchange != nullptr;
    std::string role = is_alone ? settings_->role() : "";
    const std::lock_guard lock(engine_mutex_);
    member_ = services_.gatherer->join(gathered_, host_.committed, {}, std::move(role));
    if (member_ && interrupted()) services_.gatherer->withdraw(*member_);
    return member_ != nullptr;
}

// From here on the transaction is DuckDB's.
Outcome<void> Session::open_gathered() {
    const std::vector<engine::NewRows> rows = std::exchange(gathered_, {});
    if (auto armed = arm_engine(); !armed) return armed;
    transaction_ = Transaction::none;
    if (auto begun = begin_implicit(); !begun) return begun;
    return engine_->write(rows);
}

Outcome<void> Session::fate_of(const ingest::Member& member) {
    switch (member.fate()) {
        case ingest::Fate::committed:
            return {};
        case ingest::Fate::stale:
            return QueryError{"40001", "could not serialize access: a table has changed since its rows were made"};
        case ingest::Fate::withdrawn:
            return engine::interruption();
        case ingest::Fate::refused:
            return QueryError{"42501", "permission denied"};
        case ingest::Fate::failed:
        case ingest::Fate::waiting:
            return member.error();
    }
    return {};
}

// What was to be committed is, or will not be.
void Session::resume_gathered(Buffer& out) {
    std::shared_ptr<ingest::Member> member;
    {
        const std::lock_guard lock(engine_mutex_);
        member = std::move(member_);
    }
    const Outcome<void> fate = fate_of(*member);
    const bool was_alone = transaction_ == Transaction::none;
    if (!was_alone && resumption_ != Resumption::sync) finish_transaction(fate.has_value(), out);
    // Alone, a statement can be run again: nothing was written, and the client knows of nothing. What is refused is run
    // by DuckDB, which says why, or knows of columns that the client may insert into.
    const bool is_refused = member->fate() == ingest::Fate::refused;
    const bool again = (member->fate() == ingest::Fate::stale || is_refused) && was_alone;
    stale_rounds_ = again ? stale_rounds_ + 1 : 0;
    run_alone_ = is_refused || stale_rounds_ > kStaleRoundsMax;
    switch (resumption_) {
        case Resumption::script:
            resume_gathered_script(fate, again, out);
            break;
        case Resumption::execute:
            resume_gathered_execute(fate, again, out);
            break;
        case Resumption::copy:
            resume_gathered_copy(fate, again, out);
            break;
        case Resumption::sync:
            finish_transaction(fate.has_value(), out);
            if (!fate) put_error(fate.error(), out);
            put_ready(out);
            break;
    }
    run_alone_ = false;
}

void Session::resume_gathered_script(const Outcome<void>& fate, bool again, Buffer& out) {
    if (!fate && !again) {
        put_error(fate.error(), out);
        fail_transaction(out);
        return end_script(out);
    }
    if (fate) {
        pgwire::put_command_complete(out, insert_tag(rows_joined_));
        ++script_->next;
    }
    resume_script(out);
}

void Session::resume_gathered_execute(const Outcome<void>& fate, bool again, Buffer& out) {
    if (again) return run_again(out);
    if (!fate) return fail_extended(fate.error(), out);
    pgwire::put_command_complete(out, insert_tag(rows_joined_));
    restart_clock();
}

// The Execute that has done nothing so far.
void Session::run_again(Buffer& out) {
    portals_.find(portal_joined_)->started = false;
    run_portal(portal_joined_, true, UINT64_MAX, out);
}

}  // namespace boathouse::gateway
