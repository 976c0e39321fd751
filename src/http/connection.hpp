// One client's connection: requests in, responses out, until either side has enough.
//
// Private to src/http/. A coroutine on the network threads; it touches the socket only there and hands blocking
// handlers to the workers. Ends quietly when the client goes, is too slow or breaks the protocol.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>

#include "http/gatekeeper.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "http/stream.hpp"

namespace boathouse::http {

// What all connections of a server share.
struct Shared {
    const ServerOptions& options;
    const Router& router;
    boost::asio::thread_pool& workers;
    Gatekeeper* gatekeeper = nullptr;  // null: no route asks for it
    std::atomic<bool> stopping{false};
    std::atomic<std::int64_t> answering{0};  // requests between their last byte in and their response's last byte out
    std::atomic<std::int64_t> requests{0};
};

boost::asio::awaitable<void> serve_connection(Stream stream, Shared& shared, bool is_private);

}  // namespace boathouse::http
