// The names that PostgreSQL gives to a SELECT's columns that have none: FigureColname in its parse_target.c.
#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

// PostgreSQL tells names that it takes in any case from those that a cast around them may replace.
enum class Strength { none, weak, strong };

struct Figured {
    Strength strength = Strength::none;
    std::string name;
};

Figured figure(const ProtobufCMessage* node);

Figured strong(std::string name) {
    return {Strength::strong, std::move(name)};
}

std::string last_name(PgQuery__Node* const* list, std::size_t count) {
    if (count == 0 || list[count - 1]->node_case != PG_QUERY__NODE__NODE_STRING) return "";
    return list[count - 1]->string->sval;
}

Figured figure_query(const ProtobufCMessage* node) {
    const auto* select = as<PgQuery__SelectStmt>(node, pg_query__select_stmt__descriptor);
    while (select && select->larg) select = select->larg;
    if (!select || select->n_target_list == 0) return {};
    const auto* target = as<PgQuery__ResTarget>(unwrap(select->target_list[0]), pg_query__res_target__descriptor);
    if (!target) return {};
    return *target->name ? strong(target->name) : figure(unwrap(target->val));
}

Figured figure_sublink(const PgQuery__SubLink& link) {
    switch (link.sub_link_type) {
        case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
            return strong("exists");
        case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
            return strong("array");
        case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK:
            return figure_query(unwrap(link.subselect));
        default:
            return {};
    }
}

Figured figure_cast(const PgQuery__TypeCast& cast) {
    Figured inner = figure(unwrap(cast.arg));
    if (inner.strength == Strength::strong || !cast.type_name) return inner;
    return {Strength::weak, last_name(cast.type_name->names, cast.type_name->n_names)};
}

Figured figure_reference(const PgQuery__ColumnRef& reference) {
    const std::string name = last_name(reference.fields, reference.n_fields);
    return name.empty() ? Figured{} : strong(name);
}

std::string value_function_name(const ProtobufCMessage& node) {
    const auto* value = as<PgQuery__SQLValueFunction>(&node, pg_query__sqlvalue_function__descriptor);
    return value ? std::string(sql_value_function_name(value->op)) : std::string();
}

Figured figure(const ProtobufCMessage* node) {
    if (!node) return {};
    if (const auto* reference = as<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor))
        return figure_reference(*reference);
    if (const auto* part = as<PgQuery__AIndirection>(node, pg_query__a__indirection__descriptor)) {
        const std::string name = last_name(part->indirection, part->n_indirection);
        return name.empty() ? figure(unwrap(part->arg)) : strong(name);
    }
    if (const auto* call = as<PgQuery__FuncCall>(node, pg_query__func_call__descriptor))
        return strong(last_name(call->funcname, call->n_funcname));
    if (const auto* expression = as<PgQuery__AExpr>(node, pg_query__a__expr__descriptor))
        return expression->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF ? strong("nullif") : Figured{};
    if (const auto* cast = as<PgQuery__TypeCast>(node, pg_query__type_cast__descriptor)) return figure_cast(*cast);
    if (const auto* collate = as<PgQuery__CollateClause>(node, pg_query__collate_clause__descriptor))
        return figure(unwrap(collate->arg));
    if (const auto* link = as<PgQuery__SubLink>(node, pg_query__sub_link__descriptor)) return figure_sublink(*link);
    if (const auto* choice = as<PgQuery__CaseExpr>(node, pg_query__case_expr__descriptor)) {
        const Figured otherwise = figure(unwrap(choice->defresult));
        return otherwise.strength == Strength::strong ? otherwise : Figured{Strength::weak, "case"};
    }
    if (const auto* extreme = as<PgQuery__MinMaxExpr>(node, pg_query__min_max_expr__descriptor))
        return strong(extreme->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? "greatest" : "least");
    if (node->descriptor == &pg_query__grouping_func__descriptor) return strong("grouping");
    if (node->descriptor == &pg_query__a__array_expr__descriptor) return strong("array");
    if (node->descriptor == &pg_query__row_expr__descriptor) return strong("row");
    if (node->descriptor == &pg_query__coalesce_expr__descriptor) return strong("coalesce");
    const std::string value = value_function_name(*node);
    return value.empty() ? Figured{} : strong(value);
}

bool is_star(const ProtobufCMessage* node) {
    PgQuery__Node* const* list = nullptr;
    std::size_t count = 0;
    if (const auto* reference = as<PgQuery__ColumnRef>(node, pg_query__column_ref__descriptor)) {
        list = reference->fields;
        count = reference->n_fields;
    } else if (const auto* part = as<PgQuery__AIndirection>(node, pg_query__a__indirection__descriptor)) {
        list = part->indirection;
        count = part->n_indirection;
    }
    return count > 0 && list[count - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

// The query whose columns the statement shows or keeps.
const ProtobufCMessage* query_of(const ProtobufCMessage& statement) {
    if (const auto* table = as<PgQuery__CreateTableAsStmt>(&statement, pg_query__create_table_as_stmt__descriptor))
        return unwrap(table->query);
    if (const auto* view = as<PgQuery__ViewStmt>(&statement, pg_query__view_stmt__descriptor))
        return unwrap(view->query);
    if (const auto* cursor = as<PgQuery__DeclareCursorStmt>(&statement, pg_query__declare_cursor_stmt__descriptor))
        return unwrap(cursor->query);
    return &statement;
}

}  // namespace

std::vector<std::string> name_columns(const ProtobufCMessage& statement) {
    std::vector<std::string> names;
    const auto* select = as<PgQuery__SelectStmt>(query_of(statement), pg_query__select_stmt__descriptor);
    while (select && select->larg) select = select->larg;
    if (!select) return names;
    for (std::size_t i = 0; i < select->n_target_list; ++i) {
        const auto* target = as<PgQuery__ResTarget>(unwrap(select->target_list[i]), pg_query__res_target__descriptor);
        const ProtobufCMessage* const value = target ? unwrap(target->val) : nullptr;
        if (!target || *target->name || is_star(value)) {
            names.emplace_back();
            continue;
        }
        const Figured figured = figure(value);
        names.push_back(figured.strength == Strength::none ? "?column?" : figured.name);
    }
    return names;
}

}  // namespace boathouse::syntax
