// PostgreSQL's meaning for what DuckDB's parser reads otherwise: operators, functions, types, rows from VALUES.
//
// The changes are made on DuckDB's parse tree, before it is bound, so that statements in DuckDB's own grammar take
// part. Each family has a file: postgres_operators.cpp, postgres_calls.cpp, date_patterns.cpp, postgres_types.cpp,
// postgres_rows.cpp. A
// definition that the lake keeps (a view) is changed only into what every DuckDB client can read
// (Readers::every_client): functions that exist in this server alone (postgres_macros.hpp) stay out of it.
//
// Private to src/engine/. One thread at a time.
#pragma once

#include <duckdb.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <optional>
#include <string>

#include "engine/statement_walk.hpp"

namespace boathouse::engine {

enum class Readers { this_server, every_client };

// Throws duckdb::NotImplementedException for what has no honest counterpart.
void give_postgres_meaning(duckdb::SQLStatement& statement);

// One family each; true if the expression was replaced.
bool rewrite_operator(ParsedPointer& expression, Readers readers);
bool rewrite_call(ParsedPointer& expression, Readers readers);
bool rewrite_date_pattern(ParsedPointer& expression);
bool rewrite_cast(ParsedPointer& expression);
bool rewrite_row(ParsedPointer& expression);

// regexp_matches(text, regular expression [, flags]) becomes the list of the rows that it gives in PostgreSQL.
void make_regexp_rows(duckdb::FunctionExpression& function);
// Rows among the arguments of a function that makes JSON: their fields are called f1, f2 …
void name_row_fields(duckdb::FunctionExpression& function);

// "numeric" without a precision becomes kBareNumeric wherever a type is written, also inside of lists.
void settle_type(duckdb::LogicalType& type);

// Building parts of a tree.
ParsedPointer make_call(const std::string& function, duckdb::vector<ParsedPointer> arguments);
ParsedPointer make_text(const std::string& text);
// The text of a constant; nullopt if the expression is none.
std::optional<std::string> constant_text(const duckdb::ParsedExpression& expression);

}  // namespace boathouse::engine
