// Doctor's first steps, in a client's order: is there a port, does it let us in, is the line encrypted.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/doctor_finding.hpp"

namespace boathouse::cli {
namespace {

constexpr int kConnectTimeoutMs = 5'000;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// 0, or the errno of the connection attempt; ETIMEDOUT when nothing came back.
int try_connect(const addrinfo& address) {
    const int socket = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return errno;
    int error = ::connect(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        pollfd waiting{socket, POLLOUT, 0};
        error = ETIMEDOUT;
        socklen_t size = sizeof(error);
        if (::poll(&waiting, 1, kConnectTimeoutMs) == 1) ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    ::close(socket);
    return error;
}

Finding check_port(const catalog::Endpoint& endpoint) {
    const std::string where = endpoint.host + ":" + endpoint.port;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &wanted, &found); error != 0) {
        return {"port", Level::failure,
                fmt::format("the host name {} is unknown: {}", endpoint.host, ::gai_strerror(error)),
                "Check the spelling and this machine's DNS, or use the address."};
    }
    const Addresses addresses(found, &freeaddrinfo);
    int error = ECONNREFUSED;
    for (const addrinfo* address = found; address != nullptr && error != 0; address = address->ai_next) {
        error = try_connect(*address);
    }
    if (error == 0) return {"port", Level::ok, where + " is open"};
    if (error == ECONNREFUSED) {
        return {
            "port", Level::failure, fmt::format("nothing listens on {}: connection refused", where),
            "Check that the box runs (`boathouse status` on its machine), its --catalog-port, and that its --listen is "
            "not loopback when you come from another machine; with containers, that the port is published."};
    }
    return {"port", Level::failure, fmt::format("{} cannot be reached: {}", where, std::strerror(error)),
            "A firewall or a security group mostly: allow TCP to that port from this machine."};
}

Finding check_refusal(const catalog::Endpoint& endpoint, const Error& error) {
    Finding finding{"password", Level::failure, error.message, error.hint};
    if (error.message.find("password authentication failed") != std::string::npos ||
        error.message.find("no password supplied") != std::string::npos) {
        finding.message = fmt::format("the password for the user \"{}\" is wrong or missing", endpoint.user);
        finding.hint =
            "`boathouse attach-string --show-password` on the box's machine prints the right one. Set it here as "
            "POSTGRES_PASSWORD or PGPASSWORD; in an ATTACH, quote a password that holds blanks.";
    } else if (error.message.find("does not exist") != std::string::npos) {
        finding.hint = "Check --database (POSTGRES_DB of the box, by default lakehouse) and --user (by default admin).";
    } else if (error.message.find("pg_hba.conf") != std::string::npos) {
        finding.hint = "The box takes encrypted connections only (--tls require): connect with sslmode=require.";
    }
    return finding;
}

Finding check_tls(catalog::Endpoint endpoint) {
    endpoint.sslmode = "require";
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) {
        return {"tls", Level::warning, "connections are not encrypted: the server does not speak TLS",
                "Start the box with --tls on (the default) or --tls require before you use it over a network."};
    }
    const auto rows = connection->query("SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    if (!rows || rows->empty()) return {"tls", Level::ok, "encrypted"};
    return {"tls", Level::ok,
            fmt::format("{} with {}", rows->front().at(0).value_or("TLS"), rows->front().at(1).value_or("?"))};
}

}  // namespace

std::optional<catalog::Connection> check_way_in(const catalog::Endpoint& endpoint, Findings& findings) {
    const bool is_socket = endpoint.host.starts_with('/');
    if (!is_socket) {
        findings.push_back(check_port(endpoint));
        if (findings.back().level == Level::failure) {
            for (const char* check : {"password", "tls", "lake"}) {
                findings.push_back({check, Level::skipped, "not looked at, because the port does not answer"});
            }
            return std::nullopt;
        }
    }
    auto connection = catalog::Connection::open(endpoint);
    if (!connection) {
        findings.push_back(check_refusal(endpoint, connection.error()));
        findings.push_back({"lake", Level::skipped, "not looked at, because the catalog does not let us in"});
        return std::nullopt;
    }
    findings.push_back(
        {"password", Level::ok, fmt::format("\"{}\" may enter the database \"{}\"", endpoint.user, endpoint.database)});
    if (!is_socket) findings.push_back(check_tls(endpoint));
    return std::move(*connection);
}

}  // namespace boathouse::cli
