// What the parameters of a statement are, where the client does not say it, or DuckDB needs to be told.
//
// DuckDB plans a statement only once it knows every parameter's type; what a function or an operator takes it cannot
// infer. PostgreSQL can: an operator's unknown operand is what the other one is, x = ANY ($1) takes an array of what x
// is, and what nothing tells is a text. The types found here go into the statement as casts.
//
// Private to src/engine/. The connection binds copies of the statement, which may throw; one thread at a time.
#pragma once

#include <duckdb.hpp>
#include <vector>

namespace boathouse::engine {

// The number of "$3"; 0 if it is none.
std::size_t parameter_number(const std::string& name);

// Casts for what the client names (`oids`, 0 where it does not) and for lists compared with = ANY; enough for DuckDB to
// plan most statements.
void cast_parameters(duckdb::Connection& connection, duckdb::SQLStatement& statement,
                     const std::vector<std::uint32_t>& oids);

// For a statement that DuckDB could not plan for want of types, as it was before cast_parameters(): the parameters'
// types, by what DuckDB could tell (`known`) and by PostgreSQL's rules; UNKNOWN where nothing tells, which is a text.
std::vector<duckdb::LogicalType> infer_parameters(duckdb::Connection& connection, const duckdb::SQLStatement& statement,
                                                  const std::vector<std::uint32_t>& oids,
                                                  const std::vector<duckdb::LogicalType>& known);
void cast_all_parameters(duckdb::SQLStatement& statement, const std::vector<duckdb::LogicalType>& types);
// NULLs as arguments of table functions, which are read when the statement is planned: enough to know its columns.
void fill_table_functions(duckdb::SQLStatement& statement, const std::vector<duckdb::LogicalType>& types);

}  // namespace boathouse::engine
