#include "cli/http_get.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <exception>

namespace boathouse::cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::uint64_t kBodyBytesMax = 1 << 20;

asio::awaitable<HttpAnswer> ask(HttpAddress address, std::string path, std::chrono::milliseconds timeout) {
    asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
    boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_after(timeout);
    const auto places =
        co_await resolver.async_resolve(address.host, std::to_string(address.port), asio::use_awaitable);
    co_await stream.async_connect(places, asio::use_awaitable);
    http::request<http::empty_body> request(http::verb::get, path, 11);
    request.set(http::field::host, address.host);
    request.set(http::field::connection, "close");
    co_await http::async_write(stream, request, asio::use_awaitable);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> response;
    response.body_limit(kBodyBytesMax);
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return HttpAnswer{.status = response.get().result_int(), .body = std::move(response.get().body())};
}

}  // namespace

Result<HttpAnswer> http_get(const HttpAddress& address, const std::string& path, std::chrono::milliseconds timeout) {
    Result<HttpAnswer> out = HttpAnswer{};
    asio::io_context context;
    // Asio reports failures of a coroutine by exception; it ends here.
    asio::co_spawn(context, ask(address, path, timeout), [&](const std::exception_ptr& failure, HttpAnswer answer) {
        out = std::move(answer);
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const boost::system::system_error& error) {
            out = Error{.kind = ErrorKind::unavailable,
                        .message = "http://" + address.host + ":" + std::to_string(address.port) + path +
                                   " does not answer: " + error.code().message()};
        }
    });
    context.run();
    return out;
}

}  // namespace boathouse::cli
