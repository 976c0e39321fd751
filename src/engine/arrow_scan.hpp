// Rows of an Arrow stream as DuckDB sees them.
//
// Private to src/engine/. src/arrow/ has decoded and checked the batches, DuckDB's own scan turns them into its types.
// Throws what DuckDB throws.
#pragma once

#include <duckdb.hpp>

#include "arrow/stream_reader.hpp"

namespace boathouse::engine {

// All of them. They are DuckDB's afterwards.
duckdb::unique_ptr<duckdb::MaterializedQueryResult> scan_arrow(duckdb::Connection& connection, arrow::Batches batches);

struct ArrowColumn {
    std::string name;
    duckdb::LogicalType type;
};
// What the schema's columns are in DuckDB.
std::vector<ArrowColumn> columns_of_arrow(duckdb::Connection& connection, nanoarrow::UniqueSchema schema);

}  // namespace boathouse::engine
