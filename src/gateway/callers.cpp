#include "gateway/callers.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/log.hpp"
#include "catalog/tokens.hpp"
#include "pgwire/scram.hpp"

namespace boathouse::gateway {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::chrono::milliseconds kRefusalDelay{500};

Callers::Refusal refusal(std::string sqlstate, std::string message, std::chrono::milliseconds delay) {
    return {{std::move(sqlstate), std::move(message)}, delay};
}

void log_refusal(const Peer& peer, const std::string& user, const char* reason) {
    log_warning("gateway", "log-in of \"{}\" from {} refused: {}", user, peer.address, reason);
}

Callers::Refusal no_catalog(const Error& error) {
    log_error("gateway", error);
    return refusal("57P03", "the catalog, which knows passwords and tokens, does not answer", {});
}

// Whom the throttle counts wrong tokens for: no role has this name.
constexpr const char* kTokensThrottle = "";

}  // namespace

Callers::Callers(LogInServices& services, const Clock& clock, feed::SharedConnection* tokens)
    : services_(services), clock_(clock), tokens_(tokens), secret_(pgwire::random_bytes(kSecretBytes)) {}

std::string Callers::digest_of(const std::string& user, const Secret& password) const {
    const std::string text = user + '\0' + password.reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

std::shared_ptr<const Caller> Callers::remembered(const std::string& user, const std::string& digest) {
    const std::lock_guard lock(mutex_);
    const auto entry = remembered_.find(user);
    if (entry == remembered_.end() || entry->second.digest != digest) return nullptr;
    if (clock_.steady_now() - entry->second.checked_at > kRememberedFor) return nullptr;
    return entry->second.caller;
}

void Callers::remember(const std::string& digest, std::shared_ptr<const Caller> caller) {
    const std::lock_guard lock(mutex_);
    if (remembered_.size() >= kRememberedMax) remembered_.clear();
    const std::string user = caller->user;
    remembered_[user] = {digest, std::move(caller), clock_.steady_now()};
}

Callers::Verdict Callers::check(const Peer& peer, const std::string& user, const Secret& password) {
    const std::string digest = digest_of(user, password);
    if (auto caller = remembered(user, digest)) return caller;
    auto verdict = look(peer, user, password);
    if (auto* caller = std::get_if<std::shared_ptr<const Caller>>(&verdict)) remember(digest, *caller);
    return verdict;
}

Callers::Verdict Callers::wrong(const Peer& peer, const std::string& user, std::chrono::milliseconds wait) {
    services_.throttle.failed(peer.address, user);
    log_refusal(peer, user, "wrong password, or no such role");
    return refusal("28P01", "password authentication failed for user \"" + user + "\"", wait + kRefusalDelay);
}

bool Callers::may_enter(const std::string& user, const Role& role) {
    if (role.may_enter) return true;
    if (!services_.look_again) return false;
    services_.look_again();
    const auto found = services_.roles.find(user);
    return found && found->may_enter;
}

Callers::Verdict Callers::look(const Peer& peer, const std::string& user, const Secret& password) {
    const auto wait = services_.throttle.wait(peer.address, user);
    if (!wait) {
        log_refusal(peer, user, "too many failed log-ins");
        return refusal("53300", "too many failed log-ins", kRefusalDelay);
    }
    auto role = services_.roles.find(user);
    if (!role) return no_catalog(role.error());
    if (role->shows_verifier) {
        const auto verifier = pgwire::parse_scram_verifier(role->verifier);
        const pgwire::ScramVerifier against =
            verifier ? *verifier : pgwire::invented_scram_verifier(user, services_.invented_salt_secret);
        if (!pgwire::fits(against, password.reveal()) || !verifier) return wrong(peer, user, *wait);
    } else {
        const auto tried = services_.roles.try_password(user, password);
        if (!tried) return no_catalog(tried.error());
        if (!*tried) return wrong(peer, user, *wait);
        const auto settings = std::move(role->settings);
        *role = **tried;
        role->settings = settings;
    }
    services_.throttle.succeeded(peer.address, user);
    return admit(peer, user, *role, *wait);
}

Callers::Verdict Callers::admit(const Peer& peer, const std::string& user, const Role& role,
                                std::chrono::milliseconds wait) {
    if (!role.may_log_in) {
        log_refusal(peer, user, "the role may not log in");
        return refusal("28000", "role \"" + user + "\" is not permitted to log in", wait);
    }
    if (!may_enter(user, role)) {
        log_refusal(peer, user, "no CONNECT privilege");
        return refusal("42501", "permission denied for database \"" + services_.database_names.front() + "\"", wait);
    }
    return std::make_shared<const Caller>(Caller{user, role.settings});
}

Callers::Verdict Callers::wrong_token(const Peer& peer) {
    const auto wait = services_.throttle.wait(peer.address, kTokensThrottle);
    services_.throttle.failed(peer.address, kTokensThrottle);
    log_warning("gateway", "a token from {} refused: unknown or revoked", peer.address);
    if (!wait) return refusal("53300", "too many failed log-ins", kRefusalDelay);
    return refusal("28P01", "the token is unknown or revoked", *wait + kRefusalDelay);
}

Callers::Verdict Callers::check_token(const Peer& peer, const Secret& token) {
    if (tokens_ == nullptr) return refusal("28000", "this box keeps no tokens: log in with user and password", {});
    if (!catalog::is_token(token.reveal())) return wrong_token(peer);
    const auto found =
        tokens_->ask([&](catalog::Connection& connection) { return catalog::find_token(connection, token); });
    if (!found) return no_catalog(found.error());
    if (!*found) return wrong_token(peer);
    const catalog::Token& known = **found;
    if (!known.is_alive) {
        // Whoever has it does not guess: nothing to throttle.
        log_warning("gateway", "token \"{}\" of \"{}\" from {} refused: expired, or the role may not log in",
                    known.name, known.user, peer.address);
        return refusal("28P01", "the token has expired, or its user is gone or may not log in", kRefusalDelay);
    }
    const auto role = services_.roles.find(known.user);
    if (!role) return no_catalog(role.error());
    return admit(peer, known.user, *role, {});
}

}  // namespace boathouse::gateway
