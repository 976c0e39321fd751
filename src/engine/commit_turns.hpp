// Who commits to the lake next: one at a time, in the order of asking.
//
// Commits of one box that run side by side collide on the snapshot's number; the losers sleep and try again, and with
// many of them nobody gets far. Here they wait for each other instead. A turn is taken right before a commit and given
// back right after it. Owned by the Lake; any thread may enter. A waiting thread can be told to give up (wake()).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace boathouse::engine {

class CommitTurns {
  public:
    // A turn while it lives.
    class Turn {
      public:
        // Blocks. Without a turn (see taken()) if `given_up` becomes true meanwhile.
        explicit Turn(CommitTurns& turns, const std::atomic<bool>* given_up = nullptr);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        bool taken() const { return taken_; }

      private:
        CommitTurns& turns_;
        bool taken_ = false;
    };

    // Some waiting thread's `given_up` has become true.
    void wake();

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<const Turn*> waiting_;  // under mutex_: in their order, the one whose turn it is in front
};

}  // namespace boathouse::engine
