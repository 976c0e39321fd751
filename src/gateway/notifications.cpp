#include "gateway/notifications.hpp"

#include <utility>

namespace boathouse::gateway {

Notifications::Notifications(feed::SnapshotWatch& watch, std::function<void()> tell)
    : watch_(watch), queue_(new Queue{.tell = std::move(tell), .mutex = {}}) {}

Notifications::~Notifications() {
    if (listener_ != 0) watch_.forget(listener_);
}

Status Notifications::begin() {
    const auto newest = watch_.newest();
    if (!newest) return newest.error();
    auto listener = watch_.listen(*newest, [queue = queue_](const Change& change) { put(*queue, change); });
    if (!listener) return listener.error();
    listener_ = *listener;
    return {};
}

bool Notifications::pending() const {
    const std::lock_guard lock(queue_->mutex);
    return !queue_->changes.empty();
}

std::vector<Notifications::Change> Notifications::take() {
    const std::lock_guard lock(queue_->mutex);
    return std::exchange(queue_->changes, {});
}

void Notifications::put(Queue& queue, const Change& change) {
    {
        const std::lock_guard lock(queue.mutex);
        if (queue.changes.size() == kMax) {
            const feed::TableChanges lost{.snapshot = queue.changes.back()->snapshot, .anything = true};
            queue.changes.assign(1, std::make_shared<const feed::TableChanges>(lost));
        }
        queue.changes.push_back(change);
    }
    queue.tell();
}

}  // namespace boathouse::gateway
