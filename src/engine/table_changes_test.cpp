#include "engine/table_changes.hpp"

#include <gtest/gtest.h>

namespace boathouse::engine {
namespace {

TableChanges changes_of(std::string_view text) {
    TableChanges changes;
    add_changes(changes, text, false);
    return changes;
}

TEST(TableChanges, NamesTablesWhoseRowsHaveChanged) {
    const TableChanges changes =
        changes_of("inserted_into_table:1,inlined_insert:22,deleted_from_table:3,inlined_delete:1,merge_adjacent:4");
    EXPECT_EQ(changes.tables, (std::set<long long>{1, 3, 4, 22}));
    EXPECT_FALSE(changes.is_more);
}

TEST(TableChanges, AddsSnapshots) {
    TableChanges changes;
    add_changes(changes, "inlined_insert:5", false);
    add_changes(changes, "", false);
    add_changes(changes, "flushed_inlined:6", false);
    EXPECT_EQ(changes.tables, (std::set<long long>{5, 6}));
    EXPECT_FALSE(changes.is_more);
}

TEST(TableChanges, LeavesOutWhatTheKeeperHasCompacted) {
    TableChanges changes;
    add_changes(changes, "inline_flush:1,rewrite_delete:2", true);
    add_changes(changes, "merge_adjacent:3", true);
    EXPECT_TRUE(changes.tables.empty());
    EXPECT_FALSE(changes.is_more);
    add_changes(changes, "merge_adjacent:4,inlined_insert:5", true);
    EXPECT_EQ(changes.tables, (std::set<long long>{5}));
    add_changes(changes, "merge_adjacent:x", true);
    EXPECT_TRUE(changes.is_more);
}

TEST(TableChanges, SeesWhatIsMoreThanRows) {
    for (const std::string_view text :
         {"created_table:\"main\".\"a\"", "altered_table:1", "dropped_table:1",
          "created_schema:\"inserted_into_table:1\"", "created_view:\"main\".\"x,inlined_insert:1\"",
          "created_scalar_macro:\"main\".\"m\"", "inlined_insert:", "inlined_insert:1x", "inlined_insert",
          "something_new:1", "inlined_insert:1,,", ",inlined_insert:1"})
        EXPECT_TRUE(changes_of(text).is_more) << text;
}

}  // namespace
}  // namespace boathouse::engine
