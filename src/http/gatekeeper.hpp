// Who may send a request to /v1/…, how often, and how much: decided from the request's header, before its body is read.
//
// One Gatekeeper a box; any thread may enter. Users and passwords are those of the SQL door (gateway/callers.hpp), by
// HTTP Basic, or tokens that stand for users, as Bearer. What comes so from another machine without encryption is
// refused unread, unless the operator allows it; where the box asks for encryption, so is one of this machine. admit()
// blocks on the catalog; the rest does not. Bounded: kBucketsMax users are counted at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.hpp"
#include "gateway/callers.hpp"
#include "http/message.hpp"

namespace boathouse::http {

inline constexpr std::size_t kBucketsMax = 10'000;

struct GatekeeperOptions {
    bool plain_passwords = false;
    bool has_tls = false;
    bool requires_tls = false;
    std::uint64_t body_bytes_max = 0;      // of one request
    std::uint64_t bodies_bytes_max = 0;    // of all requests at once
    std::int64_t requests_per_second = 0;  // of one user; 0: no limit
};

class Gatekeeper {
  public:
    Gatekeeper(GatekeeperOptions options, gateway::Callers& callers, const Clock& clock)
        : options_(options), callers_(callers), clock_(clock) {}

    using Verdict = std::variant<std::shared_ptr<const gateway::Caller>, Response>;
    Verdict admit(const Request& head);

    std::uint64_t body_bytes_max() const { return options_.body_bytes_max; }
    // Room for a body, as long as the answer lives; null: there is none now.
    std::shared_ptr<void> make_room(std::uint64_t bytes);

    static Response too_large(std::uint64_t bytes_max);
    static Response no_room();

  private:
    // Why no password is taken over this connection.
    std::optional<Response> refuse_unencrypted(const Request& head) const;
    // nullopt: go on. Else the seconds to wait.
    std::optional<std::int64_t> too_often(const std::string& user);

    const GatekeeperOptions options_;
    gateway::Callers& callers_;
    const Clock& clock_;
    std::atomic<std::uint64_t> bytes_ = 0;  // of bodies that are on their way

    struct Bucket {
        double requests = 0;  // that may come at once
        std::chrono::steady_clock::time_point filled_at;
    };
    std::mutex mutex_;
    std::map<std::string, Bucket> buckets_;  // by user; under mutex_
};

}  // namespace boathouse::http
