// What a session that listens has yet to be told: the snapshots that changed a table since.
//
// Made by LISTEN, dropped by UNLISTEN and with the session, by the session's thread; the watch's thread puts in, the
// session's takes out. Bounded: beyond kMax the oldest become one, which tells that anything may have changed.
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

    // `tell` is called after each that comes, on the watch's thread, and must not block.
    Notifications(feed::SnapshotWatch& watch, std::function<void()> tell) : watch_(watch), tell_(std::move(tell)) {}
    ~Notifications();
    Notifications(const Notifications&) = delete;
    Notifications& operator=(const Notifications&) = delete;

    // Of snapshots from now on. Errors: those of the watch.
    Status begin();
    bool pending() const;
    std::vector<Change> take();

  private:
    void put(const Change& change);

    feed::SnapshotWatch& watch_;
    const std::function<void()> tell_;
    feed::SnapshotWatch::Number listener_ = 0;
    mutable std::mutex mutex_;
    std::vector<Change> changes_;  // under mutex_, the oldest first
};

}  // namespace boathouse::gateway
