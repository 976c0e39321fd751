// Where a dropped table, view or schema is still to be found, and what of it DuckDB cannot tell: the keys by which a
// table was partitioned and sorted, and the options that were set for it. From the catalog alone.
//
// Free functions on a connection to the lake's database as the engine's role; blocking. Errors: those of Connection;
// not_found.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

// Key and value, as the catalog stores them. They outlast what they were set for.
using LakeOptions = std::vector<std::pair<std::string, std::string>>;

enum class DroppedKind { table, view, scalar_macro, table_macro };

struct DroppedObject {
    DroppedKind kind = DroppedKind::table;
    std::string name{};
    long long last_snapshot = 0;  // the last of those left that has it
    // A table's, as behind SET PARTITIONED BY and SET SORTED BY; empty where there are none.
    std::string partition_keys{}, sort_keys{};
    LakeOptions options{};
};

struct Dropped {
    std::string schema{};
    bool schema_is_gone = false;  // there is none of that name now
    LakeOptions schema_options{};
    std::vector<DroppedObject> objects{};  // in the order in which they were made
};

// The table or view that had the name last.
Result<Dropped> find_dropped_table(Connection& lake, const std::string& schema, const std::string& table);
// What went with the schema when it was dropped last, but for what has a name that is taken now.
Result<Dropped> find_dropped_schema(Connection& lake, const std::string& schema);

}  // namespace boathouse::catalog
