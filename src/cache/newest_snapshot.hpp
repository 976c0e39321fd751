// The number of the lake's newest snapshot, as the catalog has it at this moment.
//
// Everybody who is about to give a kept answer asks, so the question is shared: one that starts after a caller came is
// good for him, one that is already under way is not (the "read index" of Raft, https://raft.github.io/raft.pdf,
// section 6.4 of the thesis). Callers that find one under way wait for the next, which one of them asks. ask() may be
// called from any thread and blocks for one round trip to the catalog, two at most; a lost connection is opened anew.
// It fails where the catalog does (unavailable). Who must not block calls ask_then(): a thread asks for all who have
// called it meanwhile, and tells them one after the other.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::cache {

struct LakeVersion {
    long long snapshot = 0;
    long long schema = 0;      // moves with every change of a table's or view's shape
    std::string catalog = {};  // PostgreSQL's own snapshot, pg_current_snapshot(), in which these were read
};

class NewestSnapshot {
  public:
    // `endpoint` is the lake's catalog (catalog::lake_endpoint).
    explicit NewestSnapshot(catalog::Endpoint endpoint);
    // Tells those who wait first.
    ~NewestSnapshot();
    NewestSnapshot(const NewestSnapshot&) = delete;
    NewestSnapshot& operator=(const NewestSnapshot&) = delete;

    // Every snapshot that was committed before the call is at most this one.
    Result<LakeVersion> ask();
    using Told = std::function<void(const Result<LakeVersion>&)>;
    // The same, told on the asking thread. `told` must not block, nor throw.
    void ask_then(Told told);

    // Questions that went to the catalog, for the metrics. Any thread.
    std::uint64_t questions() const;

  private:
    Result<LakeVersion> question();
    Result<LakeVersion> question_once();
    void tell();

    const catalog::Endpoint endpoint_;
    std::optional<catalog::Connection> connection_;  // of whoever asks: one at a time

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable answered_;
    bool asking_ = false;
    std::uint64_t started_ = 0;
    std::uint64_t finished_ = 0;
    std::optional<Result<LakeVersion>> answer_;  // of the question that finished last

    std::mutex waiting_mutex_;  // guards what follows; taken with no other
    std::condition_variable arrived_;
    std::vector<Told> waiting_;
    bool stopping_ = false;
    std::thread teller_;
};

}  // namespace boathouse::cache
