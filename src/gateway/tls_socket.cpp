#include "gateway/tls_socket.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <new>

namespace boathouse::gateway {

void TlsSocket::Free::operator()(SSL* connection) const {
    SSL_free(connection);
}

TlsSocket::TlsSocket(std::shared_ptr<TlsIdentity> identity, int socket)
    : identity_(std::move(identity)), connection_(SSL_new(identity_->context.native_handle())) {
    if (!connection_ || SSL_set_fd(connection_.get(), socket) != 1) throw std::bad_alloc();
    SSL_set_accept_state(connection_.get());
}

TlsSocket::~TlsSocket() = default;

// OpenSSL tells the reason by a queue of the thread, which must be empty before each call.
TlsSocket::Step TlsSocket::step_of(int result) const {
    if (result > 0) return Step::done;
    switch (SSL_get_error(connection_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return Step::wants_read;
        case SSL_ERROR_WANT_WRITE:
            return Step::wants_write;
        default:
            return Step::over;
    }
}

TlsSocket::Step TlsSocket::handshake() {
    if (closed_) return Step::over;
    ERR_clear_error();
    return step_of(SSL_do_handshake(connection_.get()));
}

TlsSocket::Step TlsSocket::read(char* bytes, std::size_t room, std::size_t& count) {
    if (closed_) return Step::over;
    ERR_clear_error();
    return step_of(SSL_read_ex(connection_.get(), bytes, room, &count));
}

bool TlsSocket::holds_bytes() const {
    return !closed_ && SSL_has_pending(connection_.get()) == 1;
}

TlsSocket::Step TlsSocket::write(std::string_view bytes, std::size_t& count) {
    if (closed_) return Step::over;
    ERR_clear_error();
    return step_of(SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count));
}

TlsSocket::Step TlsSocket::shut_down() {
    if (closed_) return Step::over;
    ERR_clear_error();
    const int result = SSL_shutdown(connection_.get());
    // Zero is no error: our goodbye has gone, the client's is to be read.
    return result == 0 ? step_of(SSL_shutdown(connection_.get())) : step_of(result);
}

bool TlsSocket::chose_postgresql() const {
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(connection_.get(), &chosen, &length);
    return length > 0;
}

}  // namespace boathouse::gateway
