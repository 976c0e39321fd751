#include "feed/snapshot_watch.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace boathouse::feed {
namespace {

// A rename has both names. The tables of each snapshot stand together.
constexpr const char* kChanges =
    "SELECT DISTINCT c.snapshot_id, t.table_id, s.schema_name, t.table_name "
    "FROM (SELECT h.snapshot_id, m[1]::bigint AS table_id FROM public.ducklake_snapshot_changes h CROSS JOIN LATERAL "
    "pg_catalog.regexp_matches(h.changes_made, '(?:^|,)(?:inserted_into_table|deleted_from_table|inlined_insert|"
    "inlined_delete|altered_table|dropped_table):(\\d+)', 'g') AS m "
    "WHERE h.snapshot_id > $1::bigint AND h.snapshot_id <= $2::bigint "
    "UNION SELECT begin_snapshot, table_id FROM public.ducklake_table "
    "WHERE begin_snapshot > $1::bigint AND begin_snapshot <= $2::bigint) c "
    "JOIN public.ducklake_table t ON t.table_id = c.table_id AND t.begin_snapshot <= c.snapshot_id "
    "AND (t.end_snapshot IS NULL OR t.end_snapshot >= c.snapshot_id) "
    "JOIN public.ducklake_schema s ON s.schema_id = t.schema_id ORDER BY 1, 2";

Result<std::vector<TableChanges>> read_changes(catalog::Connection& lake, long long after, long long newest) {
    auto rows = lake.query(kChanges, {std::to_string(after), std::to_string(newest)});
    if (!rows) return rows.error();
    std::vector<TableChanges> changes;
    for (const catalog::Row& row : *rows) {
        const long long snapshot = std::stoll(row[0].value_or("0"));
        if (changes.empty() || changes.back().snapshot != snapshot) changes.push_back({.snapshot = snapshot});
        changes.back().tables.push_back({std::stoll(row[1].value_or("0")), row[2].value_or(""), row[3].value_or("")});
    }
    return changes;
}

}  // namespace

SnapshotWatch::SnapshotWatch(Newest newest, SharedConnection& lake)
    : newest_(std::move(newest)), lake_(lake), thread_([this] { run(); }) {}

SnapshotWatch::~SnapshotWatch() {
    stop();
    thread_.join();
}

SnapshotWatch::Number SnapshotWatch::wait(const Wait& wanted, std::function<void(Woken)> wake) {
    std::unique_lock lock(mutex_);
    const Number number = next_++;
    if (!stopping_) {
        waiters_[number] = {wanted, std::move(wake)};
        changed_.notify_all();
        return number;
    }
    lock.unlock();
    wake({});
    return number;
}

bool SnapshotWatch::cancel(Number waiter) {
    const std::lock_guard lock(mutex_);
    return waiters_.erase(waiter) > 0;
}

Result<SnapshotWatch::Number> SnapshotWatch::listen(long long after, Hear hear) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{ErrorKind::unavailable, "the box stops", "", ""};
    if (listeners_.size() >= kListenersMax) {
        return Error{ErrorKind::limit, fmt::format("{} sessions listen already", kListenersMax),
                     "End some of them, or let them UNLISTEN.", ""};
    }
    listeners_[next_] = {after, std::move(hear)};
    changed_.notify_all();
    return next_++;
}

void SnapshotWatch::forget(Number listener) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(listener);
}

void SnapshotWatch::stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
}

bool SnapshotWatch::is_stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

std::size_t SnapshotWatch::followers() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size() + listeners_.size();
}

void SnapshotWatch::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || !waiters_.empty() || !listeners_.empty(); });
        if (!stopping_) {
            lock.unlock();
            look();
            lock.lock();
        }
        Calls calls = due_locked();
        lock.unlock();
        for (const auto& call : calls) call();
        calls.clear();  // with what they hold, which may end with them
        lock.lock();
        if (stopping_ && waiters_.empty()) return;
        changed_.wait_for(lock, kInterval, [this] { return stopping_; });
    }
}

// Nobody is told where the catalog does not answer: who reads next hears it from there.
void SnapshotWatch::look() {
    const auto newest = newest_();
    if (!newest) return log_debug("feed", "the newest snapshot is not known: {}", newest.error().message);
    long long after = 0;
    {
        const std::lock_guard lock(mutex_);
        if (*newest == seen_) return;
        after = seen_;
    }
    std::vector<TableChanges> changes;
    // A lake that has been brought back to an earlier time goes backwards.
    const bool is_far = after < 0 || *newest < after || *newest - after > static_cast<long long>(kKept);
    if (!is_far) {
        auto read = lake_.ask([&](catalog::Connection& lake) { return read_changes(lake, after, *newest); });
        if (!read) return log_debug("feed", "what has changed cannot be read: {}", read.error().message);
        changes = std::move(*read);
    }
    const std::lock_guard lock(mutex_);
    if (is_far) {
        floor_ = *newest;
        known_.clear();
    }
    remember(*newest, changes);
}

// REQUIRES: mutex_ is held.
void SnapshotWatch::remember(long long newest, const std::vector<TableChanges>& changes) {
    for (const TableChanges& one : changes) known_.push_back(std::make_shared<const TableChanges>(one));
    while (known_.size() > kKept) {
        floor_ = known_.front()->snapshot;
        known_.pop_front();
    }
    seen_ = newest;
}

bool SnapshotWatch::concerns_locked(const Wait& wanted) const {
    if (wanted.after < floor_) return true;
    for (auto one = known_.rbegin(); one != known_.rend() && (*one)->snapshot > wanted.after; ++one) {
        const auto& tables = (*one)->tables;
        if (std::any_of(tables.begin(), tables.end(), [&](const auto& table) { return table.number == wanted.table; }))
            return true;
    }
    return false;
}

void SnapshotWatch::hear_locked(Listener& listener, Calls& calls) const {
    if (listener.heard >= seen_) return;
    if (listener.heard < floor_) {
        listener.heard = floor_;
        calls.push_back([hear = listener.hear, lost = std::make_shared<const TableChanges>(TableChanges{
                                                   .snapshot = floor_, .anything = true})] { hear(lost); });
    }
    for (const auto& one : known_) {
        if (one->snapshot <= listener.heard) continue;
        calls.push_back([hear = listener.hear, one] { hear(one); });
    }
    listener.heard = std::max(listener.heard, seen_);
}

// What is to be called now; waiters are taken out. REQUIRES: mutex_ is held.
SnapshotWatch::Calls SnapshotWatch::due_locked() {
    Calls calls;
    const auto now = std::chrono::steady_clock::now();
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
        Woken woken;
        if (!stopping_) woken.reason = concerns_locked(waiter->second.wanted) ? Reason::changed : Reason::timeout;
        if (woken.reason == Reason::timeout && now < waiter->second.wanted.deadline) {
            ++waiter;
            continue;
        }
        woken.seen = std::max(seen_, waiter->second.wanted.after);
        calls.push_back([wake = std::move(waiter->second.wake), woken] { wake(woken); });
        waiter = waiters_.erase(waiter);
    }
    if (!stopping_) {
        for (auto& [number, listener] : listeners_) hear_locked(listener, calls);
    }
    return calls;
}

}  // namespace boathouse::feed
