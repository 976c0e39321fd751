#include "engine/statement_walk.hpp"

#include <duckdb/parser/expression/subquery_expression.hpp>
#include <duckdb/parser/parsed_data/copy_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/query_node/recursive_cte_node.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/query_node/set_operation_node.hpp>
#include <duckdb/parser/statement/call_statement.hpp>
#include <duckdb/parser/statement/copy_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/expressionlistref.hpp>
#include <duckdb/parser/tableref/joinref.hpp>
#include <duckdb/parser/tableref/pivotref.hpp>
#include <duckdb/parser/tableref/subqueryref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>

namespace boathouse::engine {

using duckdb::QueryNodeType;
using duckdb::StatementType;
using duckdb::TableReferenceType;

namespace {

class Walk {
  public:
    explicit Walk(const StatementVisitor& visitor) : visitor_(visitor) {}

    void statement(duckdb::SQLStatement& statement) {
        switch (statement.type) {
            case StatementType::SELECT_STATEMENT:
                return query(*statement.Cast<duckdb::SelectStatement>().node);
            case StatementType::INSERT_STATEMENT:
                return insert(statement.Cast<duckdb::InsertStatement>());
            case StatementType::UPDATE_STATEMENT:
                return update(statement.Cast<duckdb::UpdateStatement>());
            case StatementType::DELETE_STATEMENT:
                return erase(statement.Cast<duckdb::DeleteStatement>());
            case StatementType::MERGE_INTO_STATEMENT:
                return merge(statement.Cast<duckdb::MergeIntoStatement>());
            case StatementType::EXPLAIN_STATEMENT:
                return this->statement(*statement.Cast<duckdb::ExplainStatement>().stmt);
            case StatementType::CALL_STATEMENT:
                return expression(statement.Cast<duckdb::CallStatement>().function);
            case StatementType::CREATE_STATEMENT:
                return create(*statement.Cast<duckdb::CreateStatement>().info);
            default:
                return;
        }
    }

  private:
    void expression(ParsedPointer& pointer) {
        if (!pointer) return;
        if (pointer->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
            query(*pointer->Cast<duckdb::SubqueryExpression>().subquery->node);
        }
        duckdb::ParsedExpressionIterator::EnumerateChildren(*pointer, [&](ParsedPointer& child) { expression(child); });
        visitor_.expression(pointer);
    }

    void expressions(duckdb::vector<ParsedPointer>& list) {
        for (ParsedPointer& pointer : list) expression(pointer);
    }

    void query(duckdb::QueryNode& node) {
        for (auto& entry : node.cte_map.map) query(*entry.second->query->node);
        switch (node.type) {
            case QueryNodeType::SELECT_NODE: {
                auto& select = node.Cast<duckdb::SelectNode>();
                table(select.from_table);
                expressions(select.select_list);
                expression(select.where_clause);
                expressions(select.groups.group_expressions);
                expression(select.having);
                expression(select.qualify);
                break;
            }
            case QueryNodeType::SET_OPERATION_NODE:
                for (auto& child : node.Cast<duckdb::SetOperationNode>().children) query(*child);
                break;
            case QueryNodeType::RECURSIVE_CTE_NODE: {
                auto& recursive = node.Cast<duckdb::RecursiveCTENode>();
                query(*recursive.left);
                query(*recursive.right);
                break;
            }
            default:
                return;  // made by the binder, or read from old databases
        }
        duckdb::ParsedExpressionIterator::EnumerateQueryNodeModifiers(node,
                                                                      [&](ParsedPointer& child) { expression(child); });
        visitor_.query(node);
    }

    void table(duckdb::unique_ptr<duckdb::TableRef>& pointer) {
        if (!pointer) return;
        duckdb::TableRef& reference = *pointer;
        switch (reference.type) {
            case TableReferenceType::JOIN: {
                auto& join = reference.Cast<duckdb::JoinRef>();
                table(join.left);
                table(join.right);
                expression(join.condition);
                break;
            }
            case TableReferenceType::SUBQUERY:
                query(*reference.Cast<duckdb::SubqueryRef>().subquery->node);
                break;
            case TableReferenceType::TABLE_FUNCTION: {
                auto& function = reference.Cast<duckdb::TableFunctionRef>();
                expression(function.function);
                if (function.subquery) query(*function.subquery->node);
                break;
            }
            case TableReferenceType::EXPRESSION_LIST:
                for (auto& row : reference.Cast<duckdb::ExpressionListRef>().values) expressions(row);
                break;
            case TableReferenceType::PIVOT: {
                auto& pivot = reference.Cast<duckdb::PivotRef>();
                table(pivot.source);
                expressions(pivot.aggregates);
                break;
            }
            default:
                break;
        }
        visitor_.table(reference);
        visitor_.table_pointer(pointer);
    }

    void common_tables(duckdb::CommonTableExpressionMap& map) {
        for (auto& entry : map.map) query(*entry.second->query->node);
    }

    void set(duckdb::UpdateSetInfo* info) {
        if (!info) return;
        expressions(info->expressions);
        expression(info->condition);
    }

    void insert(duckdb::InsertStatement& statement) {
        common_tables(statement.cte_map);
        if (statement.select_statement) query(*statement.select_statement->node);
        if (statement.on_conflict_info) {
            expression(statement.on_conflict_info->condition);
            set(statement.on_conflict_info->set_info.get());
        }
        if (statement.table_ref) visitor_.table(*statement.table_ref);
        expressions(statement.returning_list);
    }

    void update(duckdb::UpdateStatement& statement) {
        common_tables(statement.cte_map);
        table(statement.table);
        table(statement.from_table);
        set(statement.set_info.get());
        expressions(statement.returning_list);
    }

    void erase(duckdb::DeleteStatement& statement) {
        common_tables(statement.cte_map);
        table(statement.table);
        for (auto& reference : statement.using_clauses) table(reference);
        expression(statement.condition);
        expressions(statement.returning_list);
    }

    void merge(duckdb::MergeIntoStatement& statement) {
        common_tables(statement.cte_map);
        table(statement.target);
        table(statement.source);
        expression(statement.join_condition);
        for (auto& [condition, actions] : statement.actions) {
            for (auto& action : actions) {
                expression(action->condition);
                set(action->update_info.get());
                expressions(action->expressions);
            }
        }
        expressions(statement.returning_list);
    }

    void create(duckdb::CreateInfo& info) {
        if (info.type == duckdb::CatalogType::TABLE_ENTRY) {
            auto& created = info.Cast<duckdb::CreateTableInfo>();
            if (created.query) query(*created.query->node);
        } else if (info.type == duckdb::CatalogType::VIEW_ENTRY) {
            auto& created = info.Cast<duckdb::CreateViewInfo>();
            if (created.query) query(*created.query->node);
        }
    }

    const StatementVisitor& visitor_;
};

}  // namespace

void walk_statement(duckdb::SQLStatement& statement, const StatementVisitor& visitor) {
    Walk(visitor).statement(statement);
}

}  // namespace boathouse::engine
