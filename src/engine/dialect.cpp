#include "engine/dialect.hpp"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/list.hpp>
#include <duckdb/parser/parsed_data/alter_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/query_node/set_operation_node.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>

#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::CatalogType;
using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using duckdb::ParsedExpression;
using duckdb::StatementType;

const char* const kPostgresDialect =
    "SET SESSION integer_division = true;"
    "SET SESSION default_null_order = 'nulls_last_on_asc_first_on_desc';"
    "SET SESSION preserve_identifier_case = false;";
const char* const kDuckdbDialect =
    "SET SESSION integer_division = false;"
    "SET SESSION default_null_order = 'nulls_last';"
    "SET SESSION preserve_identifier_case = true;";

namespace {

constexpr const char* kUnnamed = "?column?";

std::string figure_name(const ParsedExpression& expression);

std::string function_name(const duckdb::FunctionExpression& function) {
    if (function.is_operator) return kUnnamed;
    if (function.function_name == "count_star") return "count";
    if (function.function_name == "regexp_full_match") return kUnnamed;  // what ~ and SIMILAR TO become
    if (function.function_name == "list_value" || function.function_name == "array_value") return "array";
    return function.function_name;
}

// PostgreSQL names a cast after what is cast if that has a name, else after the type.
std::string cast_name(const duckdb::CastExpression& cast) {
    std::string name = figure_name(*cast.child);
    if (name != kUnnamed) return name;
    switch (cast.cast_type.id()) {
        case duckdb::LogicalTypeId::BOOLEAN:
            return "bool";
        case duckdb::LogicalTypeId::SMALLINT:
            return "int2";
        case duckdb::LogicalTypeId::INTEGER:
            return "int4";
        case duckdb::LogicalTypeId::BIGINT:
            return "int8";
        case duckdb::LogicalTypeId::FLOAT:
            return "float4";
        case duckdb::LogicalTypeId::DOUBLE:
            return "float8";
        case duckdb::LogicalTypeId::DECIMAL:
            return "numeric";
        case duckdb::LogicalTypeId::VARCHAR:
            return "text";
        case duckdb::LogicalTypeId::DATE:
            return "date";
        case duckdb::LogicalTypeId::TIME:
            return "time";
        case duckdb::LogicalTypeId::TIMESTAMP:
            return "timestamp";
        case duckdb::LogicalTypeId::TIMESTAMP_TZ:
            return "timestamptz";
        case duckdb::LogicalTypeId::INTERVAL:
            return "interval";
        case duckdb::LogicalTypeId::UUID:
            return "uuid";
        case duckdb::LogicalTypeId::BLOB:
            return "bytea";
        default:
            return kUnnamed;
    }
}

std::string figure_name(const ParsedExpression& expression) {
    if (expression.HasAlias()) return expression.GetAlias();
    switch (expression.GetExpressionClass()) {
        case ExpressionClass::COLUMN_REF:
            return expression.Cast<duckdb::ColumnRefExpression>().GetColumnName();
        case ExpressionClass::FUNCTION:
            return function_name(expression.Cast<duckdb::FunctionExpression>());
        case ExpressionClass::WINDOW:
            return expression.Cast<duckdb::WindowExpression>().function_name;
        case ExpressionClass::CAST:
            return cast_name(expression.Cast<duckdb::CastExpression>());
        case ExpressionClass::CASE:
            return "case";
        case ExpressionClass::OPERATOR:
            return expression.GetExpressionType() == ExpressionType::OPERATOR_COALESCE ? "coalesce" : kUnnamed;
        case ExpressionClass::CONSTANT:
        case ExpressionClass::COMPARISON:
        case ExpressionClass::CONJUNCTION:
        case ExpressionClass::BETWEEN:
        case ExpressionClass::PARAMETER:
            return kUnnamed;
        default:
            return "";  // stars and what only DuckDB has: its own names
    }
}

// The name that PostgreSQL's parse tree gives, or where there is none, DuckDB's tree.
void name_list(duckdb::vector<ParsedPointer>& list, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i]->HasAlias() || list[i]->GetExpressionClass() == ExpressionClass::COLUMN_REF) continue;
        const std::string name = names.size() == list.size() ? names[i] : figure_name(*list[i]);
        if (!name.empty()) list[i]->SetAlias(name);
    }
}

void name_columns_of(duckdb::QueryNode& node, const std::vector<std::string>& names) {
    if (node.type == duckdb::QueryNodeType::SET_OPERATION_NODE) {
        // The first branch names the result.
        auto& branches = node.Cast<duckdb::SetOperationNode>().children;
        if (!branches.empty()) name_columns_of(*branches.front(), names);
        return;
    }
    if (node.type != duckdb::QueryNodeType::SELECT_NODE) return;
    name_list(node.Cast<duckdb::SelectNode>().select_list, names);
}

// "TABLE", "VIEW" …: what CREATE and DROP name.
std::string object_word(CatalogType type) {
    switch (type) {
        case CatalogType::TABLE_ENTRY:
            return "TABLE";
        case CatalogType::SCHEMA_ENTRY:
            return "SCHEMA";
        case CatalogType::VIEW_ENTRY:
            return "VIEW";
        case CatalogType::INDEX_ENTRY:
            return "INDEX";
        case CatalogType::SEQUENCE_ENTRY:
            return "SEQUENCE";
        case CatalogType::TYPE_ENTRY:
            return "TYPE";
        default:
            return "FUNCTION";
    }
}

std::string create_word(const duckdb::CreateInfo& info) {
    const bool is_query = info.type == CatalogType::TABLE_ENTRY && info.Cast<duckdb::CreateTableInfo>().query;
    return is_query ? "SELECT" : "CREATE " + object_word(info.type);
}

}  // namespace

void name_columns(duckdb::SQLStatement& statement, const std::vector<std::string>& names) {
    // Queries inside of others first: their columns are named by what is in them.
    StatementVisitor visitor;
    visitor.query = [](duckdb::QueryNode& node) { name_columns_of(node, {}); };
    if (statement.type == StatementType::SELECT_STATEMENT) {
        auto& node = *statement.Cast<duckdb::SelectStatement>().node;
        if (!names.empty()) name_columns_of(node, names);
        walk_statement(statement, visitor);
    } else if (statement.type == StatementType::CREATE_STATEMENT) {
        auto& info = *statement.Cast<duckdb::CreateStatement>().info;
        duckdb::QueryNode* query = nullptr;
        if (info.type == CatalogType::TABLE_ENTRY && info.Cast<duckdb::CreateTableInfo>().query)
            query = info.Cast<duckdb::CreateTableInfo>().query->node.get();
        if (info.type == CatalogType::VIEW_ENTRY && info.Cast<duckdb::CreateViewInfo>().query)
            query = info.Cast<duckdb::CreateViewInfo>().query->node.get();
        if (!query) return;
        if (!names.empty()) name_columns_of(*query, names);
        walk_statement(statement, visitor);
    } else if (statement.type == StatementType::INSERT_STATEMENT) {
        name_list(statement.Cast<duckdb::InsertStatement>().returning_list, {});
    } else if (statement.type == StatementType::UPDATE_STATEMENT) {
        name_list(statement.Cast<duckdb::UpdateStatement>().returning_list, {});
    } else if (statement.type == StatementType::DELETE_STATEMENT) {
        name_list(statement.Cast<duckdb::DeleteStatement>().returning_list, {});
    }
}

std::string command_word(const duckdb::SQLStatement& statement) {
    switch (statement.type) {
        case StatementType::SELECT_STATEMENT:
            return "SELECT";
        case StatementType::INSERT_STATEMENT:
            return "INSERT";
        case StatementType::UPDATE_STATEMENT:
            return "UPDATE";
        case StatementType::DELETE_STATEMENT:
            return "DELETE";
        case StatementType::MERGE_INTO_STATEMENT:
            return "MERGE";
        case StatementType::CREATE_STATEMENT:
            return create_word(*statement.Cast<duckdb::CreateStatement>().info);
        case StatementType::DROP_STATEMENT:
            return "DROP " + object_word(statement.Cast<duckdb::DropStatement>().info->type);
        case StatementType::ALTER_STATEMENT: {
            const duckdb::AlterInfo& info = *statement.Cast<duckdb::AlterStatement>().info;
            const bool comments =
                info.type == duckdb::AlterType::SET_COMMENT || info.type == duckdb::AlterType::SET_COLUMN_COMMENT;
            return comments ? "COMMENT" : "ALTER " + object_word(info.GetCatalogType());
        }
        case StatementType::EXPLAIN_STATEMENT:
            return "EXPLAIN";
        case StatementType::CALL_STATEMENT:
            return "CALL";
        case StatementType::VACUUM_STATEMENT:
            return "VACUUM";
        case StatementType::ANALYZE_STATEMENT:
            return "ANALYZE";
        default:
            return "SELECT";
    }
}

}  // namespace boathouse::engine
