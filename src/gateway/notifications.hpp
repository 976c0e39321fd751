// What a session that listens has yet to be told: the snapshots that changed a table since.
//
// Made by LISTEN, dropped by UNLISTEN and with the session, by the session's thread; the watch's thread puts in, the
// session's takes out. The watch may be about to put in while this ends, so the queue is shared with it. Bounded:
// beyond kMax the oldest become one, which tells that anything may have changed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "feed/snapshot_watch.hpp"

namespace boathouse::gateway {

class Notifications {
  public:
    static constexpr std::size_t kMax = 1'000;
    using Change = std::shared_ptr<const feed::TableChanges>;

    // `tell` is called after each that comes, on the watch's thread, and must not block. It may be called once this is
    // gone.
    Notifications(feed::SnapshotWatch& watch, std::function<void()> tell);
    ~Notifications();
    Notifications(const Notifications&) = delete;
    Notifications& operator=(const Notifications&) = delete;

    // Of snapshots from now on. Errors: those of the watch.
    Status begin();
    bool pending() const;
    std::vector<Change> take();

  private:
    struct Queue {
        const std::function<void()> tell;
        std::mutex mutex;
        std::vector<Change> changes{};  // under mutex, the oldest first
    };
    static void put(Queue& queue, const Change& change);

    feed::SnapshotWatch& watch_;
    const std::shared_ptr<Queue> queue_;
    feed::SnapshotWatch::Number listener_ = 0;
};

}  // namespace boathouse::gateway
