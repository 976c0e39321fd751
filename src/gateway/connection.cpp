#include "gateway/connection.hpp"

#include <sys/socket.h>

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
      services_(services),
      refused_(refused) {}

void Connection::start() {
    asio::post(strand_, [self = shared_from_this()] {
        error_code ignored;
        self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
        self->watch_log_in();
        self->read();
    });
}

void Connection::watch_log_in() {
    timer_.expires_after(services_.log_in_timeout);
    timer_.async_wait(asio::bind_executor(strand_, [weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->logged_in_) return;
        self->shut_down();
    }));
}

void Connection::read() {
    {
        const std::lock_guard lock(mutex_);
        if (gone_ || closing_ || reading_ || inbox_bytes_ > kInboxBytes) return;
    }
    reading_ = true;
    chunk_.resize(read_bytes_);
    auto handler = asio::bind_executor(
        strand_, [self = shared_from_this()](error_code error, std::size_t count) { self->on_read(error, count); });
    if (tls_) {
        tls_->async_read_some(asio::buffer(chunk_), std::move(handler));
    } else {
        socket_.async_read_some(asio::buffer(chunk_), std::move(handler));
    }
}

void Connection::on_read(error_code error, std::size_t count) {
    reading_ = false;
    if (error) return on_gone();
    input_.append(chunk_.data(), count);
    // A client that sends much is read in large pieces; one that does not keeps little.
    if (count == read_bytes_ && read_bytes_ < kReadBytesMax) {
        read_bytes_ *= 2;
    } else if (count < kReadBytes && read_bytes_ > kReadBytes) {
        read_bytes_ = kReadBytes;
        chunk_.resize(kReadBytes);
        chunk_.shrink_to_fit();
    }
    if (take_frames()) read();
}

// Cuts frames off what has come; false if the connection waits for something else than more bytes.
bool Connection::take_frames() {
    std::size_t taken = 0;
    bool go_on = true;
    while (go_on) {
        const std::size_t bytes_max = !startup_done_ ? pgwire::kStartupBytesMax
                                      : logged_in_   ? pgwire::kMessageBytesMax
                                                     : pgwire::kAuthenticationBytesMax;
        std::size_t consumed = 0;
        auto frame = pgwire::take_frame(std::string_view(input_).substr(taken), !startup_done_, bytes_max, consumed);
        if (!frame) {
            answer_directly(fatal("08P01", frame.error().message), [this] { shut_down(); });
            return false;
        }
        if (!*frame) break;
        taken += consumed;
        if (startup_done_) {
            enqueue(std::move(**frame));
        } else {
            input_.erase(0, taken);
            taken = 0;
            go_on = before_session(**frame);
        }
    }
    input_.erase(0, taken);
    if (input_.empty() && input_.capacity() > 4 * kReadBytes) input_.shrink_to_fit();
    return go_on;
}

// Start-up packets: encryption and cancel are answered here; true if reading goes on.
bool Connection::before_session(const Frame& frame) {
    const auto startup = pgwire::decode_startup(frame);
    const std::int32_t version = startup ? startup->version : 0;
    if (version == pgwire::kCancelRequest) {
        services_.sessions.cancels.cancel({startup->process_id, startup->secret_key});
        shut_down();
        return false;
    }
    if (version == pgwire::kGssEncRequest || (version == pgwire::kSslRequest && (!services_.tls || tls_))) {
        answer_directly("N", [this] { read(); });
        return false;
    }
    if (version == pgwire::kSslRequest) {
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
    error_code unknown;
    const auto endpoint = socket_.remote_endpoint(unknown);
    Peer peer;
    peer.address = unknown ? "unknown" : endpoint.address().to_string();
    peer.encrypted = tls_ != nullptr;
    if (tls_) peer.certificate_hash = services_.tls->certificate_hash();
    peer.cancel = [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        const std::lock_guard lock(self->mutex_);
        if (self->session_) self->session_->cancel();
    };
    auto session = std::make_unique<Session>(services_.sessions, std::move(peer));
    {
        const std::lock_guard lock(mutex_);
        session_ = std::move(session);
    }
    startup_done_ = true;
    enqueue(frame);
    return true;
}

void Connection::start_tls() {
    tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, services_.tls->context());
    tls_->async_handshake(asio::ssl::stream_base::server,
                          asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
                              if (error) return self->on_gone();
                              self->read();
                          }));
}

// Before there is a session: a few bytes, then what comes next.
void Connection::answer_directly(std::string bytes, std::function<void()> then) {
    auto kept = std::make_shared<std::string>(std::move(bytes));
    auto handler =
        asio::bind_executor(strand_, [self = shared_from_this(), kept, then = std::move(then)](
                                         error_code error, std::size_t) { error ? self->on_gone() : then(); });
    if (tls_) {
        asio::async_write(*tls_, asio::buffer(*kept), std::move(handler));
    } else {
        asio::async_write(socket_, asio::buffer(*kept), std::move(handler));
    }
}

void Connection::enqueue(Frame frame) {
    const std::lock_guard lock(mutex_);
    inbox_bytes_ += frame.body.size() + sizeof(Frame);
    inbox_.push_back(std::move(frame));
    schedule_locked();
}

// REQUIRES: mutex_ is held.
void Connection::schedule_locked() {
    if (running_ || parked_) return;
    running_ = true;
    services_.executor.submit([self = shared_from_this()] { self->run_session(); });
}

void Connection::run_session() {
    Buffer out;
    while (true) {
        bool has_frame = false;
        bool sync_follows = false;
        Frame frame;
        if (out.size() >= kOutputBytes || (session_ && session_->busy() && !out.empty())) {
            if (!send(out)) return;
        }
        {
            std::unique_lock lock(mutex_);
            if (gone_ || closing_) {
                // Ends what the session held, which may take time: not under the lock.
                const std::unique_ptr<Session> last = std::move(session_);
                lock.unlock();
                return;
            }
            if (!session_->busy()) {
                if (inbox_.empty() && !out.empty()) {
                    lock.unlock();
                    if (!send(out)) return;
                    continue;
                }
                if (inbox_.empty() && !stop_asked_) {
                    running_ = false;
                    return;
                }
                if (!inbox_.empty()) {
                    frame = std::move(inbox_.front());
                    inbox_.pop_front();
                    const bool was_full = inbox_bytes_ > kInboxBytes;
                    inbox_bytes_ -= frame.body.size() + sizeof(Frame);
                    if (was_full && inbox_bytes_ <= kInboxBytes) {
                        asio::post(strand_, [self = shared_from_this()] { self->read(); });
                    }
                    has_frame = true;
                    sync_follows = !inbox_.empty() && inbox_.front().type == 'S';
                }
            }
        }
        if (session_->busy()) {
            session_->resume(out);
        } else if (has_frame) {
            session_->handle(frame, sync_follows, out);
            if (session_->logged_in()) logged_in_ = true;
        } else {
            out.put(fatal("57P01", "terminating connection due to administrator command"));
            return end_session(out);
        }
        if (session_->closed()) return end_session(out);
    }
}

// A short answer that the kernel takes whole goes out from here, which saves waking a network thread: half of what a
// SELECT 1 costs. REQUIRES: mutex_ is held, so that the socket is not closed meanwhile.
bool Connection::send_at_once(Buffer& out) {
    if (tls_ || gone_ || writing_ || !outgoing_.empty() || out.size() > kAtOnceBytes) return false;
    const ssize_t sent = ::send(socket_.native_handle(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return false;  // full, or broken: the network thread finds out
    const auto taken = static_cast<std::size_t>(sent);
    if (taken == out.size()) {
        out.clear();
        return true;
    }
    Buffer rest;
    rest.put(out.view().substr(taken));
    out.swap(rest);
    return false;
}

// Hands bytes to the network; false if the job has to end and leave the client to read.
bool Connection::send(Buffer& out) {
    const std::lock_guard lock(mutex_);
    if (send_at_once(out)) return true;
    if (outgoing_.empty()) {
        outgoing_.swap(out);
    } else {
        outgoing_.put_bytes(out.data(), out.size());
    }
    out.clear();
    if (!writing_ && !gone_) {
        writing_ = true;
        asio::post(strand_, [self = shared_from_this()] { self->write_outgoing(); });
    }
    if (outgoing_.size() < kOutgoingBytes || gone_) return true;
    parked_ = true;
    running_ = false;
    return false;
}

void Connection::end_session(Buffer& out) {
    const std::chrono::milliseconds delay = session_->last_answer_delay();
    {
        std::unique_lock lock(mutex_);
        const std::unique_ptr<Session> over = std::move(session_);
        lock.unlock();
    }
    auto last = std::make_shared<std::string>(out.view());
    asio::post(strand_, [self = shared_from_this(), last, delay] {
        self->timer_.expires_after(delay);
        self->timer_.async_wait(asio::bind_executor(self->strand_, [self, last](error_code) {
            const std::lock_guard lock(self->mutex_);
            self->outgoing_.put(*last);
            self->closing_ = true;
            if (self->writing_) return;
            self->writing_ = true;
            asio::post(self->strand_, [self] { self->write_outgoing(); });
        }));
    });
}

void Connection::write_outgoing() {
    in_flight_.clear();
    {
        const std::lock_guard lock(mutex_);
        in_flight_.swap(outgoing_);
        if (in_flight_.empty()) {
            // While rows stream, the buffers go round; now their memory goes back.
            in_flight_.reset();
            outgoing_.reset();
            writing_ = false;
            if (!closing_) return;
        }
        if (parked_) {
            parked_ = false;
            schedule_locked();
        }
    }
    if (in_flight_.empty()) return shut_down();
    auto handler = asio::bind_executor(
        strand_, [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
    if (tls_) {
        asio::async_write(*tls_, asio::buffer(in_flight_.data(), in_flight_.size()), std::move(handler));
    } else {
        asio::async_write(socket_, asio::buffer(in_flight_.data(), in_flight_.size()), std::move(handler));
    }
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
            session_->cancel();
            schedule_locked();
        }
    }
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

// Our word that nothing more comes. Over TLS that is a message of its own: clients take its absence for an attack.
void Connection::shut_down() {
    if (tls_ && socket_.is_open()) {
        timer_.expires_after(kGoodbyeTime);
        timer_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](error_code error) {
            if (!error) self->on_gone();
        }));
        tls_->async_shutdown(
            asio::bind_executor(strand_, [self = shared_from_this()](error_code) { self->on_gone(); }));
        return;
    }
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_both, ignored);
    on_gone();
}

void Connection::ask_to_stop() {
    const std::lock_guard lock(mutex_);
    stop_asked_ = true;
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
