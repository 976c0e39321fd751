// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677; channel binding tls-server-end-point,
// RFC 5929), against the verifiers that PostgreSQL keeps in pg_authid.rolpassword.
//
// One ScramServer serves one log-in: first(), then final(). It holds no password, only the verifier's keys. An exchange
// for a role that does not exist goes the same way with an invented verifier, so that its answers do not tell who
// exists. One thread at a time.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace boathouse::pgwire {

using Digest = std::array<unsigned char, 32>;

struct ScramVerifier {
    int iterations = 0;
    std::string salt;  // bytes
    Digest stored_key{};
    Digest server_key{};
};

// "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>"; nullopt for anything else (an md5 hash, no password).
std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);

// A verifier that no password fits, the same for the same name while the process lives: its salt derives from `secret`.
ScramVerifier invented_scram_verifier(std::string_view user, std::string_view secret);

// Whether the verifier was made of this password; as long as the key derivation takes. The password is compared as it
// is sent: for ASCII that is what SASLprep makes of it.
bool fits(const ScramVerifier& verifier, std::string_view password);

class ScramServer {
  public:
    struct Options {
        ScramVerifier verifier;
        bool doomed = false;               // the verifier is invented: final() refuses whatever the proof
        bool plus_offered = false;         // SCRAM-SHA-256-PLUS: a client that believes otherwise was tampered with
        std::string channel_binding_data;  // hash of our certificate, for tls-server-end-point
        std::string server_nonce;          // unguessable, printable
    };
    explicit ScramServer(Options options) : options_(std::move(options)) {}

    // client-first-message -> server-first-message. `plus`: the client chose SCRAM-SHA-256-PLUS.
    Result<std::string> first(std::string_view message, bool plus);
    // client-final-message -> server-final-message; permission if the proof is wrong.
    Result<std::string> final(std::string_view message);

  private:
    Options options_;
    bool plus_ = false;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
};

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// Unguessable bytes from OpenSSL's generator.
std::string random_bytes(std::size_t count);

}  // namespace boathouse::pgwire
