#include "engine/plan_reader.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/parsed_data/alter_info.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/parsed_data/create_function_info.hpp>
#include <duckdb/parser/parsed_data/create_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/emptytableref.hpp>
#include <duckdb/planner/expression/bound_subquery_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/logical_create.hpp>
#include <duckdb/planner/operator/logical_create_index.hpp>
#include <duckdb/planner/operator/logical_create_table.hpp>
#include <duckdb/planner/operator/logical_delete.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>
#include <duckdb/planner/operator/logical_merge_into.hpp>
#include <duckdb/planner/operator/logical_simple.hpp>
#include <duckdb/planner/operator/logical_update.hpp>
#include <duckdb/planner/parsed_data/bound_create_table_info.hpp>
#include <set>
#include <string_view>

#include "engine/copy_source.hpp"
#include "engine/kept_tables.hpp"
#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using access::ObjectKind;
using access::Privilege;
using access::RelationNeed;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

namespace {

constexpr const char* kLake = "lake";
constexpr const char* kTemporary = "temp";
constexpr const char* kSystem = "system";

// Table functions that need no privilege: they read nothing but their arguments, or tell what PostgreSQL tells
// everybody in its system catalogs.
constexpr std::string_view kFreeFunctions[] = {
    "range",
    "generate_series",
    "unnest",
    "repeat",
    "repeat_row",
    "summary",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "icu_calendar_names",
    "column_data_scan",
    kCopyFunction,
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "pragma_collations",
    "pragma_platform",
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_functions",
    "duckdb_indexes",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_sequences",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "ducklake_snapshots",
    "ducklake_current_snapshot",
    "ducklake_last_committed_snapshot",
    "ducklake_table_info",
};

// Those whose second and third arguments are a schema and a table, which they read at several versions of the lake.
constexpr std::string_view kChangeFunctions[] = {"ducklake_table_changes", "ducklake_table_insertions",
                                                 "ducklake_table_deletions"};

constexpr const char* kListFiles = "ducklake_list_files";

template <std::size_t N>
bool contains(const std::string_view (&names)[N], std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string text_of(const duckdb::vector<duckdb::Value>& values, std::size_t index) {
    return index < values.size() && !values[index].IsNull() ? values[index].ToString() : std::string();
}

const duckdb::SQLStatement* explained(const duckdb::SQLStatement* statement) {
    while (statement != nullptr && statement->type == duckdb::StatementType::EXPLAIN_STATEMENT)
        statement = statement->Cast<duckdb::ExplainStatement>().stmt.get();
    return statement;
}

// The statement that is bound, if it is of that kind.
template <typename Statement>
const Statement* text_as(const BoundText& text) {
    const duckdb::SQLStatement* const statement = explained(text.statement);
    return statement != nullptr && statement->type == Statement::TYPE ? &statement->Cast<Statement>() : nullptr;
}

// The names of columns that a text reads anywhere, without their tables; "*" for a star.
std::set<std::string> names_in(duckdb::SQLStatement& statement) {
    std::set<std::string> names;
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() == duckdb::ExpressionClass::COLUMN_REF) {
            // A struct's fields look like a table's columns.
            for (const auto& part : expression->Cast<duckdb::ColumnRefExpression>().column_names)
                names.insert(duckdb::StringUtil::Lower(part));
        } else if (expression->GetExpressionClass() == duckdb::ExpressionClass::STAR) {
            names.insert("*");
        }
    };
    walk_statement(statement, visitor);
    return names;
}

std::set<std::string> names_read(const BoundText& text) {
    if (text.statement == nullptr) return {"*"};
    return names_in(*text.statement->Copy());
}

// Of RETURNING alone: VALUES is a star to DuckDB.
std::set<std::string> names_returned(const duckdb::InsertStatement* insert) {
    if (insert == nullptr) return {"*"};
    auto returned = duckdb::make_uniq<duckdb::SelectNode>();
    for (const auto& expression : insert->returning_list) returned->select_list.push_back(expression->Copy());
    returned->from_table = duckdb::make_uniq<duckdb::EmptyTableRef>();
    duckdb::SelectStatement select;
    select.node = std::move(returned);
    return names_in(select);
}

std::vector<std::string> all_columns(duckdb::TableCatalogEntry& table) {
    std::vector<std::string> names;
    for (const auto& column : table.GetColumns().Logical()) names.push_back(column.Name());
    return names;
}

// As the table has them, for names as a client may write them.
std::vector<std::string> columns_named(duckdb::TableCatalogEntry& table, const duckdb::vector<std::string>& written) {
    std::vector<std::string> names;
    for (const std::string& name : all_columns(table)) {
        const bool is_written = std::any_of(written.begin(), written.end(), [&](const std::string& other) {
            return duckdb::StringUtil::CIEquals(name, other);
        });
        if (is_written) names.push_back(name);
    }
    return names;
}

ObjectKind kind_of(duckdb::CatalogType type) {
    switch (type) {
        case duckdb::CatalogType::VIEW_ENTRY:
            return ObjectKind::view;
        case duckdb::CatalogType::MACRO_ENTRY:
        case duckdb::CatalogType::TABLE_MACRO_ENTRY:
            return ObjectKind::macro;
        default:
            return ObjectKind::table;
    }
}

std::string name_of(const duckdb::CreateInfo& info) {
    switch (info.type) {
        case duckdb::CatalogType::TABLE_ENTRY:
            return info.Cast<duckdb::CreateTableInfo>().table;
        case duckdb::CatalogType::VIEW_ENTRY:
            return info.Cast<duckdb::CreateViewInfo>().view_name;
        case duckdb::CatalogType::MACRO_ENTRY:
        case duckdb::CatalogType::TABLE_MACRO_ENTRY:
            return info.Cast<duckdb::CreateFunctionInfo>().name;
        default:
            return {};
    }
}

// What CREATE OR REPLACE of such an object may replace.
std::vector<duckdb::CatalogType> types_of_namesakes(duckdb::CatalogType type) {
    if (type == duckdb::CatalogType::TABLE_ENTRY || type == duckdb::CatalogType::VIEW_ENTRY)
        return {duckdb::CatalogType::TABLE_ENTRY};
    return {duckdb::CatalogType::MACRO_ENTRY, duckdb::CatalogType::TABLE_MACRO_ENTRY};
}

}  // namespace

void PlanReader::read(LogicalOperator& op) {
    read_operator(op);
    // Below it lies what DuckLake itself plans.
    if (op.type == LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR) return;
    read_expressions(op);
    for (auto& child : op.children) read(*child);
}

void PlanReader::read_operator(LogicalOperator& op) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_GET:
            return read_get(op.Cast<duckdb::LogicalGet>());
        case LogicalOperatorType::LOGICAL_INSERT:
            return read_insert(op);
        case LogicalOperatorType::LOGICAL_UPDATE:
            return read_update(op);
        case LogicalOperatorType::LOGICAL_DELETE:
            return read_delete(op);
        case LogicalOperatorType::LOGICAL_MERGE_INTO:
            return read_merge(op);
        case LogicalOperatorType::LOGICAL_CREATE_TABLE: {
            auto& create = op.Cast<duckdb::LogicalCreateTable>();
            return read_create(create.info->Base(), &create.schema);
        }
        case LogicalOperatorType::LOGICAL_CREATE_SCHEMA:
        case LogicalOperatorType::LOGICAL_CREATE_VIEW:
        case LogicalOperatorType::LOGICAL_CREATE_MACRO:
        case LogicalOperatorType::LOGICAL_CREATE_TYPE:
        case LogicalOperatorType::LOGICAL_CREATE_SEQUENCE: {
            auto& create = op.Cast<duckdb::LogicalCreate>();
            return read_create(*create.info, create.schema);
        }
        case LogicalOperatorType::LOGICAL_DROP:
            return read_drop(op);
        case LogicalOperatorType::LOGICAL_ALTER:
            return read_alter(op);
        case LogicalOperatorType::LOGICAL_CREATE_INDEX:
        case LogicalOperatorType::LOGICAL_VACUUM:
        case LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR:
        case LogicalOperatorType::LOGICAL_ATTACH:
        case LogicalOperatorType::LOGICAL_DETACH:
        case LogicalOperatorType::LOGICAL_EXPORT:
        case LogicalOperatorType::LOGICAL_COPY_DATABASE:
        case LogicalOperatorType::LOGICAL_CREATE_SECRET:
        case LogicalOperatorType::LOGICAL_LOAD:
        case LogicalOperatorType::LOGICAL_UPDATE_EXTENSIONS:
            return keeper("this statement");
        default:
            return;
    }
}

void PlanReader::read_expressions(LogicalOperator& op) {
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(
        op, [this](duckdb::unique_ptr<duckdb::Expression>* expression) { read_subqueries(**expression); });
}

// Subqueries that are not planned into joins yet keep their plans.
void PlanReader::read_subqueries(duckdb::Expression& expression) {
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_SUBQUERY) {
        auto& subquery = expression.Cast<duckdb::BoundSubqueryExpression>().subquery;
        if (subquery.plan) read(*subquery.plan);
    }
    duckdb::ExpressionIterator::EnumerateChildren(expression,
                                                  [this](duckdb::Expression& child) { read_subqueries(child); });
}

void PlanReader::read_get(duckdb::LogicalGet& get) {
    if (auto table = get.GetTable()) return read_scan(get, *table);
    if (!get.function.name.empty()) read_function(get);
}

bool PlanReader::note(duckdb::TableCatalogEntry& table) {
    const std::string& database = table.ParentCatalog().GetName();
    if (database == kTemporary || database == kSystem) return false;
    if (database != kLake) keeper("database " + database);
    if (needs_.schema_version) return true;
    needs_.schema_version = schema_version_of(context_, table.ParentCatalog());
    return true;
}

RelationNeed PlanReader::need_on(duckdb::TableCatalogEntry& table, Privilege privilege) {
    RelationNeed need;
    need.schema = table.ParentSchema().name;
    need.name = table.name;
    need.privilege = privilege;
    if (std::find(present_.begin(), present_.end(), &table) != present_.end()) return need;
    const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, table.name);
    const auto present =
        duckdb::Catalog::GetEntry(context_, kLake, need.schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    need.travelled = present.get() != &table;
    return need;
}

void PlanReader::add(RelationNeed need) {
    if (std::find(needs_.relations.begin(), needs_.relations.end(), need) == needs_.relations.end())
        needs_.relations.push_back(std::move(need));
}

void PlanReader::read_scan(duckdb::LogicalGet& get, duckdb::TableCatalogEntry& table) {
    if (&get == target_ || !note(table)) return;
    RelationNeed need = need_on(table, Privilege::select);
    for (const duckdb::ColumnIndex& column : get.GetColumnIds()) {
        // Where a row lies and when it came: as PostgreSQL's system columns.
        if (column.IsVirtualColumn()) {
            need.whole = true;
        } else {
            need.columns.push_back(get.GetColumnName(column));
        }
    }
    add(std::move(need));
}

bool PlanReader::is_known_function(const std::string& name) {
    return contains(kFreeFunctions, name) || contains(kChangeFunctions, name) || name == kListFiles;
}

void PlanReader::read_function(duckdb::LogicalGet& get) {
    const std::string& name = get.function.name;
    if (text_.is_own || contains(kFreeFunctions, name)) return;
    RelationNeed need;
    if (name == kViewColumns) {
        for (const duckdb::ColumnIndex& column : get.GetColumnIds())
            if (!column.IsVirtualColumn()) need.columns.push_back(get.GetColumnName(column));
        views_.emplace_back(get.parameters.at(0).GetValue<std::uint64_t>(), std::move(need));
        return;
    }
    const auto named = [&](const char* parameter) {
        const auto found = get.named_parameters.find(parameter);
        return found == get.named_parameters.end() ? std::string() : found->second.ToString();
    };
    if (text_of(get.parameters, 0) != kLake) return keeper(name);
    if (contains(kChangeFunctions, name)) {
        need.schema = text_of(get.parameters, 1);
        need.name = text_of(get.parameters, 2);
        need.travelled = true;
    } else if (name == kListFiles) {
        need.schema = named("schema").empty() ? "main" : named("schema");
        need.name = text_of(get.parameters, 1);
        need.travelled = get.named_parameters.size() > (named("schema").empty() ? 0 : 1);
    } else {
        return keeper(name);
    }
    need.whole = true;
    add(std::move(need));
}

void PlanReader::read_target(LogicalOperator& op, duckdb::TableCatalogEntry& table) {
    std::vector<LogicalOperator*> open{&op};
    while (!open.empty() && target_ == nullptr) {
        LogicalOperator* const next = open.back();
        open.pop_back();
        for (auto& child : next->children) open.push_back(child.get());
        if (next->type != LogicalOperatorType::LOGICAL_GET) continue;
        auto& get = next->Cast<duckdb::LogicalGet>();
        const auto& ids = get.GetColumnIds();
        const bool finds_rows =
            std::any_of(ids.begin(), ids.end(), [](const auto& id) { return id.IsVirtualColumn(); });
        if (finds_rows && get.GetTable().get() == &table) target_ = &get;
    }
    const std::set<std::string> read = names_read(text_);
    RelationNeed need = need_on(table, Privilege::select);
    for (const std::string& name : all_columns(table)) {
        if (read.contains("*") || read.contains(duckdb::StringUtil::Lower(name))) need.columns.push_back(name);
    }
    for (const char* place : {"rowid", "snapshot_id", "filename", "file_row_number", "file_index"})
        need.whole = need.whole || read.contains(place);
    if (need.whole || !need.columns.empty()) add(std::move(need));
}

void PlanReader::read_insert(LogicalOperator& op) {
    auto& insert = op.Cast<duckdb::LogicalInsert>();
    if (!note(insert.table)) return;
    RelationNeed need = need_on(insert.table, Privilege::insert);
    std::size_t index = 0;
    for (const auto& column : insert.table.GetColumns().Physical()) {
        const bool is_default =
            index < insert.column_index_map.size() &&
            insert.column_index_map[duckdb::PhysicalIndex(index)] == duckdb::DConstants::INVALID_INDEX;
        if (!is_default) need.columns.push_back(column.Name());
        ++index;
    }
    add(std::move(need));
    const auto* text = text_as<duckdb::InsertStatement>(text_);
    if (insert.return_chunk && (text == nullptr || !text->returning_list.empty())) {
        RelationNeed returned = need_on(insert.table, Privilege::select);
        const std::set<std::string> read = names_returned(text);
        for (std::string& name : all_columns(insert.table))
            if (read.contains("*") || read.contains(duckdb::StringUtil::Lower(name))) returned.columns.push_back(name);
        add(std::move(returned));
    }
}

void PlanReader::read_update(LogicalOperator& op) {
    auto& update = op.Cast<duckdb::LogicalUpdate>();
    if (!note(update.table)) return;
    RelationNeed need = need_on(update.table, Privilege::update);
    const auto* text = text_as<duckdb::UpdateStatement>(text_);
    need.columns = text != nullptr && text->set_info ? columns_named(update.table, text->set_info->columns)
                                                     : all_columns(update.table);
    add(std::move(need));
    read_target(op, update.table);
}

void PlanReader::read_delete(LogicalOperator& op) {
    auto& change = op.Cast<duckdb::LogicalDelete>();
    if (!note(change.table)) return;
    RelationNeed need = need_on(change.table, text_.truncates ? Privilege::truncate : Privilege::remove);
    need.whole = true;
    add(std::move(need));
    read_target(op, change.table);
}

void PlanReader::read_merge(LogicalOperator& op) {
    auto& merge = op.Cast<duckdb::LogicalMergeInto>();
    if (!note(merge.table)) return;
    const auto* text = text_as<duckdb::MergeIntoStatement>(text_);
    const auto need = [&](Privilege privilege, std::vector<std::string> columns) {
        RelationNeed needed = need_on(merge.table, privilege);
        needed.whole = privilege == Privilege::remove;
        needed.columns = std::move(columns);
        add(std::move(needed));
    };
    const std::vector<std::string> all = all_columns(merge.table);
    if (text == nullptr) {
        for (const Privilege privilege : {Privilege::insert, Privilege::update, Privilege::remove})
            need(privilege, all);
        return read_target(op, merge.table);
    }
    for (const auto& [condition, actions] : text->actions) {
        for (const auto& action : actions) {
            if (action->action_type == duckdb::MergeActionType::MERGE_UPDATE) {
                need(Privilege::update, action->update_info && !action->update_info->columns.empty()
                                            ? columns_named(merge.table, action->update_info->columns)
                                            : all);
            } else if (action->action_type == duckdb::MergeActionType::MERGE_INSERT) {
                need(Privilege::insert,
                     action->insert_columns.empty()
                         ? all
                         : columns_named(merge.table, {action->insert_columns.begin(), action->insert_columns.end()}));
            } else if (action->action_type == duckdb::MergeActionType::MERGE_DELETE) {
                need(Privilege::remove, {});
            }
        }
    }
    read_target(op, merge.table);
}

void PlanReader::need_owner(duckdb::CatalogType type, const std::string& catalog, const std::string& schema,
                            const std::string& name) {
    const duckdb::EntryLookupInfo lookup(type, name);
    auto entry = duckdb::Catalog::GetEntry(context_, catalog, schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    if (!entry || entry->ParentCatalog().GetName() != kLake) return;
    if (!needs_.schema_version) needs_.schema_version = schema_version_of(context_, entry->ParentCatalog());
    needs_.owned.push_back({kind_of(entry->type), entry->ParentSchema().name, entry->name});
}

void PlanReader::read_create(const duckdb::CreateInfo& info, duckdb::optional_ptr<duckdb::SchemaCatalogEntry> schema) {
    const bool replaces = info.on_conflict == duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
    if (info.type == duckdb::CatalogType::SCHEMA_ENTRY) {
        needs_.creates_schema = true;
        if (replaces) return keeper("this statement");
        const auto present =
            duckdb::Catalog::GetSchema(context_, kLake, info.schema, duckdb::OnEntryNotFound::RETURN_NULL);
        if (!present) made_.push_back({ObjectKind::schema, info.schema, ""});
        return;
    }
    if (!schema) return keeper("this statement");
    const std::string& database = schema->ParentCatalog().GetName();
    if (database == kTemporary) return;
    if (database != kLake) return keeper("database " + database);
    needs_.created_in.push_back(schema->name);
    if (name_of(info).empty()) return keeper("this statement");  // types and sequences, which a lake has not
    bool is_there = false;
    for (const auto type : types_of_namesakes(info.type)) {
        const duckdb::EntryLookupInfo lookup(type, name_of(info));
        is_there = is_there || duckdb::Catalog::GetEntry(context_, kLake, schema->name, lookup,
                                                         duckdb::OnEntryNotFound::RETURN_NULL);
        if (replaces) need_owner(type, kLake, schema->name, name_of(info));
    }
    if (!is_there || replaces) made_.push_back({kind_of(info.type), schema->name, name_of(info)});
}

void PlanReader::read_drop(const LogicalOperator& op) {
    const auto& info = op.Cast<duckdb::LogicalSimple>().info->Cast<duckdb::DropInfo>();
    if (info.type == duckdb::CatalogType::SCHEMA_ENTRY) {
        needs_.owned.push_back({ObjectKind::schema, info.name, ""});
        return;
    }
    need_owner(info.type, info.catalog, info.schema, info.name);
}

void PlanReader::read_alter(const LogicalOperator& op) {
    const auto& info = op.Cast<duckdb::LogicalSimple>().info->Cast<duckdb::AlterInfo>();
    if (info.type == duckdb::AlterType::ALTER_DATABASE) return keeper("ALTER DATABASE");
    need_owner(info.GetCatalogType(), info.catalog, info.schema, info.name);
    if (info.type != duckdb::AlterType::ALTER_TABLE && info.type != duckdb::AlterType::ALTER_VIEW) return;
    std::string new_name;
    if (info.type == duckdb::AlterType::ALTER_TABLE &&
        info.Cast<duckdb::AlterTableInfo>().alter_table_type == duckdb::AlterTableType::RENAME_TABLE) {
        new_name = info.Cast<duckdb::RenameTableInfo>().new_table_name;
    } else if (info.type == duckdb::AlterType::ALTER_VIEW &&
               info.Cast<duckdb::AlterViewInfo>().alter_view_type == duckdb::AlterViewType::RENAME_VIEW) {
        new_name = info.Cast<duckdb::RenameViewInfo>().new_view_name;
    }
    if (new_name.empty() || needs_.owned.empty()) return;
    const std::string& schema = needs_.owned.back().schema;
    needs_.created_in.push_back(schema);
    made_.push_back({needs_.owned.back().kind, schema, new_name, true});
}

}  // namespace boathouse::engine
