// Who waits for a change hears of it: one thread that asks for the newest snapshot while anybody waits, and nobody
// else.
//
// A waiter is called once, as soon as a snapshot after the one that it knows has changed its table, or at its deadline.
// A listener is called with every snapshot that changes a table. Whoever commits is noticed, direct clients of the
// catalog included, within kInterval. Both are called on the watch's thread and must not block. The newest kKept
// snapshots are remembered; who lags further behind is told that anything may have changed. A catalog that does not
// answer is asked again; nobody is told. Any thread may enter. Bounded by its callers: each holds its place as long as
// it waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "feed/shared_connection.hpp"

namespace boathouse::feed {

// A table that a snapshot has made, changed, renamed or dropped; what the keeper does to its files is no change.
struct ChangedTable {
    long long number = 0;
    std::string schema{}, table{};
};

struct TableChanges {
    long long snapshot = 0;
    bool anything = false;  // the tables are not known: any may have changed, up to this snapshot
    std::vector<ChangedTable> tables{};
};

class SnapshotWatch {
  public:
    static constexpr std::chrono::milliseconds kInterval{50};
    static constexpr std::size_t kKept = 1'000;
    using Newest = std::function<Result<long long>()>;
    using Number = std::uint64_t;

    // `newest` asks for the lake's newest snapshot, `lake` is its database. Both outlive it.
    SnapshotWatch(Newest newest, SharedConnection& lake);
    ~SnapshotWatch();
    SnapshotWatch(const SnapshotWatch&) = delete;
    SnapshotWatch& operator=(const SnapshotWatch&) = delete;

    enum class Reason { changed, timeout, stopping };
    struct Woken {
        Reason reason = Reason::stopping;
        long long seen = 0;  // no snapshot up to this one has changed the table, where `reason` is timeout
    };
    struct Wait {
        long long after = 0;  // the last snapshot that the waiter knows
        long long table = 0;
        std::chrono::steady_clock::time_point deadline{};
    };
    Number wait(const Wait& wanted, std::function<void(Woken)> wake);
    // True: it will not be called any more. False: it has been, or is being called.
    bool cancel(Number waiter);

    using Hear = std::function<void(const std::shared_ptr<const TableChanges>&)>;
    // Of snapshots after `after`. Errors: limit (too many listen), unavailable (the box stops).
    Result<Number> listen(long long after, Hear hear);
    // A call that is under way may come after this.
    void forget(Number listener);
    Result<long long> newest() const { return newest_(); }

    // Wakes everybody; who comes later is woken at once.
    void stop();

    bool is_stopping() const;

    // Who waits and listens, for the metrics.
    std::size_t followers() const;

  private:
    static constexpr std::size_t kListenersMax = 10'000;
    struct Waiter {
        Wait wanted;
        std::function<void(Woken)> wake;
    };
    struct Listener {
        long long heard = 0;  // the last snapshot
        Hear hear;
    };
    using Calls = std::vector<std::function<void()>>;

    void run();
    void look();
    void remember(long long newest, const std::vector<TableChanges>& changes);
    Calls due_locked();
    bool concerns_locked(const Wait& wanted) const;
    void hear_locked(Listener& listener, Calls& calls) const;

    const Newest newest_;
    SharedConnection& lake_;

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    bool stopping_ = false;
    Number next_ = 1;
    std::map<Number, Waiter> waiters_;
    std::map<Number, Listener> listeners_;
    long long floor_ = -1;                                   // what changed up to this snapshot is not known
    long long seen_ = -1;                                    // the newest snapshot that was looked at
    std::deque<std::shared_ptr<const TableChanges>> known_;  // after floor_, in order; only those that changed a table

    std::thread thread_;  // last: begins when all else is there
};

}  // namespace boathouse::feed
