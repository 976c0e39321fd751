// One connection to the mirror's PostgreSQL, by protocol messages, authenticated as a client's own role.
//
// Over the private Unix socket, which PostgreSQL opens to the box's user for every role of the mirror's database
// (docs/decisions/mirror-relay.md); no password travels. One thread at a time, but for cancel(), which any thread may
// call and which does not wait. send() and receive() block as long as PostgreSQL works. Errors: unavailable when the
// connection is lost, and PostgreSQL's own at open().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "catalog/connection.hpp"
#include "engine/query_error.hpp"
#include "pgwire/backend.hpp"
#include "pgwire/frontend.hpp"

namespace boathouse::relay {

// PostgreSQL's ErrorResponse. Its position counts characters; here it counts bytes of `text`, from 1.
engine::QueryError decode_error(std::string_view body, std::string_view text);

class ServerConnection {
  public:
    static engine::Outcome<std::unique_ptr<ServerConnection>> open(const catalog::Endpoint& endpoint);
    ~ServerConnection();
    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;

    const std::string& role() const { return role_; }

    // Messages, one after the other.
    Status send(std::string_view messages);
    Result<pgwire::Frame> receive();

    // A Query message whose rows do not matter: it goes out with what is sent next, its answer stays unread. settle()
    // sends what is still here and reads the answers of all, to the last ReadyForQuery; the first error counts. Whoever
    // receive()s an answer has settled those before it.
    void defer(std::string_view sql);
    engine::Outcome<void> settle();
    // Settled, and PostgreSQL has said nothing more since: it ends a connection with a last word.
    bool is_idle();

    // PostgreSQL ends the statement that runs now with 57014.
    void cancel();
    // The request may arrive late and hit what runs next, so nobody else should get this connection.
    bool cancelled() const { return cancelled_; }

  private:
    ServerConnection(FileDescriptor socket, std::string path, std::string role)
        : socket_(std::move(socket)), path_(std::move(path)), role_(std::move(role)) {}
    engine::Outcome<void> start(const std::string& database);

    FileDescriptor socket_;
    const std::string path_;
    const std::string role_;
    pgwire::Buffer deferred_;      // not sent yet
    std::size_t unread_ = 0;       // answers to what was deferred
    std::string received_;         // read and not taken yet
    std::size_t taken_ = 0;        // of received_
    std::int32_t process_id_ = 0;  // for cancel(), with the key
    std::int32_t secret_key_ = 0;
    std::atomic<bool> cancelled_ = false;
};

}  // namespace boathouse::relay
