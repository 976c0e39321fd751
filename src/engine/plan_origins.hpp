// The origins of a bound plan's columns (column_origin.hpp).
//
// Private to src/engine/. Before DuckDB optimizes: every column still refers to what it is made of by the binder's
// numbers. Pure functions; the thread that binds.
#pragma once

#include <duckdb.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <string>
#include <vector>

#include "engine/column_origin.hpp"

namespace boathouse::engine {

// The names of tables and views that a query's text holds, without their schemas.
std::vector<std::string> named_relations(duckdb::SQLStatement& statement);

// Of what comes from a table that is not among `named`, nothing is told: it came through a view.
ColumnOrigins origins_of(duckdb::ClientContext& context, duckdb::LogicalOperator& plan,
                         const std::vector<std::string>& named);

}  // namespace boathouse::engine
