// The connection's side of its session: which executor runs it, with what, and where its bytes go.
#include <sys/socket.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/connection.hpp"
#include "pgwire/backend.hpp"

namespace boathouse::gateway {

namespace asio = boost::asio;
using boost::system::error_code;
using pgwire::Buffer;
using pgwire::Frame;

namespace {

constexpr Farewell kIdleInTransaction{"25P03", "terminating connection due to idle-in-transaction timeout"};
constexpr Farewell kIdle{"57P05", "terminating connection due to idle-session timeout"};

engine::QueryError too_busy(const Executor& statements) {
    engine::QueryError error{"53400", "too many statements: " + std::to_string(statements.threads()) + " run and " +
                                          std::to_string(statements.waiting_max()) + " wait"};
    error.hint = "Try again later; the options sql_running_max and sql_waiting_max set the bounds.";
    return error;
}

void put_farewell(const Farewell& last, Buffer& out) {
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = last.sqlstate;
    report.message = last.message;
    pgwire::put_report(out, report);
}

}  // namespace

// What must not wait behind statements: log-ins, notifications, farewells, clean-up, what is interrupted before it has
// begun. REQUIRES: mutex_ is held, no job exists.
bool Connection::is_errand_locked() const {
    if (gone_ || closing_ || !logged_in_ || session_->interrupted()) return true;
    if (inbox_.empty()) return !session_->busy() && (farewell_.has_value() || session_->has_notifications());
    return inbox_.front().type == 'X';
}

// REQUIRES: mutex_ is held.
void Connection::schedule_locked() {
    if (running_ || !session_) return;
    if ((parked_ || held_back_ || committing_ || asking_) && !gone_) return;
    running_ = true;
    at_once_ = false;
    on_errand_ = is_errand_locked();
    // A statement's time counts from its turn to wait for a thread on, whatever came before it: log-in, an errand.
    if (!inbox_.empty()) limit_next_statement_locked();
    Executor::Job job = [self = shared_from_this()] { self->run_session(); };
    if (on_errand_) {
        services_.errands.submit(std::move(job));
    } else if (!session_->awaits_command() || session_->in_transaction()) {
        // Ending what is under way is what makes room.
        ticket_ = services_.statements.submit(std::move(job));
    } else if (const auto ticket = services_.statements.try_submit(job)) {
        ticket_ = *ticket;
    } else {
        session_->refuse_next(too_busy(services_.statements));
        on_errand_ = true;
        services_.errands.submit(std::move(job));
    }
}

void Connection::run_session() {
    Buffer out;
    {
        const std::lock_guard lock(mutex_);
        out = std::move(begun_);
        if (session_) session_->let_block(!at_once_);
    }
    while (true) {
        if (out.size() >= kOutputBytes || (session_ && session_->busy() && !out.empty())) {
            if (!send(out)) return;
        }
        Frame frame;
        bool sync_follows = false;
        switch (next(frame, sync_follows, out)) {
            case Next::frame:
                session_->handle(frame, sync_follows, out);
                if (session_->logged_in()) logged_in_ = true;
                break;
            case Next::resume:
                if (session_->waits()) break;
                if (session_->awaits_copy_data()) {
                    session_->interrupt_copy(out);
                } else {
                    session_->resume(out);
                }
                break;
            case Next::notify:
                session_->notify(out);
                break;
            case Next::farewell: {
                std::unique_lock lock(mutex_);
                const Farewell last = *farewell_;  // which another may replace meanwhile
                lock.unlock();
                put_farewell(last, out);
                return end_session(out);
            }
            case Next::over:
                return;
            case Next::later:
                if (!out.empty() && !send(out)) return;
                continue;
        }
        if (session_->waits()) {
            if (!await_commit(out)) return;
            continue;
        }
        if (session_->closed()) return end_session(out);
        if (session_->awaits_command()) end_statement();
        if (const auto delay = session_->take_answer_delay(); delay.count() > 0) return hold_back(out, delay);
    }
}

// What the job does now. Next::over: nothing, it has ended. Next::later: it has to send first, then ask again.
Connection::Next Connection::next(Frame& frame, bool& sync_follows, const Buffer& out) {
    std::unique_lock lock(mutex_);
    if (at_once_ && hands_over_locked()) {
        begun_.put_bytes(out.data(), out.size());
        running_ = false;
        schedule_locked();
        return Next::over;
    }
    if (gone_ || closing_) {
        // Ends what the session held, which may take time: not under the lock.
        const std::unique_ptr<Session> last = std::move(session_);
        lock.unlock();
        return Next::over;
    }
    if (session_->busy()) return Next::resume;
    if (session_->awaits_copy_data() && session_->interrupted()) return Next::resume;
    if (session_->awaits_command() && farewell_) return Next::farewell;
    if (inbox_.empty()) {
        if (!out.empty()) return Next::later;
        if (farewell_ && !session_->awaits_copy_data()) return Next::farewell;
        if (may_notify_locked()) return Next::notify;
        return become_idle_locked();
    }
    const bool is_terminate = inbox_.front().type == 'X';
    if (on_errand_ && logged_in_ && session_->awaits_command() && !session_->refuses() && !session_->interrupted() &&
        !is_terminate) {
        // The errand is done; what follows is a statement, and takes its turn.
        if (!out.empty()) return Next::later;
        running_ = false;
        schedule_locked();
        return Next::over;
    }
    limit_next_statement_locked();
    frame = std::move(inbox_.front());
    inbox_.pop_front();
    const bool was_full = inbox_bytes_ > kInboxBytes;
    inbox_bytes_ -= frame.body.size() + sizeof(Frame);
    if (was_full && inbox_bytes_ <= kInboxBytes) asio::post(strand_, [self = shared_from_this()] { self->read(); });
    sync_follows = !inbox_.empty() && inbox_.front().type == 'S';
    return Next::frame;
}

// What comes next may block, so it is for an executor. REQUIRES: mutex_ is held, the job is the strand's.
bool Connection::hands_over_locked() {
    if (gone_ || closing_) return true;
    if (session_->busy()) return !session_->resumes_at_once();
    if (!session_->awaits_command()) return inbox_.empty();
    if (std::exchange(vetted_, false)) return false;
    if (farewell_ || session_->has_notifications()) return true;
    return !inbox_.empty() && session_->way_of(inbox_) != Session::Way::at_once;
}

// The answer to what has come may be a kept one, of the snapshot that is the newest now. REQUIRES: mutex_ is held, no
// job exists.
void Connection::ask_locked() {
    asking_ = true;
    limit_next_statement_locked();
    services_.sessions.answers->newest.ask_then(
        [weak = weak_from_this(), question = ++question_](const Result<cache::LakeVersion>& newest) {
            if (const auto self = weak.lock()) self->on_newest(question, newest);
        });
}

// On the thread that asks for all.
void Connection::on_newest(std::uint64_t question, const Result<cache::LakeVersion>& newest) {
    {
        const std::lock_guard lock(mutex_);
        if (!asking_ || question != question_ || gone_) return;
        asking_ = false;
        if (!newest || !session_->is_kept_in(*newest)) return schedule_locked();
        running_ = at_once_ = vetted_ = true;
        on_errand_ = false;
    }
    run_session();
}

// REQUIRES: mutex_ is held; the caller is the job, or no job exists.
bool Connection::may_notify_locked() const {
    return logged_in_ && session_->awaits_command() && !session_->in_transaction() && session_->has_notifications();
}

// A job that exists comes past them by itself.
void Connection::on_notified() {
    const std::lock_guard lock(mutex_);
    if (session_ && !running_ && inbox_.empty() && may_notify_locked()) schedule_locked();
}

// REQUIRES: mutex_ is held.
Connection::Next Connection::become_idle_locked() {
    running_ = false;
    if (!writing_) outgoing_.drop_spare();
    session_->forget_interruption();
    if (!logged_in_ || !session_->awaits_command()) return Next::over;
    const TimeLimits& limits = session_->settings().limits();
    const bool in_transaction = session_->in_transaction();
    const std::chrono::milliseconds limit = in_transaction ? limits.idle_in_transaction : limits.idle;
    if (limit.count() == 0) return Next::over;
    asio::post(strand_, [self = shared_from_this(), limit, idleness = idleness_, in_transaction] {
        self->limit_idleness(limit, idleness, in_transaction ? kIdleInTransaction : kIdle);
    });
    return Next::over;
}

// REQUIRES: mutex_ is held.
void Connection::start_writing_locked() {
    if (writing_ || gone_) return;
    writing_ = true;
    asio::post(strand_, [self = shared_from_this()] { self->write_outgoing(); });
}

// What the kernel takes goes out from here, while the bytes are in this processor's cache: waking a network thread is
// half of what a SELECT 1 costs. A full buffer is the network's, which sends it while the next one is filled. True if
// that was all. REQUIRES: mutex_ is held, so that the socket is not closed meanwhile.
bool Connection::send_at_once(Buffer& out) {
    if (tls_ || gone_ || writing_ || !outgoing_.empty() || out.size() >= kOutputBytes) return false;
    const ssize_t sent = ::send(socket_.native_handle(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    // Full, or broken: the network thread finds out.
    outgoing_.push(out, sent > 0 ? static_cast<std::size_t>(sent) : 0);
    return outgoing_.empty();
}

// Before an answer goes out that leaves nothing to do: who has it cancels nothing any more, until he asks for more.
// REQUIRES: mutex_ is held, the caller is the job.
void Connection::settle_locked() {
    settled_ = inbox_.empty() && session_ && session_->awaits_command() && !session_->busy();
    if (settled_) session_->forget_interruption();
}

// Hands bytes to the network; false if the job has to end and leave the client to read.
bool Connection::send(Buffer& out) {
    const std::lock_guard lock(mutex_);
    settle_locked();
    if (send_at_once(out)) return true;
    if (!out.empty()) outgoing_.push(out);
    start_writing_locked();
    if (outgoing_.size() < kOutgoingBytes || gone_) return true;
    parked_ = true;
    running_ = false;
    return false;
}

// Ends the job until the session's rows are committed; false if it has ended. What the client has been told so far goes
// out with the rest: it can do nothing with it.
bool Connection::await_commit(Buffer& out) {
    const std::lock_guard lock(mutex_);
    if (!session_->waits() || gone_) return true;
    begun_ = std::move(out);
    committing_ = true;
    running_ = false;
    return false;
}

void Connection::on_committed() {
    const std::lock_guard lock(mutex_);
    if (!committing_) return;
    committing_ = false;
    if (gone_ || !session_->resumes_at_once()) return schedule_locked();
    running_ = at_once_ = true;
    on_errand_ = vetted_ = false;
    asio::post(strand_, [self = shared_from_this()] { self->run_session(); });
}

// The answer goes out after a while, and no job exists meanwhile.
void Connection::hold_back(Buffer& out, std::chrono::milliseconds delay) {
    auto held = std::make_shared<Buffer>(std::move(out));
    {
        const std::lock_guard lock(mutex_);
        held_back_ = true;
        running_ = false;
        if (gone_) schedule_locked();
    }
    asio::post(strand_, [self = shared_from_this(), held, delay] {
        self->pause_.expires_after(delay);
        self->pause_.async_wait(asio::bind_executor(self->strand_, [self, held](error_code) {
            const std::lock_guard lock(self->mutex_);
            self->outgoing_.push(*held);
            self->held_back_ = false;
            self->start_writing_locked();
            if (!self->inbox_.empty()) self->schedule_locked();
        }));
    });
}

void Connection::end_session(Buffer& out) {
    const std::chrono::milliseconds delay = session_->take_answer_delay();
    {
        std::unique_lock lock(mutex_);
        const std::unique_ptr<Session> over = std::move(session_);
        ++statement_;
        lock.unlock();
    }
    auto last = std::make_shared<Buffer>(std::move(out));
    asio::post(strand_, [self = shared_from_this(), last, delay] {
        self->pause_.expires_after(delay);
        self->pause_.async_wait(asio::bind_executor(self->strand_, [self, last](error_code) {
            const std::lock_guard lock(self->mutex_);
            self->outgoing_.push(*last);
            self->closing_ = true;
            self->start_writing_locked();
        }));
    });
}

void Connection::interrupt(Interruption reason) {
    const std::lock_guard lock(mutex_);
    if (!session_ || gone_ || !logged_in_ || settled_) return;
    const bool waits_for_rows = !running_ && !parked_ && session_->awaits_copy_data();
    if (!running_ && !parked_ && !committing_ && !asking_ && !waits_for_rows) return;
    session_->interrupt(reason);
    asking_ = false;  // the answer will be no news
    if (running_ && !on_errand_ && services_.statements.withdraw(ticket_)) running_ = false;
    if (running_) return;
    if (committing_ && session_->waits()) return;  // the batch is being written: its answer is the statement's
    committing_ = false;
    parked_ = false;
    schedule_locked();
}

// REQUIRES: mutex_ is held; the job, if one exists, is the caller.
void Connection::limit_next_statement_locked() {
    if (logged_in_ && session_->awaits_command() && !statement_limited_) begin_statement_locked();
}

// REQUIRES: mutex_ is held, the session is logged in, its settings are not being changed.
void Connection::begin_statement_locked() {
    const std::chrono::milliseconds limit = session_->settings().limits().statement;
    if (limit.count() == 0) return;
    statement_limited_ = true;
    asio::post(strand_, [self = shared_from_this(), limit, statement = ++statement_] {
        self->limit_statement(limit, statement);
    });
}

void Connection::end_statement() {
    const std::lock_guard lock(mutex_);
    statement_limited_ = false;
    ++statement_;
}

void Connection::ask_to_stop() {
    const std::lock_guard lock(mutex_);
    farewell_ = Farewell{"57P01", "terminating connection due to administrator command"};
    if (session_) {
        schedule_locked();
    } else {
        asio::post(strand_, [self = shared_from_this()] { self->shut_down(); });
    }
}

void Connection::abort() {
    asio::post(strand_, [self = shared_from_this()] { self->shut_down(); });
}

}  // namespace boathouse::gateway
