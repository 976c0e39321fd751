// Who a request of the HTTP door comes from: the same roles as the SQL door's, judged by the same verifiers.
//
// HTTP has no sessions, so every request brings user and password, or a token that stands for a user. A verdict on a
// password is remembered for kRememberedFor: a changed password or a revoked membership counts after that time at the
// latest, and a busy client costs neither the catalog a question nor the processor a key derivation for each request.
// Only right passwords are remembered, as a digest under a secret of this process. Failed ones are logged and throttled
// together with the SQL door's. A token is asked for each time, so that a revoked one is refused at once; wrong ones
// are logged, and those of one address throttled. Nobody guesses 32 random bytes, so a right token never waits for the
// wrong ones of others behind the same address. Shared by all requests; the checks may be called from any thread and
// may block on the catalog.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "engine/query_error.hpp"
#include "feed/shared_connection.hpp"
#include "gateway/log_in.hpp"

namespace boathouse::gateway {

inline constexpr std::chrono::milliseconds kRememberedFor{1'000};
inline constexpr std::size_t kRememberedMax = 10'000;

// A role that is in.
struct Caller {
    std::string user;
    std::vector<std::string> settings;  // as Role::settings
};

class Callers {
  public:
    // `tokens`: the database that holds them, as catalog::prepare_tokens() makes it; null where there is none.
    Callers(LogInServices& services, const Clock& clock, feed::SharedConnection* tokens = nullptr);

    struct Refusal {
        engine::QueryError error;  // 28P01 wrong, 28000 and 42501 right and not permitted, 53300 throttled, 57P03
        std::chrono::milliseconds delay{0};  // for which the answer is held back
    };
    using Verdict = std::variant<std::shared_ptr<const Caller>, Refusal>;
    Verdict check(const Peer& peer, const std::string& user, const Secret& password);
    Verdict check_token(const Peer& peer, const Secret& token);

  private:
    struct Remembered {
        std::string digest;
        std::shared_ptr<const Caller> caller;
        std::chrono::steady_clock::time_point checked_at;
    };
    std::string digest_of(const std::string& user, const Secret& password) const;
    std::shared_ptr<const Caller> remembered(const std::string& user, const std::string& digest);
    void remember(const std::string& digest, std::shared_ptr<const Caller> caller);
    Verdict look(const Peer& peer, const std::string& user, const Secret& password);
    Verdict wrong(const Peer& peer, const std::string& user, std::chrono::milliseconds wait);
    Verdict wrong_token(const Peer& peer);
    // A role that has proved who it is: may it come in?
    Verdict admit(const Peer& peer, const std::string& user, const Role& role, std::chrono::milliseconds wait);
    bool may_enter(const std::string& user, const Role& role);

    LogInServices& services_;
    const Clock& clock_;
    feed::SharedConnection* const tokens_;
    const std::string secret_;
    std::mutex mutex_;
    std::map<std::string, Remembered> remembered_;  // by user; under mutex_
};

}  // namespace boathouse::gateway
