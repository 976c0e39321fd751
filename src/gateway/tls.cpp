#include "gateway/tls.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>

#include "base/log.hpp"

namespace boathouse::gateway {

namespace {

namespace ssl = boost::asio::ssl;

// When the file was made and which it is; a renewal is a rename.
std::string stamp_of(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return "?";
    return fmt::format("{}:{}.{}", file.st_ino, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

// RFC 5929: the digest of the certificate's signature, SHA-256 where that is MD5 or SHA-1.
std::string hash_of(X509* certificate) {
    int digest_id = NID_undef;
    const EVP_MD* digest = EVP_sha256();
    if (certificate && OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest_id, nullptr) == 1 &&
        digest_id != NID_md5 && digest_id != NID_sha1 && EVP_get_digestbynid(digest_id)) {
        digest = EVP_get_digestbynid(digest_id);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
    if (!certificate || X509_digest(certificate, digest, bytes.data(), &length) != 1) return {};
    return {reinterpret_cast<const char*>(bytes.data()), length};
}

// A client that offers only other protocols has come to the wrong door (ALPACA attacks): the handshake fails.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned offered_length, void* protocols) {
    const auto& ours = *static_cast<const std::string*>(protocols);
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_length) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

// Sessions are not resumed, as PostgreSQL's servers do not either; what waits costs no buffers.
void set_modes(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace

Tls::Tls(Files files, std::string_view protocol)
    : files_(std::move(files)), protocols_(static_cast<char>(protocol.size()) + std::string(protocol)) {}

Result<std::unique_ptr<Tls>> Tls::load(const config::Settings& settings, std::string_view protocol) {
    if (settings.tls == "off") return std::unique_ptr<Tls>();
    // Where the supervisor leaves what PostgreSQL serves with.
    const std::string name = config::tls_dir(settings) + (settings.tls_cert_file.empty() ? "/self-signed" : "/given");
    std::unique_ptr<Tls> tls(new Tls({name + ".crt", name + ".key"}, protocol));
    tls->stamp_ = stamp_of(tls->files_.key) + stamp_of(tls->files_.certificate);
    auto identity = tls->read();
    if (!identity) return identity.error();
    tls->identity_ = std::move(*identity);
    return tls;
}

Result<std::shared_ptr<TlsIdentity>> Tls::read() const {
    auto identity = std::make_shared<TlsIdentity>();
    ssl::context& context = identity->context;
    boost::system::error_code failed;
    context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                            ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                        failed);
    if (!failed) context.use_certificate_chain_file(files_.certificate, failed);
    if (!failed) context.use_private_key_file(files_.key, ssl::context::pem, failed);
    if (failed) {
        return Error{ErrorKind::configuration, "the certificate " + files_.certificate + " cannot be used",
                     "It is the catalog's certificate, written by `boathouse serve` at each start; start the box "
                     "again, or set tls = off.",
                     failed.message()};
    }
    SSL_CTX* const native = context.native_handle();
    set_modes(native);
    SSL_CTX_set_alpn_select_cb(native, choose_protocol, const_cast<std::string*>(&protocols_));
    identity->certificate_hash = hash_of(SSL_CTX_get0_certificate(native));
    return identity;
}

std::shared_ptr<TlsIdentity> Tls::identity() {
    const std::string stamp = stamp_of(files_.key) + stamp_of(files_.certificate);
    const std::lock_guard lock(mutex_);
    if (stamp == stamp_) return identity_;
    stamp_ = stamp;
    // The supervisor checks what it writes, and says what is wrong with it.
    if (auto renewed = read()) {
        identity_ = std::move(*renewed);
        log_info("gateway", "the certificate {} has been renewed", files_.certificate);
    }
    return identity_;
}

}  // namespace boathouse::gateway
