// When a child that died is started again: at once the first time, then after longer and longer waits, and not at all
// once it has died too often within a window. A child that lived through the window starts with a clean slate.
//
// Pure: it only counts, and takes the time from a Clock. Owned by the supervisor's one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace boathouse::supervisor {

struct RestartLimits {
    std::size_t deaths_max = 10;  // within the window; one more and the policy gives up
    std::chrono::milliseconds window = std::chrono::minutes(5);
    std::chrono::milliseconds first_delay = std::chrono::milliseconds(100);  // after the second death
    std::chrono::milliseconds delay_max = std::chrono::seconds(30);
};

class RestartPolicy {
  public:
    RestartPolicy(const Clock& clock, RestartLimits limits) : clock_(clock), limits_(limits) {}

    // Counts a death now. How long to wait before the next start, or nothing: give up.
    std::optional<std::chrono::milliseconds> died();

    const RestartLimits& limits() const { return limits_; }

  private:
    const Clock& clock_;
    RestartLimits limits_;
    std::deque<std::chrono::steady_clock::time_point> deaths_;  // within the window; deaths_max + 1 at most
};

}  // namespace boathouse::supervisor
