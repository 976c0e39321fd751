#include "engine/insert_values.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/catalog/catalog_search_path.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/main/client_data.hpp>
#include <duckdb/optimizer/optimizer_extension.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/star_expression.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/tableref/expressionlistref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>

#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::Catalog;
using duckdb::CatalogType;
using duckdb::ClientContext;
using duckdb::ExpressionClass;
using duckdb::InsertStatement;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

namespace {

// More than these are worth a commit of their own, and memory that somebody should have reserved.
constexpr std::size_t kRowsMax = 10'000;

bool is_of_shapes(const duckdb::TableCatalogEntry& table) {
    return table.ParentCatalog().GetName() == kShapeDatabase;
}

// In the place of an INSERT into a shape: the rows, with the columns of the table.
class LogicalEvaluated final : public duckdb::LogicalExtensionOperator {
  public:
    LogicalEvaluated(duckdb::unique_ptr<LogicalOperator> insert, duckdb::vector<duckdb::LogicalType> table_types,
                     duckdb::idx_t table_index)
        : table_types_(std::move(table_types)), table_index_(table_index) {
        children.push_back(std::move(insert));
    }

    duckdb::string GetName() const override { return "NEW_ROWS"; }
    duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override {
        return GenerateColumnBindings(table_index_, table_types_.size());
    }
    duckdb::vector<duckdb::idx_t> GetTableIndex() const override { return {table_index_}; }

    duckdb::PhysicalOperator& CreatePlan(ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
        auto& insert = children[0]->Cast<duckdb::LogicalInsert>();
        duckdb::PhysicalOperator& rows = planner.CreatePlan(*insert.children[0]);
        return insert.column_index_map.empty() ? rows : planner.ResolveDefaultsProjection(insert, rows);
    }

  protected:
    void ResolveTypes() override { types = table_types_; }

  private:
    const duckdb::vector<duckdb::LogicalType> table_types_;
    const duckdb::idx_t table_index_;
};

void after_optimizer(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& op) {
    for (auto& child : op->children) after_optimizer(input, child);
    if (op->type != LogicalOperatorType::LOGICAL_INSERT) return;
    const auto& insert = op->Cast<duckdb::LogicalInsert>();
    if (!is_of_shapes(insert.table)) return;
    auto types = insert.table.GetTypes();
    const duckdb::idx_t table_index = insert.table_index;
    op = duckdb::make_uniq<LogicalEvaluated>(std::move(op), std::move(types), table_index);
}

// Functions of DuckDB's own are named in full, so that nobody looks for them in the lake, which would ask the catalog.
bool settle_function(ClientContext& context, duckdb::FunctionExpression& function) {
    constexpr const char* kPostgresSchema = "pg_catalog";  // where SQL's own syntax finds its functions
    if (!function.catalog.empty()) return false;
    if (!function.schema.empty() && function.schema != kPostgresSchema) return false;
    const std::string schema = function.schema.empty() ? DEFAULT_SCHEMA : kPostgresSchema;
    if (function.function_name == "set_config") return false;  // a setting of the session's, with effects of its own
    const auto own =
        Catalog::GetSystemCatalog(context).GetEntry(context, CatalogType::SCALAR_FUNCTION_ENTRY, schema,
                                                    function.function_name, duckdb::OnEntryNotFound::RETURN_NULL);
    if (!own) return false;
    function.catalog = SYSTEM_CATALOG;
    function.schema = schema;
    return true;
}

// A type that is not DuckDB's own may be the lake's.
bool settle_type(duckdb::LogicalType& type) {
    if (!type.IsUnbound()) return true;
    const duckdb::LogicalType own = duckdb::UnboundType::TryDefaultBind(type);
    if (own.IsUnbound() || own.id() == duckdb::LogicalTypeId::INVALID) return false;
    type = own;
    return true;
}

bool settle_expression(ClientContext& context, duckdb::ParsedExpression& expression) {
    switch (expression.GetExpressionClass()) {
        case ExpressionClass::FUNCTION:
            return settle_function(context, expression.Cast<duckdb::FunctionExpression>());
        case ExpressionClass::CAST:
            return settle_type(expression.Cast<duckdb::CastExpression>().cast_type);
        case ExpressionClass::SUBQUERY:
        case ExpressionClass::WINDOW:
            return false;
        default:
            return true;
    }
}

bool is_of_kind(const InsertStatement& insert) {
    if (!insert.returning_list.empty() || insert.on_conflict_info || !insert.cte_map.map.empty()) return false;
    if (insert.column_order != duckdb::InsertColumnOrder::INSERT_BY_POSITION) return false;
    if (insert.default_values) return true;
    const auto values = insert.GetValuesList();
    return values && values->values.size() <= kRowsMax;
}

// The schema of the lake in which the statement's table lies, if that can be told without asking the catalog.
std::optional<std::string> schema_of(ClientContext& context, const InsertStatement& insert) {
    const auto is_database = [](const std::string& name) { return duckdb::StringUtil::CIEquals(name, "lake"); };
    if (!insert.catalog.empty()) {
        if (!is_database(insert.catalog) || insert.schema.empty()) return std::nullopt;
        return insert.schema;
    }
    if (!insert.schema.empty()) {
        const bool may_be_database =
            duckdb::DatabaseManager::Get(context).GetDatabase(context, insert.schema) != nullptr;
        if (may_be_database) return std::nullopt;
        return insert.schema;
    }
    const duckdb::EntryLookupInfo lookup(CatalogType::TABLE_ENTRY, insert.table);
    if (Catalog::GetEntry(context, TEMP_CATALOG, DEFAULT_SCHEMA, lookup, duckdb::OnEntryNotFound::RETURN_NULL))
        return std::nullopt;
    const auto& path = duckdb::ClientData::Get(context).catalog_search_path->GetSetPaths();
    if (path.size() != 1 || !is_database(path[0].catalog)) return std::nullopt;
    return path[0].schema;
}

// The statement, moved to the shape of its table.
std::optional<Evaluation> moved_to_shape(duckdb::unique_ptr<InsertStatement> statement,
                                         const std::optional<std::string>& schema, TableShapes& shapes) {
    if (!schema) return std::nullopt;
    Evaluation evaluation;
    evaluation.shape = shapes.find(*schema, statement->table);
    if (!evaluation.shape) return std::nullopt;
    evaluation.statement = std::move(statement);
    evaluation.statement->catalog = kShapeDatabase;
    evaluation.statement->schema = evaluation.shape->schema;
    evaluation.statement->table = evaluation.shape->table;
    evaluation.statement->returning_list.push_back(duckdb::make_uniq<duckdb::StarExpression>());
    return evaluation;
}

duckdb::unique_ptr<InsertStatement> copy_of(const InsertStatement& insert) {
    return duckdb::unique_ptr_cast<duckdb::SQLStatement, InsertStatement>(insert.Copy());
}

}  // namespace

void install_evaluation(duckdb::DatabaseInstance& database) {
    duckdb::OptimizerExtension extension;
    extension.optimize_function = after_optimizer;
    duckdb::OptimizerExtension::Register(duckdb::DBConfig::GetConfig(database), std::move(extension));
}

std::optional<Evaluation> evaluation_of(ClientContext& context, const duckdb::SQLStatement& statement,
                                        TableShapes& shapes) {
    if (statement.type != duckdb::StatementType::INSERT_STATEMENT) return std::nullopt;
    const auto& insert = statement.Cast<InsertStatement>();
    if (!is_of_kind(insert)) return std::nullopt;
    auto copy = copy_of(insert);
    bool own = true;
    std::optional<std::string> schema;
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) { own = own && settle_expression(context, *expression); };
    context.RunFunctionInTransaction(
        [&] {
            walk_statement(*copy, visitor);
            schema = schema_of(context, insert);
        },
        false);
    if (!own) return std::nullopt;
    return moved_to_shape(std::move(copy), schema, shapes);
}

std::optional<Evaluation> evaluation_of_copy(ClientContext& context, const duckdb::SQLStatement& statement,
                                             const std::string& source, TableShapes& shapes) {
    if (statement.type != duckdb::StatementType::INSERT_STATEMENT) return std::nullopt;
    auto copy = copy_of(statement.Cast<InsertStatement>());
    duckdb::QueryNode& query = *copy->select_statement->node;
    if (query.type != duckdb::QueryNodeType::SELECT_NODE) return std::nullopt;
    duckdb::TableRef& from = *query.Cast<duckdb::SelectNode>().from_table;
    if (from.type != duckdb::TableReferenceType::TABLE_FUNCTION) return std::nullopt;
    auto& function = from.Cast<duckdb::TableFunctionRef>().function->Cast<duckdb::FunctionExpression>();
    if (function.function_name != source) return std::nullopt;
    function.catalog = SYSTEM_CATALOG;
    function.schema = DEFAULT_SCHEMA;
    std::optional<std::string> schema;
    context.RunFunctionInTransaction([&] { schema = schema_of(context, *copy); }, false);
    return moved_to_shape(std::move(copy), schema, shapes);
}

LogicalOperator* evaluated_source(LogicalOperator& plan) {
    if (plan.type == LogicalOperatorType::LOGICAL_INSERT) {
        const auto& insert = plan.Cast<duckdb::LogicalInsert>();
        return is_of_shapes(insert.table) && !insert.children.empty() ? insert.children[0].get() : nullptr;
    }
    return plan.type == LogicalOperatorType::LOGICAL_PROJECTION ? evaluated_source(*plan.children[0]) : nullptr;
}

}  // namespace boathouse::engine
