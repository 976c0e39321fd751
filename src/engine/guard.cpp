#include "engine/guard.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/parser/parsed_data/alter_info.hpp>
#include <duckdb/parser/parsed_data/comment_on_column_info.hpp>
#include <duckdb/parser/parsed_data/create_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/parser/statement/drop_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/planner/expression/bound_subquery_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/logical_create.hpp>
#include <duckdb/planner/operator/logical_create_index.hpp>
#include <duckdb/planner/operator/logical_create_table.hpp>
#include <duckdb/planner/operator/logical_delete.hpp>
#include <duckdb/planner/operator/logical_get.hpp>
#include <duckdb/planner/operator/logical_insert.hpp>
#include <duckdb/planner/operator/logical_merge_into.hpp>
#include <duckdb/planner/operator/logical_simple.hpp>
#include <duckdb/planner/operator/logical_update.hpp>
#include <duckdb/planner/planner_extension.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "engine/box_functions.hpp"
#include "engine/copy_source.hpp"
#include "engine/insert_values.hpp"
#include "engine/kept_tables.hpp"
#include "engine/plan_origins.hpp"

namespace boathouse::engine {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using duckdb::StatementType;

namespace {

constexpr const char* kMark = "boathouse_client";

struct ClientMark final : duckdb::ClientContextState {
    explicit ClientMark(Watch& told) : watch(told) {}
    Watch& watch;
    std::optional<OwnCheck> own;  // an OwnStatement lives
};

// Table functions that read nothing but their arguments, the lake, or DuckDB's description of itself.
constexpr std::string_view kFunctions[] = {
    "range",
    "generate_series",
    "unnest",
    "repeat",
    "repeat_row",
    "summary",
    "json_each",
    "json_tree",
    "checkpoint",
    "force_checkpoint",
    "pg_timezone_names",
    "icu_calendar_names",
    "ducklake_scan",
    "seq_scan",
    "column_data_scan",
    kCopyFunction,
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "pragma_database_size",
    "pragma_collations",
    "pragma_platform",
    "pragma_storage_info",
};
constexpr std::string_view kFunctionPrefixes[] = {"duckdb_", "ducklake_", kBoxFunctionPrefix};
// Among those with an allowed prefix: what shows or reads what is not the lake's.
constexpr std::string_view kRefusedFunctions[] = {"duckdb_secrets", "duckdb_secret_types", "duckdb_logs",
                                                  "duckdb_logs_parsed", "duckdb_log_contexts"};
// Among the lake's functions: what changes nothing.
constexpr std::string_view kReadingFunctions[] = {"ducklake_scan",
                                                  "ducklake_snapshots",
                                                  "ducklake_current_snapshot",
                                                  "ducklake_last_committed_snapshot",
                                                  "ducklake_options",
                                                  "ducklake_settings",
                                                  "ducklake_table_info",
                                                  "ducklake_list_files",
                                                  "ducklake_table_changes",
                                                  "ducklake_table_insertions",
                                                  "ducklake_table_deletions"};
constexpr std::string_view kDatabases[] = {"lake", "temp", "system"};

bool contains(std::span<const std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void check_database(const std::string& name) {
    if (contains(kDatabases, name)) return;
    throw duckdb::PermissionException("permission denied for database \"%s\": only the lake is open to SQL clients",
                                      name);
}

void check_function(const std::string& name) {
    bool known = contains(kFunctions, name);
    for (const std::string_view prefix : kFunctionPrefixes) known = known || std::string_view(name).starts_with(prefix);
    if (known && !contains(kRefusedFunctions, name)) return;
    throw duckdb::PermissionException("permission denied for table function %s", name);
}

void check_get(const duckdb::LogicalGet& get) {
    // A function without a name scans rows that are part of the plan.
    if (const auto table = get.GetTable()) return check_database(table->ParentCatalog().GetName());
    if (!get.function.name.empty()) check_function(get.function.name);
}

// Without a name it is the session's default, and that is the lake: USE and search_path name nothing else.
void check_named_database(const std::string& name) {
    if (!name.empty()) check_database(name);
}

void check_create(const duckdb::LogicalCreate& create) {
    check_named_database(create.schema ? create.schema->ParentCatalog().GetName() : create.info->catalog);
}

void check_change(const duckdb::ParseInfo& info) {
    if (info.info_type == duckdb::ParseInfoType::DROP_INFO) check_named_database(info.Cast<duckdb::DropInfo>().catalog);
    if (info.info_type == duckdb::ParseInfoType::ALTER_INFO)
        check_named_database(info.Cast<duckdb::AlterInfo>().catalog);
}

void check_operator(LogicalOperator& op) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_GET:
            return check_get(op.Cast<duckdb::LogicalGet>());
        case LogicalOperatorType::LOGICAL_INSERT:
            return check_database(op.Cast<duckdb::LogicalInsert>().table.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_UPDATE:
            return check_database(op.Cast<duckdb::LogicalUpdate>().table.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_DELETE:
            return check_database(op.Cast<duckdb::LogicalDelete>().table.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_MERGE_INTO:
            return check_database(op.Cast<duckdb::LogicalMergeInto>().table.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_CREATE_TABLE:
            return check_database(op.Cast<duckdb::LogicalCreateTable>().schema.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_CREATE_INDEX:
            return check_database(op.Cast<duckdb::LogicalCreateIndex>().table.ParentCatalog().GetName());
        case LogicalOperatorType::LOGICAL_CREATE_SCHEMA:
        case LogicalOperatorType::LOGICAL_CREATE_VIEW:
        case LogicalOperatorType::LOGICAL_CREATE_MACRO:
        case LogicalOperatorType::LOGICAL_CREATE_TYPE:
        case LogicalOperatorType::LOGICAL_CREATE_SEQUENCE:
            return check_create(op.Cast<duckdb::LogicalCreate>());
        case LogicalOperatorType::LOGICAL_DROP:
        case LogicalOperatorType::LOGICAL_ALTER:
            return check_change(*op.Cast<duckdb::LogicalSimple>().info);
        default:
            return;
    }
}

// DuckLake takes a comment on a column that is not there for an internal error, after which DuckDB refuses everything.
void check_commented_column(duckdb::ClientContext& context, const LogicalOperator& op) {
    if (op.type != LogicalOperatorType::LOGICAL_ALTER) return;
    const auto& info = op.Cast<duckdb::LogicalSimple>().info->Cast<duckdb::AlterInfo>();
    if (info.type != duckdb::AlterType::SET_COLUMN_COMMENT) return;
    const std::string& column = info.Cast<duckdb::SetColumnCommentInfo>().column_name;
    const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, info.name);
    const auto entry =
        duckdb::Catalog::GetEntry(context, info.catalog, info.schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    if (!entry || entry->type != duckdb::CatalogType::TABLE_ENTRY) return;
    if (entry->Cast<duckdb::TableCatalogEntry>().ColumnExists(column)) return;
    throw duckdb::BinderException("Table \"%s\" does not have a column with name \"%s\"", info.name, column);
}

using OperatorVisitor = std::function<void(LogicalOperator&)>;

void visit_operators(LogicalOperator& op, const OperatorVisitor& visit);

// A correlated subquery keeps its plan within the expression until the optimizer makes a join of it.
void visit_subqueries(duckdb::Expression& expression, const OperatorVisitor& visit) {
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_SUBQUERY) {
        auto& subquery = expression.Cast<duckdb::BoundSubqueryExpression>().subquery;
        if (subquery.plan) visit_operators(*subquery.plan, visit);
    }
    duckdb::ExpressionIterator::EnumerateChildren(
        expression, [&visit](duckdb::Expression& child) { visit_subqueries(child, visit); });
}

// Every operator of a plan. Below an extension's lies what DuckLake itself plans: compaction reads and writes the
// lake's files.
void visit_operators(LogicalOperator& op, const OperatorVisitor& visit) {
    visit(op);
    if (op.type == LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR) return;
    duckdb::LogicalOperatorVisitor::EnumerateExpressions(
        op, [&visit](duckdb::unique_ptr<duckdb::Expression>* expression) { visit_subqueries(**expression, visit); });
    for (auto& child : op.children) visit_operators(*child, visit);
}

// PostgreSQL's word for what writes, for "cannot execute … in a read-only transaction"; nullptr if `op` does not.
const char* writing_word(LogicalOperator& op) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_GET: {
            const std::string& name = op.Cast<duckdb::LogicalGet>().function.name;
            if (name == "checkpoint" || name == "force_checkpoint") return "CHECKPOINT";
            return name.starts_with("ducklake_") && !contains(kReadingFunctions, name) ? "CALL" : nullptr;
        }
        case LogicalOperatorType::LOGICAL_INSERT:
            return "INSERT";
        case LogicalOperatorType::LOGICAL_UPDATE:
            return "UPDATE";
        case LogicalOperatorType::LOGICAL_DELETE:
            return "DELETE";
        case LogicalOperatorType::LOGICAL_MERGE_INTO:
            return "MERGE";
        case LogicalOperatorType::LOGICAL_CREATE_TABLE:
        case LogicalOperatorType::LOGICAL_CREATE_INDEX:
        case LogicalOperatorType::LOGICAL_CREATE_SCHEMA:
        case LogicalOperatorType::LOGICAL_CREATE_VIEW:
        case LogicalOperatorType::LOGICAL_CREATE_MACRO:
        case LogicalOperatorType::LOGICAL_CREATE_TYPE:
        case LogicalOperatorType::LOGICAL_CREATE_SEQUENCE:
            return "CREATE";
        case LogicalOperatorType::LOGICAL_DROP:
            return "DROP";
        case LogicalOperatorType::LOGICAL_ALTER:
            return "ALTER";
        case LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR:
            return "CALL";
        default:
            return nullptr;
    }
}

constexpr const char* kTemporary = "temp";

// As in PostgreSQL, temporary tables may be written in a read-only transaction.
bool is_temporary(LogicalOperator& op) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_INSERT:
            return op.Cast<duckdb::LogicalInsert>().table.ParentCatalog().GetName() == kTemporary;
        case LogicalOperatorType::LOGICAL_UPDATE:
            return op.Cast<duckdb::LogicalUpdate>().table.ParentCatalog().GetName() == kTemporary;
        case LogicalOperatorType::LOGICAL_DELETE:
            return op.Cast<duckdb::LogicalDelete>().table.ParentCatalog().GetName() == kTemporary;
        case LogicalOperatorType::LOGICAL_CREATE_TABLE:
            return op.Cast<duckdb::LogicalCreateTable>().schema.ParentCatalog().GetName() == kTemporary;
        default:
            return false;
    }
}

bool makes_temporary(LogicalOperator& op) {
    switch (op.type) {
        case LogicalOperatorType::LOGICAL_CREATE_TABLE:
            return is_temporary(op);
        case LogicalOperatorType::LOGICAL_CREATE_VIEW:
        case LogicalOperatorType::LOGICAL_CREATE_MACRO:
        case LogicalOperatorType::LOGICAL_CREATE_TYPE: {
            const auto& create = op.Cast<duckdb::LogicalCreate>();
            return create.info->temporary || (create.schema && create.schema->ParentCatalog().GetName() == kTemporary);
        }
        default:
            return false;
    }
}

void check_read_only(const Watch& watch, const char* word) {
    if (watch.read_only) throw duckdb::TransactionException("cannot execute %s in a read-only transaction", word);
}

void watch_operator(Watch& watch, LogicalOperator& op) {
    watch.made_temporary = watch.made_temporary || makes_temporary(op);
    if (const char* word = writing_word(op)) {
        watch.wrote = true;
        if (!is_temporary(op)) check_read_only(watch, word);
    }
}

// The lake's version within a transaction that has changed its schema itself: no version that others know.
constexpr long long kLocalVersionMin = 1LL << 40;

// What the transaction has made is its own, and nobody else's business before it is committed.
void leave_out_own(Watch& watch, access::Needs& needs) {
    if (!needs.schema_version) return;
    if (*needs.schema_version < kLocalVersionMin) {
        watch.base_version = needs.schema_version;
        return;
    }
    needs.schema_version = watch.base_version;
    const auto is_own = [&](const std::string& schema, const std::string& name) {
        return std::any_of(watch.own.begin(), watch.own.end(),
                           [&](const access::Made& made) { return made.schema == schema && made.name == name; });
    };
    const auto leave_out = [&](std::vector<access::RelationNeed>& relations) {
        std::erase_if(relations, [&](const auto& need) { return is_own(need.schema, need.name); });
    };
    leave_out(needs.relations);
    std::erase_if(needs.views, [&](const auto& view) { return is_own(view.schema, view.name); });
    for (access::ViewNeeds& view : needs.views) leave_out(view.relations);
    std::erase_if(needs.owned, [&](const auto& need) { return is_own(need.schema, need.name); });
    std::erase_if(needs.created_in, [&](const auto& schema) { return is_own(schema, ""); });
}

// Tells the gate what a check has cost, also one that ends with a refusal.
class Cost {
  public:
    explicit Cost(Watch& watch) : watch_(watch) {}
    ~Cost() { watch_.gate->count(std::chrono::steady_clock::now() - began_ + watch_.announcing); }
    Cost(const Cost&) = delete;
    Cost& operator=(const Cost&) = delete;

  private:
    Watch& watch_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void check_privileges(duckdb::PlannerExtensionInput& input, LogicalOperator& plan, ClientMark& mark) {
    Watch& watch = mark.watch;
    const Cost cost(watch);
    BoundText text = watch.text;
    text.is_own = mark.own.has_value();
    PlanNeeds found = needs_of(input.context, input.binder, plan, text);
    leave_out_own(watch, found.needs);
    check_needs(watch, found.needs);
    watch.was_bound = true;
    watch.needs = std::move(found.needs);
    watch.made = std::move(found.made);
}

// DuckLake's functions read the lake while they are bound: a statement that was prepared once would give what they
// found then for ever.
void bind_at_each_execution(duckdb::Binder& binder, const LogicalOperator& op) {
    if (op.type != LogicalOperatorType::LOGICAL_GET) return;
    const std::string& name = op.Cast<duckdb::LogicalGet>().function.name;
    if (name.starts_with("ducklake_") && name != "ducklake_scan")
        binder.GetStatementProperties().always_require_rebind = true;
}

void check_bound(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
    const auto mark = input.context.registered_state->Get<ClientMark>(kMark);
    if (!mark || !statement.plan) return;
    Watch& watch = mark->watch;
    LogicalOperator* const source = watch.evaluates ? evaluated_source(*statement.plan) : nullptr;
    if (!mark->own) visit_operators(source ? *source : *statement.plan, check_operator);
    visit_operators(*statement.plan, [&](LogicalOperator& op) {
        check_reads_rows_alone(input.context, op);
        watch_operator(watch, op);
        check_commented_column(input.context, op);
        bind_at_each_execution(input.binder, op);
    });
    if (watch.gate != nullptr && !watch.evaluates && mark->own != OwnCheck::nothing)
        check_privileges(input, *statement.plan, *mark);
    if (watch.named_relations) watch.origins = origins_of(input.context, *statement.plan, *watch.named_relations);
    if (watch.mentions) watch.repeats = repeats(input.context, *watch.mentions, *statement.plan);
}

[[noreturn]] void refuse(const char* what) {
    throw duckdb::PermissionException("permission denied: %s", what);
}

void refuse_object(duckdb::CatalogType type) {
    if (type == duckdb::CatalogType::SECRET_ENTRY) refuse("secrets belong to the box");
    if (type == duckdb::CatalogType::DATABASE_ENTRY) refuse("databases belong to the box");
}

}  // namespace

void install_guard(duckdb::DatabaseInstance& database) {
    duckdb::PlannerExtension extension;
    extension.post_bind_function = check_bound;
    duckdb::PlannerExtension::Register(duckdb::DBConfig::GetConfig(database), extension);
    install_view_columns(database);
}

void protect(duckdb::ClientContext& context, Watch& watch) {
    context.registered_state->GetOrCreate<ClientMark>(kMark, watch);
}

void check_needs(Watch& watch, const access::Needs& needs) {
    if (watch.gate == nullptr) return;
    if (const auto refusal = watch.gate->check(needs)) {
        if (refusal->sqlstate == "42501") throw duckdb::PermissionException("%s", refusal->message);
        throw duckdb::ConnectionException("%s", refusal->message);
    }
}

OwnStatement::OwnStatement(duckdb::ClientContext& context, OwnCheck check) : context_(context) {
    context.registered_state->Get<ClientMark>(kMark)->own = check;
}
OwnStatement::~OwnStatement() {
    context_.registered_state->Get<ClientMark>(kMark)->own.reset();
}

void refuse_if_read_only(duckdb::ClientContext& context, const char* word) {
    const auto mark = context.registered_state->Get<ClientMark>(kMark);
    if (mark) check_read_only(mark->watch, word);
}

void refuse_statement(const duckdb::SQLStatement& statement) {
    switch (statement.type) {
        case StatementType::SELECT_STATEMENT:
        case StatementType::INSERT_STATEMENT:
        case StatementType::UPDATE_STATEMENT:
        case StatementType::DELETE_STATEMENT:
        case StatementType::MERGE_INTO_STATEMENT:
        case StatementType::ALTER_STATEMENT:
        case StatementType::ANALYZE_STATEMENT:
        case StatementType::VACUUM_STATEMENT:
        case StatementType::CALL_STATEMENT:
            return;
        case StatementType::CREATE_STATEMENT:
            return refuse_object(statement.Cast<duckdb::CreateStatement>().info->type);
        case StatementType::DROP_STATEMENT:
            return refuse_object(statement.Cast<duckdb::DropStatement>().info->type);
        case StatementType::EXPLAIN_STATEMENT:
            return refuse_statement(*statement.Cast<duckdb::ExplainStatement>().stmt);
        case StatementType::COPY_STATEMENT:
            refuse("COPY reads and writes the client's own stream only");
        case StatementType::SET_STATEMENT:
        case StatementType::VARIABLE_SET_STATEMENT:
            refuse("this setting is not open to SQL clients");
        case StatementType::PRAGMA_STATEMENT:
            refuse("PRAGMA is not open to SQL clients");
        case StatementType::TRANSACTION_STATEMENT:
        case StatementType::PREPARE_STATEMENT:
        case StatementType::EXECUTE_STATEMENT:
            refuse("this form of the statement is not supported");
        case StatementType::ATTACH_STATEMENT:
        case StatementType::DETACH_STATEMENT:
        case StatementType::COPY_DATABASE_STATEMENT:
        case StatementType::EXPORT_STATEMENT:
            refuse("only the lake is open to SQL clients");
        case StatementType::LOAD_STATEMENT:
        case StatementType::UPDATE_EXTENSIONS_STATEMENT:
            refuse("extensions belong to the box");
        case StatementType::INVALID_STATEMENT:
        case StatementType::CREATE_FUNC_STATEMENT:
        case StatementType::RELATION_STATEMENT:
        case StatementType::EXTENSION_STATEMENT:
        case StatementType::LOGICAL_PLAN_STATEMENT:
        case StatementType::MULTI_STATEMENT:
            refuse("this kind of statement is not open to SQL clients");
    }
}

}  // namespace boathouse::engine
