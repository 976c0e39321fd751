// Whether the answer to a query is the same whenever it is asked of one snapshot of the lake by one client with one set
// of settings: what may be kept and given again.
//
// Two looks, because neither sees everything. The statement as it was parsed shows what binding computes and forgets:
// AT (TIMESTAMP => now() - …), and the names of macros, whose texts may hold such. The bound plan shows every function
// that will run, with views and macros expanded. What neither knows for certain counts as never the same.
//
// Private to src/engine/; used by the thread that binds the statement.
#pragma once

#include <duckdb.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/session.hpp"

namespace boathouse::engine {

// What a query's text names.
struct Mentions {
    struct Relation {
        std::string catalog;  // empty, as the schema: not said
        std::string schema;
        std::string name;
        bool is_pinned = false;  // to a version that is said: AT (VERSION => 3)
    };
    std::vector<Relation> relations;
    std::vector<std::string> functions;
    std::set<std::string> common_tables;  // names of WITH, in lower case
    // A name that DuckLake's tables have for where a row lies and when it came, and other tables may not.
    bool names_places = false;
};

// nullopt: no query, or one whose text already says that its answer may differ.
std::optional<Mentions> mentions_of(duckdb::SQLStatement& statement);

// Of the plan that was bound of it just now, in the transaction that bound it.
Repeats repeats(duckdb::ClientContext& context, const Mentions& mentions, duckdb::LogicalOperator& plan);

}  // namespace boathouse::engine
