#include "engine/row_makers.hpp"

#include <algorithm>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/emptytableref.hpp>
#include <duckdb/parser/tableref/joinref.hpp>
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

ParsedPointer unnest(ParsedPointer list, const std::string& name) {
    duckdb::vector<ParsedPointer> arguments;
    arguments.push_back(std::move(list));
    ParsedPointer rows = make_call("unnest", std::move(arguments));
    rows->SetAlias(name);
    return rows;
}

// Not what ~ has become, whose option stands for a dot that matches a line's end.
bool gives_matches(const FunctionExpression& function) {
    if (function.function_name != "regexp_matches" || function.children.size() < 2) return false;
    return function.children.size() == 2 || !constant_text(*function.children[2]).value_or("").starts_with('s');
}

// regexp_matches(…) and (regexp_matches(…))[1]; DuckDB's, which says whether there is a match, everywhere else.
bool make_matches(ParsedPointer& expression) {
    if (expression->GetExpressionType() == duckdb::ExpressionType::ARRAY_EXTRACT)
        return make_matches(expression->Cast<duckdb::OperatorExpression>().children[0]);
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return false;
    auto& function = expression->Cast<FunctionExpression>();
    if (!gives_matches(function)) return false;
    make_regexp_rows(function);
    const std::string alias = expression->GetAlias();
    expression = unnest(std::move(expression), alias);
    return true;
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
            expression = unnest(std::move(expression), alias);
            return;
        }
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        *expression, [readers](ParsedPointer& child) { make_rows_of(child, readers); });
}

// A column of a function in FROM.
struct MadeColumn {
    const char* name;      // nullptr: the table's
    const char* function;  // that gives its values as a list
    bool is_everywhere;    // DuckDB has it
};

const std::unordered_multimap<std::string, MadeColumn>& tables() {
    static const std::unordered_multimap<std::string, MadeColumn> kTables = [] {
        std::unordered_multimap<std::string, MadeColumn> tables;
        for (const char* name : {"json_each", "jsonb_each"}) {
            tables.insert({name, {"value", "boathouse_json_values", false}});
            tables.insert({name, {"key", "json_keys", true}});
        }
        for (const char* name : {"json_each_text", "jsonb_each_text"}) {
            tables.insert({name, {"value", "boathouse_json_values_text", false}});
            tables.insert({name, {"key", "json_keys", true}});
        }
        for (const char* name : {"json_array_elements", "jsonb_array_elements"})
            tables.insert({name, {"value", "boathouse_json_elements", false}});
        for (const char* name : {"json_array_elements_text", "jsonb_array_elements_text"})
            tables.insert({name, {"value", "boathouse_json_elements_text", false}});
        for (const char* name : {"json_object_keys", "jsonb_object_keys"})
            tables.insert({name, {nullptr, "json_keys", true}});
        tables.insert({"regexp_split_to_table", {nullptr, "regexp_split_to_array", true}});
        tables.insert({"string_to_table", {nullptr, "boathouse_string_to_array", false}});
        tables.insert({"generate_subscripts", {nullptr, "boathouse_subscripts", false}});
        return tables;
    }();
    return kTables;
}

using Columns = duckdb::vector<ParsedPointer>;

Columns columns_of(FunctionExpression& call, const std::string& table_name, Readers readers) {
    Columns columns;
    if (call.function_name == "unnest" && call.children.size() > 1) {
        for (ParsedPointer& list : call.children) columns.push_back(unnest(std::move(list), "unnest"));
        return columns;
    }
    if (call.function_name == "regexp_matches" && call.children.size() > 1 && readers == Readers::this_server) {
        make_regexp_rows(call);
        columns.push_back(unnest(call.Copy(), table_name));
        return columns;
    }
    const auto [begin, end] = tables().equal_range(call.function_name);
    const bool is_known = std::all_of(begin, end, [readers](const auto& entry) {
        return entry.second.is_everywhere || readers == Readers::this_server;
    });
    // DuckDB's json_each(value, path) is its own.
    const bool is_duckdbs = call.function_name == "json_each" && call.children.size() != 1;
    if (!is_known || is_duckdbs) return columns;
    for (auto made = begin; made != end; ++made) {
        auto list = duckdb::unique_ptr_cast<duckdb::ParsedExpression, FunctionExpression>(call.Copy());
        list->function_name = made->second.function;
        columns.push_back(unnest(std::move(list), made->second.name ? made->second.name : table_name));
    }
    std::sort(columns.begin(), columns.end(), [](const auto& left, const auto& right) {
        return left->GetAlias() < right->GetAlias();  // key, value
    });
    return columns;
}

bool is_unnest(const duckdb::ParsedExpression& expression) {
    return expression.GetExpressionClass() == duckdb::ExpressionClass::FUNCTION &&
           expression.Cast<FunctionExpression>().function_name == "unnest";
}

duckdb::unique_ptr<duckdb::SubqueryRef> subquery_of(Columns columns, const std::string& name) {
    auto select = duckdb::make_uniq<duckdb::SelectNode>();
    select->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    select->select_list = std::move(columns);
    auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
    statement->node = std::move(select);
    return duckdb::make_uniq<duckdb::SubqueryRef>(std::move(statement), name);
}

// SELECT unnest(tags), count(*) … GROUP BY 1: the rows are there before they are grouped, which DuckDB refuses to do in
// a SELECT list. They stand beside the tables instead.
void group_rows(duckdb::SelectNode& select) {
    constexpr const char* kRows = "boathouse_rows";
    if (select.groups.group_expressions.empty()) return;
    Columns columns;
    for (ParsedPointer& expression : select.select_list) {
        if (!is_unnest(*expression)) continue;
        const std::string column = "row" + std::to_string(columns.size() + 1);
        const std::string alias = expression->GetAlias().empty() ? "unnest" : expression->GetAlias();
        ParsedPointer reference = duckdb::make_uniq<duckdb::ColumnRefExpression>(column, kRows);
        reference->SetAlias(alias);
        expression->SetAlias(column);
        columns.push_back(std::move(expression));
        expression = std::move(reference);
    }
    if (columns.empty()) return;
    auto join = duckdb::make_uniq<duckdb::JoinRef>(duckdb::JoinRefType::CROSS);
    join->left = std::move(select.from_table);
    join->right = subquery_of(std::move(columns), kRows);
    select.from_table = std::move(join);
}

}  // namespace

void make_rows(duckdb::SelectNode& select, Readers readers) {
    for (ParsedPointer& expression : select.select_list) {
        if (readers == Readers::this_server && make_matches(expression)) continue;
        make_rows_of(expression, readers);
    }
    group_rows(select);
}

void make_table(duckdb::unique_ptr<duckdb::TableRef>& reference, Readers readers) {
    if (reference->type != duckdb::TableReferenceType::TABLE_FUNCTION) return;
    auto& table = reference->Cast<duckdb::TableFunctionRef>();
    if (!table.function || table.function->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
    if (table.with_ordinality != duckdb::OrdinalityType::WITHOUT_ORDINALITY) return;
    auto& call = table.function->Cast<FunctionExpression>();
    const std::string name = table.alias.empty() ? call.function_name : table.alias;
    Columns columns = columns_of(call, name, readers);
    if (columns.empty()) return;
    auto rows = subquery_of(std::move(columns), name);
    rows->column_name_alias = std::move(table.column_name_alias);
    reference = std::move(rows);
}

}  // namespace boathouse::engine
