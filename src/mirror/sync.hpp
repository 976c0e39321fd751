// From what the mirror shows to what the lake is now: the differences, as SQL, in one transaction.
//
// An object keeps its PostgreSQL identity (OID, column numbers) through renames, moves and changed columns. A lake of
// more than kObjectsPerTransaction new or dropped objects takes several transactions, because PostgreSQL holds a lock
// for each of them; the mirror counts as complete only with the last. What PostgreSQL refuses (a name twice after
// shortening) costs that object alone, with a line in the log. Blocking; one thread; one at a time by a lock on the
// mirror's own table, which clients cannot take.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "mirror/lake_state.hpp"

namespace boathouse::mirror {

inline constexpr std::size_t kObjectsPerTransaction = 1000;

// What the mirror says of tables' sizes, by their numbers. Kept by whoever synchronizes, so that of 10,000 tables only
// those are touched whose rows have changed; to be cleared when the mirror may not be what it was.
using ShownStatistics = std::map<long long, LakeStatistics>;

struct SyncOptions {
    std::string owner;  // of what is made: the lake's owner
    StatisticsOf statistics = StatisticsOf::all;
    ShownStatistics* shown_statistics = nullptr;  // outlives the call
    // The columns of a view of the lake, by the names of its schema and its own; none for one that does not bind. An
    // error where nobody can tell, which ends the synchronization.
    std::function<Result<std::vector<LakeColumn>>(const std::string& schema, const std::string& view)> bind_view;
};

struct SyncReport {
    Snapshot snapshot;
    bool lake_has_public = false;
    bool complete = false;    // everything was compared
    std::size_t changed = 0;  // objects made, altered or dropped
    std::size_t refused = 0;  // by PostgreSQL
};

// `mirror` as boathouse_mirror, `lake` as the engine; both idle. After a failure the mirror shows what it showed
// before, or, where several transactions were needed, is known to be incomplete.
Result<SyncReport> synchronize(catalog::Connection& mirror, catalog::Connection& lake, const SyncOptions& options);

}  // namespace boathouse::mirror
