#include "cache/newest_snapshot.hpp"

#include <utility>

namespace boathouse::cache {

NewestSnapshot::NewestSnapshot(catalog::Endpoint endpoint)
    : endpoint_(std::move(endpoint)), teller_([this] { tell(); }) {}

NewestSnapshot::~NewestSnapshot() {
    {
        const std::lock_guard lock(waiting_mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    teller_.join();
}

void NewestSnapshot::ask_then(Told told) {
    {
        const std::lock_guard lock(waiting_mutex_);
        waiting_.push_back(std::move(told));
    }
    arrived_.notify_one();
}

void NewestSnapshot::tell() {
    std::unique_lock lock(waiting_mutex_);
    while (true) {
        arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        const std::vector<Told> waiting = std::exchange(waiting_, {});
        lock.unlock();
        const Result<LakeVersion> answer = ask();
        for (const Told& told : waiting) told(answer);
        lock.lock();
    }
}

Result<LakeVersion> NewestSnapshot::ask() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = started_ + 1;
    answered_.wait(lock, [&] { return !asking_ || finished_ >= wanted; });
    if (finished_ >= wanted) return *answer_;
    asking_ = true;
    ++started_;
    lock.unlock();
    Result<LakeVersion> answer = question();
    lock.lock();
    asking_ = false;
    finished_ = started_;
    answer_ = answer;
    answered_.notify_all();
    return answer;
}

std::uint64_t NewestSnapshot::questions() const {
    const std::lock_guard lock(mutex_);
    return finished_;
}

// A connection that was lost since the last question is no news: PostgreSQL may have been started again.
Result<LakeVersion> NewestSnapshot::question() {
    const bool had_connection = connection_.has_value();
    auto answer = question_once();
    if (answer) return answer;
    connection_.reset();
    if (!had_connection) return answer;
    answer = question_once();
    if (!answer) connection_.reset();
    return answer;
}

Result<LakeVersion> NewestSnapshot::question_once() {
    if (!connection_) {
        auto opened = catalog::Connection::open(endpoint_);
        if (!opened) return opened.error();
        connection_.emplace(std::move(*opened));
        // Planned once.
        if (auto prepared = connection_->execute("PREPARE newest_snapshot AS SELECT snapshot_id, schema_version, "
                                                 "pg_current_snapshot() FROM public.ducklake_snapshot "
                                                 "ORDER BY snapshot_id DESC LIMIT 1");
            !prepared)
            return prepared.error();
    }
    const auto rows = connection_->query("EXECUTE newest_snapshot");
    if (!rows) return rows.error();
    if (rows->empty()) return Error{ErrorKind::corrupt, "the catalog holds no snapshot", "", ""};
    const catalog::Row& row = rows->front();
    return LakeVersion{std::stoll(row.at(0).value_or("0")), std::stoll(row.at(1).value_or("0")),
                       row.at(2).value_or("")};
}

}  // namespace boathouse::cache
