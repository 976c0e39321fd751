// From DuckDB's exceptions to PostgreSQL's SQLSTATEs: the one place where a type of the one becomes a code of the
// other.
//
// Private to src/engine/.
#pragma once

#include <duckdb.hpp>

#include "engine/query_error.hpp"
#include "engine/scrubber.hpp"
#include "syntax/rewrite.hpp"

namespace boathouse::engine {

QueryError to_query_error(const duckdb::ErrorData& error, const Scrubber& scrubber);

QueryError to_query_error(const syntax::Refusal& refusal);

}  // namespace boathouse::engine
