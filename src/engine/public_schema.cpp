#include "engine/public_schema.hpp"

#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_data/alter_info.hpp>
#include <duckdb/parser/parsed_data/create_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>

#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::StatementType;

namespace {

constexpr const char* kPublic = "public";

// Calls name(std::string&) for everything that may be the name of a schema.
void for_each_schema(duckdb::SQLStatement& statement, const std::function<void(std::string&)>& name) {
    StatementVisitor visitor;
    visitor.table = [&](duckdb::TableRef& reference) {
        if (reference.type == duckdb::TableReferenceType::BASE_TABLE)
            name(reference.Cast<duckdb::BaseTableRef>().schema_name);
    };
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
            auto& parts = expression->Cast<duckdb::ColumnRefExpression>().column_names;
            if (parts.size() >= 3) name(parts[parts.size() - 3]);
        } else if (expression->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
            name(expression->Cast<duckdb::FunctionExpression>().schema);
        }
    };
    walk_statement(statement, visitor);
    switch (statement.type) {
        case StatementType::INSERT_STATEMENT:
            return name(statement.Cast<duckdb::InsertStatement>().schema);
        case StatementType::CREATE_STATEMENT: {
            auto& info = *statement.Cast<duckdb::CreateStatement>().info;
            if (info.type != duckdb::CatalogType::SCHEMA_ENTRY) name(info.schema);
            return;
        }
        case StatementType::ALTER_STATEMENT:
            return name(statement.Cast<duckdb::AlterStatement>().info->schema);
        case StatementType::DROP_STATEMENT: {
            auto& info = *statement.Cast<duckdb::DropStatement>().info;
            if (info.type != duckdb::CatalogType::SCHEMA_ENTRY) name(info.schema);
            return;
        }
        default:
            return;
    }
}

}  // namespace

bool names_public(duckdb::SQLStatement& statement) {
    bool found = false;
    for_each_schema(statement, [&](std::string& name) { found = found || name == kPublic; });
    return found;
}

void rename_public(duckdb::SQLStatement& statement) {
    for_each_schema(statement, [](std::string& name) {
        if (name == kPublic) name = "main";
    });
}

}  // namespace boathouse::engine
