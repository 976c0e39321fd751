// A wait for a table's next change that can be given up from another thread, before, while and after it begins.
//
// For one request, which waits time and again but for one thing at a time. begin() is called by whoever works on the
// request, give_up() by the network's thread; neither blocks.
#pragma once

#include <functional>
#include <mutex>

#include "feed/snapshot_watch.hpp"

namespace boathouse::http {

class AbandonableWait {
  public:
    // `watch` outlives it.
    explicit AbandonableWait(feed::SnapshotWatch& watch) : watch_(watch) {}

    using Wake = std::function<void(feed::SnapshotWatch::Woken)>;
    // False: it has been given up, and `wake` will not be called.
    bool begin(const feed::SnapshotWatch::Wait& wanted, Wake wake);
    // True: a wait was under way, and its `wake` will not be called any more. None begins after this.
    bool give_up();

  private:
    feed::SnapshotWatch& watch_;
    std::mutex mutex_;
    feed::SnapshotWatch::Number waiter_ = 0;  // under mutex_: the latest
    bool given_up_ = false;                   // under mutex_
};

}  // namespace boathouse::http
