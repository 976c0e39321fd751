// INSERT of rows that are there already, in the transaction of a connection.
//
// Private to src/engine/.
#pragma once

#include <duckdb.hpp>
#include <vector>

#include "engine/new_rows_impl.hpp"

namespace boathouse::engine {

// One INSERT for all of them; they have one shape. Throws what DuckDB throws.
void append_rows(duckdb::Connection& connection, const std::vector<const NewRows*>& rows);

}  // namespace boathouse::engine
