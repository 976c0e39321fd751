#include "engine/self_contained.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>

#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::ExpressionClass;
using duckdb::TableReferenceType;

bool is_own_function(duckdb::ClientContext& context, const std::string& name) {
    for (const auto type : {duckdb::CatalogType::SCALAR_FUNCTION_ENTRY, duckdb::CatalogType::TABLE_FUNCTION_ENTRY}) {
        if (duckdb::Catalog::GetSystemCatalog(context).GetEntry(context, type, DEFAULT_SCHEMA, name,
                                                                duckdb::OnEntryNotFound::RETURN_NULL))
            return true;
    }
    return false;
}

bool makes_rows(const duckdb::TableFunctionRef& reference) {
    if (!reference.function || reference.function->GetExpressionClass() != ExpressionClass::FUNCTION) return false;
    const std::string& name = reference.function->Cast<duckdb::FunctionExpression>().function_name;
    return name == "range" || name == "generate_series" || name == "unnest";
}

namespace {

bool is_own_call(duckdb::ClientContext& context, const duckdb::FunctionExpression& function) {
    return function.catalog.empty() && function.schema.empty() && is_own_function(context, function.function_name);
}

bool is_own_expression(duckdb::ClientContext& context, const duckdb::ParsedExpression& expression) {
    switch (expression.GetExpressionClass()) {
        case ExpressionClass::FUNCTION:
            return is_own_call(context, expression.Cast<duckdb::FunctionExpression>());
        case ExpressionClass::CAST:  // to a type by its name, which may be a database's
            return !expression.Cast<duckdb::CastExpression>().cast_type.IsUnbound();
        case ExpressionClass::PARAMETER:
        case ExpressionClass::WINDOW:  // a function by another name
            return false;
        default:
            return true;
    }
}

bool is_own_table(const duckdb::TableRef& reference) {
    switch (reference.type) {
        case TableReferenceType::EMPTY_FROM:
        case TableReferenceType::EXPRESSION_LIST:
        case TableReferenceType::SUBQUERY:
        case TableReferenceType::JOIN:
            return true;
        case TableReferenceType::TABLE_FUNCTION:
            return makes_rows(reference.Cast<duckdb::TableFunctionRef>());
        default:
            return false;
    }
}

}  // namespace

bool is_self_contained(duckdb::ClientContext& context, duckdb::SQLStatement& statement) {
    if (statement.type != duckdb::StatementType::SELECT_STATEMENT) return false;
    bool own = true;
    StatementVisitor tables;
    tables.table = [&own](duckdb::TableRef& reference) { own = own && is_own_table(reference); };
    walk_statement(statement, tables);
    if (!own) return false;
    StatementVisitor expressions;
    expressions.expression = [&](ParsedPointer& expression) { own = own && is_own_expression(context, *expression); };
    context.RunFunctionInTransaction([&] { walk_statement(statement, expressions); }, false);
    return own;
}

}  // namespace boathouse::engine
