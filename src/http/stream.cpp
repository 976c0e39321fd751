#include "http/stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/detect_ssl.hpp>

namespace boathouse::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

asio::awaitable<beast::error_code> Stream::begin(gateway::Tls& tls, beast::flat_buffer& buffer) {
    beast::error_code error;
    const bool is_hello =
        co_await beast::async_detect_ssl(*plain_, buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error || !is_hello) co_return error;
    tls_.emplace(*plain_, tls.identity()->context);
    const std::size_t taken = co_await tls_->async_handshake(asio::ssl::stream_base::server, buffer.data(),
                                                             asio::redirect_error(asio::use_awaitable, error));
    buffer.consume(taken);
    // What else came along was not encrypted: nobody may put words into the client's mouth.
    if (!error && buffer.size() > 0) error = asio::error::invalid_argument;
    co_return error;
}

asio::awaitable<void> Stream::say_goodbye(std::chrono::milliseconds time) {
    beast::error_code ignored;
    if (tls_) {
        plain_->expires_after(time);
        co_await tls_->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }
    plain_->socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace boathouse::http
