// What the snapshots between two did to the lake's tables, read off ducklake_snapshot_changes.changes_made:
// `inserted_into_table:3,inlined_delete:5`,
// https://ducklake.select/docs/stable/specification/tables/ducklake_snapshot_changes
#pragma once

#include <set>
#include <string_view>

namespace boathouse::engine {

struct TableChanges {
    std::set<long long> tables;  // whose rows, or files, have changed
    bool is_more = false;        // than rows: of the schema, or something that is not known here
};

// Adds what one snapshot has changed.
void add_changes(TableChanges& changes, std::string_view changes_made);

}  // namespace boathouse::engine
