#include "gateway/tls.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <filesystem>

namespace boathouse::gateway {

namespace {

namespace ssl = boost::asio::ssl;

struct Files {
    std::string certificate;
    std::string key;
};

// Where the supervisor leaves what PostgreSQL serves with.
Files files_of(const config::Settings& settings) {
    const std::string directory = config::tls_dir(settings);
    const std::string name = settings.tls_cert_file.empty() ? "/self-signed" : "/given";
    return {directory + name + ".crt", directory + name + ".key"};
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

// ALPN's list as it goes over the wire.
constexpr unsigned char kProtocols[] = "\012postgresql";

// A client that offers only other protocols has come to the wrong door (ALPACA attacks): the handshake fails.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned offered_length, void*) {
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, length, kProtocols, sizeof(kProtocols) - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Tls::Tls() : context_(ssl::context::tls_server) {}

Result<std::unique_ptr<Tls>> Tls::load(const config::Settings& settings) {
    if (settings.tls == "off") return std::unique_ptr<Tls>();
    const Files files = files_of(settings);
    std::unique_ptr<Tls> tls(new Tls());
    boost::system::error_code failed;
    tls->context_.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                                  ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                              failed);
    if (!failed) tls->context_.use_certificate_chain_file(files.certificate, failed);
    if (!failed) tls->context_.use_private_key_file(files.key, ssl::context::pem, failed);
    if (failed) {
        return Error{
            ErrorKind::configuration,
            "the SQL door cannot use the certificate " + files.certificate + ": " + failed.message(),
            "It is the catalog's certificate, written by `boathouse serve` at each start; start the box again, or "
            "set tls = off."};
    }
    // Clients of PostgreSQL do not resume sessions, nor do its servers let them; what waits costs no buffers.
    SSL_CTX* const context = tls->context_.native_handle();
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    tls->certificate_hash_ = hash_of(SSL_CTX_get0_certificate(context));
    return tls;
}

}  // namespace boathouse::gateway
