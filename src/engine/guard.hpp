// What a client of the SQL door may not do, whoever it is: leave the lake. Files and the network from SQL, other
// databases (PostgreSQL's catalog itself is one, attached by DuckLake with the box's rights), extensions, secrets.
//
// What one client may do and another may not is in the privileges that the plan needs (plan_needs.hpp), which the
// session's access::Gate judges there too.
//
// Two gates. refuse_statement() reads the parse tree, before anything is bound. The plan check runs in DuckDB after
// binding (PlannerExtension::post_bind_function), with views and macros expanded, on connections that protect() has
// marked; DuckLake's own connections are not. Both let pass what they know and refuse the rest.
//
// Private to src/engine/. install_guard() is called once a database; the rest from any thread.
#pragma once

#include <chrono>
#include <duckdb.hpp>
#include <string>
#include <vector>

#include "access/gate.hpp"
#include "engine/column_origin.hpp"
#include "engine/plan_needs.hpp"
#include "engine/repeatable.hpp"

namespace boathouse::engine {

void install_guard(duckdb::DatabaseInstance& database);

// What the plan check is told about a client's statements, and what it tells; used by the thread that binds them.
struct Watch {
    bool read_only = false;  // refuse what writes to the lake: 25006
    bool wrote = false;      // set when a plan is bound that may write anything
    bool evaluates = false;  // the statement is an INSERT's evaluation (insert_values.hpp): it writes nothing by itself
    // Not null: the plan's columns are traced to what comes from one of these relations, into `origins`.
    const std::vector<std::string>* named_relations = nullptr;
    ColumnOrigins origins;
    // Not null: what the query that is bound mentions, for which `repeats` is found out.
    const Mentions* mentions = nullptr;
    Repeats repeats = Repeats::never;
    bool made_temporary = false;  // a relation of the session's own, ever

    access::Gate* gate = nullptr;            // null: nothing is checked
    std::chrono::nanoseconds announcing{0};  // what it took to tell the gate of the statement
    BoundText text;                          // what is being bound; its statement outlives the binding
    bool was_bound = false;                  // set with the two that follow
    access::Needs needs;
    std::vector<access::Made> made;

    // Of the open transaction: what it has made itself, which the mirror does not know yet, and the version of the lake
    // that it began with.
    std::vector<access::Made> own;
    std::optional<long long> base_version;
};

// Marks a connection as a client's; `watch` outlives it.
void protect(duckdb::ClientContext& context, Watch& watch);

// While it lives, what the connection runs is the engine's own and its plans may read any file; with
// OwnCheck::nothing the client needs no privileges for them either. Its text must hold nothing of a client's but names.
enum class OwnCheck { privileges, nothing };
class OwnStatement {
  public:
    OwnStatement(duckdb::ClientContext& context, OwnCheck check);
    ~OwnStatement();
    OwnStatement(const OwnStatement&) = delete;
    OwnStatement& operator=(const OwnStatement&) = delete;

  private:
    duckdb::ClientContext& context_;
};

// Judges needs that were read off a plan earlier. Throws PermissionException.
void check_needs(Watch& watch, const access::Needs& needs);

// For what writes without a plan that says so: throws TransactionException in a client's read-only transaction, with
// PostgreSQL's word for the statement.
void refuse_if_read_only(duckdb::ClientContext& context, const char* word);

// Throws PermissionException.
void refuse_statement(const duckdb::SQLStatement& statement);

}  // namespace boathouse::engine
