// A bound on how many bytes a second go somewhere: whoever has moved some waits until they may have been moved.
//
// One thread; a throttle of 0 never waits.
#pragma once

#include <chrono>

namespace boathouse::backup {

class Throttle {
  public:
    using Time = std::chrono::steady_clock::time_point;

    explicit Throttle(double bytes_a_second) : bytes_a_second_(bytes_a_second) {}

    // How long to wait at `now`, after `bytes` more. What was not used in the past is gone.
    std::chrono::nanoseconds wait_after(long long bytes, Time now);

    // Waits so long.
    void moved(long long bytes);

  private:
    const double bytes_a_second_;
    Time free_at_{};  // until then what was moved takes
};

}  // namespace boathouse::backup
