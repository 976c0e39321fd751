// The snapshots that have changed a table, from the catalog alone.
//
// On a connection to the lake's database as the engine's role; blocking. Errors: those of Connection.
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

}  // namespace boathouse::keeper
