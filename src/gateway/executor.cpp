#include "gateway/executor.hpp"

#include <utility>

namespace boathouse::gateway {

Executor::Executor(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Executor::~Executor() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        while (!sleepers_.empty()) wake_latest();
    }
    for (std::thread& thread : threads_) thread.join();
}

// REQUIRES: mutex_ is held, somebody sleeps.
void Executor::wake_latest() {
    Sleeper& sleeper = *sleepers_.back();
    sleepers_.pop_back();
    sleeper.woken = true;
    sleeper.wake.notify_one();
}

// REQUIRES: mutex_ is held, by `lock`.
void Executor::sleep(std::unique_lock<std::mutex>& lock, Sleeper& sleeper) {
    sleeper.woken = false;
    sleepers_.push_back(&sleeper);
    sleeper.wake.wait(lock, [&sleeper] { return sleeper.woken; });
}

// REQUIRES: mutex_ is held.
Executor::Ticket Executor::push(Job job) {
    queue_.emplace(++last_ticket_, std::move(job));
    if (!sleepers_.empty()) wake_latest();
    return last_ticket_;
}

Executor::Ticket Executor::submit(Job job) {
    const std::lock_guard lock(mutex_);
    return push(std::move(job));
}

std::optional<Executor::Ticket> Executor::try_submit(Job job) {
    const std::lock_guard lock(mutex_);
    if (running_ + queue_.size() >= threads_.size() + waiting_max_) return std::nullopt;
    return push(std::move(job));
}

bool Executor::withdraw(Ticket ticket) {
    Job withdrawn;  // what it holds goes after the lock
    const std::lock_guard lock(mutex_);
    const auto entry = queue_.find(ticket);
    if (entry == queue_.end()) return false;
    withdrawn = std::move(entry->second);
    queue_.erase(entry);
    return true;
}

void Executor::work() {
    Sleeper self;
    std::unique_lock lock(mutex_);
    while (true) {
        while (!stopping_ && queue_.empty()) sleep(lock, self);
        if (stopping_) return;
        auto entry = queue_.extract(queue_.begin());
        ++running_;
        lock.unlock();
        entry.mapped()();
        entry = {};  // what it held goes before the lock is taken again
        lock.lock();
        --running_;
    }
}

}  // namespace boathouse::gateway
