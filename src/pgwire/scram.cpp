#include "pgwire/scram.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <charconv>
#include <cstring>
#include <stdexcept>

namespace boathouse::pgwire {

namespace {

constexpr int kIterations = 4096;

std::string_view bytes_of(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest hmac(std::string_view key, std::string_view text) {
    Digest digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
    return digest;
}

Digest sha256(std::string_view text) {
    Digest digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    return digest;
}

std::optional<Digest> digest_of(std::string_view base64) {
    const std::optional<std::string> bytes = base64_decode(base64);
    Digest digest{};
    if (!bytes || bytes->size() != digest.size()) return std::nullopt;
    std::memcpy(digest.data(), bytes->data(), digest.size());
    return digest;
}

Error malformed(const char* what) {
    return {ErrorKind::permission, std::string("malformed SCRAM message: ") + what, {}, {}};
}

// Cuts "<name>=<value>" up to a comma or the end off the front.
std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
    if (message.size() < 2 || message[0] != name || message[1] != '=') return std::nullopt;
    const std::size_t end = message.find(',');
    const std::string_view value = message.substr(2, end == std::string_view::npos ? end : end - 2);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    return value;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
        // Nothing may be guessable instead.
        throw std::runtime_error("the system gives no random bytes");
    }
    return bytes;
}

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
    static constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
    if (!text.starts_with(kPrefix)) return std::nullopt;
    text.remove_prefix(kPrefix.size());
    const std::size_t salt_at = text.find(':');
    const std::size_t keys_at = text.find('$');
    if (salt_at == std::string_view::npos || keys_at == std::string_view::npos || keys_at < salt_at)
        return std::nullopt;
    const std::string_view keys = text.substr(keys_at + 1);
    const std::size_t server_at = keys.find(':');
    if (server_at == std::string_view::npos) return std::nullopt;

    ScramVerifier verifier;
    const char* const end = text.data() + salt_at;
    if (std::from_chars(text.data(), end, verifier.iterations).ptr != end || verifier.iterations < 1)
        return std::nullopt;
    const std::optional<std::string> salt = base64_decode(text.substr(salt_at + 1, keys_at - salt_at - 1));
    const std::optional<Digest> stored = digest_of(keys.substr(0, server_at));
    const std::optional<Digest> server = digest_of(keys.substr(server_at + 1));
    if (!salt || !stored || !server) return std::nullopt;
    verifier.salt = *salt;
    verifier.stored_key = *stored;
    verifier.server_key = *server;
    return verifier;
}

ScramVerifier invented_scram_verifier(std::string_view user, std::string_view secret) {
    ScramVerifier verifier;
    verifier.iterations = kIterations;
    verifier.salt = std::string(bytes_of(hmac(secret, user)).substr(0, 16));
    return verifier;
}

bool fits(const ScramVerifier& verifier, std::string_view password) {
    Digest salted{};
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                      reinterpret_cast<const unsigned char*>(verifier.salt.data()),
                      static_cast<int>(verifier.salt.size()), verifier.iterations, EVP_sha256(),
                      static_cast<int>(salted.size()), salted.data());
    const Digest stored = sha256(bytes_of(hmac(bytes_of(salted), "Client Key")));
    return CRYPTO_memcmp(stored.data(), verifier.stored_key.data(), stored.size()) == 0;
}

Result<std::string> ScramServer::first(std::string_view message, bool plus) {
    plus_ = plus;
    // gs2-header: "n,," no binding, "y,," client would but thinks we cannot, "p=<type>,," bound.
    std::string_view rest = message;
    if (rest.starts_with("p=")) {
        if (!plus_) return malformed("channel binding without SCRAM-SHA-256-PLUS");
        if (!rest.starts_with("p=tls-server-end-point,")) return malformed("unsupported channel binding");
        rest.remove_prefix(rest.find(',') + 1);
    } else if (rest.starts_with("n,") || rest.starts_with("y,")) {
        if (plus_) return malformed("SCRAM-SHA-256-PLUS without channel binding");
        if (rest[0] == 'y' && options_.plus_offered)
            return malformed("the offer of channel binding was removed on the way");
        rest.remove_prefix(2);
    } else {
        return malformed("no channel-binding flag");
    }
    // An authorization identity: PostgreSQL has none either.
    if (!rest.starts_with(',')) return malformed("authorization identities are not supported");
    rest.remove_prefix(1);
    gs2_header_ = std::string(message.substr(0, message.size() - rest.size()));
    client_first_bare_ = std::string(rest);

    // The name of the start-up packet counts, not this one, as in PostgreSQL.
    if (!take_attribute(rest, 'n')) return malformed("no user name");
    const std::optional<std::string_view> client_nonce = take_attribute(rest, 'r');
    if (!client_nonce || client_nonce->empty()) return malformed("no nonce");

    nonce_ = std::string(*client_nonce) + options_.server_nonce;
    server_first_ = "r=" + nonce_ + ",s=" + base64_encode(options_.verifier.salt) +
                    ",i=" + std::to_string(options_.verifier.iterations);
    return server_first_;
}

Result<std::string> ScramServer::final(std::string_view message) {
    std::string_view rest = message;
    const std::optional<std::string_view> binding = take_attribute(rest, 'c');
    const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
    const std::size_t proof_at = message.rfind(",p=");
    if (!binding || !nonce || proof_at == std::string_view::npos) return malformed("incomplete proof");
    if (*nonce != nonce_) return malformed("the nonce does not match");
    if (*binding != base64_encode(gs2_header_ + (plus_ ? options_.channel_binding_data : ""))) {
        return malformed("channel binding does not match");
    }
    const std::optional<Digest> proof = digest_of(message.substr(proof_at + 3));
    if (!proof) return malformed("the proof has the wrong size");

    const std::string auth_message =
        client_first_bare_ + "," + server_first_ + "," + std::string(message.substr(0, proof_at));
    const Digest client_signature = hmac(bytes_of(options_.verifier.stored_key), auth_message);
    Digest client_key{};
    for (std::size_t i = 0; i < client_key.size(); ++i) {
        client_key[i] = static_cast<unsigned char>((*proof)[i] ^ client_signature[i]);
    }
    const Digest presented = sha256(bytes_of(client_key));
    const bool equal = CRYPTO_memcmp(presented.data(), options_.verifier.stored_key.data(), presented.size()) == 0;
    if (!equal || options_.doomed) return Error{ErrorKind::permission, "wrong password", {}, {}};
    return "v=" + base64_encode(bytes_of(hmac(bytes_of(options_.verifier.server_key), auth_message)));
}

}  // namespace boathouse::pgwire
