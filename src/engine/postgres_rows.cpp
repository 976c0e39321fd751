// Rows: (a, b) = (c, d) compares column by column, as PostgreSQL does, so that a NULL makes the answer unknown; DuckDB
// compares two structs, in which NULL is a value like others. And the names of a row's fields.
// Source: https://www.postgresql.org/docs/15/functions-comparisons.html#ROW-WISE-COMPARISON
#include <duckdb/parser/expression/comparison_expression.hpp>
#include <duckdb/parser/expression/conjunction_expression.hpp>
#include <duckdb/parser/expression/operator_expression.hpp>
#include <unordered_set>

#include "engine/postgres_meaning.hpp"

namespace boathouse::engine {

using duckdb::ComparisonExpression;
using duckdb::ConjunctionExpression;
using duckdb::ExpressionType;
using duckdb::FunctionExpression;

namespace {

FunctionExpression* row_of(duckdb::ParsedExpression& expression) {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return nullptr;
    auto& function = expression.Cast<FunctionExpression>();
    return function.function_name == "row" && !function.children.empty() ? &function : nullptr;
}

ParsedPointer compare(ExpressionType type, const ParsedPointer& left, const ParsedPointer& right) {
    return duckdb::make_uniq<ComparisonExpression>(type, left->Copy(), right->Copy());
}

ParsedPointer join(ExpressionType type, duckdb::vector<ParsedPointer> parts) {
    if (parts.size() == 1) return std::move(parts[0]);
    return duckdb::make_uniq<ConjunctionExpression>(type, std::move(parts));
}

ParsedPointer all_equal(const FunctionExpression& left, const FunctionExpression& right) {
    duckdb::vector<ParsedPointer> parts;
    for (std::size_t i = 0; i < left.children.size(); ++i)
        parts.push_back(compare(ExpressionType::COMPARE_EQUAL, left.children[i], right.children[i]));
    return join(ExpressionType::CONJUNCTION_AND, std::move(parts));
}

ParsedPointer any_differs(const FunctionExpression& left, const FunctionExpression& right) {
    duckdb::vector<ParsedPointer> parts;
    for (std::size_t i = 0; i < left.children.size(); ++i)
        parts.push_back(compare(ExpressionType::COMPARE_NOTEQUAL, left.children[i], right.children[i]));
    return join(ExpressionType::CONJUNCTION_OR, std::move(parts));
}

// a < c OR (a = c AND (b < d)): the first columns that differ decide; `strict` is < or > of what may be <= or >=.
ParsedPointer order(ExpressionType type, ExpressionType strict, const FunctionExpression& left,
                    const FunctionExpression& right) {
    ParsedPointer whole = compare(type, left.children.back(), right.children.back());
    for (std::size_t i = left.children.size() - 1; i-- > 0;) {
        duckdb::vector<ParsedPointer> tied;
        tied.push_back(compare(ExpressionType::COMPARE_EQUAL, left.children[i], right.children[i]));
        tied.push_back(std::move(whole));
        duckdb::vector<ParsedPointer> either;
        either.push_back(compare(strict, left.children[i], right.children[i]));
        either.push_back(join(ExpressionType::CONJUNCTION_AND, std::move(tied)));
        whole = join(ExpressionType::CONJUNCTION_OR, std::move(either));
    }
    return whole;
}

ParsedPointer compare_rows(ExpressionType type, const FunctionExpression& left, const FunctionExpression& right) {
    switch (type) {
        case ExpressionType::COMPARE_EQUAL:
            return all_equal(left, right);
        case ExpressionType::COMPARE_NOTEQUAL:
            return any_differs(left, right);
        case ExpressionType::COMPARE_LESSTHAN:
        case ExpressionType::COMPARE_LESSTHANOREQUALTO:
            return order(type, ExpressionType::COMPARE_LESSTHAN, left, right);
        case ExpressionType::COMPARE_GREATERTHAN:
        case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
            return order(type, ExpressionType::COMPARE_GREATERTHAN, left, right);
        default:
            return nullptr;  // IS DISTINCT FROM means the same in both
    }
}

void check_lengths(const FunctionExpression& left, const FunctionExpression& right) {
    if (left.children.size() != right.children.size())
        throw duckdb::ParserException("unequal number of entries in row expressions");
}

ParsedPointer rewrite_comparison(ComparisonExpression& comparison) {
    const FunctionExpression* const left = row_of(*comparison.left);
    const FunctionExpression* const right = row_of(*comparison.right);
    if (!left || !right) return nullptr;
    check_lengths(*left, *right);
    return compare_rows(comparison.GetExpressionType(), *left, *right);
}

// (a, b) [NOT] IN ((1, 2), (3, 4))
ParsedPointer rewrite_list(const duckdb::OperatorExpression& list) {
    const bool negated = list.GetExpressionType() == ExpressionType::COMPARE_NOT_IN;
    if (!negated && list.GetExpressionType() != ExpressionType::COMPARE_IN) return nullptr;
    const FunctionExpression* const left = row_of(*list.children[0]);
    if (!left) return nullptr;
    duckdb::vector<ParsedPointer> parts;
    for (std::size_t i = 1; i < list.children.size(); ++i) {
        const FunctionExpression* const right = row_of(*list.children[i]);
        if (!right) return nullptr;
        check_lengths(*left, *right);
        parts.push_back(negated ? any_differs(*left, *right) : all_equal(*left, *right));
    }
    return join(negated ? ExpressionType::CONJUNCTION_AND : ExpressionType::CONJUNCTION_OR, std::move(parts));
}

}  // namespace

bool rewrite_row(ParsedPointer& expression) {
    ParsedPointer made;
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::COMPARISON)
        made = rewrite_comparison(expression->Cast<ComparisonExpression>());
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::OPERATOR)
        made = rewrite_list(expression->Cast<duckdb::OperatorExpression>());
    if (!made) return false;
    expression = std::move(made);
    return true;
}

void name_row_fields(FunctionExpression& function) {
    static const std::unordered_set<std::string> kMakers = {
        "to_json",          "to_jsonb",          "row_to_json",       "json_agg",           "jsonb_agg",
        "json_build_array", "jsonb_build_array", "json_build_object", "jsonb_build_object", "json_object_agg",
        "jsonb_object_agg"};
    if (!kMakers.contains(function.function_name)) return;
    for (ParsedPointer& argument : function.children) {
        FunctionExpression* const row = row_of(*argument);
        if (!row) continue;
        row->function_name = "struct_pack";
        for (std::size_t i = 0; i < row->children.size(); ++i) row->children[i]->SetAlias("f" + std::to_string(i + 1));
    }
}

}  // namespace boathouse::engine
