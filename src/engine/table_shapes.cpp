#include "engine/table_shapes.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/constraints/not_null_constraint.hpp>
#include <duckdb/parser/parsed_data/create_schema_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/transaction/meta_transaction.hpp>

#include "engine/lake.hpp"
#include "engine/shape_age.hpp"

namespace boathouse::engine {

using duckdb::Catalog;
using duckdb::ClientContext;

namespace {

// Tables beyond these are looked up anew: a lake of very many tables must not fill the memory.
constexpr std::size_t kShapesMax = 10'000;

duckdb::optional_ptr<duckdb::TableCatalogEntry> find_table(ClientContext& context, const std::string& schema,
                                                           const std::string& table) {
    const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, table);
    auto entry = Catalog::GetEntry(context, "lake", schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
    if (!entry || entry->type != duckdb::CatalogType::TABLE_ENTRY) return nullptr;
    return duckdb::optional_ptr<duckdb::TableCatalogEntry>(entry->Cast<duckdb::TableCatalogEntry>());
}

std::shared_ptr<const TableShape> shape_of(ClientContext& context, duckdb::TableCatalogEntry& entry) {
    auto shape = std::make_shared<TableShape>();
    const auto version = entry.ParentCatalog().GetCatalogVersion(context);
    if (version.IsValid()) shape->lake_version = static_cast<long long>(version.GetIndex());
    shape->schema = entry.ParentSchema().name;
    shape->table = entry.name;
    for (const auto& constraint : entry.GetConstraints()) {
        if (constraint->type != duckdb::ConstraintType::NOT_NULL) continue;
        shape->not_null.push_back(constraint->Cast<duckdb::NotNullConstraint>().index.index);
        shape->description.append("not null ").append(std::to_string(shape->not_null.back())).append("\n");
    }
    for (const auto& column : entry.GetColumns().Logical()) {
        shape->names.push_back(column.Name());
        shape->types.push_back(column.Type());
        std::string& text = shape->description;
        text.append(duckdb::KeywordHelper::WriteQuoted(column.Name(), '"'))
            .append(" ")
            .append(column.Type().ToString());
        if (column.HasDefaultValue()) text.append(" default ").append(column.DefaultValue().ToString());
        text.append("\n");
    }
    return shape;
}

// REQUIRES: a transaction of `context` that writes to nothing else.
void make_table(ClientContext& context, const duckdb::TableCatalogEntry& entry) {
    Catalog& shapes = Catalog::GetCatalog(context, kShapeDatabase);
    duckdb::MetaTransaction::Get(context).ModifyDatabase(shapes.GetAttached(),
                                                         duckdb::DatabaseModificationType::CREATE_CATALOG_ENTRY);
    duckdb::CreateSchemaInfo schema;
    schema.catalog = kShapeDatabase;
    schema.schema = entry.ParentSchema().name;
    schema.on_conflict = duckdb::OnCreateConflict::IGNORE_ON_CONFLICT;
    shapes.CreateSchema(context, schema);
    auto table = duckdb::make_uniq<duckdb::CreateTableInfo>(kShapeDatabase, schema.schema, entry.name);
    table->columns = entry.GetColumns().Copy();
    for (const auto& constraint : entry.GetConstraints()) {
        if (constraint->type == duckdb::ConstraintType::NOT_NULL) table->constraints.push_back(constraint->Copy());
    }
    table->on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
    shapes.CreateTable(context, std::move(table));
}

}  // namespace

access::Needs TableShape::insert_needs() const {
    access::Needs needs;
    access::RelationNeed& need = needs.relations.emplace_back();
    need.schema = schema;
    need.name = table;
    need.privilege = access::Privilege::insert;
    need.whole = true;
    return needs;
}

std::shared_ptr<const TableShape> read_shape(ClientContext& context, const std::string& schema,
                                             const std::string& table) {
    auto entry = find_table(context, schema, table);
    return entry ? shape_of(context, *entry) : nullptr;
}

TableShapes::TableShapes(duckdb::DatabaseInstance& database, catalog::Endpoint catalog)
    : database_(database), catalog_(std::move(catalog)) {
    duckdb::Connection connection(database);
    std::string attach = "ATTACH ':memory:' AS ";
    attach.append(kShapeDatabase);
    const auto attached = connection.Query(attach);
    if (attached->HasError()) attached->ThrowError();
}

TableShapes::Key TableShapes::key_of(const std::string& schema, const std::string& table) {
    return {duckdb::StringUtil::Lower(schema), duckdb::StringUtil::Lower(table)};
}

std::shared_ptr<const TableShape> TableShapes::find(const std::string& schema, const std::string& table) {
    const Key key = key_of(schema, table);
    {
        const std::lock_guard lock(mutex_);
        if (const auto entry = known_.find(key); entry != known_.end()) return entry->second;
    }
    const std::lock_guard looking(looking_);
    {
        // Somebody may have looked meanwhile.
        const std::lock_guard lock(mutex_);
        if (const auto entry = known_.find(key); entry != known_.end()) return entry->second;
    }
    auto shape = look(schema, table);
    if (!shape) return nullptr;
    const std::lock_guard lock(mutex_);
    if (known_.size() >= kShapesMax) known_.clear();
    known_[key] = shape;
    return shape;
}

bool TableShapes::is_current(const std::shared_ptr<const TableShape>& shape) {
    const std::lock_guard lock(mutex_);
    const auto entry = known_.find(key_of(shape->schema, shape->table));
    return entry != known_.end() && entry->second == shape;
}

std::optional<bool> TableShapes::has_own_public() {
    constexpr const char* kQuestion = "own public";
    const std::lock_guard asking(asking_);
    if (!connection_ || !connection_->is_alive()) {
        connection_.reset();
        auto opened = catalog::Connection::open(catalog_);
        if (!opened || !opened->prepare(kQuestion,
                                        "SELECT 1 FROM public.ducklake_schema WHERE end_snapshot IS NULL "
                                        "AND pg_catalog.lower(schema_name) = 'public'"))
            return std::nullopt;
        connection_.emplace(std::move(*opened));
    }
    const auto answer = connection_->run({{kQuestion}});
    if (answer) return !answer->front().empty();
    connection_.reset();
    return std::nullopt;
}

void TableShapes::forget(const TableShape& seen) {
    const std::lock_guard lock(mutex_);
    const auto entry = known_.find(key_of(seen.schema, seen.table));
    if (entry != known_.end() && entry->second->same_as(seen)) known_.erase(entry);
}

void TableShapes::forget_older(long long lake_version) {
    const std::lock_guard lock(mutex_);
    if (lake_version == oldest_version_) return;
    oldest_version_ = lake_version;
    std::erase_if(known_, [&](const auto& entry) { return entry.second->lake_version < lake_version; });
}

void forget_older_shapes(Lake& lake, long long schema_version) {
    lake.shapes().forget_older(schema_version);
}

// REQUIRES: looking_ is held, so that no two make the same table.
std::shared_ptr<const TableShape> TableShapes::look(const std::string& schema, const std::string& table) {
    duckdb::Connection connection(database_);
    ClientContext& context = *connection.context;
    std::shared_ptr<const TableShape> shape;
    try {
        context.RunFunctionInTransaction([&] {
            auto entry = find_table(context, schema, table);
            if (!entry) return;
            make_table(context, *entry);
            shape = shape_of(context, *entry);
        });
    } catch (const std::exception&) {
        return nullptr;  // the statement runs by itself, and tells what is wrong
    }
    return shape;
}

}  // namespace boathouse::engine
