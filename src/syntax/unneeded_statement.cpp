// Statements that tools send for PostgreSQL's sake and that have nothing to do here: indexes, VACUUM, ANALYZE, keys
// that would not be enforced, storage settings. They are answered as done, and the client is told what has not
// happened.
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

bool is_temporary(const PgQuery__RangeVar* relation) {
    if (!relation) return false;
    const std::string_view schema = relation->schemaname;
    return schema == "temp" || schema == "pg_temp";
}

bool adds_key(const PgQuery__AlterTableCmd& command) {
    const auto* constraint = as<PgQuery__Constraint>(unwrap(command.def), pg_query__constraint__descriptor);
    return constraint && (constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                          constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE ||
                          constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN);
}

// What to tell of an action of ALTER TABLE that changes nothing here; none for one that does.
std::optional<Notice> unneeded_action(const PgQuery__AlterTableCmd& command) {
    switch (command.subtype) {
        case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
            if (!adds_key(command)) return std::nullopt;
            return Notice{true, "01000", "keys are not enforced on tables of the lake: none is added"};
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
            return Notice{false, "00000", "tables of the lake have no constraints but NOT NULL"};
        case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser:
            return Notice{false, "00000", "the lake has no triggers"};
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
        case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
            return Notice{false, "00000", "PostgreSQL's storage settings mean nothing to the lake: nothing is changed"};
        default:
            return std::nullopt;
    }
}

// The whole ALTER TABLE is answered as done if none of its actions changes anything.
void answer_alter(Draft& draft, const PgQuery__AlterTableStmt& alter) {
    std::vector<Notice> notices;
    for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[i]), pg_query__alter_table_cmd__descriptor);
        std::optional<Notice> notice = command ? unneeded_action(*command) : std::nullopt;
        if (!notice) return;
        const bool told = std::any_of(notices.begin(), notices.end(),
                                      [&](const Notice& other) { return other.message == notice->message; });
        if (!told) notices.push_back(std::move(*notice));
    }
    draft.done = "ALTER TABLE";
    draft.notices.insert(draft.notices.end(), notices.begin(), notices.end());
}

}  // namespace

Step find_unneeded(Draft& draft, const ProtobufCMessage& statement) {
    if (const auto* index = as<PgQuery__IndexStmt>(&statement, pg_query__index_stmt__descriptor)) {
        if (is_temporary(index->relation)) return {};
        draft.done = "CREATE INDEX";
        draft.is_alone = index->concurrent;
        const char* const text = index->unique
                                     ? "the lake has no indexes: none is made, and nothing keeps the rows unique"
                                     : "the lake has no indexes: none is made";
        draft.notices.push_back({true, "01000", text});
    } else if (const auto* vacuum = as<PgQuery__VacuumStmt>(&statement, pg_query__vacuum_stmt__descriptor)) {
        draft.done = vacuum->is_vacuumcmd ? "VACUUM" : "ANALYZE";
        draft.is_alone = vacuum->is_vacuumcmd;
        draft.notices.push_back({false, "00000", "the lake keeps its statistics itself: there is nothing to do"});
    } else if (statement.descriptor == &pg_query__reindex_stmt__descriptor) {
        draft.done = "REINDEX";
        draft.notices.push_back({false, "00000", "the lake has no indexes"});
    } else if (const auto* alter = as<PgQuery__AlterTableStmt>(&statement, pg_query__alter_table_stmt__descriptor)) {
        if (alter->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE && alter->n_cmds > 0 &&
            !is_temporary(alter->relation))
            answer_alter(draft, *alter);
    } else if (statement.descriptor == &pg_query__constraints_set_stmt__descriptor) {
        draft.done = "SET CONSTRAINTS";
    } else if (statement.descriptor == &pg_query__cluster_stmt__descriptor) {
        draft.done = "CLUSTER";
        draft.notices.push_back(
            {false, "00000", "the lake has no indexes: ALTER TABLE … SET SORTED BY (…) sorts a table"});
    } else if (statement.descriptor == &pg_query__create_stats_stmt__descriptor) {
        draft.done = "CREATE STATISTICS";
        draft.notices.push_back({false, "00000", "the lake keeps its statistics itself: there is nothing to do"});
    }
    return {};
}

}  // namespace boathouse::syntax
