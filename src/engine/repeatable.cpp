#include "engine/repeatable.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/view_catalog_entry.hpp>
#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/expression/window_expression.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <string_view>

#include "engine/self_contained.hpp"
#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using duckdb::Expression;
using duckdb::ExpressionClass;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using duckdb::ParsedExpression;

namespace {

// Views of views …, beyond which nothing is looked into.
constexpr int kViewDepthMax = 16;

// Functions that DuckDB calls consistent and that read the clock, or the session, all the same.
constexpr std::string_view kChangingFunctions[] = {"current_localtime", "current_localtimestamp", "getvariable"};

// DuckLake's virtual columns.
constexpr std::string_view kPlaces[] = {"rowid", "snapshot_id", "filename", "file_row_number", "file_index"};

bool names_place(const duckdb::ColumnRefExpression& column) {
    return std::any_of(column.column_names.begin(), column.column_names.end(), [](const std::string& part) {
        return std::any_of(std::begin(kPlaces), std::end(kPlaces), [&part](std::string_view place) {
            return duckdb::StringUtil::CIEquals(part, std::string(place));
        });
    });
}

bool is_constant(const ParsedExpression& expression) {
    if (expression.GetExpressionClass() == ExpressionClass::CAST)
        return is_constant(*expression.Cast<duckdb::CastExpression>().child);
    return expression.GetExpressionClass() == ExpressionClass::CONSTANT;
}

// False where a relation's answer depends on more than the snapshot.
bool add_relation(Mentions& mentions, duckdb::TableRef& reference) {
    switch (reference.type) {
        case duckdb::TableReferenceType::BASE_TABLE: {
            auto& table = reference.Cast<duckdb::BaseTableRef>();
            const bool is_past = table.at_clause != nullptr;
            // A moment may lie in the future, whose table is the newest one's; a version that is not there is an error.
            const bool is_pinned = is_past && duckdb::StringUtil::CIEquals(table.at_clause->Unit(), "version");
            mentions.relations.push_back({table.catalog_name, table.schema_name, table.table_name, is_pinned});
            return !is_past || is_constant(*table.at_clause->ExpressionMutable());
        }
        case duckdb::TableReferenceType::TABLE_FUNCTION:
            return makes_rows(reference.Cast<duckdb::TableFunctionRef>());
        case duckdb::TableReferenceType::EMPTY_FROM:
        case duckdb::TableReferenceType::EXPRESSION_LIST:
        case duckdb::TableReferenceType::SUBQUERY:
        case duckdb::TableReferenceType::JOIN:
        case duckdb::TableReferenceType::PIVOT:
            return true;
        default:
            return false;
    }
}

bool add_statement(Mentions& mentions, duckdb::SQLStatement& statement) {
    bool fixed = true;
    StatementVisitor visitor;
    visitor.query = [&](duckdb::QueryNode& node) {
        for (const auto& entry : node.cte_map.map)
            mentions.common_tables.insert(duckdb::StringUtil::Lower(entry.first));
    };
    visitor.table = [&](duckdb::TableRef& reference) { fixed = add_relation(mentions, reference) && fixed; };
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() == ExpressionClass::FUNCTION)
            mentions.functions.push_back(expression->Cast<duckdb::FunctionExpression>().function_name);
        if (expression->GetExpressionClass() == ExpressionClass::COLUMN_REF &&
            names_place(expression->Cast<duckdb::ColumnRefExpression>()))
            mentions.names_places = true;
        // Others are the parser's own: row_number, rank …
        if (expression->GetExpressionType() == duckdb::ExpressionType::WINDOW_AGGREGATE)
            mentions.functions.push_back(expression->Cast<duckdb::WindowExpression>().function_name);
    };
    walk_statement(statement, visitor);
    return fixed;
}

// Whether every relation is a table, or a view of such, and no function is a macro of the lake's.
bool is_fixed(duckdb::ClientContext& context, const Mentions& mentions, int depth);

bool is_fixed_view(duckdb::ClientContext& context, duckdb::ViewCatalogEntry& view, int depth) {
    if (depth == kViewDepthMax) return false;
    const auto query = view.GetQuery().Copy();
    Mentions mentions;
    return add_statement(mentions, *query) && is_fixed(context, mentions, depth + 1);
}

bool is_fixed(duckdb::ClientContext& context, const Mentions& mentions, int depth) {
    for (const std::string& function : mentions.functions) {
        if (!is_own_function(context, function)) return false;
    }
    for (const Mentions::Relation& relation : mentions.relations) {
        auto entry = duckdb::Catalog::GetEntry(context, relation.catalog, relation.schema,
                                               duckdb::EntryLookupInfo(duckdb::CatalogType::TABLE_ENTRY, relation.name),
                                               duckdb::OnEntryNotFound::RETURN_NULL);
        // A name of WITH; or a table of the past, of which nothing is known here.
        if (!entry && relation.is_pinned) return false;
        if (!entry || entry->type == duckdb::CatalogType::TABLE_ENTRY) continue;
        if (entry->type != duckdb::CatalogType::VIEW_ENTRY) return false;
        if (!is_fixed_view(context, entry->Cast<duckdb::ViewCatalogEntry>(), depth)) return false;
    }
    return true;
}

bool is_steady(const Expression& expression) {
    if (expression.GetExpressionClass() == ExpressionClass::BOUND_SUBQUERY) return false;
    // Times with a zone's offset take it from the present day.
    if (expression.return_type.id() == duckdb::LogicalTypeId::TIME_TZ) return false;
    if (expression.GetExpressionClass() == ExpressionClass::BOUND_FUNCTION) {
        const auto& call = expression.Cast<duckdb::BoundFunctionExpression>();
        const std::string& name = call.function.name;
        const bool changes = std::find(std::begin(kChangingFunctions), std::end(kChangingFunctions), name) !=
                             std::end(kChangingFunctions);
        if (changes || (name == "age" && call.children.size() == 1)) return false;
        if (call.function.GetStability() != duckdb::FunctionStability::CONSISTENT) return false;
    }
    bool steady = true;
    duckdb::ExpressionIterator::EnumerateChildren(
        expression, [&steady](const Expression& child) { steady = steady && is_steady(child); });
    return steady;
}

// What else a plan may hold writes, samples, or is not known here.
bool is_query_operator(LogicalOperatorType type) {
    switch (type) {
        case LogicalOperatorType::LOGICAL_PROJECTION:
        case LogicalOperatorType::LOGICAL_FILTER:
        case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
        case LogicalOperatorType::LOGICAL_WINDOW:
        case LogicalOperatorType::LOGICAL_UNNEST:
        case LogicalOperatorType::LOGICAL_LIMIT:
        case LogicalOperatorType::LOGICAL_ORDER_BY:
        case LogicalOperatorType::LOGICAL_TOP_N:
        case LogicalOperatorType::LOGICAL_DISTINCT:
        case LogicalOperatorType::LOGICAL_PIVOT:
        case LogicalOperatorType::LOGICAL_GET:
        case LogicalOperatorType::LOGICAL_CHUNK_GET:
        case LogicalOperatorType::LOGICAL_DELIM_GET:
        case LogicalOperatorType::LOGICAL_EXPRESSION_GET:
        case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
        case LogicalOperatorType::LOGICAL_EMPTY_RESULT:
        case LogicalOperatorType::LOGICAL_CTE_REF:
        case LogicalOperatorType::LOGICAL_DELIM_JOIN:
        case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
        case LogicalOperatorType::LOGICAL_ANY_JOIN:
        case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
        case LogicalOperatorType::LOGICAL_POSITIONAL_JOIN:
        case LogicalOperatorType::LOGICAL_ASOF_JOIN:
        case LogicalOperatorType::LOGICAL_DEPENDENT_JOIN:
        case LogicalOperatorType::LOGICAL_UNION:
        case LogicalOperatorType::LOGICAL_EXCEPT:
        case LogicalOperatorType::LOGICAL_INTERSECT:
        case LogicalOperatorType::LOGICAL_RECURSIVE_CTE:
        case LogicalOperatorType::LOGICAL_MATERIALIZED_CTE:
            return true;
        default:
            return false;
    }
}

Repeats of_scan(duckdb::LogicalGet& get) {
    if (const auto table = get.GetTable())
        return table->ParentCatalog().GetName() == "lake" ? Repeats::in_snapshot : Repeats::never;
    const std::string& name = get.function.name;
    const bool makes_its_rows = name.empty() || name == "range" || name == "generate_series" || name == "unnest";
    return makes_its_rows ? Repeats::always : Repeats::never;
}

Repeats of_plan(LogicalOperator& op) {
    if (!is_query_operator(op.type)) return Repeats::never;
    Repeats least =
        op.type == LogicalOperatorType::LOGICAL_GET ? of_scan(op.Cast<duckdb::LogicalGet>()) : Repeats::always;
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(op, [&least](duckdb::unique_ptr<Expression>* expression) {
        if (!is_steady(**expression)) least = Repeats::never;
    });
    for (auto& child : op.children) {
        if (least == Repeats::never) break;
        least = std::min(least, of_plan(*child));
    }
    return least;
}

}  // namespace

std::optional<Mentions> mentions_of(duckdb::SQLStatement& statement) {
    if (statement.type != duckdb::StatementType::SELECT_STATEMENT) return std::nullopt;
    Mentions mentions;
    if (!add_statement(mentions, statement)) return std::nullopt;
    return mentions;
}

Repeats repeats(duckdb::ClientContext& context, const Mentions& mentions, LogicalOperator& plan) {
    const Repeats answer = of_plan(plan);
    if (answer == Repeats::never || !is_fixed(context, mentions, 0)) return Repeats::never;
    const bool are_pinned = std::all_of(mentions.relations.begin(), mentions.relations.end(),
                                        [](const Mentions::Relation& relation) { return relation.is_pinned; });
    return are_pinned ? Repeats::always : Repeats::in_snapshot;
}

}  // namespace boathouse::engine
