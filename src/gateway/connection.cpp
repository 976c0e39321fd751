#include "gateway/connection.hpp"

#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "base/log.hpp"

namespace boathouse::gateway {

namespace asio = boost::asio;
using boost::system::error_code;
using pgwire::Buffer;
using pgwire::Frame;

namespace {

// For the client to answer our goodbye.
constexpr std::chrono::seconds kGoodbyeTime{1};
// Read into memory that a network thread has once.
constexpr std::size_t kReadBytes = std::size_t{256} * 1024;
// Kept for the next message; more is given back.
constexpr std::size_t kInputBytesKept = 512;

std::string fatal(const std::string& sqlstate, const std::string& message) {
    Buffer out;
    pgwire::Report report;
    report.severity = pgwire::Severity::fatal;
    report.sqlstate = sqlstate;
    report.message = message;
    pgwire::put_report(out, report);
    return std::string(out.view());
}

}  // namespace

Connection::Connection(Socket socket, ConnectionServices& services, bool refused)
    : socket_(std::move(socket)),
      strand_(asio::make_strand(socket_.get_executor())),
      timer_(strand_),
      pause_(strand_),
      services_(services),
      refused_(refused) {}

void Connection::start() {
    asio::post(strand_, [self = shared_from_this()] {
        error_code ignored;
        self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
        self->socket_.non_blocking(true, ignored);
        self->limit_log_in();
        self->read();
    });
}

void Connection::limit_log_in() {
    timer_.expires_after(services_.log_in_timeout);
    timer_.async_wait(asio::bind_executor(strand_, [weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->logged_in_) return;
        self->shut_down();
    }));
}

void Connection::limit_statement(std::chrono::milliseconds limit, std::uint64_t statement) {
    timer_.expires_after(limit);
    timer_.async_wait(asio::bind_executor(strand_, [weak = weak_from_this(), statement](error_code error) {
        const auto self = weak.lock();
        if (error || !self) return;
        {
            const std::lock_guard lock(self->mutex_);
            if (self->statement_ != statement) return;
        }
        self->interrupt(Interruption::statement_timeout);
    }));
}

void Connection::limit_idleness(std::chrono::milliseconds limit, std::uint64_t idleness, Farewell farewell) {
    timer_.expires_after(limit);
    timer_.async_wait(asio::bind_executor(strand_, [weak = weak_from_this(), idleness, farewell](error_code error) {
        const auto self = weak.lock();
        if (error || !self) return;
        const std::lock_guard lock(self->mutex_);
        if (self->idleness_ != idleness || self->running_ || !self->inbox_.empty()) return;
        self->farewell_ = farewell;
        self->schedule_locked();
    }));
}

void Connection::read() {
    {
        const std::lock_guard lock(mutex_);
        if (gone_ || closing_ || reading_ || inbox_bytes_ > kInboxBytes) return;
    }
    reading_ = true;
    auto readable = [self = shared_from_this()](error_code error) {
        self->reading_ = false;
        self->on_readable(error);
    };
    if (tls_ && tls_->holds_bytes()) {
        asio::post(strand_, [readable = std::move(readable)] { readable({}); });
    } else {
        socket_.async_wait(Socket::wait_read, asio::bind_executor(strand_, std::move(readable)));
    }
}

// A client that skips SSLRequest (sslnegotiation=direct) begins with a TLS record of the type handshake.
bool Connection::begins_with_tls(error_code& error) {
    constexpr char kHandshakeRecord = 0x16;
    char first = 0;
    const std::size_t count = socket_.receive(asio::buffer(&first, 1), Socket::message_peek, error);
    return !error && count == 1 && first == kHandshakeRecord;
}

void Connection::on_readable(error_code error) {
    if (!error && input_.empty() && !startup_done_ && services_.tls && !tls_ && begins_with_tls(error)) {
        direct_tls_ = true;
        return start_tls();
    }
    // Readiness is a hint: there may be nothing after all.
    if (error == asio::error::would_block) return read();
    if (error) return on_gone();
    static thread_local std::array<char, kReadBytes> bytes;
    if (tls_) return read_encrypted(bytes.data(), bytes.size());
    const std::size_t count = socket_.read_some(asio::buffer(bytes), error);
    if (error && error != asio::error::would_block) return on_gone();
    input_.append(bytes.data(), count);
    if (count == 0 || take_frames()) read();
}

void Connection::read_encrypted(char* bytes, std::size_t room) {
    std::size_t count = 0;
    const TlsSocket::Step step = tls_->read(bytes, room, count);
    if (step == TlsSocket::Step::over) return on_gone();
    if (step == TlsSocket::Step::done) {
        input_.append(bytes, count);
        if (take_frames()) read();
        return;
    }
    reading_ = true;
    await(step, [self = shared_from_this()](error_code error) {
        self->reading_ = false;
        self->on_readable(error);
    });
}

// Cuts frames off what has come; false if the connection waits for something else than more bytes. What came together
// is enqueued together: a session that is woken by Bind finds Execute and Sync behind it.
bool Connection::take_frames() {
    std::vector<Frame> frames;
    std::size_t taken = 0;
    bool go_on = true;
    while (go_on) {
        const std::size_t bytes_max = !startup_done_ ? pgwire::kStartupBytesMax
                                      : logged_in_   ? pgwire::kMessageBytesMax
                                                     : pgwire::kAuthenticationBytesMax;
        std::size_t consumed = 0;
        auto frame = pgwire::take_frame(std::string_view(input_).substr(taken), !startup_done_, bytes_max, consumed);
        if (!frame) {
            enqueue(std::move(frames));
            const std::string message = startup_done_ ? frame.error().message : "invalid length of startup packet";
            answer_directly(fatal("08P01", message), [this] { shut_down(); });
            return false;
        }
        if (!*frame) break;
        taken += consumed;
        if (startup_done_) {
            frames.push_back(std::move(**frame));
        } else {
            input_.erase(0, taken);
            taken = 0;
            go_on = before_session(**frame);
        }
    }
    enqueue(std::move(frames));
    input_.erase(0, taken);
    if (input_.empty() && input_.capacity() > kInputBytesKept) input_.shrink_to_fit();
    return go_on;
}

// Start-up packets: encryption and cancel are answered here; true if reading goes on.
bool Connection::before_session(const Frame& frame) {
    const auto startup = pgwire::decode_startup(frame);
    if (!startup) {
        answer_directly(fatal("08P01", "invalid startup packet layout: expected terminator as last byte"),
                        [this] { shut_down(); });
        return false;
    }
    if (startup->version == pgwire::kCancelRequest) {
        services_.sessions.cancels.cancel({startup->process_id, startup->secret_key});
        shut_down();
        return false;
    }
    if (startup->version == pgwire::kGssEncRequest ||
        (startup->version == pgwire::kSslRequest && (!services_.tls || tls_))) {
        answer_directly("N", [this] { read(); });
        return false;
    }
    if (startup->version == pgwire::kSslRequest) {
        // Bytes that came along were not encrypted: nobody may put words into the client's mouth (CVE-2021-23222).
        if (!input_.empty()) {
            shut_down();
            return false;
        }
        answer_directly("S", [this] { start_tls(); });
        return false;
    }
    if (refused_) {
        answer_directly(fatal("53300", "sorry, too many clients already"), [this] { shut_down(); });
        return false;
    }
    if (services_.require_tls && !tls_) {
        answer_directly(fatal("28000", "this server takes encrypted connections only: use sslmode=require"),
                        [this] { shut_down(); });
        return false;
    }
    open_session();
    enqueue({frame});
    return true;
}

void Connection::open_session() {
    error_code unknown;
    const auto endpoint = socket_.remote_endpoint(unknown);
    Peer peer;
    peer.address = unknown ? "unknown" : endpoint.address().to_string();
    peer.encrypted = tls_ != nullptr;
    if (tls_) peer.certificate_hash = tls_->identity().certificate_hash;
    Host host;
    host.cancel = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->interrupt(Interruption::cancelled);
    };
    host.statement_began = [this] {
        const std::lock_guard lock(mutex_);
        begin_statement_locked();
    };
    host.notified = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_notified();
    };
    host.committed = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_committed();
    };
    auto session = std::make_unique<Session>(services_.sessions, std::move(peer), std::move(host));
    startup_done_ = true;
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
}

void Connection::start_tls() {
    tls_ = std::make_unique<TlsSocket>(services_.tls->identity(), socket_.native_handle());
    shake_hands();
}

void Connection::shake_hands() {
    const TlsSocket::Step step = tls_->handshake();
    if (step == TlsSocket::Step::over) return on_gone();
    if (step != TlsSocket::Step::done) {
        return await(step,
                     [self = shared_from_this()](error_code error) { error ? self->on_gone() : self->shake_hands(); });
    }
    // Without SSLRequest only ALPN says that PostgreSQL is meant.
    if (direct_tls_ && !tls_->chose_postgresql()) return shut_down();
    read();
}

// Until the socket is ready for a step that was not done.
void Connection::await(TlsSocket::Step step, std::function<void(error_code)> then) {
    const auto readiness = step == TlsSocket::Step::wants_write ? Socket::wait_write : Socket::wait_read;
    socket_.async_wait(readiness, asio::bind_executor(strand_, std::move(then)));
}

// Before there is a session: a few bytes, then what comes next.
void Connection::answer_directly(std::string bytes, std::function<void()> then) {
    auto kept = std::make_shared<std::string>(std::move(bytes));
    transmit({asio::buffer(*kept)}, [self = shared_from_this(), kept, then = std::move(then)](error_code error) {
        error ? self->on_gone() : then();
    });
}

// All of the pieces, whose memory stays until `written` is told.
void Connection::transmit(Pieces pieces, Written written) {
    if (!tls_) {
        asio::async_write(socket_, pieces,
                          asio::bind_executor(strand_, [written = std::move(written)](error_code error, std::size_t) {
                              written(error);
                          }));
        return;
    }
    auto piece = pieces.begin();
    while (piece != pieces.end()) {
        std::size_t count = 0;
        const TlsSocket::Step step = tls_->write({static_cast<const char*>(piece->data()), piece->size()}, count);
        if (step == TlsSocket::Step::over) {
            return asio::post(strand_, [written = std::move(written)] { written(asio::error::connection_reset); });
        }
        if (step != TlsSocket::Step::done) {
            pieces.erase(pieces.begin(), piece);
            return await(step, [self = shared_from_this(), rest = std::move(pieces), written = std::move(written)](
                                   error_code error) { error ? written(error) : self->transmit(rest, written); });
        }
        *piece += count;
        if (piece->size() == 0) ++piece;
    }
    asio::post(strand_, [written = std::move(written)] { written({}); });
}

void Connection::enqueue(std::vector<Frame> frames) {
    if (frames.empty()) return;
    std::unique_lock lock(mutex_);
    const bool was_idle = !running_ && !parked_ && !held_back_ && inbox_.empty();
    for (Frame& frame : frames) {
        inbox_bytes_ += frame.body.size() + sizeof(Frame);
        inbox_.push_back(std::move(frame));
    }
    if (was_idle) ++idleness_;
    settled_ = false;
    const bool has_job = running_ || parked_ || held_back_ || committing_ || asking_ || gone_ || closing_;
    if (has_job || !logged_in_ || farewell_) return schedule_locked();
    switch (session_->way_of(inbox_)) {
        case Session::Way::by_thread:
            return schedule_locked();
        case Session::Way::by_snapshot:
            return ask_locked();
        case Session::Way::at_once:
            running_ = at_once_ = vetted_ = true;
            on_errand_ = false;
            lock.unlock();
            return run_session();
    }
}

void Connection::write_outgoing() {
    {
        const std::lock_guard lock(mutex_);
        outgoing_.recycle(in_flight_);
        in_flight_ = outgoing_.take();
        if (in_flight_.empty()) {
            if (!running_) outgoing_.drop_spare();
            writing_ = false;
            if (!closing_) return;
        }
        if (parked_) {
            parked_ = false;
            schedule_locked();
        }
    }
    if (in_flight_.empty()) return shut_down();
    Pieces pieces;
    for (const Buffer& buffer : in_flight_.buffers) pieces.emplace_back(buffer.data(), buffer.size());
    pieces.front() += in_flight_.skip;
    transmit(std::move(pieces), [self = shared_from_this()](error_code error) { self->on_written(error); });
}

void Connection::on_written(error_code error) {
    if (error) return on_gone();
    write_outgoing();
}

// The client is gone: what runs for it ends, what it held is freed by a last job.
void Connection::on_gone() {
    {
        const std::lock_guard lock(mutex_);
        gone_ = true;
        parked_ = false;
        if (session_) {
            session_->interrupt(Interruption::gone);
            if (running_ && !on_errand_ && services_.statements.withdraw(ticket_)) running_ = false;
            schedule_locked();
        }
    }
    timer_.cancel();
    pause_.cancel();
    if (tls_) tls_->close();
    error_code ignored;
    socket_.close(ignored);
}

// Our word that nothing more comes. Over TLS that is a message of its own: clients take its absence for an attack.
void Connection::shut_down() {
    if (tls_ && socket_.is_open()) {
        pause_.expires_after(kGoodbyeTime);
        pause_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
            if (!error) self->on_gone();
        }));
        return say_goodbye();
    }
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
    on_gone();
}

void Connection::say_goodbye() {
    const TlsSocket::Step step = tls_->shut_down();
    if (step == TlsSocket::Step::done || step == TlsSocket::Step::over) return on_gone();
    await(step, [self = shared_from_this()](error_code error) { error ? self->on_gone() : self->say_goodbye(); });
}

}  // namespace boathouse::gateway
