#include "engine/arrow_scan.hpp"

#include <duckdb/function/table/arrow.hpp>
#include <duckdb/main/relation.hpp>

namespace boathouse::engine {

namespace {

// DuckDB asks for the schema when it binds, and for the batches once, when it scans.
void give_schema(ArrowArrayStream* batches, ArrowSchema& schema) {
    // The parameter's type is DuckDB's word for whatever the function was given.
    const auto& given = *reinterpret_cast<const arrow::Batches*>(batches);
    NANOARROW_THROW_NOT_OK(ArrowSchemaDeepCopy(given.schema.get(), &schema));
}

duckdb::unique_ptr<duckdb::ArrowArrayStreamWrapper> give_batches(std::uintptr_t batches,
                                                                 duckdb::ArrowStreamParameters&) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): DuckDB passes on its own Value::POINTER so
    auto& given = *reinterpret_cast<arrow::Batches*>(batches);
    nanoarrow::UniqueSchema schema;
    NANOARROW_THROW_NOT_OK(ArrowSchemaDeepCopy(given.schema.get(), schema.get()));
    auto stream = duckdb::make_uniq<duckdb::ArrowArrayStreamWrapper>();
    stream->number_of_rows = -1;  // unknown
    NANOARROW_THROW_NOT_OK(ArrowBasicArrayStreamInit(&stream->arrow_array_stream, schema.get(),
                                                     static_cast<std::int64_t>(given.batches.size())));
    std::int64_t index = 0;
    for (nanoarrow::UniqueArray& batch : given.batches)
        ArrowBasicArrayStreamSetArray(&stream->arrow_array_stream, index++, batch.get());
    given.batches.clear();
    return stream;
}

duckdb::shared_ptr<duckdb::Relation> relation_of(duckdb::Connection& connection, arrow::Batches& batches) {
    // The one that does not push projections and filters into the stream.
    return connection.TableFunction("arrow_scan_dumb",
                                    {duckdb::Value::POINTER(reinterpret_cast<std::uintptr_t>(&batches)),
                                     duckdb::Value::POINTER(reinterpret_cast<std::uintptr_t>(&give_batches)),
                                     duckdb::Value::POINTER(reinterpret_cast<std::uintptr_t>(&give_schema))});
}

}  // namespace

duckdb::unique_ptr<duckdb::MaterializedQueryResult> scan_arrow(duckdb::Connection& connection, arrow::Batches batches) {
    auto result = relation_of(connection, batches)->Execute();
    if (result->HasError()) result->ThrowError();
    return duckdb::unique_ptr_cast<duckdb::QueryResult, duckdb::MaterializedQueryResult>(std::move(result));
}

std::vector<ArrowColumn> columns_of_arrow(duckdb::Connection& connection, nanoarrow::UniqueSchema schema) {
    arrow::Batches none{std::move(schema)};
    const auto relation = relation_of(connection, none);
    std::vector<ArrowColumn> columns;
    for (const duckdb::ColumnDefinition& column : relation->Columns())
        columns.push_back({column.Name(), column.Type()});
    return columns;
}

}  // namespace boathouse::engine
