#include "http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "http/connection.hpp"

namespace boathouse::http {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Endpoint = asio::generic::stream_protocol::endpoint;

constexpr int kBacklog = 512;

// One connection too many learns it before it is closed.
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    "Content-Length: 34\r\n\r\n{\"error\": \"too many connections\"}\n";

Error cannot_listen(const std::string& where, const boost::system::error_code& error) {
    if (error == asio::error::address_in_use) {
        return {ErrorKind::conflict, fmt::format("the HTTP door cannot listen on {}: the port is taken", where),
                "Stop what listens there (ss -ltnp shows it), or set --http-port to another.", ""};
    }
    if (error == asio::error::access_denied) {
        return {ErrorKind::permission, fmt::format("the HTTP door may not listen on {}", where),
                "Ports below 1024 are for root: set --http-port to a higher one.", ""};
    }
    return {ErrorKind::configuration, fmt::format("the HTTP door cannot listen on {}: {}", where, error.message()),
            "Set --listen to an address of this machine, or to 0.0.0.0 for all.", ""};
}

}  // namespace

struct Server::Impl {
    Impl(ServerOptions given, const Router& router)
        : options(std::move(given)),
          workers(static_cast<std::size_t>(options.worker_threads)),
          shared{options, router, workers} {}

    Status listen(Acceptor& acceptor, const Endpoint& endpoint, const std::string& where);
    asio::awaitable<void> accept(Acceptor& acceptor, bool is_private);
    void spawn(asio::generic::stream_protocol::socket socket, std::atomic<std::int64_t>& open, bool is_private);

    ServerOptions options;
    asio::io_context network;
    asio::executor_work_guard<asio::io_context::executor_type> work{network.get_executor()};  // until stop() ends it
    asio::thread_pool workers;
    Shared shared;
    Acceptor tcp{asio::make_strand(network)};  // a strand each: stop() closes what a network thread accepts on
    Acceptor local{asio::make_strand(network)};
    std::uint16_t port = 0;
    std::atomic<std::int64_t> tcp_open{0};
    std::atomic<std::int64_t> local_open{0};
    std::atomic<std::int64_t> refused{0};
    std::vector<std::thread> threads;
};

Status Server::Impl::listen(Acceptor& acceptor, const Endpoint& endpoint, const std::string& where) {
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (error) return cannot_listen(where, error);
    return {};
}

void Server::Impl::spawn(asio::generic::stream_protocol::socket socket, std::atomic<std::int64_t>& open,
                         bool is_private) {
    ++open;
    const auto executor = socket.get_executor();
    asio::co_spawn(executor, serve_connection(Stream(std::move(socket)), shared, is_private),
                   [&open](const std::exception_ptr&) { --open; });
}

asio::awaitable<void> Server::Impl::accept(Acceptor& acceptor, bool is_private) {
    std::atomic<std::int64_t>& open = is_private ? local_open : tcp_open;
    while (acceptor.is_open()) {
        boost::system::error_code error;
        auto socket = co_await acceptor.async_accept(asio::make_strand(network),
                                                     asio::redirect_error(asio::use_awaitable, error));
        if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
        if (error) {
            // Out of file descriptors, mostly: the client stays in the backlog until some are free.
            log_warning("http", "a connection cannot be accepted: {}", error.message());
            asio::steady_timer pause(network, std::chrono::milliseconds(200));
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
            continue;
        }
        if (open >= options.connections_max) {
            ++refused;
            socket.non_blocking(true, error);
            socket.send(asio::buffer(kTooMany), 0, error);
            continue;
        }
        spawn(std::move(socket), open, is_private);
    }
}

Server::Server(ServerOptions options, const Router& router)
    : impl_(std::make_unique<Impl>(std::move(options), router)) {}

Server::~Server() {
    stop(0);
}

void Server::set_gatekeeper(Gatekeeper& gatekeeper) {
    impl_->shared.gatekeeper = &gatekeeper;
}

Status Server::start() {
    auto& impl = *impl_;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(impl.options.address, error);
    const std::string where = fmt::format("{}:{}", impl.options.address, impl.options.port);
    if (error) return cannot_listen(where, error);
    if (auto status = impl.listen(impl.tcp, asio::ip::tcp::endpoint(address, impl.options.port), where); !status)
        return status;
    const auto bound = impl.tcp.local_endpoint();
    asio::ip::tcp::endpoint tcp;
    std::memcpy(tcp.data(), bound.data(), bound.size());
    impl.port = tcp.port();

    if (!impl.options.private_socket.empty()) {
        const std::string& path = impl.options.private_socket;
        ::unlink(path.c_str());  // of a box that was killed; the data directory's lock keeps a living one away
        const mode_t mask = ::umask(0077);
        auto status = impl.listen(impl.local, asio::local::stream_protocol::endpoint(path), path);
        ::umask(mask);
        if (!status) return status;
        asio::co_spawn(impl.local.get_executor(), impl.accept(impl.local, true), asio::detached);
    }
    asio::co_spawn(impl.tcp.get_executor(), impl.accept(impl.tcp, false), asio::detached);
    for (int index = 0; index < impl.options.network_threads; index++) {
        impl.threads.emplace_back([&impl] { impl.network.run(); });
    }
    return {};
}

void Server::stop(int grace_ms) {
    auto& impl = *impl_;
    if (impl.threads.empty()) return;
    impl.shared.stopping = true;
    for (Acceptor* acceptor : {&impl.tcp, &impl.local}) {
        asio::post(acceptor->get_executor(), asio::use_future([acceptor] {
                       boost::system::error_code ignored;
                       acceptor->close(ignored);
                   }))
            .wait();
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
    while (impl.shared.answering > 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    impl.network.stop();
    for (auto& thread : impl.threads) thread.join();
    impl.threads.clear();
    impl.workers.join();
    if (!impl.options.private_socket.empty()) ::unlink(impl.options.private_socket.c_str());
}

std::uint16_t Server::port() const {
    return impl_->port;
}
std::int64_t Server::open_connections() const {
    return impl_->tcp_open + impl_->local_open;
}
std::int64_t Server::requests_total() const {
    return impl_->shared.requests;
}
std::int64_t Server::refused_connections_total() const {
    return impl_->refused;
}

}  // namespace boathouse::http
