// The rows of a plan that is nothing but expressions, made on the spot.
//
// A query of DuckDB's costs a tenth of a millisecond before its first expression is looked at: an executor, pipelines,
// tasks, a collector. What makes the rows of an INSERT of values (insert_values.hpp) is mostly projections of a list of
// expressions; those are evaluated here by DuckDB's own evaluator, one after the other, in the caller's thread.
//
// Private to src/engine/. The prepared statement's owner is the only one to use it.
#pragma once

#include <duckdb.hpp>
#include <duckdb/common/types/column/column_data_collection.hpp>
#include <duckdb/main/prepared_statement_data.hpp>

namespace boathouse::engine {

using ParameterValues = duckdb::case_insensitive_map_t<duckdb::BoundParameterData>;

// Null: the plan has other parts, or would have to be made anew for these values. Throws what DuckDB throws.
duckdb::unique_ptr<duckdb::ColumnDataCollection> plan_rows(duckdb::ClientContext& context,
                                                           duckdb::PreparedStatementData& prepared,
                                                           const ParameterValues& values);

}  // namespace boathouse::engine
