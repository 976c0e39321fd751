#include "syntax/parse_tree.hpp"

#include <algorithm>

#include "syntax/tree.hpp"

namespace boathouse::syntax {

namespace {

std::size_t offset_of(int location) {
    return static_cast<std::size_t>(std::max(location, 0));
}

// The WITH clause of a query; null if it has none.
const PgQuery__WithClause* with_of(const ProtobufCMessage& node) {
    if (const auto* select = as<PgQuery__SelectStmt>(&node, pg_query__select_stmt__descriptor))
        return select->with_clause;
    if (const auto* insert = as<PgQuery__InsertStmt>(&node, pg_query__insert_stmt__descriptor))
        return insert->with_clause;
    if (const auto* update = as<PgQuery__UpdateStmt>(&node, pg_query__update_stmt__descriptor))
        return update->with_clause;
    if (const auto* erase = as<PgQuery__DeleteStmt>(&node, pg_query__delete_stmt__descriptor))
        return erase->with_clause;
    if (const auto* merge = as<PgQuery__MergeStmt>(&node, pg_query__merge_stmt__descriptor)) return merge->with_clause;
    return nullptr;
}

// Gathers what one statement names. Names of common table expressions count where PostgreSQL sees them: in the query
// that they belong to, in those after them, and in themselves only if the clause is RECURSIVE.
class Collector {
  public:
    explicit Collector(Statement& statement) : statement_(statement) {}

    void visit(const ProtobufCMessage& node) {
        if (take_leaf(node)) return;
        const std::size_t outer = common_tables_.size();
        const PgQuery__WithClause* const with = with_of(node);
        if (with) visit_with(*with);
        const PgQuery__RangeVar* const target = target_of(node);
        if (target) add(*target, true);
        for_each_child(node, [&](const ProtobufCMessage& child) {
            const bool done = (with && &child == &with->base) || (target && &child == &target->base);
            if (!done) visit(child);
        });
        common_tables_.resize(outer);
    }

  private:
    // True if there is nothing more to see below the node.
    bool take_leaf(const ProtobufCMessage& node) {
        if (const auto* relation = as<PgQuery__RangeVar>(&node, pg_query__range_var__descriptor)) {
            add(*relation, false);
            return true;
        }
        if (const auto* drop = as<PgQuery__DropStmt>(&node, pg_query__drop_stmt__descriptor)) {
            add_dropped(*drop);
            return true;
        }
        if (const auto* truncate = as<PgQuery__TruncateStmt>(&node, pg_query__truncate_stmt__descriptor)) {
            for_each_child(truncate->base, [&](const ProtobufCMessage& child) {
                if (const auto* table = as<PgQuery__RangeVar>(&child, pg_query__range_var__descriptor))
                    add(*table, true);
            });
            return true;
        }
        take_name(node);
        return node.descriptor == &pg_query__locking_clause__descriptor;  // what it names are aliases
    }

    void take_name(const ProtobufCMessage& node) {
        if (const auto* call = as<PgQuery__FuncCall>(&node, pg_query__func_call__descriptor)) {
            const std::vector<std::string> names = names_of(call->funcname, call->n_funcname);
            if (!names.empty())
                statement_.functions.push_back({schema(names), names.back(), offset_of(call->location)});
        } else if (const auto* value = as<PgQuery__SQLValueFunction>(&node, pg_query__sqlvalue_function__descriptor)) {
            statement_.functions.push_back(
                {"", std::string(sql_value_function_name(value->op)), offset_of(value->location)});
        } else if (const auto* type = as<PgQuery__TypeName>(&node, pg_query__type_name__descriptor)) {
            const std::vector<std::string> names = names_of(type->names, type->n_names);
            if (!names.empty()) statement_.types.push_back({schema(names), names.back(), offset_of(type->location)});
        } else if (const auto* parameter = as<PgQuery__ParamRef>(&node, pg_query__param_ref__descriptor)) {
            statement_.parameters = std::max(statement_.parameters, static_cast<int>(parameter->number));
        }
    }

    static std::string schema(const std::vector<std::string>& names) {
        return names.size() > 1 ? names[names.size() - 2] : std::string();
    }

    void visit_with(const PgQuery__WithClause& with) {
        std::vector<const PgQuery__CommonTableExpr*> tables;
        for (std::size_t i = 0; i < with.n_ctes; ++i) tables.push_back(with.ctes[i]->common_table_expr);
        if (with.recursive) {
            for (const auto* table : tables) common_tables_.emplace_back(table->ctename);
        }
        for (const auto* table : tables) {
            if (const ProtobufCMessage* query = unwrap(table->ctequery)) visit(*query);
            if (!with.recursive) common_tables_.emplace_back(table->ctename);
        }
    }

    // The relation that the node changes or makes; null if there is none.
    static const PgQuery__RangeVar* target_of(const ProtobufCMessage& node) {
        if (const auto* into = as<PgQuery__IntoClause>(&node, pg_query__into_clause__descriptor)) return into->rel;
        if (const auto* view = as<PgQuery__ViewStmt>(&node, pg_query__view_stmt__descriptor)) return view->view;
        if (const auto* copy = as<PgQuery__CopyStmt>(&node, pg_query__copy_stmt__descriptor))
            return copy->is_from ? copy->relation : nullptr;
        const ProtobufCFieldDescriptor* const field =
            protobuf_c_message_descriptor_get_field_by_name(node.descriptor, "relation");
        if (!field || field->descriptor != &pg_query__range_var__descriptor) return nullptr;
        return reinterpret_cast<const PgQuery__RangeVar*>(internal::part_at(node, field->offset));
    }

    void add(const PgQuery__RangeVar& relation, bool written) {
        const std::string name = relation.relname;
        const std::string schema = relation.schemaname;
        const bool is_common_table =
            !written && schema.empty() &&
            std::find(common_tables_.begin(), common_tables_.end(), name) != common_tables_.end();
        if (is_common_table) return;
        statement_.relations.push_back({relation.catalogname, schema, name, written, offset_of(relation.location)});
    }

    void add_dropped(const PgQuery__DropStmt& drop) {
        switch (drop.remove_type) {
            case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
            case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
            case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
            case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
            case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
            case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
                break;
            default:
                return;
        }
        for (std::size_t i = 0; i < drop.n_objects; ++i) {
            const auto* list = as<PgQuery__List>(unwrap(drop.objects[i]), pg_query__list__descriptor);
            if (!list) continue;
            const std::vector<std::string> names = names_of(list->items, list->n_items);
            if (names.empty()) continue;
            statement_.relations.push_back(
                {names.size() > 2 ? names[names.size() - 3] : std::string(), schema(names), names.back(), true, 0});
        }
    }

    Statement& statement_;
    std::vector<std::string> common_tables_;
};

// Without the space and the comments before the statement, and those after it.
void set_range(Statement& statement, const PgQuery__RawStmt& raw, const Tree& tree, std::size_t text_end) {
    const std::size_t begin = offset_of(raw.stmt_location);
    const std::size_t end = raw.stmt_len > 0 ? begin + offset_of(raw.stmt_len) : text_end;
    const auto first = std::lower_bound(tree.tokens.begin(), tree.tokens.end(), begin,
                                        [](const Token& token, std::size_t at) { return token.begin < at; });
    statement.begin = first == tree.tokens.end() ? begin : first->begin;
    statement.end = statement.begin;
    for (auto token = first; token != tree.tokens.end() && token->end <= end; ++token) {
        if (token->kind != PG_QUERY__TOKEN__ASCII_59) statement.end = token->end;
    }
}

}  // namespace

Parsed<std::vector<Statement>> parse(std::string_view text) {
    const Parsed<Tree> tree = parse_nodes(text);
    if (!tree) return tree.error();
    std::vector<Statement> statements;
    for (std::size_t i = 0; i < tree->root->n_stmts; ++i) {
        const PgQuery__RawStmt& raw = *tree->root->stmts[i];
        const ProtobufCMessage* const node = unwrap(raw.stmt);
        if (!node) continue;
        Statement& statement = statements.emplace_back();
        statement.kind = tag_of(*node);
        set_range(statement, raw, *tree, text.size());
        Collector(statement).visit(*node);
    }
    return statements;
}

}  // namespace boathouse::syntax
