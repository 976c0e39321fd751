// Statements that tools send for PostgreSQL's sake and that have nothing to do here: indexes, VACUUM, ANALYZE, keys
// that would not be enforced. They are answered as done, and the client is told what has not happened.
#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

bool is_temporary(const PgQuery__RangeVar* relation) {
    if (!relation) return false;
    const std::string_view schema = relation->schemaname;
    return schema == "temp" || schema == "pg_temp";
}

// ALTER TABLE … ADD [CONSTRAINT …] PRIMARY KEY | UNIQUE | FOREIGN KEY, and nothing else.
bool adds_only_keys(const PgQuery__AlterTableStmt& alter) {
    for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[i]), pg_query__alter_table_cmd__descriptor);
        if (!command || command->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint) return false;
        const auto* constraint = as<PgQuery__Constraint>(unwrap(command->def), pg_query__constraint__descriptor);
        if (!constraint) return false;
        const bool is_key = constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                            constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE ||
                            constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN;
        if (!is_key) return false;
    }
    return alter.n_cmds > 0;
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
        if (!adds_only_keys(*alter) || is_temporary(alter->relation)) return {};
        draft.done = "ALTER TABLE";
        draft.notices.push_back({true, "01000", "keys are not enforced on tables of the lake: none is added"});
    }
    return {};
}

}  // namespace boathouse::syntax
