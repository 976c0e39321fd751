// SIGTERM and SIGINT, turned into something that main() can wait for.
//
// Constructed first, before any other thread, so that all threads inherit the blocked signals and one thread takes
// them. While the engine still starts, the first signal ends the process: nothing is served yet, and whatever start-up
// was doing is safe to be cut off anywhere. Afterwards the first one wakes wait_for(), a second one ends the process at
// once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace boathouse::service {

class StopSignals {
  public:
    StopSignals();

    // Start-up is over: from now on the first signal asks for an orderly stop.
    void start_serving();

    // Blocks until asked to stop, or for `duration`; true: asked to stop.
    bool wait_for(std::chrono::milliseconds duration);

  private:
    void take_signals();

    std::mutex mutex_;  // guards both flags
    std::condition_variable changed_;
    bool serving_ = false;
    bool stop_asked_ = false;
};

}  // namespace boathouse::service
