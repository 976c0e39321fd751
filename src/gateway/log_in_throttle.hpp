// Slows down who guesses passwords: after a failed log-in, the next verdict for the same user from the same address
// waits, right or wrong, and each further failure doubles the wait.
//
// Verdicts of one address and user take turns, so that many connections at once guess no faster than one. Shared by all
// log-ins; every function may be called from any thread and only holds its own lock. Bounded: kThrottledMax pairs, of
// which those with the fewest failures are forgotten first. Time comes from the clock that is injected.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace boathouse::gateway {

inline constexpr std::chrono::milliseconds kFirstPenalty{500};
inline constexpr std::chrono::milliseconds kPenaltyMax{8'000};
inline constexpr std::chrono::milliseconds kThrottleWaitMax{30'000};
inline constexpr std::chrono::minutes kFailuresForgottenAfter{10};
inline constexpr std::size_t kThrottledMax = 10'000;

class LogInThrottle {
  public:
    explicit LogInThrottle(const Clock& clock) : clock_(clock) {}

    // How long the verdict on a proof that has come now waits; nullopt: so many wait already that it is not looked at.
    std::optional<std::chrono::milliseconds> wait(const std::string& address, const std::string& user);

    // What the verdict is, told when it is found, not when the client hears it.
    void failed(const std::string& address, const std::string& user);
    void succeeded(const std::string& address, const std::string& user);

  private:
    using Time = std::chrono::steady_clock::time_point;
    struct Record {
        int failures = 0;
        Time last_failure;
        Time next_turn;
    };
    static std::chrono::milliseconds penalty(int failures);
    void make_room(Time now);

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Record> records_;  // by address and user; under mutex_
};

}  // namespace boathouse::gateway
