#include "engine/row_makers.hpp"

#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/emptytableref.hpp>
#include <duckdb/parser/tableref/subqueryref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <unordered_map>

namespace boathouse::engine {

using duckdb::FunctionExpression;

namespace {

struct Maker {
    const char* function;
    bool is_everywhere;  // DuckDB has it
};

const std::unordered_map<std::string, Maker>& makers() {
    static const std::unordered_map<std::string, Maker> kMakers = {
        {"generate_series", {"generate_series", true}},
        {"generate_subscripts", {"boathouse_subscripts", false}},
        {"regexp_split_to_table", {"regexp_split_to_array", true}},
        {"string_to_table", {"string_to_array", true}},
        {"json_array_elements", {"boathouse_json_elements", false}},
        {"jsonb_array_elements", {"boathouse_json_elements", false}},
        {"json_array_elements_text", {"boathouse_json_elements_text", false}},
        {"jsonb_array_elements_text", {"boathouse_json_elements_text", false}},
        {"json_object_keys", {"json_keys", true}},
        {"jsonb_object_keys", {"json_keys", true}},
    };
    return kMakers;
}

void make_rows_of(ParsedPointer& expression, Readers readers) {
    const auto expression_class = expression->GetExpressionClass();
    // A subquery has a SELECT list of its own, and what stands in unnest() gives rows already.
    if (expression_class == duckdb::ExpressionClass::SUBQUERY) return;
    if (expression_class == duckdb::ExpressionClass::FUNCTION) {
        auto& function = expression->Cast<FunctionExpression>();
        if (function.function_name == "unnest" || function.IsLambdaFunction()) return;
        const auto maker = makers().find(function.function_name);
        if (maker != makers().end() && (maker->second.is_everywhere || readers == Readers::this_server)) {
            function.function_name = maker->second.function;
            const std::string alias = expression->GetAlias();
            duckdb::vector<ParsedPointer> arguments;
            arguments.push_back(std::move(expression));
            expression = make_call("unnest", std::move(arguments));
            expression->SetAlias(alias);
            return;
        }
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        *expression, [readers](ParsedPointer& child) { make_rows_of(child, readers); });
}

}  // namespace

void make_rows(duckdb::SelectNode& select, Readers readers) {
    for (ParsedPointer& expression : select.select_list) make_rows_of(expression, readers);
}

void unnest_side_by_side(duckdb::unique_ptr<duckdb::TableRef>& reference) {
    if (reference->type != duckdb::TableReferenceType::TABLE_FUNCTION) return;
    auto& table = reference->Cast<duckdb::TableFunctionRef>();
    if (!table.function || table.function->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
    auto& call = table.function->Cast<FunctionExpression>();
    const bool is_numbered = table.with_ordinality != duckdb::OrdinalityType::WITHOUT_ORDINALITY;
    if (call.function_name != "unnest" || call.children.size() < 2 || is_numbered) return;
    auto select = duckdb::make_uniq<duckdb::SelectNode>();
    select->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    for (ParsedPointer& list : call.children) {
        duckdb::vector<ParsedPointer> arguments;
        arguments.push_back(std::move(list));
        select->select_list.push_back(make_call("unnest", std::move(arguments)));
        select->select_list.back()->SetAlias("unnest");
    }
    auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
    statement->node = std::move(select);
    auto rows =
        duckdb::make_uniq<duckdb::SubqueryRef>(std::move(statement), table.alias.empty() ? "unnest" : table.alias);
    rows->column_name_alias = std::move(table.column_name_alias);
    reference = std::move(rows);
}

}  // namespace boathouse::engine
