// An INSERT of values, taken apart: which statements are of that kind, and what evaluates their rows without writing.
//
// evaluation_of() gives for INSERT INTO t … VALUES …, whose expressions are DuckDB's own and read no table, the same
// INSERT into t's shape (table_shapes.hpp) with RETURNING *. The plan of that statement never inserts: an optimizer
// extension puts its rows, casts done and defaults filled in, in the place of the insertion. So every value is made by
// the code that would make it in the INSERT itself.
//
// Private to src/engine/. install_evaluation() is called once a database; the rest from any thread.
#pragma once

#include <duckdb.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>

#include "engine/table_shapes.hpp"

namespace boathouse::engine {

void install_evaluation(duckdb::DatabaseInstance& database);

struct Evaluation {
    duckdb::unique_ptr<duckdb::InsertStatement> statement;
    std::shared_ptr<const TableShape> shape;
};

// nullopt: the statement is of another kind, or names no table of the lake for certain.
std::optional<Evaluation> evaluation_of(duckdb::ClientContext& context, const duckdb::SQLStatement& statement,
                                        TableShapes& shapes);

// The same of the INSERT of a COPY, whose rows come from the table function `source`, DuckDB's own.
std::optional<Evaluation> evaluation_of_copy(duckdb::ClientContext& context, const duckdb::SQLStatement& statement,
                                             const std::string& source, TableShapes& shapes);

// Of a plan that evaluates: what makes the rows. Null: the plan is of another kind.
duckdb::LogicalOperator* evaluated_source(duckdb::LogicalOperator& plan);

}  // namespace boathouse::engine
