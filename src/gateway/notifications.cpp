#include "gateway/notifications.hpp"

#include <utility>

namespace boathouse::gateway {

Notifications::~Notifications() {
    if (listener_ != 0) watch_.forget(listener_);
}

Status Notifications::begin() {
    const auto newest = watch_.newest();
    if (!newest) return newest.error();
    auto listener = watch_.listen(*newest, [this](const Change& change) { put(change); });
    if (!listener) return listener.error();
    listener_ = *listener;
    return {};
}

bool Notifications::pending() const {
    const std::lock_guard lock(mutex_);
    return !changes_.empty();
}

std::vector<Notifications::Change> Notifications::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
}

void Notifications::put(const Change& change) {
    {
        const std::lock_guard lock(mutex_);
        if (changes_.size() == kMax) {
            const feed::TableChanges lost{.snapshot = changes_.back()->snapshot, .anything = true};
            changes_.assign(1, std::make_shared<const feed::TableChanges>(lost));
        }
        changes_.push_back(change);
    }
    tell_();
}

}  // namespace boathouse::gateway
