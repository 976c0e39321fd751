// Which connection a CancelRequest means: pairs of numbers that a client learns at log-in and nobody can guess.
//
// Shared by all connections; every function may be called from any thread and only holds its own lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace boathouse::gateway {

struct CancelKey {
    std::int32_t process_id = 0;
    std::int32_t secret_key = 0;
};

class CancelRegistry {
  public:
    // `cancel` is called from the thread that takes the request and must not block; it may outlive its connection by
    // one call and has to cope.
    CancelKey add(std::function<void()> cancel);
    void remove(const CancelKey& key);

    // Nothing happens, and nobody is told, if the key is wrong.
    void cancel(const CancelKey& key);

  private:
    struct Entry {
        std::int32_t secret_key = 0;
        std::function<void()> cancel;
    };
    std::mutex mutex_;
    std::map<std::int32_t, Entry> entries_;  // by process id; under mutex_
};

}  // namespace boathouse::gateway
