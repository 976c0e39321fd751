#include "gateway/sql_door.hpp"

#include <sys/resource.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "gateway/connection.hpp"

namespace boathouse::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kSecretBytes = 32;
// For log-ins, which wait for the catalog, refusals and clean-up.
constexpr std::size_t kErrandThreads = 4;
// For statements that are ended to end.
constexpr std::chrono::seconds kInterruptTime{5};
// Connections beyond the limit that are told so; more are closed without a word.
constexpr std::size_t kRefusalsMax = 100;
// After an error of accept (no file descriptors), before the next try.
constexpr std::chrono::milliseconds kAcceptPause{100};

// A soft limit of 1,024 files is usual, for programs that use select(); none of ours does. Where it cannot be raised,
// accept() says what is missing.
void raise_open_files() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
}

}  // namespace

struct SqlDoor::Impl {
    Impl(SqlDoorOptions wanted, catalog::Endpoint catalog, const SqlDoorParts& parts, std::unique_ptr<Tls> certificate,
         bool require_tls)
        : options(std::move(wanted)),
          roles(std::move(catalog), options.mirror_database),
          throttle(clock),
          sessions{parts.lake,      cancels,      log_in_services(parts.exchange), parts.watch, parts.exchange,
                   &parts.gatherer, parts.answers},
          tls(std::move(certificate)),
          statements(static_cast<std::size_t>(options.running_max), static_cast<std::size_t>(options.waiting_max)),
          errands(kErrandThreads, 0),
          services{sessions,  statements,  errands,
                   tls.get(), require_tls, std::chrono::milliseconds(options.log_in_timeout_ms)},
          acceptor(asio::make_strand(network)),
          accept_timer(network) {}

    LogInServices log_in_services(relay::Exchange* exchange) {
        LogInServices made{roles, throttle, options.database_names, pgwire::random_bytes(kSecretBytes)};
        if (exchange != nullptr) {
            made.look_again = [exchange] {
                if (auto done = exchange->pool.mirror().look_again(); !done) log_error("gateway", done.error());
            };
        }
        return made;
    }

    Status listen();
    void accept();
    void on_accept(error_code error, tcp::socket socket);
    std::shared_ptr<Connection> make_connection(tcp::socket socket);

    const SqlDoorOptions options;
    const SystemClock clock;
    Roles roles;
    LogInThrottle throttle;
    CancelRegistry cancels;
    SessionServices sessions;
    std::unique_ptr<Tls> tls;

    std::mutex mutex;
    std::condition_variable all_gone;
    std::map<std::uint64_t, std::weak_ptr<Connection>> connections;  // under mutex
    std::uint64_t next_number = 0;                                   // under mutex

    asio::io_context network;
    Executor statements;
    Executor errands;
    ConnectionServices services;
    tcp::acceptor acceptor;
    asio::steady_timer accept_timer;
    std::vector<std::thread> threads;
    std::uint16_t port = 0;
};

Status SqlDoor::Impl::listen() {
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error)
        return Error{ErrorKind::configuration,
                     "the SQL door cannot listen on \"" + options.address + "\": not an IP address"};
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        const ErrorKind kind = error == asio::error::address_in_use ? ErrorKind::conflict : ErrorKind::permission;
        return Error{
            kind,
            fmt::format("the SQL door cannot listen on {}:{}: {}", options.address, options.port, error.message()),
            "Set another port with --sql-port, or stop what has this one."};
    }
    port = acceptor.local_endpoint().port();
    return {};
}

void SqlDoor::Impl::accept() {
    acceptor.async_accept(network,
                          [this](error_code error, tcp::socket socket) { on_accept(error, std::move(socket)); });
}

void SqlDoor::Impl::on_accept(error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
    if (error) {
        log_warning("gateway", "a connection could not be accepted: {}", error.message());
        accept_timer.expires_after(kAcceptPause);
        accept_timer.async_wait(asio::bind_executor(acceptor.get_executor(), [this](error_code cancelled) {
            if (!cancelled) accept();
        }));
        return;
    }
    if (const auto connection = make_connection(std::move(socket))) connection->start();
    accept();
}

std::shared_ptr<Connection> SqlDoor::Impl::make_connection(tcp::socket socket) {
    const std::lock_guard lock(mutex);
    const std::size_t limit = static_cast<std::size_t>(options.connections_max);
    if (connections.size() >= limit + kRefusalsMax) return nullptr;
    const bool refused = connections.size() >= limit;
    const std::uint64_t number = next_number++;
    std::shared_ptr<Connection> connection(new Connection(std::move(socket), services, refused),
                                           [this, number](Connection* gone) {
                                               delete gone;
                                               const std::lock_guard gone_lock(mutex);
                                               connections.erase(number);
                                               if (connections.empty()) all_gone.notify_all();
                                           });
    connections[number] = connection;
    return connection;
}

SqlDoor::SqlDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<SqlDoor>> SqlDoor::start(SqlDoorOptions options, const config::Settings& settings,
                                                catalog::Endpoint catalog, const SqlDoorParts& parts) {
    raise_open_files();
    if (auto admitted = engine::Session::admit_clients(parts.lake); !admitted) return admitted.error();
    auto tls = Tls::load(settings, kPostgresqlProtocol);
    if (!tls) return tls.error();
    const int network_threads = options.network_threads;
    auto impl = std::make_unique<Impl>(std::move(options), std::move(catalog), parts, std::move(*tls),
                                       settings.tls == "require");
    if (auto listening = impl->listen(); !listening) return listening.error();
    impl->accept();
    for (int i = 0; i < network_threads; ++i) {
        impl->threads.emplace_back([network = &impl->network] { network->run(); });
    }
    return std::unique_ptr<SqlDoor>(new SqlDoor(std::move(impl)));
}

void SqlDoor::stop(int grace_ms) {
    Impl& door = *impl_;
    if (door.threads.empty()) return;
    asio::post(door.acceptor.get_executor(), [&door] {
        error_code ignored;
        door.acceptor.close(ignored);
        door.accept_timer.cancel();
    });
    const auto each = [&door](auto order) {
        std::vector<std::shared_ptr<Connection>> alive;
        {
            const std::lock_guard lock(door.mutex);
            for (const auto& [number, weak] : door.connections) {
                if (auto connection = weak.lock()) alive.push_back(std::move(connection));
            }
        }
        for (const auto& connection : alive) order(*connection);
    };
    const auto wait = [&door](std::chrono::milliseconds time) {
        std::unique_lock lock(door.mutex);
        return door.all_gone.wait_for(lock, time, [&door] { return door.connections.empty(); });
    };
    each([](Connection& connection) { connection.ask_to_stop(); });
    if (!wait(std::chrono::milliseconds(grace_ms))) {
        each([](Connection& connection) { connection.interrupt(Interruption::stopping); });
        if (!wait(kInterruptTime)) {
            each([](Connection& connection) { connection.abort(); });
            wait(kInterruptTime);
        }
    }
    door.network.stop();
    for (std::thread& thread : door.threads) thread.join();
    door.threads.clear();
}

SqlDoor::~SqlDoor() {
    stop(0);
}

SessionServices& SqlDoor::services() {
    return impl_->sessions;
}

Executor& SqlDoor::statements() {
    return impl_->statements;
}

std::uint16_t SqlDoor::port() const {
    return impl_->port;
}

std::int64_t SqlDoor::open_connections() const {
    const std::lock_guard lock(impl_->mutex);
    return static_cast<std::int64_t>(impl_->connections.size());
}

}  // namespace boathouse::gateway
