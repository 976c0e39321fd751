#include "engine/plan_needs.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/view_catalog_entry.hpp>
#include <duckdb/catalog/catalog_search_path.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/main/client_data.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/constant_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/statement/delete_statement.hpp>
#include <duckdb/parser/statement/explain_statement.hpp>
#include <duckdb/parser/statement/insert_statement.hpp>
#include <duckdb/parser/statement/merge_into_statement.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/statement/update_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <set>

#include "engine/plan_reader.hpp"
#include "engine/statement_walk.hpp"

namespace boathouse::engine {

using access::Needs;
using access::RelationNeed;

namespace {

constexpr const char* kLake = "lake";
constexpr const char* kStateName = "boathouse_views";
// Views in views: more is no design but a mistake, or somebody's try at the stack.
constexpr std::size_t kViewDepthMax = 32;

struct SeenView {
    std::string schema;
    std::string name;
    duckdb::vector<duckdb::LogicalType> types;
    duckdb::vector<std::string> names;
};

// What the function that stands for a view looks up while a statement is bound for the second time.
struct SeenViews final : duckdb::ClientContextState {
    std::vector<SeenView> views;
};

duckdb::unique_ptr<duckdb::FunctionData> bind_view_columns(duckdb::ClientContext& context,
                                                           duckdb::TableFunctionBindInput& input,
                                                           duckdb::vector<duckdb::LogicalType>& types,
                                                           duckdb::vector<std::string>& names) {
    const auto seen = context.registered_state->Get<SeenViews>(kStateName);
    const auto index = input.inputs.at(0).GetValue<std::uint64_t>();
    if (!seen || index >= seen->views.size())
        throw duckdb::PermissionException("permission denied for table function %s", std::string(kViewColumns));
    types = seen->views[index].types;
    names = seen->views[index].names;
    return nullptr;
}

void never_run(duckdb::ClientContext&, duckdb::TableFunctionInput&, duckdb::DataChunk&) {
    throw duckdb::InternalException("a view's stand-in is bound, never run");
}

void add_once(std::vector<RelationNeed>& needs, const std::vector<RelationNeed>& more) {
    for (const RelationNeed& need : more) {
        if (std::find(needs.begin(), needs.end(), need) == needs.end()) needs.push_back(need);
    }
}

// Binds statements anew with their views replaced, and each view's query, as deep as they go.
class Levels {
  public:
    Levels(duckdb::ClientContext& context, duckdb::Binder& binder)
        : context_(context),
          parameters_(binder.GetParameters()),
          seen_(*context.registered_state->GetOrCreate<SeenViews>(kStateName)) {
        seen_.views.clear();
    }
    ~Levels() { context_.registered_state->Remove(kStateName); }
    Levels(const Levels&) = delete;
    Levels& operator=(const Levels&) = delete;

    // What the statement needs of the client, with views as views.
    PlanNeeds of_client(const BoundText& text) {
        const auto copy = text.statement->Copy();
        replace_views(*copy, "", 0);
        auto needs = read(*copy, text);
        needs.needs.views = views_;
        return needs;
    }

  private:
    static std::set<std::string> common_tables(duckdb::SQLStatement& statement) {
        std::set<std::string> names;
        const auto add = [&](duckdb::CommonTableExpressionMap& map) {
            for (const auto& entry : map.map) names.insert(duckdb::StringUtil::Lower(entry.first));
        };
        StatementVisitor visitor;
        visitor.query = [&](duckdb::QueryNode& node) { add(node.cte_map); };
        walk_statement(statement, visitor);
        switch (statement.type) {
            case duckdb::StatementType::INSERT_STATEMENT:
                add(statement.Cast<duckdb::InsertStatement>().cte_map);
                break;
            case duckdb::StatementType::UPDATE_STATEMENT:
                add(statement.Cast<duckdb::UpdateStatement>().cte_map);
                break;
            case duckdb::StatementType::DELETE_STATEMENT:
                add(statement.Cast<duckdb::DeleteStatement>().cte_map);
                break;
            case duckdb::StatementType::MERGE_INTO_STATEMENT:
                add(statement.Cast<duckdb::MergeIntoStatement>().cte_map);
                break;
            case duckdb::StatementType::EXPLAIN_STATEMENT:
                names.merge(common_tables(*statement.Cast<duckdb::ExplainStatement>().stmt));
                break;
            default:
                break;
        }
        return names;
    }

    // The relation that a name means, within a view of `schema` or, where that is empty, in the session.
    duckdb::optional_ptr<duckdb::CatalogEntry> entry_of(const duckdb::BaseTableRef& reference,
                                                        const std::string& schema) {
        const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, reference.table_name);
        std::string catalog = reference.catalog_name;
        std::string named = reference.schema_name;
        if (catalog.empty() && named.empty() && !schema.empty()) {
            const auto own =
                duckdb::Catalog::GetEntry(context_, kLake, schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
            if (own) return own;
        }
        duckdb::Binder::BindSchemaOrCatalog(context_, catalog, named);
        return duckdb::Catalog::GetEntry(context_, catalog, named, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    }

    // In a view's query, names get the schemas in which they were found.
    void replace_views(duckdb::SQLStatement& statement, const std::string& schema, std::size_t depth) {
        const std::set<std::string> hidden = common_tables(statement);
        std::set<std::string> names;
        StatementVisitor visitor;
        // A function has no schema by which its columns could be called: main.v.a is v.a now.
        visitor.expression = [&](ParsedPointer& expression) {
            if (expression->GetExpressionClass() != duckdb::ExpressionClass::COLUMN_REF) return;
            auto& parts = expression->Cast<duckdb::ColumnRefExpression>().column_names;
            if (parts.size() >= 3 && names.contains(duckdb::StringUtil::Lower(parts[parts.size() - 2])))
                parts.erase(parts.begin(), parts.end() - 2);
        };
        visitor.table_pointer = [&](duckdb::unique_ptr<duckdb::TableRef>& pointer) {
            if (pointer->type != duckdb::TableReferenceType::BASE_TABLE) return;
            auto& reference = pointer->Cast<duckdb::BaseTableRef>();
            const bool may_be_common = reference.schema_name.empty() && reference.catalog_name.empty() &&
                                       hidden.contains(duckdb::StringUtil::Lower(reference.table_name));
            if (may_be_common || reference.at_clause) return;
            auto entry = entry_of(reference, schema);
            if (!entry || entry->ParentCatalog().GetName() != kLake) return;
            if (entry->type == duckdb::CatalogType::VIEW_ENTRY) {
                names.insert(duckdb::StringUtil::Lower(reference.table_name));
                pointer = stand_in(reference, entry->Cast<duckdb::ViewCatalogEntry>(), depth);
            } else if (!schema.empty()) {
                reference.catalog_name = kLake;
                reference.schema_name = entry->ParentSchema().name;
            }
        };
        walk_statement(statement, visitor);
    }

    duckdb::unique_ptr<duckdb::TableRef> stand_in(const duckdb::BaseTableRef& reference, duckdb::ViewCatalogEntry& view,
                                                  std::size_t depth) {
        const std::size_t index = index_of(view, depth);
        duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments;
        arguments.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::UBIGINT(index)));
        auto function = duckdb::make_uniq<duckdb::TableFunctionRef>();
        function->function = duckdb::make_uniq<duckdb::FunctionExpression>(kViewColumns, std::move(arguments));
        function->alias = reference.alias.empty() ? reference.table_name : reference.alias;
        function->column_name_alias = reference.column_name_alias;
        function->sample = reference.sample ? reference.sample->Copy() : nullptr;
        return function;
    }

    std::size_t index_of(duckdb::ViewCatalogEntry& view, std::size_t depth) {
        const std::string& schema = view.ParentSchema().name;
        const auto known = std::find_if(seen_.views.begin(), seen_.views.end(), [&](const SeenView& seen) {
            return seen.schema == schema && seen.name == view.name;
        });
        if (known != seen_.views.end()) return static_cast<std::size_t>(known - seen_.views.begin());
        if (depth >= kViewDepthMax) throw duckdb::BinderException("views lie too deep in views");
        SeenView seen{schema, view.name, {}, {}};
        read_view(view, seen, depth);
        seen_.views.push_back(std::move(seen));
        return seen_.views.size() - 1;
    }

    // What the view's own query reads, and its columns.
    void read_view(duckdb::ViewCatalogEntry& view, SeenView& seen, std::size_t depth) {
        duckdb::SelectStatement& query = const_cast<duckdb::SelectStatement&>(view.GetQuery());
        const auto copy = query.Copy();
        replace_views(*copy, seen.schema, depth + 1);
        PlanNeeds below = read(*copy, {copy.get(), false}, &seen);
        for (std::size_t i = 0; i < std::min(view.aliases.size(), seen.names.size()); ++i)
            seen.names[i] = view.aliases[i];
        views_.push_back({seen.schema, seen.name, std::move(below.needs.relations), std::move(below.needs.keeper)});
    }

    PlanNeeds read(duckdb::SQLStatement& statement, const BoundText& text, SeenView* shape = nullptr) {
        const auto binder = duckdb::Binder::CreateBinder(context_);
        if (parameters_) binder->SetParameters(*parameters_);
        const auto bound = binder->Bind(statement);
        PlanReader reader(context_, text, {});
        reader.read(*bound.plan);
        if (shape != nullptr) {
            shape->types = bound.types;
            shape->names = bound.names;
        }
        PlanNeeds needs{reader.needs(), reader.made()};
        for (const auto& [index, used] : reader.views()) {
            RelationNeed need = used;
            need.schema = seen_.views.at(index).schema;
            need.name = seen_.views.at(index).name;
            add_once(needs.needs.relations, {need});
        }
        return needs;
    }

    duckdb::ClientContext& context_;
    duckdb::optional_ptr<duckdb::BoundParameterMap> parameters_;
    SeenViews& seen_;
    std::vector<access::ViewNeeds> views_;
};

struct TextFacts {
    bool names_view = false;
    std::vector<const duckdb::CatalogEntry*> named;  // relations, as the lake has them now
    std::string maintenance;  // a function of DuckLake's whose plan may be empty, because there is nothing to do
};

// What the lake has under a name without a schema, first in the search path. A temporary relation would hide it, which
// costs DuckDB's own lookup ten times as much to find out, and matters of a view alone.
duckdb::optional_ptr<duckdb::CatalogEntry> lake_entry(duckdb::ClientContext& context, const std::string& name) {
    auto& lake = duckdb::Catalog::GetCatalog(context, kLake);
    const auto transaction = lake.GetCatalogTransaction(context);
    const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, name);
    for (const duckdb::CatalogSearchEntry& place : duckdb::ClientData::Get(context).catalog_search_path->Get()) {
        if (place.catalog != kLake) continue;
        auto schema = lake.GetSchema(transaction, place.schema, duckdb::OnEntryNotFound::RETURN_NULL);
        const auto entry = schema ? schema->LookupEntry(transaction, lookup) : nullptr;
        if (entry) return entry;
    }
    return nullptr;
}

// What a relation's name means to the client, if it is the lake's.
duckdb::optional_ptr<duckdb::CatalogEntry> relation_named(duckdb::ClientContext& context,
                                                          const duckdb::BaseTableRef& reference) {
    if (reference.catalog_name.empty() && reference.schema_name.empty()) {
        const auto entry = lake_entry(context, reference.table_name);
        if (!entry || entry->type != duckdb::CatalogType::VIEW_ENTRY) return entry;
    }
    std::string catalog = reference.catalog_name;
    std::string schema = reference.schema_name;
    duckdb::Binder::BindSchemaOrCatalog(context, catalog, schema);
    const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, reference.table_name);
    const auto entry =
        duckdb::Catalog::GetEntry(context, catalog, schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    return entry && entry->ParentCatalog().GetName() == kLake ? entry : nullptr;
}

// A look that costs little: most statements name tables only.
TextFacts look_at(duckdb::ClientContext& context, const duckdb::SQLStatement& statement) {
    TextFacts facts;
    StatementVisitor visitor;
    visitor.expression = [&](ParsedPointer& expression) {
        if (expression->GetExpressionClass() != duckdb::ExpressionClass::FUNCTION) return;
        const std::string name =
            duckdb::StringUtil::Lower(expression->Cast<duckdb::FunctionExpression>().function_name);
        if (name.starts_with("ducklake_") && !PlanReader::is_known_function(name)) facts.maintenance = name;
    };
    visitor.table = [&](duckdb::TableRef& pointer) {
        if (facts.names_view || pointer.type != duckdb::TableReferenceType::BASE_TABLE) return;
        const auto entry = relation_named(context, pointer.Cast<duckdb::BaseTableRef>());
        if (!entry) return;
        facts.names_view = entry->type == duckdb::CatalogType::VIEW_ENTRY;
        facts.named.push_back(entry.get());
    };
    // The walk changes nothing by itself.
    walk_statement(const_cast<duckdb::SQLStatement&>(statement), visitor);
    return facts;
}

// Every table that the statement really reads has to be accounted for: by the client, or by a view's owner.
void cover(Needs& needs, const Needs& plan) {
    for (const RelationNeed& need : plan.relations) {
        const auto same = [&](const RelationNeed& other) {
            return other.schema == need.schema && other.name == need.name && other.privilege == need.privilege;
        };
        bool covered = std::any_of(needs.relations.begin(), needs.relations.end(), same);
        for (const access::ViewNeeds& view : needs.views)
            covered = covered || std::any_of(view.relations.begin(), view.relations.end(), same);
        if (!covered) needs.relations.push_back(need);
    }
    const bool keeps = std::any_of(needs.views.begin(), needs.views.end(),
                                   [](const access::ViewNeeds& view) { return !view.keeper.empty(); });
    if (!keeps && needs.keeper.empty()) needs.keeper = plan.keeper;
    if (plan.schema_version) needs.schema_version = plan.schema_version;
}

}  // namespace

void install_view_columns(duckdb::DatabaseInstance& database) {
    duckdb::ExtensionLoader loader(database, "boathouse");
    loader.RegisterFunction(
        duckdb::TableFunction(kViewColumns, {duckdb::LogicalType::UBIGINT}, never_run, bind_view_columns));
}

PlanNeeds needs_of(duckdb::ClientContext& context, duckdb::Binder& binder, duckdb::LogicalOperator& plan,
                   const BoundText& text) {
    const TextFacts facts = text.statement != nullptr ? look_at(context, *text.statement) : TextFacts();
    PlanReader reader(context, text, facts.named);
    reader.read(plan);
    PlanNeeds whole{reader.needs(), reader.made()};
    if (whole.needs.keeper.empty()) whole.needs.keeper = facts.maintenance;
    if (!facts.names_view) return whole;
    try {
        Levels levels(context, binder);
        PlanNeeds levelled = levels.of_client(text);
        cover(levelled.needs, whole.needs);
        return levelled;
    } catch (const std::exception&) {
        return whole;  // which needs no less
    }
}

}  // namespace boathouse::engine
