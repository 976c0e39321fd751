#include "engine/postgres_meaning.hpp"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/tableref/expressionlistref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>

#include "engine/row_makers.hpp"

namespace boathouse::engine {

using duckdb::CatalogType;
using duckdb::StatementType;

namespace {

Readers readers_of(const duckdb::SQLStatement& statement) {
    if (statement.type != StatementType::CREATE_STATEMENT) return Readers::this_server;
    const CatalogType type = statement.Cast<duckdb::CreateStatement>().info->type;
    return type == CatalogType::TABLE_ENTRY ? Readers::this_server : Readers::every_client;
}

void rewrite_expression(ParsedPointer& expression, Readers readers) {
    const std::string alias = expression->GetAlias();
    if (!rewrite_date_pattern(expression)) {
        rewrite_operator(expression, readers);
        rewrite_call(expression, readers);
        rewrite_cast(expression);
        rewrite_row(expression);
    }
    expression->SetAlias(alias);  // of whatever stands there now
}

// Columns of VALUES are column1, column2 …
void name_value_columns(duckdb::TableRef& reference) {
    if (reference.type != duckdb::TableReferenceType::EXPRESSION_LIST) return;
    auto& list = reference.Cast<duckdb::ExpressionListRef>();
    if (!list.expected_names.empty() || list.values.empty()) return;
    for (std::size_t i = 0; i < list.values[0].size(); ++i)
        list.expected_names.push_back("column" + std::to_string(i + 1));
}

// FROM generate_series(1, 3) AS g has a column g.
void name_function_column(duckdb::TableRef& reference) {
    if (reference.type != duckdb::TableReferenceType::TABLE_FUNCTION) return;
    auto& table = reference.Cast<duckdb::TableFunctionRef>();
    if (table.alias.empty() || !table.column_name_alias.empty() || !table.function) return;
    if (table.function->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
    const auto& call = table.function->Cast<duckdb::FunctionExpression>();
    const bool is_one_list = call.function_name == "unnest" && call.children.size() == 1;
    if (call.function_name == "generate_series" || is_one_list) table.column_name_alias.push_back(table.alias);
}

void settle_defined_types(duckdb::SQLStatement& statement) {
    if (statement.type == StatementType::CREATE_STATEMENT) {
        auto& info = *statement.Cast<duckdb::CreateStatement>().info;
        if (info.type != CatalogType::TABLE_ENTRY) return;
        auto& columns = info.Cast<duckdb::CreateTableInfo>().columns;
        for (duckdb::idx_t i = 0; i < columns.LogicalColumnCount(); ++i)
            settle_type(columns.GetColumnMutable(duckdb::LogicalIndex(i)).TypeMutable());
    }
    if (statement.type == StatementType::ALTER_STATEMENT) {
        auto& info = *statement.Cast<duckdb::AlterStatement>().info;
        if (info.type != duckdb::AlterType::ALTER_TABLE) return;
        auto& table = info.Cast<duckdb::AlterTableInfo>();
        if (table.alter_table_type == duckdb::AlterTableType::ADD_COLUMN)
            settle_type(table.Cast<duckdb::AddColumnInfo>().new_column.TypeMutable());
        if (table.alter_table_type == duckdb::AlterTableType::ALTER_COLUMN_TYPE)
            settle_type(table.Cast<duckdb::ChangeColumnTypeInfo>().target_type);
    }
}

}  // namespace

void give_postgres_meaning(duckdb::SQLStatement& statement) {
    const Readers readers = readers_of(statement);
    StatementVisitor visitor;
    visitor.expression = [readers](ParsedPointer& expression) { rewrite_expression(expression, readers); };
    visitor.table = [](duckdb::TableRef& reference) {
        name_value_columns(reference);
        name_function_column(reference);
    };
    visitor.table_pointer = [readers](duckdb::unique_ptr<duckdb::TableRef>& reference) {
        make_table(reference, readers);
    };
    visitor.query = [readers](duckdb::QueryNode& node) {
        if (node.type == duckdb::QueryNodeType::SELECT_NODE) make_rows(node.Cast<duckdb::SelectNode>(), readers);
    };
    walk_statement(statement, visitor);
    settle_defined_types(statement);
}

}  // namespace boathouse::engine
