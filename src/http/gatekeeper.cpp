#include "http/gatekeeper.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <cmath>

#include "config/settings.hpp"
#include "http/problem.hpp"
#include "pgwire/scram.hpp"

namespace boathouse::http {

namespace {

using boost::beast::http::field;
using boost::beast::http::status;

struct Credentials {
    std::string user;
    Secret password;
};

// "Basic dXNlcjpwYXNzd29yZA==" (RFC 7617); nullopt for anything else.
std::optional<Credentials> basic(std::string_view header) {
    constexpr std::string_view kScheme = "Basic ";
    if (header.size() < kScheme.size() || !boost::beast::iequals(header.substr(0, kScheme.size()), kScheme))
        return std::nullopt;
    header.remove_prefix(kScheme.size());
    const auto decoded = pgwire::base64_decode(header);
    if (!decoded) return std::nullopt;
    const std::size_t colon = decoded->find(':');
    if (colon == std::string::npos || colon == 0 || decoded->find('\0') != std::string::npos) return std::nullopt;
    return Credentials{decoded->substr(0, colon), Secret(decoded->substr(colon + 1))};
}

// "Bearer boathouse_…" (RFC 6750); nullopt for anything else.
std::optional<Secret> bearer(std::string_view header) {
    constexpr std::string_view kScheme = "Bearer ";
    if (header.size() <= kScheme.size() || !boost::beast::iequals(header.substr(0, kScheme.size()), kScheme))
        return std::nullopt;
    header.remove_prefix(std::min(header.find_first_not_of(' ', kScheme.size()), header.size()));
    return Secret(std::string(header));
}

}  // namespace

std::optional<Response> Gatekeeper::refuse_unencrypted(const Request& head) const {
    if (head.is_private || head.peer.encrypted || options_.plain_passwords) return std::nullopt;
    if (options_.requires_tls)
        return problem(status::forbidden, "this box takes passwords over encrypted connections only (tls = require)",
                       "Begin the address with https://; the port is the same.");
    if (config::is_loopback(head.peer.address)) return std::nullopt;
    return problem(status::forbidden, "passwords are not taken over an unencrypted connection from another machine",
                   options_.has_tls ? "Begin the address with https://; the port is the same. If a proxy before the "
                                      "box speaks TLS, set http_plain_passwords = true."
                                    : "Set tls = on and begin the address with https://, or put a proxy that speaks "
                                      "TLS before the HTTP door and set http_plain_passwords = true.");
}

Gatekeeper::Verdict Gatekeeper::admit(const Request& head) {
    if (head.headers.count(field::authorization) == 0)
        return problem(status::unauthorized, "this request needs a user and a password, or a token",
                       "Send them by HTTP Basic, as in: curl --user NAME …; or send Authorization: Bearer TOKEN.");
    if (auto refused = refuse_unencrypted(head)) return std::move(*refused);
    const auto authorization = head.headers[field::authorization];
    const std::string_view header(authorization.data(), authorization.size());
    const auto credentials = basic(header);
    const auto token = bearer(header);
    if (!credentials && !token)
        return problem(status::unauthorized,
                       "the header Authorization is neither HTTP Basic with a user and a password nor Bearer",
                       "Send them as in: curl --user NAME …; or send Authorization: Bearer TOKEN.");
    auto verdict = token ? callers_.check_token(head.peer, *token)
                         : callers_.check(head.peer, credentials->user, credentials->password);
    if (auto* refusal = std::get_if<gateway::Callers::Refusal>(&verdict)) {
        Response response = problem(refusal->error);
        response.delay = refusal->delay;
        return response;
    }
    auto caller = std::get<std::shared_ptr<const gateway::Caller>>(std::move(verdict));
    if (const auto seconds = too_often(caller->user)) {
        Response response =
            problem(status::too_many_requests,
                    "more than " + std::to_string(options_.requests_per_second) + " requests a second of one user",
                    "Wait as long as Retry-After says; send more rows in a request.");
        response.headers = {{"Retry-After", std::to_string(*seconds)}};
        return response;
    }
    return caller;
}

std::optional<std::int64_t> Gatekeeper::too_often(const std::string& user) {
    if (options_.requests_per_second == 0) return std::nullopt;
    const double rate = static_cast<double>(options_.requests_per_second);
    const auto now = clock_.steady_now();
    const std::lock_guard lock(mutex_);
    if (buckets_.size() >= kBucketsMax) buckets_.clear();
    const auto [entry, is_new] = buckets_.try_emplace(user, Bucket{rate, now});
    Bucket& bucket = entry->second;
    const std::chrono::duration<double> passed = now - bucket.filled_at;
    bucket.requests = std::min(rate, bucket.requests + passed.count() * rate);
    bucket.filled_at = now;
    if (bucket.requests < 1) return static_cast<std::int64_t>(std::ceil((1 - bucket.requests) / rate));
    bucket.requests -= 1;
    return std::nullopt;
}

std::shared_ptr<void> Gatekeeper::make_room(std::uint64_t bytes) {
    const std::uint64_t before = bytes_.fetch_add(bytes);
    if (before > 0 && before + bytes > options_.bodies_bytes_max) {
        bytes_ -= bytes;
        return nullptr;
    }
    return {this, [this, bytes](void*) { bytes_ -= bytes; }};
}

Response Gatekeeper::too_large(std::uint64_t bytes_max) {
    return problem(status::payload_too_large, "the body is larger than " + std::to_string(bytes_max) + " bytes",
                   "Send the rows in several requests, or raise http_body_mb.");
}

Response Gatekeeper::no_room() {
    return problem(status::too_many_requests, "the box has no memory left for the bodies of more requests",
                   "Try again, or raise http_bodies_mb.");
}

}  // namespace boathouse::http
