// Yesterday, brought back: a table as it was in a snapshot, and what differs between two snapshots.
//
// Nothing is overwritten: what is brought back is a new snapshot, and what was there before stays in the older ones,
// for as long as the policies keep those. Each call is one transaction on a connection of its own, beside the
// session's. Any thread. Errors: not_found, conflict (the table's columns have changed since; somebody wrote
// meanwhile), internal, in DuckDB's words.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::engine {

class Lake;

struct TableName {
    std::string schema;
    std::string table;
};

// The number of rows that the table then has.
Result<long long> restore_table(Lake& lake, const TableName& name, long long snapshot);

struct RowDifference {
    std::string change;  // added, removed, changed
    std::string before;  // the row as JSON; empty where it is added
    std::string after;   // empty where it is removed
};
// With `key` columns, rows of one key in both are compared; without, a changed row is one removed and one added. At
// most 10,000.
Result<std::vector<RowDifference>> difference(Lake& lake, const TableName& name, long long from, long long to,
                                              const std::vector<std::string>& key);

}  // namespace boathouse::engine
