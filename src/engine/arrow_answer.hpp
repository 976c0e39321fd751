// An answer as an Arrow stream in a file.
//
// Private to src/engine/. DuckDB turns its vectors into Arrow's arrays, src/arrow/ writes them; memory is that of one
// batch. Throws what DuckDB throws.
#pragma once

#include <duckdb.hpp>

#include "engine/copy_file.hpp"
#include "engine/query_error.hpp"

namespace boathouse::engine {

// All that `rows` still has to give. Errors: 0A000 (a type that Arrow or its writer has not), 58030.
Outcome<void> write_arrow(duckdb::ClientContext& context, duckdb::QueryResult& rows, CopyFile& file);

}  // namespace boathouse::engine
