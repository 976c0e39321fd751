// Group commit: rows of many clients go to the lake in one commit.
//
// Whoever has rows joins as a member, and is told once they are durable. There is one committer, a thread of the
// gatherer's own. It takes all members that wait, whatever their tables, writes them as one snapshot and answers them;
// those who come meanwhile are the next batch. Nothing waits for a timer: a lone member is written at once, and the
// busier the lake, the larger the batches. A member's rows are written together or not at all, and members are written
// in the order in which they joined. What waits is bounded in bytes: beyond that join() refuses, and the caller commits
// by itself, which takes its time. A batch that fails for a reason that may lie in one member is written again member
// by member. Any thread may enter; `answered` is called on the committer's. The destructor writes what has joined.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "engine/lake_writer.hpp"
#include "engine/new_rows.hpp"

namespace boathouse::ingest {

enum class Fate {
    waiting,
    committed,  // durable, and visible to whoever asks from now on
    stale,      // nothing is written: a table has changed, and its rows have to be made again
    failed,     // see Member::error()
    withdrawn,  // nothing is written
    refused,    // nothing is written: its role may not insert into one of the tables
};

// Rows that are committed together, and what became of them.
class Member {
  public:
    Fate fate() const { return fate_; }
    // Once failed.
    const engine::QueryError& error() const { return error_; }
    // Once committed, if it was asked for: the number of the snapshot that has its rows; 0: it cannot be told.
    long long snapshot() const { return snapshot_; }

  private:
    friend class Gatherer;
    std::vector<engine::NewRows> rows_;  // the gatherer's until there is a fate
    std::function<void()> answered_;
    std::size_t bytes_ = 0;
    std::chrono::steady_clock::time_point joined_at_;
    std::string note_;
    std::string role_;
    bool wants_snapshot_ = false;
    engine::QueryError error_;  // written before fate_
    long long snapshot_ = 0;    // written before fate_
    std::atomic<Fate> fate_ = Fate::waiting;
};

// Since the start, for the metrics.
struct Counters {
    std::uint64_t batches = 0;       // that were committed
    std::uint64_t by_extension = 0;  // of them, by DuckLake's extension: the box does not write such itself
    std::uint64_t members = 0;       // in them
    std::uint64_t rows = 0;
    std::uint64_t conflicts = 0;         // commits that other clients of the catalog were ahead of
    std::chrono::nanoseconds waited{0};  // by all members, from joining to their answer
    std::size_t waiting = 0;             // members now that are in no batch yet
};

class Gatherer {
  public:
    // What writes a batch: LakeWriter::write, but for tests that let it fail.
    using Write = std::function<engine::LakeWriter::Written(const std::vector<const engine::NewRows*>&,
                                                            const engine::LakeWriter::Extras&)>;
    struct Judgement {
        bool may = false;
        std::string
            snapshot{};  // of PostgreSQL's, in which it is so (catalog/pg_snapshot.hpp); empty: it cannot be told
    };
    // Whether a role may, now, insert into the rows' table. May block on the catalog.
    using May = std::function<Judgement(const std::string& role, const engine::NewRows& rows)>;
    struct Options {
        std::size_t waiting_bytes_max = std::size_t{64} << 20;
        int conflict_tries_max = 8;  // of one batch, before its members are told 40001
    };
    Gatherer(Write write, May may, const Clock& clock, Options options);
    ~Gatherer();
    Gatherer(const Gatherer&) = delete;
    Gatherer& operator=(const Gatherer&) = delete;

    // `rows` are moved from, unless the answer is null: there is no room for them. `answered` is called once the member
    // has its fate, not before join() has returned to a caller who holds a lock that it takes. The note, a JSON value,
    // is committed with the rows: the snapshot's commit_extra_info is an array of its members' notes. `role`: on whose
    // behalf, where it has not been judged yet whether it may; the committer asks, once for all that have the same role
    // and table for as long as nobody but the committer itself commits anything.
    std::shared_ptr<Member> join(std::vector<engine::NewRows>& rows, std::function<void()> answered,
                                 engine::LakeWriter::Extras extras = {}, std::string role = {});
    // The member is not to be written any more, and will not be answered. False: its batch is being written.
    bool withdraw(Member& member);

    Counters counters() const;

  private:
    using Batch = std::vector<std::shared_ptr<Member>>;
    using Right = std::pair<std::string, std::shared_ptr<const void>>;  // a role, and the table's shape
    void work();
    std::string refuse(Batch& batch);
    static void each_right(const Batch& batch, const std::function<void(const Right&, const engine::NewRows&)>& take);
    bool learn(const Right& right, const engine::NewRows& rows);
    void write(Batch& batch, std::string since);
    engine::LakeWriter::Written try_write(const Batch& batch, const std::string& since);
    static engine::LakeWriter::Extras extras_of(const Batch& batch);
    void answer_stale(Batch& batch, const std::vector<bool>& stale);
    void answer(Member& member, Fate fate);

    const Write write_;
    const May may_;
    const Clock& clock_;
    const Options options_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::shared_ptr<Member>> waiting_;  // under mutex_, in the order of joining
    std::size_t bytes_ = 0;                        // under mutex_: of members without a fate
    bool stopping_ = false;                        // under mutex_
    Counters counters_;                            // under mutex_
    std::set<Right> known_;                        // the committer's: who may insert where
    std::string known_in_;                         // the committer's: in this snapshot of PostgreSQL's
    std::thread committer_;
};

}  // namespace boathouse::ingest
