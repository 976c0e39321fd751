#include "service/keeper_worker.hpp"

#include <algorithm>

namespace boathouse::service {
namespace {

// Of one merge: each is at most 32 times the largest file that goes in. Of large ones one at a time, so that a step
// takes seconds.
constexpr long long kFilesOutMax = 4;
constexpr long long kBytesOutMax = 256LL << 20;
// Beside the engine's own; a merge of the largest files streams.
constexpr std::int64_t kMemoryMb = 512;

long long files_out_max(long long target_bytes) {
    return std::clamp(kBytesOutMax / std::max(1LL, target_bytes), 1LL, kFilesOutMax);
}

}  // namespace

Status KeeperWorker::open() {
    if (maintenance_) return {};
    auto endpoint = catalog::lake_endpoint(settings_);
    if (!endpoint) return endpoint.error();
    auto opened = engine::Maintenance::open(settings_, std::move(*endpoint), kMemoryMb);
    if (!opened) return opened.error();
    const std::lock_guard lock(mutex_);
    maintenance_ = std::move(*opened);
    if (interrupted_) maintenance_->interrupt();
    return {};
}

Result<long long> KeeperWorker::take(const keeper::Step& step) {
    if (auto opened = open(); !opened) return opened.error();
    const engine::MaintainedTable table{step.table_id, step.schema, step.table};
    switch (step.job) {
        case keeper::Job::flush:
            return maintenance_->flush(table, step.why);
        case keeper::Job::merge:
            return maintenance_->merge(
                table, {step.target_bytes, step.file_bytes_max, files_out_max(step.target_bytes)}, step.why);
        case keeper::Job::rewrite:
            return maintenance_->rewrite(table, step.delete_threshold, step.why);
        case keeper::Job::expire:
            return maintenance_->expire(step.snapshots);
        case keeper::Job::cleanup:
            return maintenance_->cleanup(step.before_unix);
        case keeper::Job::orphans:
            return maintenance_->delete_orphans(step.before_unix);
    }
    return 0;
}

void KeeperWorker::rest() {
    const std::lock_guard lock(mutex_);
    maintenance_.reset();
}

void KeeperWorker::interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    if (maintenance_) maintenance_->interrupt();
}

}  // namespace boathouse::service
