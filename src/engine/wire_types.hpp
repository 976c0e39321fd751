// DuckDB's types in PostgreSQL's terms: which type number a column has on the wire, and back for parameters.
//
// Private to src/engine/. Pure functions.
#pragma once

#include <duckdb.hpp>

#include "pgwire/backend.hpp"
#include "pgwire/types.hpp"

namespace boathouse::engine {

// A type without a PostgreSQL twin goes as the one that holds its values: UBIGINT and HUGEINT as numeric, STRUCT, MAP,
// UNION and VARIANT as json, ENUM as text.
pgwire::WireType wire_type(const duckdb::LogicalType& type);

// Whether the value goes as JSON text.
bool goes_as_json(const duckdb::LogicalType& type);

pgwire::ColumnDescription describe_column(const std::string& name, const duckdb::LogicalType& type);

// The type of an array's values; 0 if `oid` is no array's.
std::uint32_t element_oid(std::uint32_t oid);

// The DuckDB type of a parameter whose PostgreSQL type the client names; UNKNOWN if it is none of ours.
duckdb::LogicalType logical_type(std::uint32_t oid);

}  // namespace boathouse::engine
