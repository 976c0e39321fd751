#include "engine/undrop.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/create_statement.hpp>
#include <duckdb/planner/tableref/bound_at_clause.hpp>

#include "base/log.hpp"
#include "engine/lake_transaction.hpp"

namespace boathouse::engine {
namespace {

using catalog::DroppedKind;
using catalog::DroppedObject;

// What an object was, as DuckLake gives it for a snapshot.
struct Definition {
    std::string sql{};  // CREATE …, under the name that was asked for
    std::string comment{};
    std::vector<std::pair<std::string, std::string>> column_comments{};
};

duckdb::CatalogType type_of(DroppedKind kind) {
    switch (kind) {
        case DroppedKind::table:
        case DroppedKind::view:
            return duckdb::CatalogType::TABLE_ENTRY;
        case DroppedKind::scalar_macro:
            return duckdb::CatalogType::MACRO_ENTRY;
        case DroppedKind::table_macro:
            return duckdb::CatalogType::TABLE_MACRO_ENTRY;
    }
    throw duckdb::InternalException("no such kind");
}

std::string text_of(const duckdb::Value& value) {
    return value.IsNull() ? "" : value.ToString();
}

// Looks before the transaction has an object of that name itself: DuckLake would find that in older snapshots too.
Definition definition_of(LakeTransaction& transaction, const std::string& schema, const DroppedObject& object,
                         const std::string& table_name) {
    Definition definition;
    auto& context = transaction.context();
    context.RunFunctionInTransaction([&] {
        duckdb::BoundAtClause then("VERSION", duckdb::Value::BIGINT(object.last_snapshot));
        const duckdb::EntryLookupInfo lookup(type_of(object.kind), object.name, &then, duckdb::QueryErrorContext());
        const auto entry =
            duckdb::Catalog::GetEntry(context, "lake", schema, lookup, duckdb::OnEntryNotFound::THROW_EXCEPTION);
        const auto info = entry->GetInfo();
        info->catalog = "lake";
        info->schema = schema;
        definition.comment = text_of(entry->comment);
        if (object.kind == DroppedKind::table) {
            info->Cast<duckdb::CreateTableInfo>().table = table_name;
            for (const auto& column : entry->Cast<duckdb::TableCatalogEntry>().GetColumns().Logical()) {
                if (!column.Comment().IsNull())
                    definition.column_comments.emplace_back(column.Name(), column.Comment().ToString());
            }
        }
        definition.sql = info->ToString();
    });
    return definition;
}

// A view is not bound: it comes back before what it selects from does, and even if that is gone.
void create_view(LakeTransaction& transaction, const std::string& sql) {
    duckdb::Parser parser;
    parser.ParseQuery(sql);
    auto& info = parser.statements.at(0)->Cast<duckdb::CreateStatement>().info->Cast<duckdb::CreateViewInfo>();
    auto& context = transaction.context();
    context.RunFunctionInTransaction([&] { duckdb::Catalog::GetCatalog(context, "lake").CreateView(context, info); });
}

// Under a name of its own, so that its rows can be read from the table that was, then under the name that it had.
Result<long long> undrop_table(LakeTransaction& transaction, const std::string& schema, const DroppedObject& object) {
    const std::string schema_name = "lake." + identifier(schema);
    const std::string passing = "boathouse undrop " + object.name;
    const std::string made = schema_name + "." + identifier(passing);
    const std::string table = schema_name + "." + identifier(object.name);
    const Definition definition = definition_of(transaction, schema, object, passing);
    std::vector<std::string> statements{definition.sql};
    if (!object.partition_keys.empty())
        statements.push_back(fmt::format("ALTER TABLE {} SET PARTITIONED BY ({})", made, object.partition_keys));
    if (!object.sort_keys.empty())
        statements.push_back(fmt::format("ALTER TABLE {} SET SORTED BY ({})", made, object.sort_keys));
    if (!definition.comment.empty())
        statements.push_back(fmt::format("COMMENT ON TABLE {} IS {}", made, literal(definition.comment)));
    for (const auto& [column, comment] : definition.column_comments)
        statements.push_back(fmt::format("COMMENT ON COLUMN {}.{} IS {}", made, identifier(column), literal(comment)));
    if (auto done = transaction.run(statements); !done) return done.error();
    auto filled =
        transaction.run(fmt::format("INSERT INTO {} FROM {} AT (VERSION => {})", made, table, object.last_snapshot));
    if (!filled) return filled.error();
    auto renamed = transaction.run(fmt::format("ALTER TABLE {} RENAME TO {}", made, identifier(object.name)));
    if (!renamed) return renamed.error();
    return std::stoll(filled->at(0).at(0));
}

Result<long long> undrop_object(LakeTransaction& transaction, const std::string& schema, const DroppedObject& object) {
    if (object.kind == DroppedKind::table) return undrop_table(transaction, schema, object);
    const Definition definition = definition_of(transaction, schema, object, object.name);
    if (object.kind != DroppedKind::view) {
        auto made = transaction.run(definition.sql);
        return made ? Result<long long>(0) : made.error();
    }
    create_view(transaction, definition.sql);
    if (definition.comment.empty()) return 0;
    auto commented = transaction.run(fmt::format("COMMENT ON VIEW lake.{}.{} IS {}", identifier(schema),
                                                 identifier(object.name), literal(definition.comment)));
    return commented ? Result<long long>(0) : commented.error();
}

std::string what_of(const catalog::Dropped& dropped) {
    std::vector<std::string> names;
    for (const DroppedObject& object : dropped.objects)
        names.push_back(fmt::format("{}.{} from snapshot {}", dropped.schema, object.name, object.last_snapshot));
    return names.empty() ? fmt::format("schema {} undropped", dropped.schema)
                         : fmt::format("undropped {}", fmt::join(names, ", "));
}

// The catalog has sizes in bytes; where they are set they need a unit.
std::string set_option(const std::pair<std::string, std::string>& option, const std::string& where) {
    const auto& [key, value] = option;
    const bool is_size = key == "target_file_size" || key == "parquet_row_group_size_bytes";
    return fmt::format("CALL lake.set_option({}, {}, {})", literal(key), literal(value + (is_size ? " bytes" : "")),
                       where);
}

// After the commit: DuckLake sets none for what the same transaction makes.
Status set_options(LakeTransaction& transaction, const catalog::Dropped& dropped) {
    std::vector<std::string> statements{"BEGIN"};
    const std::string in_schema = "schema => " + literal(dropped.schema);
    for (const auto& option : dropped.schema_options) statements.push_back(set_option(option, in_schema));
    for (const DroppedObject& object : dropped.objects) {
        for (const auto& option : object.options)
            statements.push_back(set_option(option, in_schema + ", table_name => " + literal(object.name)));
    }
    statements.emplace_back("COMMIT");
    if (statements.size() == 2) return {};
    auto set = transaction.run(statements);
    if (set) return {};
    Error error = set.error();
    error.message = "the rows are there again, but not the options: " + error.message;
    return error;
}

}  // namespace

Result<std::vector<long long>> undrop(Lake& lake, const catalog::Dropped& dropped) {
    using Counts = std::vector<long long>;
    return in_transaction<Counts>(lake, [&](LakeTransaction& transaction) -> Result<Counts> {
        auto begun = transaction.run({"USE lake", "BEGIN", undo_message(what_of(dropped)),
                                      "CREATE SCHEMA IF NOT EXISTS lake." + identifier(dropped.schema)});
        if (!begun) return begun.error();
        Counts counts;
        for (const DroppedObject& object : dropped.objects) {
            auto count = undrop_object(transaction, dropped.schema, object);
            if (!count) return count.error();
            counts.push_back(*count);
        }
        if (auto committed = transaction.run("COMMIT"); !committed) return committed.error();
        if (auto set = set_options(transaction, dropped); !set) return set.error();
        return counts;
    });
}

}  // namespace boathouse::engine
