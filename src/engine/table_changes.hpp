// What the snapshots between two did to the lake's tables, read off ducklake_snapshot_changes.changes_made:
// `inserted_into_table:3,inlined_delete:5`,
// https://ducklake.select/docs/stable/specification/tables/ducklake_snapshot_changes
#pragma once

#include <set>
#include <string_view>

namespace boathouse::engine {

struct TableChanges {
    std::set<long long> tables;  // whose rows have changed, or may have
    bool is_more = false;        // than rows: of the schema, or something that is not known here
};

// Adds what one snapshot has changed. `is_keepers`: the keeper's compactions leave the rows what they are, which the
// catalog sees to (catalog/give_way.hpp). Nobody's else are so watched: they may bring deleted rows back.
void add_changes(TableChanges& changes, std::string_view changes_made, bool is_keepers);

}  // namespace boathouse::engine
