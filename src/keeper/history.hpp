// The snapshots that have changed a table, and where a dropped table or schema is still to be found, from the catalog
// alone.
//
// Free functions on a connection to the lake's database as the engine's role; blocking. Errors: those of Connection;
// not_found.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::keeper {

struct TableSnapshot {
    long long id = 0;
    std::string at{}, author{}, message{};
    std::string changes{};  // "inserted", "deleted", "created", …, separated by commas
};
// The newest first; of all tables that have had the name. The keeper's own are among them.
Result<std::vector<TableSnapshot>> table_history(catalog::Connection& lake, const std::string& schema,
                                                 const std::string& table);

struct DroppedTable {
    std::string schema{}, table{};
    long long last_snapshot = 0;  // the last that has it
};
// The tables of that name that are dropped and still to be had; `table` empty: those that went with the schema.
Result<std::vector<DroppedTable>> dropped_tables(catalog::Connection& lake, const std::string& schema,
                                                 const std::string& table);

}  // namespace boathouse::keeper
