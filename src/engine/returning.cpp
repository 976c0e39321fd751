#include "engine/returning.hpp"

#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/common/types/column/column_data_collection.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/optimizer/optimizer_extension.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/operator/logical_delete.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>
#include <duckdb/planner/operator/logical_update.hpp>
#include <duckdb/storage/buffer_manager.hpp>
#include <mutex>

namespace boathouse::engine {

using duckdb::ClientContext;
using duckdb::ColumnDataCollection;
using duckdb::DataChunk;
using duckdb::idx_t;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using duckdb::PhysicalOperator;
using duckdb::PhysicalPlan;
using duckdb::PhysicalPlanGenerator;

namespace {

using Types = duckdb::vector<duckdb::LogicalType>;

struct KeptRows final : duckdb::GlobalOperatorState {
    KeptRows(ClientContext& context, const Types& types)
        : rows(duckdb::BufferManager::GetBufferManager(context), types) {}
    std::mutex mutex;  // guards rows while they are gathered
    ColumnDataCollection rows;
};

// Passes on what comes, and keeps a copy of the table's columns. Not parallel: the order counts.
class KeepRows final : public PhysicalOperator {
  public:
    KeepRows(PhysicalPlan& plan, PhysicalOperator& child, Types table_types, duckdb::vector<idx_t> columns)
        : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, child.types, child.estimated_cardinality),
          table_types_(std::move(table_types)),
          columns_(std::move(columns)) {
        children.push_back(child);
    }

    duckdb::string GetName() const override { return "KEEP_ROWS"; }

    duckdb::unique_ptr<duckdb::GlobalOperatorState> GetGlobalOperatorState(ClientContext& context) const override {
        return duckdb::make_uniq<KeptRows>(context, table_types_);
    }

    duckdb::OperatorResultType Execute(duckdb::ExecutionContext&, DataChunk& input, DataChunk& chunk,
                                       duckdb::GlobalOperatorState& global, duckdb::OperatorState&) const override {
        DataChunk kept;
        kept.InitializeEmpty(table_types_);
        kept.ReferenceColumns(input, columns_);
        auto& state = global.Cast<KeptRows>();
        {
            const std::lock_guard guard(state.mutex);
            state.rows.Append(kept);
        }
        chunk.Reference(input);
        return duckdb::OperatorResultType::NEED_MORE_INPUT;
    }

  private:
    const Types table_types_;
    const duckdb::vector<idx_t> columns_;  // of the chunk that passes, in the order of the table's
};

struct GivenRows final : duckdb::GlobalSourceState {
    duckdb::ColumnDataScanState scan;
    bool begun = false;
};

// Takes the end of the change, and then gives out the rows that were kept.
class GiveRows final : public PhysicalOperator {
  public:
    GiveRows(PhysicalPlan& plan, const Types& table_types, PhysicalOperator& change, const PhysicalOperator& keeper)
        : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, table_types, keeper.estimated_cardinality),
          keeper_(keeper) {
        children.push_back(change);
    }

    duckdb::string GetName() const override { return "RETURNING"; }
    bool IsSink() const override { return true; }
    bool IsSource() const override { return true; }

    duckdb::SinkResultType Sink(duckdb::ExecutionContext&, DataChunk&, duckdb::OperatorSinkInput&) const override {
        return duckdb::SinkResultType::NEED_MORE_INPUT;
    }

    duckdb::unique_ptr<duckdb::GlobalSourceState> GetGlobalSourceState(ClientContext&) const override {
        return duckdb::make_uniq<GivenRows>();
    }

  protected:
    duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                             duckdb::OperatorSourceInput& input) const override {
        if (!keeper_.op_state) return duckdb::SourceResultType::FINISHED;
        const ColumnDataCollection& rows = keeper_.op_state->Cast<KeptRows>().rows;
        auto& state = input.global_state.Cast<GivenRows>();
        if (!state.begun) rows.InitializeScan(state.scan);
        state.begun = true;
        return rows.Scan(state.scan, chunk) ? duckdb::SourceResultType::HAVE_MORE_OUTPUT
                                            : duckdb::SourceResultType::FINISHED;
    }

  private:
    const PhysicalOperator& keeper_;
};

// Where the table's columns lie in the rows that an UPDATE is made of: DuckLake writes whole rows anew, so that all of
// them are there.
duckdb::vector<idx_t> columns_of(const duckdb::LogicalUpdate& update) {
    duckdb::vector<idx_t> columns(update.table.GetTypes().size(), duckdb::DConstants::INVALID_INDEX);
    for (std::size_t i = 0; i < update.columns.size(); ++i) {
        if (update.expressions[i]->GetExpressionClass() != duckdb::ExpressionClass::BOUND_REF) continue;
        columns[update.columns[i].index] = update.expressions[i]->Cast<duckdb::BoundReferenceExpression>().index;
    }
    for (const idx_t column : columns) {
        if (column == duckdb::DConstants::INVALID_INDEX)
            throw duckdb::NotImplementedException("RETURNING of an UPDATE that sets a column to its DEFAULT");
    }
    return columns;
}

// Above an INSERT, UPDATE or DELETE that has forgotten its RETURNING.
class LogicalReturning final : public duckdb::LogicalExtensionOperator {
  public:
    LogicalReturning(duckdb::unique_ptr<LogicalOperator> change, Types table_types, idx_t table_index)
        : table_types_(std::move(table_types)), table_index_(table_index) {
        children.push_back(std::move(change));
    }

    duckdb::string GetName() const override { return "RETURNING"; }
    duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override {
        return GenerateColumnBindings(table_index_, table_types_.size());
    }
    duckdb::vector<idx_t> GetTableIndex() const override { return {table_index_}; }

    PhysicalOperator& CreatePlan(ClientContext& context, PhysicalPlanGenerator& planner) override {
        LogicalOperator& change = *children[0];
        PhysicalOperator& rows = planner.CreatePlan(*change.children[0]);
        switch (change.type) {
            case LogicalOperatorType::LOGICAL_INSERT:
                return plan_insert(context, planner, change.Cast<duckdb::LogicalInsert>(), rows);
            case LogicalOperatorType::LOGICAL_UPDATE:
                return plan_update(context, planner, change.Cast<duckdb::LogicalUpdate>(), rows);
            default:
                return plan_delete(context, planner, change.Cast<duckdb::LogicalDelete>(), rows);
        }
    }

  protected:
    void ResolveTypes() override { types = table_types_; }

  private:
    PhysicalOperator& keep(PhysicalPlanGenerator& planner, PhysicalOperator& rows, duckdb::vector<idx_t> columns) {
        return planner.Make<KeepRows>(rows, table_types_, std::move(columns));
    }

    PhysicalOperator& give(PhysicalPlanGenerator& planner, PhysicalOperator& change, PhysicalOperator& keeper) {
        return planner.Make<GiveRows>(table_types_, change, keeper);
    }

    PhysicalOperator& plan_insert(ClientContext& context, PhysicalPlanGenerator& planner, duckdb::LogicalInsert& insert,
                                  PhysicalOperator& source) {
        PhysicalOperator* rows = &source;
        if (!insert.column_index_map.empty()) {
            rows = &planner.ResolveDefaultsProjection(insert, source);
            insert.column_index_map = {};
        }
        duckdb::vector<idx_t> columns(table_types_.size());
        for (idx_t i = 0; i < columns.size(); ++i) columns[i] = i;
        planner.dependencies.AddDependency(insert.table);
        PhysicalOperator& keeper = keep(planner, *rows, std::move(columns));
        return give(planner, insert.table.catalog.PlanInsert(context, planner, insert, keeper), keeper);
    }

    PhysicalOperator& plan_update(ClientContext& context, PhysicalPlanGenerator& planner, duckdb::LogicalUpdate& update,
                                  PhysicalOperator& rows) {
        planner.dependencies.AddDependency(update.table);
        PhysicalOperator& keeper = keep(planner, rows, columns_of(update));
        return give(planner, update.table.catalog.PlanUpdate(context, planner, update, keeper), keeper);
    }

    PhysicalOperator& plan_delete(ClientContext& context, PhysicalPlanGenerator& planner, duckdb::LogicalDelete& erase,
                                  PhysicalOperator& rows) {
        // add_columns() has put them behind those that name the row.
        const std::size_t first = erase.expressions.size() - table_types_.size();
        duckdb::vector<idx_t> columns;
        for (std::size_t i = first; i < erase.expressions.size(); ++i)
            columns.push_back(erase.expressions[i]->Cast<duckdb::BoundReferenceExpression>().index);
        erase.expressions.erase(erase.expressions.begin() + static_cast<std::ptrdiff_t>(first),
                                erase.expressions.end());
        planner.dependencies.AddDependency(erase.table);
        PhysicalOperator& keeper = keep(planner, rows, std::move(columns));
        return give(planner, erase.table.catalog.PlanDelete(context, planner, erase, keeper), keeper);
    }

    const Types table_types_;
    const idx_t table_index_;
};

bool is_of_lake(duckdb::TableCatalogEntry& table) {
    return table.ParentCatalog().GetCatalogType() == "ducklake";
}

duckdb::LogicalGet* find_scan(LogicalOperator& op, idx_t table_index) {
    if (op.type == LogicalOperatorType::LOGICAL_GET) {
        auto& get = op.Cast<duckdb::LogicalGet>();
        return get.table_index == table_index ? &get : nullptr;
    }
    for (auto& child : op.children) {
        if (duckdb::LogicalGet* found = find_scan(*child, table_index)) return found;
    }
    return nullptr;
}

// A DELETE reads what its condition needs and the rows' numbers; RETURNING needs the rows.
void add_columns(duckdb::LogicalDelete& erase) {
    const idx_t table_index = erase.expressions.at(0)->Cast<duckdb::BoundColumnRefExpression>().binding.table_index;
    duckdb::LogicalGet* const get = find_scan(*erase.children[0], table_index);
    if (!get) throw duckdb::InternalException("the scan of a DELETE is not below it");
    for (const auto& column : erase.table.GetColumns().Physical()) {
        const auto& ids = get->GetColumnIds();
        idx_t at = 0;
        while (at < ids.size() && ids[at].GetPrimaryIndex() != column.Logical().index) ++at;
        if (at == ids.size()) get->AddColumnId(column.Logical().index);
        erase.expressions.push_back(
            duckdb::make_uniq<duckdb::BoundColumnRefExpression>(column.Type(), duckdb::ColumnBinding(table_index, at)));
    }
}

void before_optimizer(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& op) {
    for (auto& child : op->children) before_optimizer(input, child);
    if (op->type != LogicalOperatorType::LOGICAL_DELETE) return;
    auto& erase = op->Cast<duckdb::LogicalDelete>();
    if (erase.return_chunk && is_of_lake(erase.table)) add_columns(erase);
}

template <class Change>
void replace(duckdb::unique_ptr<LogicalOperator>& op) {
    auto& change = op->Cast<Change>();
    if (!change.return_chunk || !is_of_lake(change.table)) return;
    change.return_chunk = false;
    Types types = change.table.GetTypes();
    const idx_t table_index = change.table_index;
    op = duckdb::make_uniq<LogicalReturning>(std::move(op), std::move(types), table_index);
}

void after_optimizer(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& op) {
    for (auto& child : op->children) after_optimizer(input, child);
    if (op->type == LogicalOperatorType::LOGICAL_INSERT) replace<duckdb::LogicalInsert>(op);
    if (op->type == LogicalOperatorType::LOGICAL_UPDATE) replace<duckdb::LogicalUpdate>(op);
    if (op->type == LogicalOperatorType::LOGICAL_DELETE) replace<duckdb::LogicalDelete>(op);
}

QueryError refusal(const char* what) {
    QueryError error{"0A000", std::string(what) + " is not supported with RETURNING"};
    error.hint = "Leave out RETURNING, and read the rows with a SELECT in the same transaction.";
    return error;
}

}  // namespace

void install_returning(duckdb::DatabaseInstance& database) {
    duckdb::OptimizerExtension extension;
    extension.pre_optimize_function = before_optimizer;
    extension.optimize_function = after_optimizer;
    duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), std::move(extension));
}

std::optional<QueryError> refuse_returning(const duckdb::SQLStatement& statement) {
    switch (statement.type) {
        case duckdb::StatementType::UPDATE_STATEMENT: {
            const auto& update = statement.Cast<duckdb::UpdateStatement>();
            if (update.from_table && !update.returning_list.empty()) return refusal("UPDATE … FROM");
            return std::nullopt;
        }
        case duckdb::StatementType::DELETE_STATEMENT: {
            const auto& erase = statement.Cast<duckdb::DeleteStatement>();
            if (!erase.using_clauses.empty() && !erase.returning_list.empty()) return refusal("DELETE … USING");
            return std::nullopt;
        }
        case duckdb::StatementType::MERGE_INTO_STATEMENT:
            if (!statement.Cast<duckdb::MergeIntoStatement>().returning_list.empty()) return refusal("MERGE");
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

}  // namespace boathouse::engine
