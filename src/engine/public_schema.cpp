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

// Calls name(schema, catalog) for everything that may be the name of a schema; `catalog` is null where no database can
// stand before it, or where it must not: a view is read by clients that call the lake otherwise.
void for_each_schema(duckdb::SQLStatement& statement,
                     const std::function<void(std::string& schema, std::string* catalog)>& name) {
    const bool is_kept = statement.type == StatementType::CREATE_STATEMENT;
    StatementVisitor visitor;
    visitor.table = [&](duckdb::TableRef& reference) {
        if (reference.type != duckdb::TableReferenceType::BASE_TABLE) return;
        auto& table = reference.Cast<duckdb::BaseTableRef>();
        name(table.schema_name, is_kept ? nullptr : &table.catalog_name);
    };
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
            auto& parts = expression->Cast<duckdb::ColumnRefExpression>().column_names;
            if (parts.size() >= 3) name(parts[parts.size() - 3], nullptr);
        } else if (expression->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
            name(expression->Cast<duckdb::FunctionExpression>().schema, nullptr);
        }
    };
    walk_statement(statement, visitor);
    switch (statement.type) {
        case StatementType::INSERT_STATEMENT: {
            auto& insert = statement.Cast<duckdb::InsertStatement>();
            return name(insert.schema, &insert.catalog);
        }
        case StatementType::CREATE_STATEMENT: {
            auto& info = *statement.Cast<duckdb::CreateStatement>().info;
            if (info.type != duckdb::CatalogType::SCHEMA_ENTRY) name(info.schema, nullptr);
            return;
        }
        case StatementType::ALTER_STATEMENT: {
            auto& info = *statement.Cast<duckdb::AlterStatement>().info;
            return name(info.schema, &info.catalog);
        }
        case StatementType::DROP_STATEMENT: {
            auto& info = *statement.Cast<duckdb::DropStatement>().info;
            if (info.type != duckdb::CatalogType::SCHEMA_ENTRY) name(info.schema, &info.catalog);
            return;
        }
        default:
            return;
    }
}

}  // namespace

bool names_public(duckdb::SQLStatement& statement) {
    bool found = false;
    for_each_schema(statement, [&](std::string& schema, std::string*) { found = found || schema == kPublic; });
    return found;
}

void rename_public(duckdb::SQLStatement& statement) {
    for_each_schema(statement, [](std::string& schema, std::string* catalog) {
        if (schema != kPublic) return;
        schema = "main";
        // Temporary tables have a schema of that name too.
        if (catalog && catalog->empty()) *catalog = "lake";
    });
}

}  // namespace boathouse::engine
