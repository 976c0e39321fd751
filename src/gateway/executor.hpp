// The threads that run what blocks: a fixed number, fed from one queue.
//
// The door has two. One runs statements: its threads are the bound on running statements, its queue the bound on those
// that wait. The other does errands that must not wait behind them: log-ins, refusals, clean-up. A session has at most
// one job at a time. Every function may be called from any thread; a job must not throw. The destructor lets running
// jobs end and drops those that wait.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace boathouse::gateway {

class Executor {
  public:
    using Job = std::function<void()>;
    using Ticket = std::uint64_t;

    // `waiting_max`: jobs beyond those that run, for try_submit().
    Executor(std::size_t threads, std::size_t waiting_max);
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    // For what has a claim already: a session whose statement or transaction is under way. Bounded by the number of
    // sessions.
    Ticket submit(Job job);
    // nullopt: the queue is full.
    std::optional<Ticket> try_submit(Job job);
    // True: the job had not begun, and will not.
    bool withdraw(Ticket ticket);

    std::size_t threads() const { return threads_.size(); }
    std::size_t waiting_max() const { return waiting_max_; }

  private:
    // A thread without a job.
    struct Sleeper {
        std::condition_variable wake;
        bool woken = false;  // under mutex_
    };
    void work();
    void sleep(std::unique_lock<std::mutex>& lock, Sleeper& sleeper);
    void wake_latest();
    Ticket push(Job job);

    const std::size_t waiting_max_;
    std::mutex mutex_;
    std::map<Ticket, Job> queue_;  // in the order of submission; under mutex_
    Ticket last_ticket_ = 0;       // under mutex_
    // Under mutex_. The latest to sleep wakes first: what it needs is still in its processor's cache.
    std::vector<Sleeper*> sleepers_;
    std::size_t running_ = 0;  // under mutex_
    bool stopping_ = false;    // under mutex_
    std::vector<std::thread> threads_;
};

}  // namespace boathouse::gateway
