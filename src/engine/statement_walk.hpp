// A walk over every expression, query and table reference of a statement as DuckDB's parser made it: subqueries, common
// tables, values, sets, conditions, RETURNING, what EXPLAIN explains and CREATE … AS is made of.
//
// Private to src/engine/. Expressions come innermost first and may be replaced through their pointer.
#pragma once

#include <duckdb.hpp>
#include <functional>

namespace boathouse::engine {

using ParsedPointer = duckdb::unique_ptr<duckdb::ParsedExpression>;

struct StatementVisitor {
    std::function<void(ParsedPointer&)> expression = [](ParsedPointer&) {};
    std::function<void(duckdb::TableRef&)> table = [](duckdb::TableRef&) {};
    // The same references, after table() has seen them; may be replaced through their pointer.
    std::function<void(duckdb::unique_ptr<duckdb::TableRef>&)> table_pointer =
        [](duckdb::unique_ptr<duckdb::TableRef>&) {};
    std::function<void(duckdb::QueryNode&)> query = [](duckdb::QueryNode&) {};  // after what is in it
};

void walk_statement(duckdb::SQLStatement& statement, const StatementVisitor& visitor);

}  // namespace boathouse::engine
