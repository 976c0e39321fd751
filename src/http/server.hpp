// The HTTP door: HTTP/1.1 on a TCP port, plain or over TLS as each client begins, and on the box's private Unix socket.
//
// Network threads (two) read requests and write responses; handlers that block run on a pool of workers, one request a
// connection at a time, so the number of connections bounds everything that waits. A request that is larger than its
// limit, slower than its time, or one connection too many is refused with a status that says so. start() and stop() are
// for the owning thread. What fails: the port (conflict, permission), the socket's path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "http/router.hpp"

namespace boathouse::gateway {
class Tls;
}

namespace boathouse::http {

struct ServerOptions {
    std::string address{};         // to listen on
    std::uint16_t port = 0;        // 0: any free one, see Server::port()
    std::string private_socket{};  // path; empty: none
    gateway::Tls* tls = nullptr;   // null: none is spoken; outlives the server
    int network_threads = 2;
    int worker_threads = 4;
    int connections_max = 512;  // of each listener
    std::uint32_t header_bytes_max = 16 * 1024;
    std::uint64_t body_bytes_max = std::uint64_t{1024} * 1024;
    int request_timeout_ms = 15'000;   // for a request to arrive whole, and for a kept connection to send the next
    int progress_timeout_ms = 30'000;  // for a client to take some of the response, or send some of a large body
};

class Gatekeeper;

class Server {
  public:
    // The router must outlive the server.
    Server(ServerOptions options, const Router& router);
    ~Server();

    // Who lets clients in to routes that ask for it; before start(). Outlives the server's last request.
    void set_gatekeeper(Gatekeeper& gatekeeper);

    Status start();

    // Accepts no more, lets requests that are being answered finish for `grace_ms`, then closes everything.
    void stop(int grace_ms);

    std::uint16_t port() const;

    // For the metrics; safe from any thread.
    std::int64_t open_connections() const;
    std::int64_t requests_total() const;
    std::int64_t refused_connections_total() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace boathouse::http
