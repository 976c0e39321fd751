#include "engine/commit_turns.hpp"

#include <algorithm>

namespace boathouse::engine {

CommitTurns::Turn::Turn(CommitTurns& turns, const std::atomic<bool>* given_up) : turns_(turns) {
    std::unique_lock lock(turns_.mutex_);
    turns_.waiting_.push_back(this);
    turns_.changed_.wait(lock, [&] { return turns_.waiting_.front() == this || (given_up && *given_up); });
    taken_ = turns_.waiting_.front() == this;
    if (!taken_) std::erase(turns_.waiting_, this);
}

CommitTurns::Turn::~Turn() {
    if (!taken_) return;
    {
        const std::lock_guard lock(turns_.mutex_);
        turns_.waiting_.pop_front();
    }
    turns_.changed_.notify_all();
}

void CommitTurns::wake() {
    // The lock orders the caller's flag before a look at it that is under way.
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
}

}  // namespace boathouse::engine
