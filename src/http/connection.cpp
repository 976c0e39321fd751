#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <chrono>
#include <cstring>
#include <optional>

#include "base/log.hpp"
#include "http/gone_watch.hpp"

namespace boathouse::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::string_body>;

constexpr std::size_t kLingerBytesMax = std::size_t{16} * 1024 * 1024;
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

// What the header says.
std::optional<Request> request_from(const beast_http::request<beast_http::string_body>& message, const Stream& stream,
                                    bool is_private) {
    const auto target = boost::urls::parse_origin_form({message.target().data(), message.target().size()});
    if (!target) return std::nullopt;
    Request request;
    request.method = message.method();
    request.path = std::string(target->path());
    request.query = std::string(target->encoded_query());
    request.headers = message.base();
    request.is_private = is_private;
    if (is_private) return request;
    beast::error_code error;
    const auto remote = stream.socket().remote_endpoint(error);
    if (error) return request;
    asio::ip::tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), remote.data(), std::min(remote.size(), endpoint.capacity()));
    request.peer.address = endpoint.address().to_string();
    request.peer.encrypted = stream.is_encrypted();
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

// The next piece of a body that is made while it is sent.
asio::awaitable<std::string> next_piece(Stream& stream, BodySource& source) {
    const auto executor = stream.get_executor();
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::string)>(
        [&](auto completion) {
            // Shared, because a std::function is copied.
            auto done = std::make_shared<decltype(completion)>(std::move(completion));
            source.next([done, executor](std::string piece) {
                asio::post(executor, [done, piece = std::move(piece)]() mutable { (*done)(std::move(piece)); });
            });
        },
        asio::use_awaitable);
}

// Chunk by chunk; a client that takes nothing for too long is cut off, one that has nothing to take is not.
asio::awaitable<bool> send_pieces(Stream& stream, const Response& response, bool keep_alive, const Shared& shared) {
    beast_http::response<beast_http::empty_body> header;
    fill_header(header, response, keep_alive);
    header.chunked(true);
    beast_http::response_serializer<beast_http::empty_body> serializer(header);
    beast::error_code error;
    stream.expires_after(std::chrono::milliseconds(shared.options.progress_timeout_ms));
    co_await beast_http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    const auto abandonment = std::make_shared<Abandonment>();
    abandonment->listen([source = response.source] { source->abandon(); });
    const GoneWatch watch(stream, abandonment);
    while (!error) {
        stream.expires_never();
        const std::string piece = co_await next_piece(stream, *response.source);
        stream.expires_after(std::chrono::milliseconds(shared.options.progress_timeout_ms));
        if (piece.empty()) {
            co_await asio::async_write(stream, beast_http::make_chunk_last(),
                                       asio::redirect_error(asio::use_awaitable, error));
            co_return !error && keep_alive;
        }
        co_await asio::async_write(stream, beast_http::make_chunk(asio::buffer(piece)),
                                   asio::redirect_error(asio::use_awaitable, error));
    }
    response.source->abandon();
    co_return false;
}

asio::awaitable<bool> send_response(Stream& stream, Response response, bool is_head, bool keep_alive,
                                    const Shared& shared) {
    if (response.delay.count() > 0) {
        asio::steady_timer pause(stream.get_executor(), response.delay);
        stream.expires_never();
        co_await pause.async_wait(asio::use_awaitable);
    }
    if (response.source && !is_head) co_return co_await send_pieces(stream, response, keep_alive, shared);
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

asio::awaitable<Response> answer_late(Stream& stream, const LateHandler& handler, Request request) {
    request.abandonment = std::make_shared<Abandonment>();
    const GoneWatch watch(stream, request.abandonment);
    const auto executor = stream.get_executor();
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(
        [&](auto completion) {
            // Shared, because a std::function is copied.
            auto done = std::make_shared<decltype(completion)>(std::move(completion));
            handler(std::move(request), [done, executor](Response response) {
                asio::post(executor,
                           [done, response = std::move(response)]() mutable { (*done)(std::move(response)); });
            });
        },
        asio::use_awaitable);
}

asio::awaitable<Response> answer_request(Stream& stream, Request request, const Route* route, Shared& shared) {
    stream.expires_never();  // while somebody answers
    if (route == nullptr) co_return shared.router.refuse(request);
    if (route->late_handler) co_return co_await answer_late(stream, route->late_handler, std::move(request));
    if (!route->is_blocking) co_return answer(route->handler, request);
    co_return co_await asio::co_spawn(
        shared.workers, [&]() -> asio::awaitable<Response> { co_return answer(route->handler, request); },
        asio::use_awaitable);
}

// Decides from the header whether the body may come; an answer if not.
asio::awaitable<std::optional<Response>> let_in(const Parser& parser, Request& head, Shared& shared) {
    Gatekeeper& gatekeeper = *shared.gatekeeper;
    auto verdict = co_await asio::co_spawn(
        shared.workers, [&]() -> asio::awaitable<Gatekeeper::Verdict> { co_return gatekeeper.admit(head); },
        asio::use_awaitable);
    if (auto* refused = std::get_if<Response>(&verdict)) co_return std::move(*refused);
    head.caller = std::get<std::shared_ptr<const gateway::Caller>>(std::move(verdict));
    const std::uint64_t bytes_max = gatekeeper.body_bytes_max();
    const auto length = parser.content_length();
    if (length && *length > bytes_max) co_return Gatekeeper::too_large(bytes_max);
    // Without a length it comes in chunks of any number, or not at all.
    const std::uint64_t unknown = parser.chunked() ? bytes_max : 0;
    head.room = gatekeeper.make_room(length ? *length : unknown);
    if (!head.room) co_return Gatekeeper::no_room();
    co_return std::nullopt;
}

// A client that asks whether it may send the body (RFC 9110, section 10.1.1) is told to.
asio::awaitable<void> invite_body(Stream& stream, const Parser& parser) {
    if (!beast::iequals(parser.get()[beast_http::field::expect], "100-continue")) co_return;
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    beast::error_code ignored;
    co_await asio::async_write(stream, asio::buffer(kContinue), asio::redirect_error(asio::use_awaitable, ignored));
}

// A body may take its time as long as some of it comes.
asio::awaitable<beast::error_code> read_body(Stream& stream, beast::flat_buffer& buffer, Parser& parser,
                                             const ServerOptions& options) {
    beast::error_code error;
    while (!parser.is_done() && !error) {
        stream.expires_after(std::chrono::milliseconds(options.progress_timeout_ms));
        co_await beast_http::async_read_some(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
}

std::uint64_t body_bytes_max(const Route* route, const Shared& shared) {
    return route != nullptr && route->late_handler ? shared.gatekeeper->body_bytes_max()
                                                   : shared.options.body_bytes_max;
}

std::optional<Response> refusal_of_body(const beast::error_code& error, const Route* route, const Shared& shared) {
    if (error == beast_http::error::body_limit && route != nullptr && route->late_handler)
        return Gatekeeper::too_large(shared.gatekeeper->body_bytes_max());
    return refusal(error, shared.options);
}

// One request and its response; false when the connection is to be closed.
asio::awaitable<bool> serve_request(Stream& stream, beast::flat_buffer& buffer, Shared& shared, bool is_private) {
    Parser parser;
    parser.header_limit(shared.options.header_bytes_max);
    parser.body_limit(boost::none);  // set once the route is known
    stream.expires_after(std::chrono::milliseconds(shared.options.request_timeout_ms));
    beast::error_code error;
    co_await beast_http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    const Answering answering(shared.answering);
    if (error) {
        if (auto response = refusal(error, shared.options)) {
            co_await send_response(stream, std::move(*response), false, false, shared);
        }
        co_return false;
    }
    ++shared.requests;
    auto request = request_from(parser.get(), stream, is_private);
    if (!request) {
        auto bad = json_error(beast_http::status::bad_request, "the request's target is not a valid path");
        co_return co_await send_response(stream, std::move(bad), false, false, shared);
    }
    const bool is_head = request->method == beast_http::verb::head;
    const Route* route = shared.router.find(*request);
    if (route != nullptr && route->late_handler) {
        if (auto refused = co_await let_in(parser, *request, shared))
            co_return co_await send_response(stream, std::move(*refused), is_head, false, shared);
    }
    const std::uint64_t bytes_max = body_bytes_max(route, shared);
    parser.body_limit(bytes_max);
    if (parser.content_length() && *parser.content_length() > bytes_max) {
        error = beast_http::error::body_limit;
    } else {
        co_await invite_body(stream, parser);
        error = co_await read_body(stream, buffer, parser, shared.options);
    }
    if (error) {
        if (auto response = refusal_of_body(error, route, shared))
            co_await send_response(stream, std::move(*response), is_head, false, shared);
        co_return false;
    }
    const bool keep_alive = parser.get().keep_alive() && !shared.stopping;
    request->body = std::move(parser.get().body());
    Response response = co_await answer_request(stream, std::move(*request), route, shared);
    co_return co_await send_response(stream, std::move(response), is_head, keep_alive, shared);
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
            co_await stream.drop_some(asio::buffer(dropped), asio::redirect_error(asio::use_awaitable, error));
        left_bytes -= std::min(left_bytes, size);
    }
}

}  // namespace

asio::awaitable<void> serve_connection(Stream stream, Shared& shared, bool is_private) {
    beast::flat_buffer buffer;
    if (shared.options.tls != nullptr && !is_private) {
        stream.expires_after(std::chrono::milliseconds(shared.options.request_timeout_ms));
        if (co_await stream.begin(*shared.options.tls, buffer)) co_return;
    }
    while (!shared.stopping && co_await serve_request(stream, buffer, shared, is_private)) {
    }
    co_await stream.say_goodbye(kLingerTime);
    co_await linger(stream);
}

}  // namespace boathouse::http
