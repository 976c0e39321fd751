#include "http/abandonable_wait.hpp"

#include <utility>

namespace boathouse::http {

// The lock is held while the wait begins, so that the latest is known before its end leads to another.
bool AbandonableWait::begin(const feed::SnapshotWatch::Wait& wanted, Wake wake) {
    const std::lock_guard lock(mutex_);
    if (given_up_) return false;
    waiter_ = watch_.wait(wanted, std::move(wake));
    return true;
}

bool AbandonableWait::give_up() {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
    return watch_.cancel(waiter_);
}

}  // namespace boathouse::http
