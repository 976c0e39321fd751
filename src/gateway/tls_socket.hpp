// One client's encrypted connection: OpenSSL on the socket itself, in steps that never block.
//
// Each step says whether it is done or what the socket must be ready for before it is tried again; the Connection does
// the waiting. OpenSSL reads and writes the socket without buffers in between and gives its own back while nothing is
// under way, so that an idle connection costs some 15 kB. One thread at a time. The socket must outlive it, be
// non-blocking, and SIGPIPE be ignored.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "gateway/tls.hpp"

namespace boathouse::gateway {

class TlsSocket {
  public:
    TlsSocket(std::shared_ptr<TlsIdentity> identity, int socket);
    ~TlsSocket();

    enum class Step {
        done,
        wants_read,   // again when the socket can be read
        wants_write,  // again when it can be written
        over,         // the client has gone, or does not speak TLS
    };

    Step handshake();
    // `count` (1 to `room`) bytes have come.
    Step read(char* bytes, std::size_t room, std::size_t& count);
    // Whether read() has more without the socket.
    bool holds_bytes() const;
    // `count` of the bytes, one at least, have gone. What has been tried must be tried again first.
    Step write(std::string_view bytes, std::size_t& count);
    // Our goodbye is out and the client's has come.
    Step shut_down();

    // The socket is about to be closed, and its number may become another's: from here on every step is over.
    void close() { closed_ = true; }

    // What the client was shown.
    const TlsIdentity& identity() const { return *identity_; }

    // Whether client and server agreed by ALPN to speak PostgreSQL's protocol.
    bool chose_postgresql() const;

  private:
    struct Free {
        void operator()(SSL* connection) const;
    };
    Step step_of(int result) const;

    const std::shared_ptr<TlsIdentity> identity_;
    bool closed_ = false;
    std::unique_ptr<SSL, Free> connection_;
};

}  // namespace boathouse::gateway
