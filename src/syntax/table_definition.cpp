// CREATE TABLE and ALTER TABLE ADD as PostgreSQL's tools write them, with constraints and types that the lake has not.
//
// PRIMARY KEY, UNIQUE and REFERENCES are taken as other warehouses take them: not enforced, with a warning; a primary
// key's columns become NOT NULL, which is. CHECK and EXCLUDE would be silently lost rules about the data, serial and
// identity columns would be numbers that nobody gives out: they are refused. Temporary tables are DuckDB's own, with
// its own constraints, and stay as they are. The lake's texts compare by their bytes, which is what COLLATE "C" asks
// for; other collations are DuckDB's to refuse.
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

std::size_t offset_of(int location) {
    return static_cast<std::size_t>(std::max(location, 0));
}

Refusal refuse(std::string message, std::string hint, int location) {
    return {"0A000", std::move(message), std::move(hint), offset_of(location)};
}

bool is_serial(const PgQuery__TypeName& type) {
    static constexpr std::string_view kSerials[] = {"serial",  "serial4",     "bigserial",
                                                    "serial8", "smallserial", "serial2"};
    const std::vector<std::string> names = names_of(type.names, type.n_names);
    return !names.empty() && std::find(std::begin(kSerials), std::end(kSerials), names.back()) != std::end(kSerials);
}

bool compares_bytes(const PgQuery__CollateClause& collate) {
    static constexpr std::string_view kBytewise[] = {"C", "POSIX", "default", "ucs_basic"};
    const std::vector<std::string> names = names_of(collate.collname, collate.n_collname);
    return !names.empty() && std::find(std::begin(kBytewise), std::end(kBytewise), names.back()) != std::end(kBytewise);
}

class Definition {
  public:
    explicit Definition(Draft& draft) : draft_(draft) {}

    // Refuses a rule that would be lost.
    static Step check(const PgQuery__Constraint& constraint) {
        switch (constraint.contype) {
            case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
                return refuse("CHECK constraints are not supported on tables of the lake",
                              "Leave the constraint out, or check the rows in the statement that inserts them.",
                              constraint.location);
            case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
                return refuse("EXCLUDE constraints are not supported on tables of the lake", "", constraint.location);
            case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
                return refuse("identity columns are not supported: the lake has no sequences",
                              "Give the values, or use UUID with DEFAULT gen_random_uuid().", constraint.location);
            case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
                return refuse("generated columns are not supported on tables of the lake",
                              "Compute the column in a view.", constraint.location);
            default:
                return {};
        }
    }

    Step column(const PgQuery__ColumnDef& column) {
        if (column.type_name && is_serial(*column.type_name)) {
            return refuse("serial columns are not supported: the lake has no sequences",
                          "Use INTEGER or BIGINT and give the values, or UUID with DEFAULT gen_random_uuid().",
                          column.type_name->location);
        }
        columns_.push_back(&column);
        if (column.coll_clause && compares_bytes(*column.coll_clause)) remove_collation(*column.coll_clause);
        for (std::size_t i = 0; i < column.n_constraints; ++i) {
            const auto& constraint = *column.constraints[i]->constraint;
            if (Step step = column_constraint(column, constraint); !step) return step;
        }
        return {};
    }

    Step table_constraint(const PgQuery__Constraint& constraint) {
        if (Step step = check(constraint); !step) return step;
        if (!is_unenforced(constraint)) return {};
        unenforced_ = true;
        remove_element(offset_of(constraint.location));
        if (constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY) {
            for (const std::string& key : names_of(constraint.keys, constraint.n_keys)) keys_.push_back(key);
        }
        return {};
    }

    void finish() {
        for (const PgQuery__ColumnDef* column : columns_) {
            const bool is_key = std::find(keys_.begin(), keys_.end(), column->colname) != keys_.end();
            if (is_key && !says_not_null(*column))
                draft_.splices.insert(end_of_element(offset_of(column->location)), " NOT NULL");
        }
        if (!unenforced_) return;
        draft_.notices.push_back({true, "01000",
                                  "PRIMARY KEY, UNIQUE and REFERENCES are not enforced on tables of the lake; columns "
                                  "of a primary key are NOT NULL"});
    }

  private:
    static bool is_unenforced(const PgQuery__Constraint& constraint) {
        switch (constraint.contype) {
            case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
            case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
            case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
            case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
            case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
            case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
            case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE:
                return true;
            default:
                return false;
        }
    }

    static bool says_not_null(const PgQuery__ColumnDef& column) {
        for (std::size_t i = 0; i < column.n_constraints; ++i) {
            if (column.constraints[i]->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) return true;
        }
        return false;
    }

    void remove_collation(const PgQuery__CollateClause& collate) {
        std::size_t last = token_at(offset_of(collate.location)) + 1;
        while (last + 1 < draft_.tokens.size() && draft_.tokens[last + 1].kind == PG_QUERY__TOKEN__ASCII_46) last += 2;
        draft_.splices.remove(offset_of(collate.location), draft_.tokens[last].end);
    }

    Step column_constraint(const PgQuery__ColumnDef& column, const PgQuery__Constraint& constraint) {
        if (Step step = check(constraint); !step) return step;
        if (!is_unenforced(constraint)) return {};
        unenforced_ = true;
        const std::size_t begin = offset_of(constraint.location);
        std::size_t end = end_of_element(begin);
        for (std::size_t i = 0; i < column.n_constraints; ++i) {
            const std::size_t other = offset_of(column.constraints[i]->constraint->location);
            if (other > begin) end = std::min(end, other);
        }
        const bool adds_not_null =
            constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY && !says_not_null(column);
        draft_.splices.replace(begin, end, adds_not_null ? "NOT NULL " : " ");
        return {};
    }

    std::size_t token_at(std::size_t offset) const {
        const auto found = std::lower_bound(draft_.tokens.begin(), draft_.tokens.end(), offset,
                                            [](const Token& token, std::size_t at) { return token.begin < at; });
        return static_cast<std::size_t>(found - draft_.tokens.begin());
    }

    // The index of the comma or parenthesis (or of the statement's end) that ends the element of which `offset` is
    // part.
    std::size_t closing_token(std::size_t offset) const {
        int depth = 0;
        std::size_t index = token_at(offset);
        for (; index < draft_.tokens.size(); ++index) {
            const PgQuery__Token kind = draft_.tokens[index].kind;
            if (kind == PG_QUERY__TOKEN__ASCII_40) ++depth;
            if (kind == PG_QUERY__TOKEN__ASCII_59 && depth == 0) break;
            if (kind == PG_QUERY__TOKEN__ASCII_44 && depth == 0) break;
            if (kind == PG_QUERY__TOKEN__ASCII_41 && depth-- == 0) break;
        }
        return index;
    }

    std::size_t end_of_element(std::size_t offset) const {
        const std::size_t index = closing_token(offset);
        return index == 0 ? offset : draft_.tokens[index - 1].end;
    }

    // Takes the comma before the element along, or the one after the first element.
    void remove_element(std::size_t offset) {
        const std::size_t first = token_at(offset);
        const std::size_t closing = closing_token(offset);
        if (first > 0 && draft_.tokens[first - 1].kind == PG_QUERY__TOKEN__ASCII_44) {
            draft_.splices.remove(draft_.tokens[first - 1].begin, draft_.tokens[closing - 1].end);
        } else if (closing < draft_.tokens.size() && draft_.tokens[closing].kind == PG_QUERY__TOKEN__ASCII_44) {
            draft_.splices.remove(offset, draft_.tokens[closing].end);
        }
    }

    Draft& draft_;
    std::vector<const PgQuery__ColumnDef*> columns_;
    std::vector<std::string> keys_;  // columns of a table's PRIMARY KEY
    bool unenforced_ = false;
};

Step rewrite_create(Draft& draft, const PgQuery__CreateStmt& create) {
    if (create.relation && std::string_view(create.relation->relpersistence) == "t") return {};
    if (create.partspec) {
        return refuse("PARTITION BY is not supported in CREATE TABLE",
                      "Create the table, then ALTER TABLE … SET PARTITIONED BY (…).", create.partspec->location);
    }
    if (create.n_inh_relations > 0) return refuse("INHERITS is not supported", "", 0);
    Definition definition(draft);
    for (std::size_t i = 0; i < create.n_table_elts; ++i) {
        const ProtobufCMessage* const element = unwrap(create.table_elts[i]);
        Step step;
        if (const auto* column = as<PgQuery__ColumnDef>(element, pg_query__column_def__descriptor))
            step = definition.column(*column);
        if (const auto* constraint = as<PgQuery__Constraint>(element, pg_query__constraint__descriptor))
            step = definition.table_constraint(*constraint);
        if (!step) return step;
    }
    definition.finish();
    return {};
}

// DuckLake sets NOT NULL by the statistics that it has of a column, and has none of one that is new.
Step check_added(const PgQuery__ColumnDef& column) {
    for (std::size_t i = 0; i < column.n_constraints; ++i) {
        const auto& constraint = *column.constraints[i]->constraint;
        if (constraint.contype != PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL &&
            constraint.contype != PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY)
            continue;
        return refuse("a column that is added to a table of the lake cannot be NOT NULL",
                      "Add it without, or make the table anew with the column in it.", constraint.location);
    }
    return {};
}

Step rewrite_alter(Draft& draft, const PgQuery__AlterTableStmt& alter) {
    Definition definition(draft);
    for (std::size_t i = 0; i < alter.n_cmds; ++i) {
        const auto* command = as<PgQuery__AlterTableCmd>(unwrap(alter.cmds[i]), pg_query__alter_table_cmd__descriptor);
        if (!command) continue;
        if (const auto* constraint = as<PgQuery__Constraint>(unwrap(command->def), pg_query__constraint__descriptor)) {
            if (Step step = Definition::check(*constraint); !step) return step;
        }
        if (const auto* column = as<PgQuery__ColumnDef>(unwrap(command->def), pg_query__column_def__descriptor)) {
            const bool adds = command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn;
            if (!adds) continue;
            if (Step step = check_added(*column); !step) return step;
            if (Step step = definition.column(*column); !step) return step;
        }
    }
    definition.finish();
    return {};
}

}  // namespace

Step rewrite_table_definition(Draft& draft, const ProtobufCMessage& statement) {
    if (const auto* create = as<PgQuery__CreateStmt>(&statement, pg_query__create_stmt__descriptor))
        return rewrite_create(draft, *create);
    if (const auto* alter = as<PgQuery__AlterTableStmt>(&statement, pg_query__alter_table_stmt__descriptor))
        return rewrite_alter(draft, *alter);
    return {};
}

}  // namespace boathouse::syntax
