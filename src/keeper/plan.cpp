#include "keeper/plan.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log.hpp"

namespace boathouse::keeper {
namespace {

// Bounds of one step.
constexpr std::size_t kSnapshotsAStep = 1000;
constexpr double kFilesOfACleanup = 1000;
// Of a merge: what comes out is so many times the largest that goes in, so that it is at least twice its share.
constexpr double kMergeFactor = 32;
// Writing this much costs as much as one more file does when it is read.
constexpr double kBytesOfAFilesWorth = 1 << 20;
constexpr double kRowsOfAFilesWorth = 1000;
constexpr double kSnapshotsOfAFilesWorth = 100;
// Listing a store is slow and seldom finds anything.
constexpr double kOrphanInterval = 86'400;

Scope scope_of(const TableFacts& table) {
    return {table.schema, table.table};
}

Step step_of(Job job, const TableFacts& table) {
    Step step;
    step.job = job;
    step.table_id = table.id;
    step.schema = table.schema;
    step.table = table.table;
    step.changed_at = table.changed_at;
    return step;
}

void plan_flush(const TableFacts& table, const Policies& policies, double now, std::vector<Step>& plan) {
    if (table.inlined_rows == 0) return;
    const auto rows = policies.value("flush_rows", scope_of(table));
    const auto age = policies.value("flush_age", scope_of(table));
    const bool many = rows && static_cast<double>(table.inlined_rows) >= *rows;
    const bool old = age && now - table.inlined_since_unix >= *age;
    if (!many && !old) return;
    Step step = step_of(Job::flush, table);
    if (many) {
        step.why = fmt::format("{} rows in the catalog, flush_rows is {:.0f}", table.inlined_rows, *rows);
    } else if (table.inlined_since_unix == kBeforeSnapshots) {
        step.why = fmt::format("rows in the catalog since before the oldest snapshot, flush_age is {:.0f} s", *age);
    } else {
        step.why = fmt::format("rows in the catalog for {:.0f} s, flush_age is {:.0f} s",
                               now - table.inlined_since_unix, *age);
    }
    step.worth = 1 + static_cast<double>(table.inlined_rows) / kRowsOfAFilesWorth;
    plan.push_back(std::move(step));
}

// The class with the most files to spare. Smaller ones go along where they are.
void plan_merge(const TableFacts& table, const Policies& policies, std::vector<Step>& plan) {
    const auto files_min = policies.value("merge_files", scope_of(table));
    const auto target = policies.value("target_file_size", scope_of(table));
    if (!files_min || !target) return;
    const SizeClass* best = nullptr;
    for (const SizeClass& candidate : table.classes) {
        const bool small = class_bytes_max(candidate.size_class - 1) * 2 <= *target;
        const auto mergeable = static_cast<double>(candidate.files - candidate.files_with_deletes);
        if (!small || mergeable < *files_min) continue;
        if (best == nullptr || candidate.size_class < best->size_class) best = &candidate;
    }
    if (best == nullptr) return;
    Step step = step_of(Job::merge, table);
    step.file_bytes_max = static_cast<long long>(std::min(class_bytes_max(best->size_class), *target));
    step.target_bytes = static_cast<long long>(std::min(class_bytes_max(best->size_class) * kMergeFactor, *target));
    step.why =
        fmt::format("{} files of up to {} bytes, merge_files is {:.0f}", best->files, step.file_bytes_max, *files_min);
    step.worth = static_cast<double>(best->files) / (1 + static_cast<double>(best->bytes) / kBytesOfAFilesWorth / 64);
    plan.push_back(std::move(step));
}

void plan_rewrite(const TableFacts& table, const Policies& policies, std::vector<Step>& plan) {
    const auto threshold = policies.value("rewrite_deleted", scope_of(table));
    const auto files_min = policies.value("merge_files", scope_of(table));
    if (!threshold || table.deleted_fractions.empty()) return;
    const auto over = std::count_if(table.deleted_fractions.begin(), table.deleted_fractions.end(),
                                    [&](double fraction) { return fraction >= *threshold; });
    long long small = 0;
    for (const SizeClass& size : table.classes) {
        if (class_bytes_max(size.size_class) <= kBytesOfAFilesWorth) small += size.files_with_deletes;
    }
    const bool many_small = files_min && static_cast<double>(small) >= *files_min;
    // A delete of a few rows of a small file is not worth a commit.
    if (over == 0 && !many_small) return;
    Step step = step_of(Job::rewrite, table);
    step.delete_threshold = over > 0 ? *threshold : 0;
    step.why = over > 0 ? fmt::format("{} files of which {:.0f} % or more is deleted", over, *threshold * 100)
                        : fmt::format("{} small files with deletes, which cannot be merged before", small);
    step.worth = static_cast<double>(over > 0 ? over : small) + table.deleted_fractions.front();
    plan.push_back(std::move(step));
}

void plan_expiry(const Survey& survey, const Policies& policies, const Kept& wanted, double now,
                 std::vector<Step>& plan) {
    const auto age = policies.value("snapshot_age");
    const auto count_max = policies.value("snapshots_max");
    std::set<long long> kept;
    const auto unread_age = policies.value("consumer_age");
    for (const Tag& tag : wanted.tags) kept.insert(tag.snapshot);
    double beyond = count_max ? static_cast<double>(survey.snapshots) - *count_max : 0;
    Step step;
    step.job = Job::expire;
    for (const SnapshotFacts& snapshot : survey.oldest) {
        const bool old = age && now - snapshot.at_unix > *age;
        if (!old && beyond <= 0) break;
        // What a snapshot has deleted is read from the one before.
        const bool is_unread = wanted.unread_from && snapshot.id >= *wanted.unread_from - 1;
        if (is_unread && unread_age && now - snapshot.at_unix <= *unread_age) break;
        if (kept.contains(snapshot.id)) continue;
        beyond -= 1;
        step.snapshots.push_back(snapshot.id);
        if (step.snapshots.size() == kSnapshotsAStep) break;
    }
    if (step.snapshots.empty()) return;
    step.why = fmt::format("snapshots {} to {} are past snapshot_age or snapshots_max", step.snapshots.front(),
                           step.snapshots.back());
    step.worth = static_cast<double>(step.snapshots.size()) / kSnapshotsOfAFilesWorth;
    step.changed_at = survey.newest_snapshot;
    plan.push_back(std::move(step));
}

// When a file may go: never within the backup retention.
std::optional<double> deletion_age(const Policies& policies, std::string_view key) {
    const auto age = policies.value(key);
    if (!age) return std::nullopt;
    return std::max(*age, policies.value("backup_retention").value_or(0));
}

void plan_cleanup(const Survey& survey, const Policies& policies, double now, std::vector<Step>& plan) {
    const auto age = deletion_age(policies, "cleanup_age");
    if (!age) return;
    double files = 0;
    double newest = 0;
    for (const Scheduled& scheduled : survey.scheduled) {
        if (now - scheduled.at_unix <= *age || files >= kFilesOfACleanup) break;
        files += static_cast<double>(scheduled.files);
        newest = scheduled.at_unix;
    }
    if (files == 0) return;
    Step step;
    step.job = Job::cleanup;
    step.before_unix = newest + 0.001;  // "older than", and what was given up in that moment is meant too
    step.why = fmt::format("{:.0f} files that no snapshot has referred to for {:.0f} s", files, *age);
    step.worth = files / 10;
    step.changed_at = static_cast<long long>(newest);
    plan.push_back(std::move(step));
}

void plan_orphans(const Policies& policies, double now, double last, std::vector<Step>& plan) {
    const auto age = deletion_age(policies, "orphan_age");
    if (!age || now - last < kOrphanInterval) return;
    Step step;
    step.job = Job::orphans;
    step.before_unix = now - *age;
    step.why = fmt::format("once a day: files that the catalog does not know and that are older than {:.0f} s", *age);
    step.worth = 0.5;
    step.changed_at = static_cast<long long>(now);
    plan.push_back(std::move(step));
}

}  // namespace

const char* job_name(Job job) {
    switch (job) {
        case Job::flush:
            return "flush";
        case Job::merge:
            return "merge";
        case Job::rewrite:
            return "rewrite";
        case Job::expire:
            return "expire";
        case Job::cleanup:
            return "cleanup";
        case Job::orphans:
            return "orphans";
    }
    return "";
}

bool deletes(Job job) {
    return job == Job::expire || job == Job::cleanup || job == Job::orphans;
}

const std::vector<Job>& jobs() {
    static const std::vector<Job> kJobs{Job::flush, Job::merge, Job::rewrite, Job::expire, Job::cleanup, Job::orphans};
    return kJobs;
}

std::vector<Step> make_plan(const Survey& survey, const Policies& policies, const Kept& kept, double now_unix,
                            double orphans_at_unix) {
    std::vector<Step> plan;
    for (const auto& [id, table] : survey.tables) {
        if (!table.compacts) continue;
        plan_flush(table, policies, now_unix, plan);
        plan_merge(table, policies, plan);
        plan_rewrite(table, policies, plan);
    }
    plan_expiry(survey, policies, kept, now_unix, plan);
    plan_cleanup(survey, policies, now_unix, plan);
    plan_orphans(policies, now_unix, orphans_at_unix, plan);
    std::stable_sort(plan.begin(), plan.end(), [](const Step& a, const Step& b) { return a.worth > b.worth; });
    return plan;
}

}  // namespace boathouse::keeper
