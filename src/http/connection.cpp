#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <chrono>
#include <optional>

#include "base/log.hpp"

namespace boathouse::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::string_body>;

constexpr std::size_t kLingerBytesMax = std::size_t{1024} * 1024;
constexpr std::chrono::seconds kLingerTime{1};

// Counts a request as being answered for as long as it lives.
class Answering {
  public:
    explicit Answering(std::atomic<std::int64_t>& count) : count_(count) { ++count_; }
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;
    ~Answering() { --count_; }

  private:
    std::atomic<std::int64_t>& count_;
};

std::optional<Request> request_from(beast_http::request<beast_http::string_body>& message, bool is_private) {
    const auto target = boost::urls::parse_origin_form({message.target().data(), message.target().size()});
    if (!target) return std::nullopt;
    Request request;
    request.method = message.method();
    request.path = std::string(target->path());
    request.query = std::string(target->encoded_query());
    request.body = std::move(message.body());
    request.headers = std::move(message.base());
    request.is_private = is_private;
    return request;
}

// What the parser refused, as an answer; nothing when the client is simply gone.
std::optional<Response> refusal(const beast::error_code& error, const ServerOptions& options) {
    if (error == beast_http::error::header_limit) {
        return json_error(beast_http::status::request_header_fields_too_large,
                          fmt::format("the request's header is larger than {} bytes", options.header_bytes_max));
    }
    if (error == beast_http::error::body_limit) {
        return json_error(beast_http::status::payload_too_large,
                          fmt::format("the request's body is larger than {} bytes", options.body_bytes_max));
    }
    if (error == beast_http::error::end_of_stream || error == beast_http::error::partial_message ||
        error.category() != beast_http::make_error_code(beast_http::error::bad_method).category()) {
        return std::nullopt;
    }
    return json_error(beast_http::status::bad_request, "this is not an HTTP/1.1 request: " + error.message());
}

Response answer(const Handler& handler, const Request& request) {
    try {
        return handler(request);
    } catch (const std::exception& exception) {
        log_error("http", {ErrorKind::internal, "the handler of " + request.path + " failed", "", exception.what()});
        return json_error(beast_http::status::internal_server_error, "internal error; the box's log says more");
    }
}

template <class Body>
void fill_header(beast_http::response<Body>& message, const Response& response, bool keep_alive) {
    message.result(response.status);
    message.set(beast_http::field::server, "boathouse");
    message.set(beast_http::field::content_type, response.content_type);
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.keep_alive(keep_alive);
}

// Writes a message piece by piece, so that a slow client is told from one that has stopped reading.
template <class Body>
asio::awaitable<bool> write(Stream& stream, beast_http::response<Body>& message, bool is_head, const Shared& shared) {
    beast_http::response_serializer<Body> serializer(message);
    serializer.split(is_head);
    beast::error_code error;
    while (is_head ? !serializer.is_header_done() : !serializer.is_done()) {
        stream.expires_after(std::chrono::milliseconds(shared.options.progress_timeout_ms));
        if (is_head) {
            co_await beast_http::async_write_header(stream, serializer,
                                                    asio::redirect_error(asio::use_awaitable, error));
        } else {
            co_await beast_http::async_write_some(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
        }
        if (error) co_return false;
    }
    co_return true;
}

asio::awaitable<bool> send_response(Stream& stream, Response response, bool is_head, bool keep_alive,
                                    const Shared& shared) {
    if (!response.file.empty()) {
        beast_http::response<beast_http::file_body> message;
        beast::error_code error;
        message.body().open(response.file.c_str(), beast::file_mode::scan, error);
        if (!error) {
            fill_header(message, response, keep_alive);
            message.content_length(message.body().size());
            co_return co_await write(stream, message, is_head, shared) && keep_alive;
        }
        log_warning("http", "{} cannot be read: {}", response.file, error.message());
        response =
            json_error(beast_http::status::internal_server_error, "the file cannot be read; the box's log says more");
    }
    beast_http::response<beast_http::string_body> message;
    fill_header(message, response, keep_alive);
    message.body() = std::move(response.body);
    if (response.status != beast_http::status::not_modified) message.content_length(message.body().size());
    co_return co_await write(stream, message, is_head, shared) && keep_alive;
}

// One request and its response; false when the connection is to be closed.
asio::awaitable<bool> serve_request(Stream& stream, beast::flat_buffer& buffer, Shared& shared, bool is_private) {
    Parser parser;
    parser.header_limit(shared.options.header_bytes_max);
    parser.body_limit(shared.options.body_bytes_max);
    stream.expires_after(std::chrono::milliseconds(shared.options.request_timeout_ms));
    beast::error_code error;
    co_await beast_http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    const Answering answering(shared.answering);
    if (error) {
        if (auto response = refusal(error, shared.options)) {
            co_await send_response(stream, std::move(*response), false, false, shared);
        }
        co_return false;
    }
    ++shared.requests;
    auto message = parser.release();
    const bool keep_alive = message.keep_alive() && !shared.stopping;
    const auto request = request_from(message, is_private);
    if (!request) {
        auto bad = json_error(beast_http::status::bad_request, "the request's target is not a valid path");
        co_return co_await send_response(stream, std::move(bad), false, false, shared);
    }
    stream.expires_never();  // while a worker answers
    const Route* route = shared.router.find(*request);
    Response response;
    if (route == nullptr) {
        response = shared.router.refuse(*request);
    } else if (!route->is_blocking) {
        response = answer(route->handler, *request);
    } else {
        response = co_await asio::co_spawn(
            shared.workers, [&]() -> asio::awaitable<Response> { co_return answer(route->handler, *request); },
            asio::use_awaitable);
    }
    co_return co_await send_response(stream, std::move(response), request->method == beast_http::verb::head, keep_alive,
                                     shared);
}

// Reads and drops what a refused client is still sending, within bounds. A socket that is closed with bytes unread
// resets the connection, and the answer may be lost on its way (RFC 9112, section 9.6).
asio::awaitable<void> linger(Stream& stream) {
    std::array<char, std::size_t{16} * 1024> dropped;
    std::size_t left_bytes = kLingerBytesMax;
    beast::error_code error;
    stream.expires_after(kLingerTime);
    while (!error && left_bytes > 0) {
        const auto size =
            co_await stream.async_read_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
        left_bytes -= std::min(left_bytes, size);
    }
}

}  // namespace

asio::awaitable<void> serve_connection(Stream stream, Shared& shared, bool is_private) {
    beast::flat_buffer buffer;
    while (!shared.stopping && co_await serve_request(stream, buffer, shared, is_private)) {
    }
    beast::error_code ignored;
    stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    co_await linger(stream);
}

}  // namespace boathouse::http
