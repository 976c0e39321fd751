// Time, injected: whatever waits or ages takes a Clock, so that tests decide what time it is.
#pragma once

#include <chrono>

namespace boathouse {

class Clock {
  public:
    virtual ~Clock() = default;
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;
    virtual std::chrono::system_clock::time_point system_now() const = 0;
};

// The machine's own clock. Stateless, safe from any thread.
class SystemClock final : public Clock {
  public:
    std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }
    std::chrono::system_clock::time_point system_now() const override { return std::chrono::system_clock::now(); }
};

}  // namespace boathouse
