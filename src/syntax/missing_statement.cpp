// Statements and clauses of PostgreSQL's that the lake has nothing for: triggers, functions in a language, row-level
// security. DuckDB's parser would stumble over their first unknown word; here they are refused by their names, with
// what serves instead. What may pass as done, because there is nothing to do, is unneeded_statement.cpp's.
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

constexpr const char* kNoSequences = "sequences are not supported on the lake";
constexpr const char* kInsteadOfSequences = "Give the values, or use UUID with DEFAULT gen_random_uuid().";
constexpr const char* kNoTypes = "types of one's own are not supported on the lake";
constexpr const char* kNoTriggers = "triggers are not supported";
constexpr const char* kInsteadOfTriggers = "LISTEN lake_changes, or the change feed over HTTP, tells what has changed.";
constexpr const char* kNoForeignTables = "foreign tables are not supported";
constexpr const char* kNoReplication = "logical replication is not supported";
constexpr const char* kNoTablespaces = "tablespaces are not supported: the lake's data path holds all tables";
constexpr const char* kNoDatabases = "databases are not made here: a box has one lake";
constexpr const char* kInsteadOfDatabases = "CREATE SCHEMA gives tables a place of their own.";
constexpr const char* kNoMaterializedViews = "materialized views are not supported";
constexpr const char* kInsteadOfMaterializedViews =
    "CREATE TABLE … AS keeps an answer; a query that comes again is answered from memory anyway.";
constexpr const char* kNoRowSecurity = "row-level security is not supported";
constexpr const char* kInsteadOfRowSecurity =
    "Show a role some of the rows by a view, and GRANT SELECT on the view alone.";

struct Missing {
    std::string_view node;  // PostgreSQL's node tag
    const char* message;
    const char* hint;
};

constexpr Missing kMissing[] = {
    {"CreateTrigStmt", kNoTriggers, kInsteadOfTriggers},
    {"CreateEventTrigStmt", kNoTriggers, kInsteadOfTriggers},
    {"CreateFunctionStmt", "functions and procedures with a body in a LANGUAGE are not supported",
     "A macro holds an expression or a query: CREATE MACRO f(a, b) AS a + b; CREATE MACRO g(a) AS TABLE SELECT …"},
    {"RuleStmt", "rules are not supported", ""},
    {"CreateDomainStmt", "domains are not supported on the lake", "Use the type itself."},
    {"CompositeTypeStmt", kNoTypes, "A column can be a STRUCT(a INTEGER, b VARCHAR)."},
    {"CreateRangeStmt", kNoTypes, "Use two columns."},
    {"DefineStmt", "aggregates, operators, types and collations of one's own are not supported", ""},
    {"CreateCastStmt", "casts of one's own are not supported", ""},
    {"CreateExtensionStmt", "PostgreSQL's extensions are not available here",
     "The functions are DuckDB's; gen_random_uuid(), md5() and their kin need no extension."},
    {"DoStmt", "DO blocks are not supported", "Send the statements themselves, between BEGIN and COMMIT."},
    {"RefreshMatViewStmt", kNoMaterializedViews, kInsteadOfMaterializedViews},
    {"AlterSeqStmt", kNoSequences, kInsteadOfSequences},
    {"CreatePolicyStmt", kNoRowSecurity, kInsteadOfRowSecurity},
    {"AlterPolicyStmt", kNoRowSecurity, kInsteadOfRowSecurity},
    {"CreatePublicationStmt", kNoReplication, ""},
    {"CreateSubscriptionStmt", kNoReplication, ""},
    {"DropSubscriptionStmt", kNoReplication, ""},
    {"CreateTableSpaceStmt", kNoTablespaces, ""},
    {"DropTableSpaceStmt", kNoTablespaces, ""},
    {"CreatedbStmt", kNoDatabases, kInsteadOfDatabases},
    {"DropdbStmt", kNoDatabases, kInsteadOfDatabases},
    {"AlterDatabaseSetStmt", "ALTER DATABASE … SET is the catalog's: it is not taken here",
     "Send it to the catalog's port, which is a PostgreSQL."},
    {"AlterSystemStmt", "ALTER SYSTEM is not supported: the box's settings are its options",
     "The operator sets them: boathouse config show lists them, and where each came from."},
    {"CreateForeignTableStmt", kNoForeignTables, ""},
    {"CreateForeignServerStmt", kNoForeignTables, ""},
    {"CreateFdwStmt", kNoForeignTables, ""},
    {"CreateUserMappingStmt", kNoForeignTables, ""},
    {"ImportForeignSchemaStmt", kNoForeignTables, ""},
    {"SecLabelStmt", "security labels are not supported", ""},
    {"AlterObjectSchemaStmt", "nothing moves from one schema to another",
     "Make the table anew: CREATE TABLE other.t AS FROM t; DROP TABLE t; in one transaction."},
};

Refusal refuse(const char* message, const char* hint, std::size_t offset = 0) {
    return {"0A000", message, hint, offset};
}

std::size_t offset_of(int location) {
    return static_cast<std::size_t>(std::max(location, 0));
}

// What DROP may name and the lake never has.
struct MissingKind {
    PgQuery__ObjectType type;
    const char* tag;
    const char* plural;
};

constexpr MissingKind kMissingKinds[] = {
    {PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER, "DROP TRIGGER", "triggers"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER, "DROP EVENT TRIGGER", "event triggers"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION, "DROP EXTENSION", "extensions of PostgreSQL's"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW, "DROP MATERIALIZED VIEW", "materialized views"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_POLICY, "DROP POLICY", "policies"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_RULE, "DROP RULE", "rules"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN, "DROP DOMAIN", "domains"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE, "DROP AGGREGATE", "aggregates of one's own"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE, "DROP PROCEDURE", "procedures"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_CAST, "DROP CAST", "casts of one's own"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR, "DROP OPERATOR", "operators of one's own"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION, "DROP COLLATION", "collations of one's own"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT, "DROP STATISTICS", "statistics objects"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION, "DROP PUBLICATION", "publications"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE, "DROP FOREIGN TABLE", "foreign tables"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER, "DROP SERVER", "foreign servers"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_FDW, "DROP FOREIGN DATA WRAPPER", "foreign-data wrappers"},
};

Step answer_drop(Draft& draft, const PgQuery__DropStmt& drop) {
    const auto* const kind = std::find_if(std::begin(kMissingKinds), std::end(kMissingKinds),
                                          [&](const MissingKind& known) { return known.type == drop.remove_type; });
    if (kind == std::end(kMissingKinds)) return {};
    const std::string none = std::string("the lake has no ") + kind->plural;
    if (!drop.missing_ok) return Refusal{"42704", none, "", 0};
    draft.done = kind->tag;
    draft.notices.push_back({false, "00000", none + ": there is nothing to drop"});
    return {};
}

Step check_rename(const PgQuery__RenameStmt& rename) {
    switch (rename.rename_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
        case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE:
            return {};
        default:
            return refuse("RENAME is for tables, views, columns and roles", "");
    }
}

Step check_action(const PgQuery__AlterTableCmd& command) {
    switch (command.subtype) {
        case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity:
            return refuse(kNoRowSecurity, kInsteadOfRowSecurity);
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace:
            return refuse(kNoTablespaces, "");
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity:
            return refuse(kNoReplication, "");
        case PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
            return refuse("tables do not inherit from one another, and a partition is not a table",
                          "ALTER TABLE … SET PARTITIONED BY (…) partitions a table of the lake.");
        case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity:
            return refuse(kNoSequences, kInsteadOfSequences);
        default:
            return {};
    }
}

Step check_alter_table(const PgQuery__AlterTableStmt& alter) {
    for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[i]), pg_query__alter_table_cmd__descriptor);
        if (!command) continue;
        if (Step step = check_action(*command); !step) return step;
    }
    return {};
}

Step check_create_table(const PgQuery__CreateStmt& create) {
    if (create.of_typename) return refuse("CREATE TABLE … OF a type is not supported", "Write the columns out.");
    if (create.tablespacename && *create.tablespacename != '\0') return refuse(kNoTablespaces, "");
    if (create.n_options > 0) {
        return refuse("storage parameters are not supported in CREATE TABLE",
                      "Leave WITH (…) out; what the lake knows is set by CALL lake.set_option(…).");
    }
    for (std::size_t i = 0; i < create.n_table_elts; ++i) {
        if (const auto* like =
                as<PgQuery__TableLikeClause>(unwrap(create.table_elts[i]), pg_query__table_like_clause__descriptor)) {
            return refuse("LIKE is not supported in CREATE TABLE", "CREATE TABLE u AS FROM t LIMIT 0 has t's columns.",
                          like->relation ? offset_of(like->relation->location) : 0);
        }
    }
    return {};
}

Step check_create_table_as(const PgQuery__CreateTableAsStmt& create) {
    if (create.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW)
        return refuse(kNoMaterializedViews, kInsteadOfMaterializedViews);
    return {};
}

Step check_view(const PgQuery__ViewStmt& view) {
    if (view.with_check_option > PG_QUERY__VIEW_CHECK_OPTION__NO_CHECK_OPTION)
        return refuse("WITH CHECK OPTION is not supported: views are not written through", "");
    return {};
}

Step check_create_schema(const PgQuery__CreateSchemaStmt& create) {
    if (create.authrole) {
        return refuse("CREATE SCHEMA … AUTHORIZATION is not supported", "CREATE SCHEMA s; ALTER SCHEMA s OWNER TO …",
                      offset_of(create.authrole->location));
    }
    if (create.n_schema_elts > 0)
        return refuse("CREATE SCHEMA takes no further definitions", "Create each in a statement of its own.");
    return {};
}

// The SELECT … INTO of a query, which stands in its first SELECT.
const PgQuery__IntoClause* into_of(const PgQuery__SelectStmt* select) {
    while (select && !select->into_clause && select->larg) select = select->larg;
    return select ? select->into_clause : nullptr;
}

Step check_select(const PgQuery__SelectStmt& select) {
    const PgQuery__IntoClause* const into = into_of(&select);
    if (!into) return {};
    return refuse("SELECT … INTO is not supported", "CREATE TABLE … AS SELECT … does the same.",
                  into->rel ? offset_of(into->rel->location) : 0);
}

Step check_with(const ProtobufCMessage& node) {
    if (const auto* with = as<PgQuery__CommonTableExpr>(&node, pg_query__common_table_expr__descriptor)) {
        const ProtobufCMessage* const query = unwrap(with->ctequery);
        if (query && query->descriptor != &pg_query__select_stmt__descriptor) {
            return refuse("INSERT, UPDATE, DELETE and MERGE are not supported inside WITH",
                          "Send them as statements of their own, in one transaction.", offset_of(with->location));
        }
    }
    Step step;
    for_each_child(node, [&](const ProtobufCMessage& child) {
        if (step) step = check_with(child);
    });
    return step;
}

// Clauses that show in the tokens.
Step check_clauses(const Draft& draft, const ProtobufCMessage& statement) {
    bool with = false;
    bool writes = false;
    for (std::size_t i = 0; i < draft.tokens.size(); ++i) {
        const PgQuery__Token kind = draft.tokens[i].kind;
        if (kind == PG_QUERY__TOKEN__SYMMETRIC && i > 0 && draft.tokens[i - 1].kind == PG_QUERY__TOKEN__BETWEEN) {
            return refuse("BETWEEN SYMMETRIC is not supported", "Write the smaller bound first, without SYMMETRIC.",
                          draft.tokens[i].begin);
        }
        with = with || kind == PG_QUERY__TOKEN__WITH;
        writes = writes || kind == PG_QUERY__TOKEN__INSERT || kind == PG_QUERY__TOKEN__UPDATE ||
                 kind == PG_QUERY__TOKEN__DELETE_P || kind == PG_QUERY__TOKEN__MERGE;
    }
    return with && writes ? check_with(statement) : Step{};
}

}  // namespace

Step refuse_missing(Draft& draft, const ProtobufCMessage& statement) {
    if (!draft.done.empty()) return {};
    const auto* const missing = std::find_if(std::begin(kMissing), std::end(kMissing),
                                             [&](const Missing& known) { return known.node == tag_of(statement); });
    if (missing != std::end(kMissing)) return refuse(missing->message, missing->hint);
    if (Step step = check_clauses(draft, statement); !step) return step;
    if (const auto* select = as<PgQuery__SelectStmt>(&statement, pg_query__select_stmt__descriptor))
        return check_select(*select);
    if (const auto* drop = as<PgQuery__DropStmt>(&statement, pg_query__drop_stmt__descriptor))
        return answer_drop(draft, *drop);
    if (const auto* rename = as<PgQuery__RenameStmt>(&statement, pg_query__rename_stmt__descriptor))
        return check_rename(*rename);
    if (const auto* schema = as<PgQuery__CreateSchemaStmt>(&statement, pg_query__create_schema_stmt__descriptor))
        return check_create_schema(*schema);
    if (const auto* table = as<PgQuery__CreateStmt>(&statement, pg_query__create_stmt__descriptor))
        return check_create_table(*table);
    if (const auto* made = as<PgQuery__CreateTableAsStmt>(&statement, pg_query__create_table_as_stmt__descriptor))
        return check_create_table_as(*made);
    if (const auto* view = as<PgQuery__ViewStmt>(&statement, pg_query__view_stmt__descriptor)) return check_view(*view);
    if (const auto* alter = as<PgQuery__AlterTableStmt>(&statement, pg_query__alter_table_stmt__descriptor))
        return check_alter_table(*alter);
    return {};
}

}  // namespace boathouse::syntax
