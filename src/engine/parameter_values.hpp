// Parameters of Bind, decoded: PostgreSQL's text and binary formats to DuckDB's values.
//
// Private to src/engine/. Bytes come from the client and are trusted in nothing; what does not decode throws a
// duckdb::Exception that becomes 22P02 or 22P03. Pure but for casts, which use the connection's settings (time zone).
#pragma once

#include <duckdb.hpp>

#include "engine/session.hpp"

namespace boathouse::engine {

// `oid` is the PostgreSQL type that the client encoded for, `expected` the type that DuckDB's plan wants (UNKNOWN if it
// wants none in particular).
duckdb::Value decode_parameter(duckdb::ClientContext& context, const ParameterValue& parameter, std::uint32_t oid,
                               const duckdb::LogicalType& expected);

}  // namespace boathouse::engine
