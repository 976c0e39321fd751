#include "gateway/cancel_registry.hpp"

#include <cstring>

#include "pgwire/scram.hpp"

namespace boathouse::gateway {

namespace {

std::int32_t random_number() {
    const std::string bytes = pgwire::random_bytes(sizeof(std::int32_t));
    std::int32_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

}  // namespace

CancelKey CancelRegistry::add(std::function<void()> cancel) {
    const std::lock_guard lock(mutex_);
    CancelKey key;
    // Positive, as clients print it as a process id.
    do {
        key.process_id = random_number() & INT32_MAX;
    } while (entries_.contains(key.process_id));
    key.secret_key = random_number();
    entries_[key.process_id] = Entry{key.secret_key, std::move(cancel)};
    return key;
}

void CancelRegistry::remove(const CancelKey& key) {
    const std::lock_guard lock(mutex_);
    entries_.erase(key.process_id);
}

void CancelRegistry::cancel(const CancelKey& key) {
    std::function<void()> cancel;
    {
        const std::lock_guard lock(mutex_);
        const auto entry = entries_.find(key.process_id);
        if (entry == entries_.end() || entry->second.secret_key != key.secret_key) return;
        cancel = entry->second.cancel;
    }
    cancel();
}

}  // namespace boathouse::gateway
