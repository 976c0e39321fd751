// The privileges that a bound statement needs (access/needs.hpp), read off its plan before DuckDB optimizes it: every
// table that is scanned with the columns that are used, every table that is written, every object that is made,
// altered or dropped, every table function. Macros, common tables and subqueries are expanded there. What this file
// does not know is for members of lake_admin alone.
//
// A view's plan stands in the plan of the statement without a trace of the view. So a statement that names views is
// bound a second time with each of them replaced by a function of the view's columns, which shows what the client
// itself reads, and each view's own query is bound to show what its owner reads. Where that cannot be done (a common
// table of the same name, a view as of an earlier version, a view that only a macro names) the client needs the
// privileges on what lies below.
//
// Private to src/engine/. The thread that binds, within the statement's transaction. Throws what DuckDB throws.
#pragma once

#include <duckdb.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/logical_operator.hpp>
#include <string>
#include <vector>

#include "access/needs.hpp"

namespace boathouse::engine {

// What is being bound.
struct BoundText {
    const duckdb::SQLStatement* statement = nullptr;  // as it was before binding; null: an unknown one
    bool truncates = false;                           // TRUNCATE, which DuckDB takes for a DELETE
    bool is_own = false;                              // the engine's: its table functions need nothing
};

struct PlanNeeds {
    access::Needs needs;
    std::vector<access::Made> made;
};

PlanNeeds needs_of(duckdb::ClientContext& context, duckdb::Binder& binder, duckdb::LogicalOperator& plan,
                   const BoundText& text);

// Adds the function that stands for a view. Once a database.
void install_view_columns(duckdb::DatabaseInstance& database);

}  // namespace boathouse::engine
