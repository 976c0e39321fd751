#include "engine/plain_values.hpp"

#include <charconv>
#include <duckdb/execution/operator/projection/physical_projection.hpp>
#include <duckdb/execution/operator/scan/physical_expression_scan.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/main/prepared_statement_data.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression/bound_constant_expression.hpp>
#include <duckdb/planner/expression/bound_parameter_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

namespace boathouse::engine {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::PhysicalOperator;
using duckdb::PhysicalOperatorType;

namespace {

// More are for DuckDB, and not for a thread that must be quick.
constexpr std::size_t kValuesMax = 1'000;

// How many rows the plan makes, if it is one of values.
std::optional<std::size_t> count_of(const PhysicalOperator& plan) {
    switch (plan.type) {
        case PhysicalOperatorType::DUMMY_SCAN:
            return 1;
        case PhysicalOperatorType::EXPRESSION_SCAN:
            return plan.Cast<duckdb::PhysicalExpressionScan>().expressions.size();
        case PhysicalOperatorType::PROJECTION:
            return plan.children.size() == 1 ? count_of(plan.children[0].get()) : std::nullopt;
        default:
            return std::nullopt;
    }
}

// Of the parameter that DuckDB calls "1", number 0.
std::optional<std::size_t> number_of(const duckdb::string& identifier) {
    std::size_t number = 0;
    const char* const end = identifier.data() + identifier.size();
    const auto parsed = std::from_chars(identifier.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) return std::nullopt;
    return number - 1;
}

}  // namespace

std::optional<PlainValues::Source> PlainValues::source_of(const Expression& expression, const PhysicalOperator* input,
                                                          std::size_t row) {
    switch (expression.GetExpressionClass()) {
        case ExpressionClass::BOUND_CONSTANT:
            return Source{.constant = expression.Cast<duckdb::BoundConstantExpression>().value};
        case ExpressionClass::BOUND_PARAMETER: {
            const auto number = number_of(expression.Cast<duckdb::BoundParameterExpression>().identifier);
            if (!number) return std::nullopt;
            return Source{.parameter = *number, .from = expression.return_type};
        }
        case ExpressionClass::BOUND_REF:
            if (input == nullptr) return std::nullopt;
            return source_in(*input, expression.Cast<duckdb::BoundReferenceExpression>().index, row);
        case ExpressionClass::BOUND_CAST: {
            const auto& cast = expression.Cast<duckdb::BoundCastExpression>();
            if (cast.try_cast) return std::nullopt;
            auto source = source_of(*cast.child, input, row);
            if (source) source->casts.push_back(cast.return_type);
            return source;
        }
        default:
            return std::nullopt;
    }
}

std::optional<PlainValues::Source> PlainValues::source_in(const PhysicalOperator& plan, std::size_t column,
                                                          std::size_t row) {
    if (plan.type == PhysicalOperatorType::EXPRESSION_SCAN) {
        const auto& scan = plan.Cast<duckdb::PhysicalExpressionScan>();
        return source_of(*scan.expressions.at(row).at(column), nullptr, row);
    }
    if (plan.type != PhysicalOperatorType::PROJECTION) return std::nullopt;
    const auto& projection = plan.Cast<duckdb::PhysicalProjection>();
    return source_of(*projection.select_list.at(column), &plan.children[0].get(), row);
}

std::optional<PlainValues> PlainValues::of(const duckdb::PreparedStatementData& plan) {
    if (!plan.physical_plan || !plan.properties.bound_all_parameters || plan.properties.always_require_rebind)
        return std::nullopt;
    const PhysicalOperator& root = plan.physical_plan->Root();
    const auto count = count_of(root);
    if (!count || *count * plan.types.size() > kValuesMax || root.types != plan.types) return std::nullopt;
    PlainValues values;
    values.types_ = plan.types;
    values.rows_.resize(*count);
    for (std::size_t row = 0; row < *count; ++row) {
        for (std::size_t column = 0; column < plan.types.size(); ++column) {
            auto source = source_in(root, column, row);
            if (!source) return std::nullopt;
            values.rows_[row].push_back(std::move(*source));
        }
    }
    return values;
}

duckdb::unique_ptr<duckdb::DataChunk> PlainValues::rows(duckdb::ClientContext& context, const Decode& decode) const {
    auto chunk = duckdb::make_uniq<duckdb::DataChunk>();
    chunk->Initialize(duckdb::Allocator::DefaultAllocator(), types_, rows_.size());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
        for (std::size_t column = 0; column < types_.size(); ++column) {
            const Source& source = rows_[row][column];
            const duckdb::Value* value = &source.constant;
            duckdb::Value made;
            if (source.parameter) {
                made = decode(*source.parameter);
                value = &made;
                if (value->type() != source.from) return nullptr;  // the plan is for values of another type
            }
            for (const duckdb::LogicalType& type : source.casts) {
                duckdb::Value cast;
                duckdb::string why;
                if (!value->TryCastAs(context, type, cast, &why)) return nullptr;
                made = std::move(cast);
                value = &made;
            }
            if (value->type() != types_[column]) return nullptr;
            chunk->SetValue(column, row, *value);
        }
    }
    chunk->SetCardinality(rows_.size());
    return chunk;
}

}  // namespace boathouse::engine
