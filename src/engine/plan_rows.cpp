#include "engine/plan_rows.hpp"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/execution/operator/projection/physical_projection.hpp>
#include <duckdb/execution/operator/scan/physical_expression_scan.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>

namespace boathouse::engine {

using duckdb::ClientContext;
using duckdb::DataChunk;
using duckdb::PhysicalOperator;
using duckdb::PhysicalOperatorType;

namespace {

using Take = std::function<void(DataChunk&)>;

bool is_of_expressions(const PhysicalOperator& plan) {
    switch (plan.type) {
        case PhysicalOperatorType::DUMMY_SCAN:
            return true;
        case PhysicalOperatorType::EXPRESSION_SCAN:
            return plan.children.size() == 1 && plan.children[0].get().type == PhysicalOperatorType::DUMMY_SCAN;
        case PhysicalOperatorType::PROJECTION:
            return plan.children.size() == 1 && is_of_expressions(plan.children[0].get());
        default:
            return false;
    }
}

void give_list(ClientContext& context, const duckdb::PhysicalExpressionScan& scan, const Take& take) {
    const auto capacity = std::min<duckdb::idx_t>(scan.expressions.size(), STANDARD_VECTOR_SIZE);
    DataChunk rows;
    DataChunk one;
    rows.Initialize(duckdb::Allocator::Get(context), scan.types, capacity);
    one.Initialize(duckdb::Allocator::Get(context), scan.types, 1);
    for (duckdb::idx_t i = 0; i < scan.expressions.size(); ++i) {
        one.Reset();
        scan.EvaluateExpression(context, i, nullptr, rows, &one);
        if (rows.size() < capacity) continue;
        take(rows);
        rows.Reset();
    }
    if (rows.size() > 0) take(rows);
}

// Chunks may refer to what belongs to the operators that gave them, and are gone when `take` has returned.
void give(ClientContext& context, PhysicalOperator& plan, const Take& take) {
    if (plan.type == PhysicalOperatorType::EXPRESSION_SCAN)
        return give_list(context, plan.Cast<duckdb::PhysicalExpressionScan>(), take);
    if (plan.type == PhysicalOperatorType::DUMMY_SCAN) {
        DataChunk one;
        one.SetCardinality(1);
        return take(one);
    }
    const auto& projection = plan.Cast<duckdb::PhysicalProjection>();
    give(context, plan.children[0].get(), [&](DataChunk& from) {
        duckdb::ExpressionExecutor executor(context, projection.select_list);
        DataChunk rows;
        rows.Initialize(duckdb::Allocator::Get(context), projection.types, from.size());
        executor.Execute(from, rows);
        take(rows);
    });
}

}  // namespace

duckdb::unique_ptr<duckdb::ColumnDataCollection> plan_rows(ClientContext& context,
                                                           duckdb::PreparedStatementData& prepared,
                                                           const ParameterValues& values) {
    if (!prepared.physical_plan || !is_of_expressions(prepared.physical_plan->Root())) return nullptr;
    duckdb::unique_ptr<duckdb::ColumnDataCollection> rows;
    context.RunFunctionInTransaction([&] {
        ParameterValues given = values;
        if (prepared.RequireRebind(context, &given)) return;
        prepared.Bind(std::move(given));
        rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(duckdb::Allocator::DefaultAllocator(), prepared.types);
        give(context, prepared.physical_plan->Root(), [&](DataChunk& chunk) { rows->Append(chunk); });
    });
    return rows;
}

}  // namespace boathouse::engine
