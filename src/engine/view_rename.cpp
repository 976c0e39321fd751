#include "engine/view_rename.hpp"

#include <duckdb/catalog/catalog.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/statement/alter_statement.hpp>

namespace boathouse::engine {

void rename_as_view(duckdb::ClientContext& context, duckdb::SQLStatement& statement) {
    if (statement.type != duckdb::StatementType::ALTER_STATEMENT) return;
    auto& info = statement.Cast<duckdb::AlterStatement>().info;
    if (info->type != duckdb::AlterType::ALTER_TABLE) return;
    auto& table = info->Cast<duckdb::AlterTableInfo>();
    if (table.alter_table_type != duckdb::AlterTableType::RENAME_TABLE) return;
    bool is_view = false;
    context.RunFunctionInTransaction([&] {
        const auto entry = duckdb::Catalog::GetEntry(
            context, table.catalog, table.schema, duckdb::EntryLookupInfo(duckdb::CatalogType::TABLE_ENTRY, table.name),
            duckdb::OnEntryNotFound::RETURN_NULL);
        is_view = entry && entry->type == duckdb::CatalogType::VIEW_ENTRY;
    });
    if (!is_view) return;
    const std::string new_name = table.Cast<duckdb::RenameTableInfo>().new_table_name;
    info = duckdb::make_uniq<duckdb::RenameViewInfo>(
        duckdb::AlterEntryData(table.catalog, table.schema, table.name, table.if_not_found), new_name);
}

}  // namespace boathouse::engine
