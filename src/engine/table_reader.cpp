#include "engine/table_reader.hpp"

#include <algorithm>
#include <duckdb/catalog/catalog.hpp>
#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_catalog_entry.hpp>
#include <utility>

namespace boathouse::engine {
namespace {

using Outcome = TableReader::Outcome;

constexpr const char* kMacros =
    "SELECT pg_catalog.lower(macro_name) FROM public.ducklake_macro WHERE end_snapshot IS NULL";
constexpr const char* kTable =
    "SELECT t.table_id, coalesce(c.record_count, 0), coalesce(c.file_size_bytes, 0) FROM public.ducklake_table t "
    "JOIN public.ducklake_schema s ON s.schema_id = t.schema_id AND s.begin_snapshot <= $3::bigint "
    "AND (s.end_snapshot IS NULL OR s.end_snapshot > $3::bigint) "
    "LEFT JOIN public.ducklake_table_stats c ON c.table_id = t.table_id "
    "WHERE t.begin_snapshot <= $3::bigint AND (t.end_snapshot IS NULL OR t.end_snapshot > $3::bigint) "
    "AND s.schema_name = $1 AND t.table_name = $2";
// DuckDB keeps a column's first vector by itself, and all later ones in blocks of this size.
constexpr std::size_t kBlockBytes = 262'144;
// What an empty table takes is something all the same.
constexpr std::size_t kTableBytes = 1'024;

// What DuckDB keeps in memory as it reads it from the lake.
bool is_plain(const duckdb::LogicalType& type) {
    switch (type.id()) {
        case duckdb::LogicalTypeId::LIST:
            return is_plain(duckdb::ListType::GetChildType(type));
        case duckdb::LogicalTypeId::MAP:
            return is_plain(duckdb::MapType::KeyType(type)) && is_plain(duckdb::MapType::ValueType(type));
        case duckdb::LogicalTypeId::STRUCT: {
            const auto& children = duckdb::StructType::GetChildTypes(type);
            return std::all_of(children.begin(), children.end(),
                               [](const auto& child) { return is_plain(child.second); });
        }
        case duckdb::LogicalTypeId::BOOLEAN:
        case duckdb::LogicalTypeId::TINYINT:
        case duckdb::LogicalTypeId::SMALLINT:
        case duckdb::LogicalTypeId::INTEGER:
        case duckdb::LogicalTypeId::BIGINT:
        case duckdb::LogicalTypeId::HUGEINT:
        case duckdb::LogicalTypeId::UTINYINT:
        case duckdb::LogicalTypeId::USMALLINT:
        case duckdb::LogicalTypeId::UINTEGER:
        case duckdb::LogicalTypeId::UBIGINT:
        case duckdb::LogicalTypeId::UHUGEINT:
        case duckdb::LogicalTypeId::FLOAT:
        case duckdb::LogicalTypeId::DOUBLE:
        case duckdb::LogicalTypeId::DECIMAL:
        case duckdb::LogicalTypeId::VARCHAR:
        case duckdb::LogicalTypeId::BLOB:
        case duckdb::LogicalTypeId::UUID:
        case duckdb::LogicalTypeId::DATE:
        case duckdb::LogicalTypeId::TIME:
        case duckdb::LogicalTypeId::TIME_TZ:
        case duckdb::LogicalTypeId::TIMESTAMP:
        case duckdb::LogicalTypeId::TIMESTAMP_SEC:
        case duckdb::LogicalTypeId::TIMESTAMP_MS:
        case duckdb::LogicalTypeId::TIMESTAMP_NS:
        case duckdb::LogicalTypeId::TIMESTAMP_TZ:
        case duckdb::LogicalTypeId::INTERVAL:
            return true;
        default:
            return false;
    }
}

// Columns that DuckDB stores for one of the type: of a nested one, those of its parts too.
std::size_t stored_columns(const duckdb::LogicalType& type) {
    std::size_t count = 1;
    if (type.InternalType() == duckdb::PhysicalType::LIST)
        count += stored_columns(duckdb::ListType::GetChildType(type));
    if (type.InternalType() == duckdb::PhysicalType::STRUCT)
        for (const auto& child : duckdb::StructType::GetChildTypes(type)) count += stored_columns(child.second);
    return count;
}

// As a table of DuckDB's: the rows, and for each column what its last block has left.
std::size_t memory_of(const duckdb::ColumnDataCollection& rows) {
    std::size_t columns = 0;
    for (const duckdb::LogicalType& type : rows.Types())
        if (rows.Count() > STANDARD_VECTOR_SIZE || type.IsNested()) columns += stored_columns(type);
    return kTableBytes + rows.AllocationSize() + columns * kBlockBytes;
}

// What the lake calls it and its columns. Throws what DuckDB throws.
Outcome find_columns(duckdb::Connection& lake, const std::string& schema, const std::string& name, TableCopy& copy) {
    Outcome outcome = Outcome::unfit;
    lake.context->RunFunctionInTransaction([&] {
        const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, name);
        auto entry =
            duckdb::Catalog::GetEntry(*lake.context, "lake", schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
        if (!entry || entry->type != duckdb::CatalogType::TABLE_ENTRY) return;
        auto& table = entry->Cast<duckdb::TableCatalogEntry>();
        const auto version = table.ParentCatalog().GetCatalogVersion(*lake.context);
        if (!version.IsValid()) return;
        copy.schema = table.ParentSchema().name;
        copy.name = table.name;
        copy.schema_version = static_cast<long long>(version.GetIndex());
        for (const auto& column : table.GetColumns().Logical()) {
            copy.names.push_back(column.Name());
            copy.types.push_back(column.Type());
        }
        if (std::all_of(copy.types.begin(), copy.types.end(), is_plain)) outcome = Outcome::read;
    });
    return outcome;
}

}  // namespace

TableReader::TableReader(duckdb::DatabaseInstance& database, catalog::Endpoint catalog, long long rows_max,
                         std::size_t bytes_max)
    : database_(database), catalog_(std::move(catalog)), rows_max_(rows_max), bytes_max_(bytes_max) {}

void TableReader::interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    if (reading_ != nullptr) reading_->Interrupt();
}

Outcome TableReader::read(const std::string& schema, const std::string& name, TableCopy& copy) {
    if (!connection_ || !connection_->is_alive()) {
        connection_.reset();
        auto opened = catalog::Connection::open(catalog_);
        if (!opened) return Outcome::failed;
        connection_.emplace(std::move(*opened));
    }
    duckdb::Connection lake(database_);
    {
        const std::lock_guard lock(mutex_);
        if (interrupted_) return Outcome::failed;
        reading_ = &lake;
    }
    Outcome outcome = Outcome::failed;
    try {
        outcome = read_with(lake, schema, name, copy);
    } catch (const std::exception&) {
        outcome = Outcome::failed;
    }
    const std::lock_guard lock(mutex_);
    reading_ = nullptr;
    return outcome;
}

// Throws what DuckDB throws.
Outcome TableReader::read_with(duckdb::Connection& lake, const std::string& schema, const std::string& name,
                               TableCopy& copy) {
    lake.BeginTransaction();
    const auto snapshot = lake.Query("SELECT id FROM ducklake_current_snapshot('lake')");
    if (snapshot->HasError() || snapshot->RowCount() != 1) return Outcome::failed;
    copy.snapshot = snapshot->GetValue(0, 0).GetValue<std::int64_t>();
    Outcome outcome = find_columns(lake, schema, name, copy);
    if (outcome == Outcome::read) outcome = ask_catalog(copy);
    if (outcome == Outcome::read) outcome = read_rows(lake, copy);
    lake.Rollback();
    return outcome;
}

// Its number and the lake's macros.
Outcome TableReader::ask_catalog(TableCopy& copy) {
    const auto macros = connection_->query(kMacros);
    const auto table = connection_->query(kTable, {copy.schema, copy.name, std::to_string(copy.snapshot)});
    if (!macros || !table || table->size() != 1) return Outcome::failed;
    for (const catalog::Row& row : *macros) copy.macros.insert(row[0].value_or(""));
    const catalog::Row& found = table->front();
    copy.number = std::stoll(found[0].value_or("-1"));
    const bool is_small =
        std::stoll(found[1].value_or("0")) <= rows_max_ && std::stoull(found[2].value_or("0")) <= bytes_max_;
    return is_small ? Outcome::read : Outcome::too_large;
}

// Throws what DuckDB throws.
Outcome TableReader::read_rows(duckdb::Connection& lake, TableCopy& copy) const {
    const auto rows = lake.SendQuery("SELECT * FROM lake." + duckdb::KeywordHelper::WriteQuoted(copy.schema, '"') +
                                     "." + duckdb::KeywordHelper::WriteQuoted(copy.name, '"'));
    if (rows->HasError()) return Outcome::failed;
    if (rows->types != copy.types) return Outcome::unfit;
    copy.rows = duckdb::make_uniq<duckdb::ColumnDataCollection>(duckdb::Allocator::DefaultAllocator(), copy.types);
    while (const auto chunk = rows->Fetch()) {
        if (chunk->size() == 0) break;
        copy.rows->Append(*chunk);
        copy.bytes = memory_of(*copy.rows);
        if (copy.bytes > bytes_max_ || copy.rows->Count() > static_cast<duckdb::idx_t>(rows_max_))
            return Outcome::too_large;
    }
    copy.bytes = memory_of(*copy.rows);
    return rows->HasError() ? Outcome::failed : Outcome::read;
}

}  // namespace boathouse::engine
