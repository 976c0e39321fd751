// The bytes of one client's connection, plain or encrypted.
//
// Private to src/http/, and an AsyncStream as Asio means it, so that Beast's parsers and serializers work on it. It
// starts plain; begin() looks at the first bytes, and where they are a TLS ClientHello, everything from there on is
// encrypted. Both kinds of clients therefore use one port. Deadlines (expires_after) hold for handshake, reads and
// writes alike, and close the socket. One thread at a time: the connection's strand.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "gateway/tls.hpp"

namespace boathouse::http {

class Stream {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;
    using Plain = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
    using executor_type = Plain::executor_type;

    explicit Stream(Socket socket) : plain_(std::make_unique<Plain>(std::move(socket))) {}

    executor_type get_executor() { return plain_->get_executor(); }
    Socket& socket() { return plain_->socket(); }
    const Socket& socket() const { return plain_->socket(); }
    bool is_encrypted() const { return tls_.has_value(); }

    void expires_after(std::chrono::milliseconds time) { plain_->expires_after(time); }
    void expires_never() { plain_->expires_never(); }

    // Shakes hands with a client that begins with a ClientHello. What a plain one has sent so far stays in `buffer`.
    // Fails when the client goes, is too slow, or offers no version or cipher that is good enough.
    boost::asio::awaitable<boost::beast::error_code> begin(gateway::Tls& tls, boost::beast::flat_buffer& buffer);

    // Says that nothing more comes, encrypted where the connection is, and waits no longer than `time` for the same.
    boost::asio::awaitable<void> say_goodbye(std::chrono::milliseconds time);

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::beast::error_code, std::size_t)>(
            [this](auto handler, const Buffers& into) {
                if (tls_) return tls_->async_read_some(into, std::move(handler));
                plain_->async_read_some(into, std::move(handler));
            },
            token, buffers);
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return boost::asio::async_initiate<Token, void(boost::beast::error_code, std::size_t)>(
            [this](auto handler, const Buffers& from) {
                if (tls_) return tls_->async_write_some(from, std::move(handler));
                plain_->async_write_some(from, std::move(handler));
            },
            token, buffers);
    }

    // Reads what is of no interest any more, after the goodbye.
    template <class Buffers, class Token>
    auto drop_some(const Buffers& buffers, Token&& token) {
        return plain_->async_read_some(buffers, std::forward<Token>(token));
    }

  private:
    std::unique_ptr<Plain> plain_;  // stays where it is: tls_ refers to it
    std::optional<boost::asio::ssl::stream<Plain&>> tls_;
};

}  // namespace boathouse::http
