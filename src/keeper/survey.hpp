// The state of the lake's files, snapshots and inlined rows, read from the catalog by SQL alone: what a plan is made
// from, and what the metrics show.
//
// One look costs a few scans of the catalog's file tables, and none of the lake's files. Blocking; on a connection to
// the lake's database as the engine's role. Errors: those of Connection.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::keeper {

// Files of one table, one partition and one size class; class c holds sizes from 16^c up to 16^(c+1) bytes.
struct SizeClass {
    int size_class = 0;
    long long files = 0;
    long long bytes = 0;
    long long files_with_deletes = 0;
};
double class_bytes_max(int size_class);  // excluded

// A moment before the oldest snapshot there is; which one, nobody knows any more.
constexpr double kBeforeSnapshots = 1;

struct TableFacts {
    long long id = 0;
    std::string schema{}, table{};
    std::vector<SizeClass> classes{};
    long long files = 0, bytes = 0, rows = 0;
    long long files_with_deletes = 0;
    std::vector<double> deleted_fractions{};  // of the files with deletes, the largest first, 1,000 at most
    long long inlined_rows = 0;               // counted up to inlined_rows_counted_max
    double inlined_since_unix = 0;            // the oldest inlined row's commit, or kBeforeSnapshots; 0: none
    long long changed_at = 0;                 // the newest snapshot that added a file or an inlined row
    bool compacts = true;                     // DuckLake's auto_compact
};

// A snapshot, the oldest first.
struct SnapshotFacts {
    long long id = 0;
    double at_unix = 0;
};

struct Scheduled {
    long long files = 0;
    double at_unix = 0;
};

struct Survey {
    long long newest_snapshot = 0;
    long long snapshots = 0;
    std::vector<SnapshotFacts> oldest{};  // 10,000 at most, never the newest
    std::vector<Scheduled> scheduled{};   // files for deletion, by when they were given up, the oldest first
    std::map<long long, TableFacts> tables{};
};

Result<long long> newest_snapshot(catalog::Connection& lake);
Result<Survey> survey(catalog::Connection& lake);

// Files, bytes and rows of one table (0: of all), for a run's before and after.
struct Sizes {
    long long files = 0, bytes = 0, rows = 0;
};
Result<Sizes> sizes_of(catalog::Connection& lake, long long table_id);

}  // namespace boathouse::keeper
