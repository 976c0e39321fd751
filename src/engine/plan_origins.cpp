#include "engine/plan_origins.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/operator/logical_aggregate.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/planner/operator/logical_projection.hpp>

#include "engine/kept_tables.hpp"
#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::ColumnBinding;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

namespace {

constexpr const char* kLake = "lake";

struct Source {
    duckdb::TableCatalogEntry& table;
    std::string column;
};

std::optional<Source> find_source(LogicalOperator& op, ColumnBinding binding);

std::optional<Source> source_in_children(LogicalOperator& op, ColumnBinding binding) {
    for (auto& child : op.children) {
        if (auto found = find_source(*child, binding)) return found;
    }
    return std::nullopt;
}

// A bare column is what it refers to; anything else is made here.
std::optional<Source> source_of(LogicalOperator& op,
                                const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& expressions,
                                duckdb::idx_t index) {
    if (index >= expressions.size() ||
        expressions[index]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF)
        return std::nullopt;
    return source_in_children(op, expressions[index]->Cast<duckdb::BoundColumnRefExpression>().binding);
}

std::optional<Source> source_of_scan(duckdb::LogicalGet& get, ColumnBinding binding) {
    if (get.table_index != binding.table_index) return std::nullopt;
    auto table = get.GetTable();
    const auto& ids = get.GetColumnIds();
    if (!table || binding.column_index >= ids.size() || ids[binding.column_index].IsVirtualColumn())
        return std::nullopt;
    if (table->ParentCatalog().GetName() != kLake) return std::nullopt;
    return Source{*table, get.GetColumnName(ids[binding.column_index])};
}

std::optional<Source> find_source(LogicalOperator& op, ColumnBinding binding) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_GET:
            return source_of_scan(op.Cast<duckdb::LogicalGet>(), binding);
        case LogicalOperatorType::LOGICAL_PROJECTION: {
            auto& projection = op.Cast<duckdb::LogicalProjection>();
            if (projection.table_index != binding.table_index) return std::nullopt;
            return source_of(op, projection.expressions, binding.column_index);
        }
        case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY: {
            auto& aggregate = op.Cast<duckdb::LogicalAggregate>();
            if (aggregate.group_index != binding.table_index) return std::nullopt;
            return source_of(op, aggregate.groups, binding.column_index);
        }
        default:
            return source_in_children(op, binding);
    }
}

}  // namespace

std::vector<std::string> named_relations(duckdb::SQLStatement& statement) {
    std::vector<std::string> names;
    StatementVisitor visitor;
    visitor.table = [&](duckdb::TableRef& reference) {
        if (reference.type == duckdb::TableReferenceType::BASE_TABLE)
            names.push_back(reference.Cast<duckdb::BaseTableRef>().table_name);
    };
    walk_statement(statement, visitor);
    return names;
}

ColumnOrigins origins_of(duckdb::ClientContext& context, LogicalOperator& plan, const std::vector<std::string>& named) {
    ColumnOrigins origins;
    for (const ColumnBinding binding : plan.GetColumnBindings()) {
        ColumnOrigin& origin = origins.columns.emplace_back();
        const std::optional<Source> source = find_source(plan, binding);
        if (!source) continue;
        const bool is_named = std::any_of(named.begin(), named.end(), [&](const std::string& name) {
            return duckdb::StringUtil::CIEquals(name, source->table.name);
        });
        if (!is_named) continue;
        origin = {source->table.ParentSchema().name, source->table.name, source->column};
        if (!origins.schema_version) origins.schema_version = schema_version_of(context, source->table.ParentCatalog());
    }
    return origins;
}

}  // namespace boathouse::engine
