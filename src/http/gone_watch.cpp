#include "http/gone_watch.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace boathouse::http {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLookInterval{200};

bool has_closed(int socket) {
    pollfd state{socket, POLLRDHUP, 0};
    return ::poll(&state, 1, 0) == 1;
}

bool has_bytes(int socket) {
    char next = 0;
    return ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

struct GoneWatch::Watch : std::enable_shared_from_this<Watch> {
    Watch(Stream& of, std::shared_ptr<Abandonment> abandonment)
        : stream(&of), told(std::move(abandonment)), timer(of.get_executor()) {}

    void wait() {
        stream->socket().async_wait(asio::socket_base::wait_read,
                                    [self = shared_from_this()](boost::system::error_code error) {
                                        if (!error) self->look();
                                    });
    }

    void look() {
        if (stream == nullptr) return;
        const int socket = stream->socket().native_handle();
        if (has_closed(socket)) return told->happen();
        // Readiness may be that of bytes which are read already.
        if (!has_bytes(socket)) return wait();
        timer.expires_after(kLookInterval);
        timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error) self->look();
        });
    }

    Stream* stream;  // null: the watch is over
    const std::shared_ptr<Abandonment> told;
    asio::steady_timer timer;
};

GoneWatch::GoneWatch(Stream& stream, std::shared_ptr<Abandonment> abandonment)
    : watch_(std::make_shared<Watch>(stream, std::move(abandonment))) {
    watch_->wait();
}

GoneWatch::~GoneWatch() {
    boost::system::error_code ignored;
    watch_->stream->socket().cancel(ignored);
    watch_->stream = nullptr;
    watch_->timer.cancel();
}

}  // namespace boathouse::http
