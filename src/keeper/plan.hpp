// What the keeper would do now, and why: pure functions from a survey, the policies and the time to steps, the most
// worthwhile first.
//
// A step is bounded: it commits by itself, in seconds, however much there is to do. A table with 100,000 small files is
// many steps, size class by size class, so that a file is written anew at most once a factor of 16 that it grows by.
#pragma once

#include <string>
#include <vector>

#include "keeper/journal.hpp"
#include "keeper/policy.hpp"
#include "keeper/survey.hpp"

namespace boathouse::keeper {

enum class Job { flush, merge, rewrite, expire, cleanup, orphans };
const char* job_name(Job job);
// Whether it takes something away for good: snapshots, or files.
bool deletes(Job job);
const std::vector<Job>& jobs();

struct Step {
    Job job = Job::flush;
    long long table_id = 0;  // 0: the lake
    std::string schema{}, table{};
    std::string why{};
    double worth = 0;          // files, rows and snapshots that go, by what it costs
    long long changed_at = 0;  // of the table: what has been tried in vain is tried again when it has changed
    // What the job needs.
    long long target_bytes = 0;          // merge: of a file that comes out
    long long file_bytes_max = 0;        // merge: of a file that goes in
    double delete_threshold = 0;         // rewrite
    std::vector<long long> snapshots{};  // expire
    double before_unix = 0;              // cleanup, orphans: what is older
};

// `orphans_at_unix`: when orphans were last looked for, 0 for never.
std::vector<Step> make_plan(const Survey& survey, const Policies& policies, const Kept& kept, double now_unix,
                            double orphans_at_unix);

}  // namespace boathouse::keeper
