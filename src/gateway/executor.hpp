// The threads that run statements: a fixed number, fed from one queue.
//
// Jobs block as long as DuckDB or the catalog needs. A session has at most one job in the queue at a time, so the
// queue is bounded by the number of connections. submit() may be called from any thread; a job must not throw. The
// destructor lets running jobs end and drops those that wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace boathouse::gateway {

class Executor {
  public:
    explicit Executor(std::size_t threads);
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    void submit(std::function<void()> job);

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;  // under mutex_
    bool stopping_ = false;                    // under mutex_
    std::vector<std::thread> threads_;
};

}  // namespace boathouse::gateway
