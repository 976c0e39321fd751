// What belongs to the box and not to the lake, shown to SQL clients: relations and procedures under the name
// "boathouse", as in SELECT * FROM boathouse.keeper_runs and CALL boathouse.set_policy('snapshot_age', '7 days').
//
// Each is a table function of DuckDB, behind a view or a macro in a database "boathouse" that is otherwise empty and
// that no client may write to. The rows come from a callback, which runs on the thread of the statement, may block, and
// may be entered by several at once; its effects are not part of the statement's transaction. Added once, before
// Session::admit_clients.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::engine {

class Lake;

using BoxRow = std::vector<std::optional<std::string>>;
using BoxRows = std::vector<BoxRow>;

struct BoxFunction {
    std::string name{};
    std::vector<std::pair<std::string, std::string>> columns{};  // name and DuckDB's type
    // Empty: a relation. Else a procedure's, all texts; from `optional_from` on they may be left out and are then ''.
    std::vector<std::string> parameters{};
    std::size_t optional_from = 0;
    bool changes = false;  // something, so a read-only transaction refuses it
    std::function<Result<BoxRows>(const std::vector<std::string>& arguments)> rows{};
};

Status add_box_functions(Lake& lake, std::vector<BoxFunction> functions);

// What the names of these table functions begin with, for the guard.
inline constexpr const char* kBoxFunctionPrefix = "boathouse_box_";

}  // namespace boathouse::engine
